"""Where jobs are carried out: threads, processes, or a Dask cluster. All give the same bits.

An engine takes jobs and, later, gives back each with its result, or `Lost` if its worker died.
"""

import contextlib
import ctypes
import logging
import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple, Protocol

from experiments.runs.jobs import carry_out
from scenarios import InputError
from scenarios.errors import Fault, describe, echo, nearest, refuse
from simulator.jobs import Columns, Job
from simulator.threads import Crew, cores

PR_SET_PDEATHSIG = 1
ENGINES = ("threads", "processes", "dask")
UNGUARDED = (
    "the workers of engine processes end as they start, since each begins by running the calling script; "
    'allowed: a script in a file that makes this call under `if __name__ == "__main__":`, or engine threads'
)
MOST_WORKERS = 1024
AHEAD = 2  # jobs in hand for each worker, so that none waits


class Lost(NamedTuple):
    """A job whose worker died."""

    why: str


class ClusterLost(RuntimeError):
    """The cluster is gone; what is finished is kept."""


Outcome = Columns | Lost | None


class Engine(Protocol):
    """What carries out jobs."""

    @property
    def slots(self) -> int:
        """How many jobs may be under way."""

    def submit(self, number: int, job: Job) -> None:
        """Begin with a job."""

    def finished(self) -> tuple[int, Outcome]:
        """Wait for the next job: its number and result. Raises what the job raised."""


class Local:
    """Threads of this process: the kernels release the GIL."""

    def __init__(self, workers: int) -> None:
        self.slots = workers + 1
        self._stopped = False
        self._crew = Crew(self._carry_out, workers)
        self._crew.start()

    def _carry_out(self, job: Job) -> Columns | None:
        return carry_out(job, lambda: self._stopped)

    def submit(self, number: int, job: Job) -> None:
        self._crew.begin(number, job)

    def finished(self) -> tuple[int, Outcome]:
        return self._crew.finished()

    def close(self) -> None:
        self._stopped = True
        self._crew.leave()


class Processes:
    """Processes of this machine, started anew; one that dies is replaced and what it had in hand is `Lost`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.slots = AHEAD * workers
        self._done: queue.SimpleQueue[tuple[int, Future[Columns | None]]] = queue.SimpleQueue()
        self._pool = self._new()
        self._check_start()

    def _check_start(self) -> None:
        """Raise InputError if workers die as they start, as those of an unguarded script do, which they run again."""
        if getattr(multiprocessing.current_process(), "_inheriting", False):  # this is such a worker
            raise InputError(UNGUARDED)
        try:
            self._pool.submit(os.getpid).result()
        except BaseException as error:
            self._pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(error, BrokenProcessPool):
                raise InputError(UNGUARDED) from None
            raise

    def _new(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=spawn, initializer=_worker_starts, initargs=(os.getpid(),))

    def submit(self, number: int, job: Job) -> None:
        try:
            future = self._pool.submit(carry_out, job)
        except BrokenProcessPool:
            self._pool.shutdown(wait=True)
            self._pool = self._new()
            future = self._pool.submit(carry_out, job)
        future.add_done_callback(lambda done: self._done.put((number, done)))

    def finished(self) -> tuple[int, Outcome]:
        number, future = _next(self._done)
        try:
            return number, future.result()
        except BrokenProcessPool:
            return number, Lost("the worker process died")

    def close(self) -> None:
        processes = list((self._pool._processes or {}).values())
        for process in processes:
            process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


class DaskCluster:
    """The workers of a Dask scheduler, by address; Dask gives the jobs of a dead worker to another."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise InputError("--dask needs the packages dask and distributed: pip install 'innovex[dask]'") from None
        self._levels = _silenced("distributed")
        client: Any = distributed.Client
        self._client: Any = client.__new__(client)  # in two steps, to close it half made
        try:
            client.__init__(self._client, address, timeout=10, set_as_default=False)
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception):
                raise
            raise InputError(f"--dask {echo(address)}: no scheduler answers there ({_one_line(error)})") from None
        self._done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    @property
    def slots(self) -> int:
        """Two jobs for every thread that the cluster has at this moment."""
        try:
            return AHEAD * max(1, sum(map(int, self._client.nthreads().values())))
        except Exception as error:
            raise ClusterLost(_one_line(error)) from None

    def submit(self, number: int, job: Job) -> None:
        try:
            future = self._client.submit(carry_out, job, pure=False, retries=2)
        except Exception as error:
            raise ClusterLost(_one_line(error)) from None
        future.add_done_callback(lambda done: self._done.put((number, done)))

    def finished(self) -> tuple[int, Outcome]:
        while True:
            with contextlib.suppress(queue.Empty):
                number, future = self._done.get(timeout=1.0)
                return number, self._result(future)
            if self._client.status not in ("running", "connecting"):
                raise ClusterLost("the connection to the scheduler is lost")

    def _result(self, future: Any) -> Outcome:
        if future.status == "cancelled" or future.status == "lost":
            raise ClusterLost("the scheduler is lost, or has dropped the work")
        try:
            result: Columns | None = future.result(timeout=30)
            return result
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                return Lost("the workers that had it died")
            if type(error).__name__ in ("CancelledError", "FutureCancelledError", "CommClosedError", "TimeoutError"):
                raise ClusterLost(_one_line(error)) from None
            raise
        finally:
            future.release()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        for logger, level in self._levels.items():
            logger.setLevel(level)


