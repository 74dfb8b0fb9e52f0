"""One thread for numpy's linear algebra: with more, sums are added in another order, and the last bits differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

_lock = Lock()
_limits: list[Any] = []  # BLAS's number of threads belongs to the process: the last to leave restores it
_inside = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit numpy's linear algebra to one thread; threads of Python may be inside at the same time."""
    from threadpoolctl import threadpool_limits

    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            _limits.append(threadpool_limits(1, user_api="blas"))
    try:
        with threadpool_limits(1, user_api="openmp"):  # OpenMP's belongs to the thread
            yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limits.pop().restore_original_limits()
