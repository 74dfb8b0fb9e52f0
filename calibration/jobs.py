"""Work of many draws as jobs, which a runner carries out in threads, in worker processes or on a cluster."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simulator.jobs import F64, I64, Columns, Runner, Stopped

DRAWS_A_JOB = 25  # a world takes about 0.1 s, so a kill loses seconds, and some hundred draws keep all cores busy


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