class Where(NamedTuple):
    """Where jobs are carried out: an engine by name, its workers on this machine, the address of a Dask scheduler."""

    engine: str = "threads"
    workers: int | None = None
    dask: str | None = None

    def check(self) -> "Where":
        """Return the same with an address meaning the engine dask; raise InputError for what cannot be."""
        check_name(self.engine)
        if self.workers is not None and not (type(self.workers) is int and 1 <= self.workers <= MOST_WORKERS):
            fault = f"workers: {describe(self.workers)} does not fit"
            raise InputError(f"{fault}; allowed: a whole number from 1 to {MOST_WORKERS}")
        if self.dask is not None and not isinstance(self.dask, str):
            raise InputError(f"dask: {describe(self.dask)} does not fit; allowed: the address of a scheduler")
        if self.dask is not None and self.engine not in ("threads", "dask"):
            raise InputError(f"--dask {self.dask} and --engine {self.engine} exclude each other; allowed: one of them")
        if (self.dask is None and self.engine == "dask") or (self.dask is not None and not self.dask.strip()):
            raise InputError("the engine dask needs the address of a scheduler: --dask tcp://host:8786")
        return self if self.dask is None else self._replace(engine="dask")


@contextlib.contextmanager
def engine_at(where: Where) -> Iterator[Engine]:
    """Yield an engine, closed at the end. Raises InputError."""
    where = where.check()
    makers: dict[str, Callable[[], Any]] = {
        "threads": lambda: Local(where.workers or cores()),
        "processes": lambda: Processes(where.workers or cores()),
        "dask": lambda: DaskCluster(where.dask or ""),
    }
    made = makers[where.engine]()
    try:
        yield made
    finally:
        made.close()


def check_name(name: object) -> None:
    """Raise InputError for an engine that does not exist."""
    if name not in ENGINES:
        meant = nearest(name, ENGINES) if isinstance(name, str) else ""
        raise refuse(f"engine {echo(str(name))!r}", [Fault("", "there is no such engine", ", ".join(ENGINES), meant)])


def _next(done: "queue.SimpleQueue[tuple[int, Any]]") -> tuple[int, Any]:
    """Return the next finished job; looks up from time to time so that Ctrl-C is heard everywhere."""
    while True:
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=0.5)


def _worker_starts(driver: int) -> None:
    """Let a worker go when its driver goes, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != driver:  # it went before it could be asked
            os._exit(1)


def _silenced(package: str) -> dict[logging.Logger, int]:
    """Silence a package's loggers, whose tracebacks would stand before the sentence; returns their levels before."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == package]
    before = {logger: logger.level for logger in map(logging.getLogger, names)}
    for logger in before:
        logger.setLevel(logging.CRITICAL + 1)
    return before


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
