"""Run jobs in threads on all cores; the kernels release the GIL.

Results come in the order of the jobs, whatever the number of threads, and only a few jobs are begun ahead of the
reader: memory stays flat however many jobs there are.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from simulator.ensemble import is_ready

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 4  # jobs begun per thread before the first of them is read
LOOK_UP_SECONDS = 0.5  # so that Ctrl-C is noticed on every system

Cancelled = Callable[[], bool]


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def run_jobs(
    work: Callable[[Job], Result], jobs: Iterable[Job], threads: int | None = None, cancelled: Cancelled | None = None
) -> Iterator[Result]:
    """Yield `work(job)` for every job, in the order of the jobs.

    Where the kernels are yet to be compiled or loaded, the first job runs alone, so that this is done once. After
    `cancelled()`, Ctrl-C or closing the iterator no further job is begun; those that run are waited for.

    Parameters
    ----------
    work : callable
        What is done for a job. An error in it is raised here, at the job's place in the order.
    jobs : iterable
        The jobs; they are taken as threads become free.
    threads : int, optional
        How many; all cores unless given.
    cancelled : callable, optional
        Returns whether to stop; asked before each job.
    """
    queue = iter(jobs)
    stop = cancelled or (lambda: False)
    if not is_ready():
        for job in queue:
            if stop():
                return
            yield work(job)
            break
    threads = threads or cores()
    if threads == 1:
        for job in queue:
            if stop():
                return
            yield work(job)
        return
    yield from _on_threads(work, queue, threads, stop)


def _on_threads(work: Callable[[Job], Result], queue: Iterator[Job], threads: int, stop: Cancelled) -> Iterator[Result]:
    crew = Crew(work, threads)
    try:
        crew.start()
        begun = read = 0
        for job in queue:
            if stop():
                return
            crew.begin(begun, job)
            begun += 1
            if begun - read >= AHEAD * threads:
                yield crew.result(read)
                read += 1
        while read < begun and not stop():
            yield crew.result(read)
            read += 1
    finally:
        crew.leave()


class Crew:
    """Threads that take jobs from a queue and put what came of them, result or error, into another.

    Not futures: a Ctrl-C inside a future's condition would leave its lock held for ever, and the thread that is to
    set it waiting.
    """

    def __init__(self, work: Callable[[Any], Any], threads: int) -> None:
        self._work = work
        self._todo: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self._early: dict[int, tuple[Any, BaseException | None]] = {}
        self._left = False
        self._threads = [threading.Thread(target=self._serve, name=f"innovex-run-{n}") for n in range(threads)]

    def start(self) -> None:
        """Begin to wait for jobs."""
        with _no_interrupt():
            for thread in self._threads:
                thread.start()

    def _serve(self) -> None:
        while not self._left and threading.main_thread().is_alive():
            with contextlib.suppress(Empty):
                self._do(self._todo.get(timeout=LOOK_UP_SECONDS))

    def _do(self, numbered: tuple[int, Any] | None) -> None:
        if numbered is None or self._left:  # nobody reads on
            return
        number, job = numbered
        try:
            self._done.put((number, self._work(job), None))
        except BaseException as error:  # whatever it is, it is raised where the result is read
            self._done.put((number, None, error))

    def begin(self, number: int, job: Any) -> None:
        """Give a job to the next thread that is free."""
        self._todo.put((number, job))

    def finished(self) -> tuple[int, Any]:
        """Wait for the next job to be done, whichever: its number and result. Raises what the job raised."""
        number, result, error = self._next()
        if error is not None:
            raise error
        return number, result

    def result(self, number: int) -> Any:
        """Wait for a job's result; raises what the job raised."""
        while number not in self._early:
            done, result, error = self._next()
            self._early[done] = result, error
        result, error = self._early.pop(number)
        if error is not None:
            raise error
        return result

    def _next(self) -> tuple[int, Any, BaseException | None]:
        while True:
            with contextlib.suppress(Empty):
                return self._done.get(timeout=LOOK_UP_SECONDS)

    def leave(self) -> None:
        """Begin no further job, and wait for those that run."""
        self._left = True
        for _ in self._threads:
            self._todo.put(None)  # they need not look up
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join()


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold Ctrl-C back meanwhile; threads that start here leave it to others."""
    if not hasattr(signal, "pthread_sigmask"):  # not on every system
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
