"""A job: a piece of work whose result depends on nothing but itself, so it may be done anywhere, and kept.

A job is small and picklable. Its `address` is a hash of everything that determines its result: code, versions, values,
seeds. Two jobs with one address have the same result, bit for bit.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simulator import sources
from simulator.draws import generator

Columns = dict[str, npt.NDArray[Any]]  # by name, rows along the first axis, as many in each
Stopped = Callable[[], bool]
Progress = Callable[[int], None]  # called with the number of runs done since the last call
Stage = Callable[[str, int], Progress]  # called with the name of a stage of work and its number of runs
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

VERSIONS = ("numpy", "numba", "llvmlite", "scipy")  # packages that have a say in the numbers


class Job(Protocol):
    """A picklable piece of work."""

    @property
    def address(self) -> str:
        """A hash of everything that determines the result."""

    @property
    def runs(self) -> int:
        """How many runs the job counts for in a display of progress."""

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return the result, or None if `stopped()` before the end."""


class Runner(Protocol):
    """Carries out jobs; raises what a job raises."""

    def __call__(self, what: str, jobs: Sequence[Job]) -> list[Columns]:
        """Return the results in the order of the jobs; `what` is their name in a display of progress."""


def no_stage(what: str, runs: int) -> Progress:
    """Display no progress."""
    return lambda done: None


@cache
def code_of(*modules: str) -> str:
    """Return a text that identifies all that determines what `modules` compute, beside their arguments.

    It covers the sources that they reach by imports, the data files that these name, the packages that have a say in
    the numbers, and the generator of random numbers.
    """
    versions = " ".join(f"{name} {metadata.version(name)}" for name in VERSIONS)
    return f"{sources.digest(*modules)} {versions} {generator()}"
