"""Many pieces of work on all cores, as threads: the kernels release the interpreter.

The results come in the order of the jobs, whatever the number of threads, and only a few ahead of whoever reads
them: memory stays flat however many jobs there are.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from simulator.ensemble import is_ready

Job = TypeVar("Job")
Found = TypeVar("Found")

AHEAD = 4  # jobs begun per thread before the first of them is read

Cancelled = Callable[[], bool]


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def each(
    work: Callable[[Job], Found], jobs: Iterable[Job], threads: int | None = None, cancelled: Cancelled | None = None
) -> Iterator[Found]:
    """`work(job)` for every job, in the order of the jobs; all cores unless `threads` is given.

    Where the kernels are yet to be compiled or loaded, the first job is done alone, so that this is done once. After
    `cancelled()`, Ctrl-C or closing the iterator no further job is begun; those that run are waited for. An error in
    a job is raised here, at its place in the order.
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


def _on_threads(
    work: Callable[[Job], Found], queue: Iterator[Job], threads: int, stop: Cancelled
) -> Iterator[Found]:
    begun: deque[Future[Found]] = deque()
    left = threading.Event()  # nobody reads on: jobs that wait are not begun

    def begin(job: Job) -> Found:
        if left.is_set():
            raise RuntimeError("nobody waits for this job")
        return work(job)

    with ThreadPoolExecutor(threads, "innovex-run") as pool:
        try:
            for job in queue:
                if stop():
                    return
                begun.append(pool.submit(begin, job))
                if len(begun) >= AHEAD * threads:
                    yield begun.popleft().result()
            while begun and not stop():
                yield begun.popleft().result()
        finally:
            left.set()
            for future in begun:
                future.cancel()
