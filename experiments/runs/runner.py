"""Carry out the jobs of others, such as the calibration's, by the engine and the parts that all questions use."""

from collections.abc import Sequence
from pathlib import Path

from experiments.runs.driver import Task, finish
from experiments.runs.engines import Where, engine_at
from experiments.runs.parts import CLAIMS, Damaged, Parts, forget_claims
from experiments.runs.store import progress_of
from scenarios import InputError
from simulator.jobs import Columns, Job, Runner, Stage, no_stage
from simulator.threads import cores

THREADS = Where()


def runner(folder: Path, where: Where = THREADS, stage: Stage = no_stage) -> Runner:
    """Return a runner whose finished jobs are kept in a folder: killed work goes on where it was.

    Parameters
    ----------
    folder
        Made if it does not exist; what lies there is read and not carried out again.
    where
        Engine and workers; no number depends on it. Jobs that hold the GIL go to processes where others go to threads.
    stage
        Displays progress.
    """
    parts = Parts(folder / "jobs")

    def run(what: str, jobs: Sequence[Job]) -> list[Columns]:
        advance, hear = progress_of(sum(job.runs for job in jobs), stage(what, sum(job.runs for job in jobs)))
        with engine_at(_suited(where, jobs)) as engine:
            for _ in finish((Task(job, parts) for job in jobs), engine, advance, hear):
                pass
        parts.forget_unfinished()
        forget_claims(folder / CLAIMS)
        return [_read(parts, job) for job in jobs]

    return run


def _suited(where: Where, jobs: Sequence[Job]) -> Where:
    """Choose where jobs are carried out: those that hold the GIL in processes, with several workers and jobs."""
    workers = min(where.workers or cores(), len(jobs))
    hold = any(getattr(job, "holds_gil", False) for job in jobs)
    return where._replace(engine="processes", workers=workers) if hold and workers > 1 and not where.dask else where


def _read(parts: Parts, job: Job) -> Columns:
    columns = parts.read(job.address, is_whole=True)
    if columns is None or isinstance(columns, Damaged):
        raise InputError(f"{parts.path(job.address)}: is gone or damaged; the same command makes it again")
    return columns
