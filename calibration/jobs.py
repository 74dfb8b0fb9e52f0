"""Jobs: pieces of work that a runner carries out, in threads, in worker processes or on a cluster.

A job can be pickled, and its address is a hash of everything that determines its result. So a runner may store results
under their addresses and read them back later. `in_threads` and `in_processes` are the plain runners: they store
nothing.
"""

import ctypes
import hashlib
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Event
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simulator.threads import Crew, cores

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]  # of equal length
Progress = Callable[[int], None]  # called with the number of runs done since the last call
Stage = Callable[[str, int], Progress]  # called with the name of a stage of work and its number of runs
Stopped = Callable[[], bool]

DRAWS_A_JOB = 50  # a world takes about 0.1 s, so a job takes seconds: a kill loses little, a start costs little
PR_SET_PDEATHSIG = 1


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


def in_threads(threads: int | None = None, stage: Stage = no_stage) -> Runner:
    """Return a runner that carries out jobs in threads of this process: the kernels release the GIL.

    Parameters
    ----------
    threads : int, optional
        One per core unless given.
    stage : callable, optional
        Displays progress.
    """

    def run(what: str, jobs: Sequence[Job]) -> list[Columns]:
        progress, stopped = stage(what, sum(job.runs for job in jobs)), Event()

        def carry_out(job: Job) -> Columns | None:
            columns = job.carry_out(stopped.is_set)
            if columns is not None:
                progress(job.runs)
            return columns

        crew = Crew(carry_out, threads or cores())
        try:
            crew.start()
            for number, job in enumerate(jobs):
                crew.begin(number, job)
            return [_whole(crew.found(number)) for number in range(len(jobs))]
        finally:
            stopped.set()  # or Ctrl-C would wait for whole jobs
            crew.leave()

    return run


def in_processes(workers: int, stage: Stage = no_stage) -> Runner:
    """Return a runner that carries out jobs in new processes, for work that holds the GIL.

    Parameters
    ----------
    workers : int
        With 1, this process does the work.
    stage : callable, optional
        Displays progress.
    """

    def run(what: str, jobs: Sequence[Job]) -> list[Columns]:
        progress, results = stage(what, sum(job.runs for job in jobs)), []
        if workers < 2:
            for job in jobs:
                results.append(_carry_out(job))
                progress(job.runs)
            return results
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
            for job, columns in zip(jobs, pool.map(_carry_out, jobs), strict=True):
                results.append(columns)
                progress(job.runs)
        return results

    return run


def _carry_out(job: Job) -> Columns:
    return _whole(job.carry_out(_never))


def _never() -> bool:
    return False


def _whole(columns: Columns | None) -> Columns:
    if columns is None:
        raise RuntimeError("a job returned no result although nothing stopped it")
    return columns


def _end_with_parent() -> None:
    """Ask Linux to end this worker when its parent ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
