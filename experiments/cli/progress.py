"""How far a study is: a bar with time left on a terminal, plain lines on stderr elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from experiments.cli.interrupts import heard_from_here

if TYPE_CHECKING:
    from simulator.jobs import Stage

EVERY_SECONDS = 20.0  # between two plain lines


@contextmanager
def progress() -> Iterator["Stage"]:
    """Give a study a stage-maker: `stage(what, runs to do)` returns the function that hears of runs done."""
    with compiling_announced():
        if sys.stderr.isatty():
            with _bars() as stage:
                yield stage
        else:
            yield lines


@contextmanager
def compiling_announced() -> Iterator[None]:
    """Say, once, that the model is being compiled, if it has to be. Work begins: Ctrl-C is heard from here on."""
    from simulator.kernel_cache import cache_folder, when_compiling

    heard_from_here()
    said = False

    def tell() -> None:
        nonlocal said
        if not said:
            said = True
            _say("Compiling the model for this machine: once after install, up to a minute.")

    cache_folder()  # a setting that cannot be used is refused before anything else
    with when_compiling(tell):
        yield


@contextmanager
def _bars() -> Iterator["Stage"]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs, time left"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:

        def stage(what: str, todo: int) -> Callable[[int], None]:
            task = bars.add_task(what, total=todo or None)
            return lambda runs: bars.advance(task, runs)

        yield stage


def lines(what: str, todo: int) -> Callable[[int], None]:
    """Print a line at the start of a stage, and from time to time one with the time left."""
    _say(f"{what}: {todo:,} runs" if todo else what)
    started = last_line = time.monotonic()
    done, lock = 0, threading.Lock()

    def advance(runs: int) -> None:
        nonlocal done, last_line
        with lock:
            done += runs
            now = time.monotonic()
            if now - last_line >= EVERY_SECONDS and 0 < done < todo:
                last_line = now
                left = f", {time_left((now - started) / done * (todo - done))} left"
                # the first runs may hold the time of compiling: too early to tell
                _say(f"{what}: {done:,} of {todo:,} runs{left if done >= 0.03 * todo else ''}")

    return advance


def time_left(seconds: float) -> str:
    """Put a time as people say it: `40 seconds`, `3 minutes`, `1.5 hours`."""
    if seconds < 90.0:
        return f"about {max(1, round(seconds))} seconds"
    return f"about {round(seconds / 60.0)} minutes" if seconds < 5400.0 else f"about {seconds / 3600.0:.1f} hours"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
