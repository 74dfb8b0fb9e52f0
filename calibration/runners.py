"""Plain runners: they carry out jobs in threads or processes of this machine, and store results in a folder.

So work that was killed goes on where it was.
"""

import ctypes
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq

from calibration.jobs import Columns, Job, Runner, Stage, Stopped, no_stage
from scenarios.files import replacing
from simulator.threads import Crew, cores

PR_SET_PDEATHSIG = 1  # Linux: the signal that a process gets when its parent ends


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


def with_store(run: Runner, folder: Path) -> Runner:
    """Return a runner that stores the result of each job in a folder, and reads it from there the next time.

    Parameters
    ----------
    run : Runner
        Carries out the jobs.
    folder : Path
        Made if it does not exist.
    """

    def run_or_read(what: str, jobs: Sequence[Job]) -> list[Columns]:
        folder.mkdir(parents=True, exist_ok=True)
        return run(what, [StoredJob(job, folder / f"{job.address}.parquet") for job in jobs])

    return run_or_read


@dataclass(frozen=True, eq=False)
class StoredJob:
    """A job whose result is stored in a file as soon as it is there, and read from it if it is there already."""

    job: Job
    path: Path

    @property
    def address(self) -> str:
        """The address of the job."""
        return self.job.address

    @property
    def runs(self) -> int:
        """The runs of the job."""
        return self.job.runs

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return the result, from the file if it is whole."""
        columns = _read(self.path)
        if columns is None and (columns := self.job.carry_out(stopped)) is not None:
            with replacing(self.path) as working:
                pq.write_table(pa.table(columns), working, compression="zstd", write_page_checksum=True)
        return columns


def _read(path: Path) -> Columns | None:
    """Return the columns of a file that is whole; None if it is missing or damaged."""
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
    except (OSError, pa.ArrowException):
        return None
    return {name: table[name].to_numpy() for name in table.column_names}
