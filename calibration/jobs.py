"""Jobs: pieces of work that a runner carries out, in threads, in worker processes or on a cluster.

A job can be pickled, and its address is a hash of everything that determines its result. So a runner may store results
under their addresses and read them back later. `calibration.runners` has plain runners.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simulator import draws, sources

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]  # of equal length
Progress = Callable[[int], None]  # called with the number of runs done since the last call
Stage = Callable[[str, int], Progress]  # called with the name of a stage of work and its number of runs
Stopped = Callable[[], bool]

DRAWS_A_JOB = 25  # a world takes about 0.1 s, so a kill loses seconds, and some hundred draws keep all cores busy


class Job(Protocol):
    """A picklable piece of work."""

    @property
    def address(self) -> str:
        """A hash of everything that determines the result."""

    @property
    def runs(self) -> int:
        """How many runs the job counts for in a display of progress."""

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return the result, or None after `stopped()` returned True."""


class Runner(Protocol):
    """Carries out jobs; raises what a job raises."""

    def __call__(self, what: str, jobs: Sequence[Job]) -> list[Columns]:
        """Return the results in the order of the jobs; `what` is their name in a display of progress."""


def no_stage(what: str, runs: int) -> Progress:
    """Display no progress."""
    return lambda done: None


@cache
def code_of(module: str) -> str:
    """Return a hash of the sources that what a module computes depends on, and the generator of random numbers."""
    return f"{sources.digest(module)} {draws.generator()}"


class OfDraw(Protocol):
    """A picklable function that returns numbers for one draw and one seed, always under the same names."""

    @property
    def identity(self) -> str:
        """A text of everything that determines the numbers beside the draw and the seed."""

    def __call__(self, values: Mapping[str, float], seed: int) -> Mapping[str, float]:
        """Return the numbers by name."""


@dataclass(frozen=True, eq=False)
class DrawsJob:
    """The numbers of some draws, one row a draw.

    Parameters
    ----------
    of_draw : OfDraw
    values : dict of str to ndarray of float64, shape (n,)
        The draws, by parameter.
    seeds : ndarray of int64, shape (n,)
        The seed of each draw's run.
    """

    of_draw: OfDraw
    values: dict[str, F64]
    seeds: I64

    @property
    def address(self) -> str:
        """A hash of the function, the draws and the seeds."""
        digest = hashlib.blake2b(self.of_draw.identity.encode(), digest_size=16)
        for name, column in self.values.items():
            digest.update(f"\n{name}\n".encode() + column.tobytes())
        digest.update(b"\nseeds\n" + self.seeds.tobytes())
        return digest.hexdigest()

    @property
    def runs(self) -> int:
        """The number of draws."""
        return len(self.seeds)

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return one column per name, one row per draw."""
        rows = []
        for row, seed in enumerate(self.seeds):
            if stopped():
                return None
            rows.append(self.of_draw({name: float(column[row]) for name, column in self.values.items()}, int(seed)))
        return {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}


def compute_draws(what: str, of_draw: OfDraw, values: Mapping[str, npt.ArrayLike], seeds: I64, run: Runner) -> Columns:
    """Return the numbers of many draws, computed as jobs of some draws each.

    Parameters
    ----------
    what : str
        The name of this work in a display of progress.
    of_draw : OfDraw
        What is computed of each draw.
    values : mapping of str to array_like of float, shape (n,)
        The draws, by parameter.
    seeds : ndarray of int64, shape (n,)
        The seed of each draw's run; n is at least 1.
    run : Runner

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        By name, in the order of the draws.
    """
    columns = {name: np.ascontiguousarray(column, np.float64) for name, column in values.items()}
    jobs = []
    for start in range(0, len(seeds), DRAWS_A_JOB):
        part = slice(start, start + DRAWS_A_JOB)
        jobs.append(DrawsJob(of_draw, {name: column[part] for name, column in columns.items()}, seeds[part]))
    results = run(what, jobs)
    return {name: np.concatenate([result[name] for result in results]) for name in results[0]}
