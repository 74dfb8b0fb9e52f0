"""How far a sweep is: a bar on a terminal, plain lines on stderr elsewhere; runs per second, time left, failures."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from experiments.cli.progress import EVERY_SECONDS, compiling_announced, time_left
from experiments.runs.driver import Advance, Hear


@contextmanager
def progress() -> Iterator[Hear]:
    """Give a sweep a listener that tells how far it is."""
    with compiling_announced():
        if sys.stderr.isatty():
            with _bar() as hear:
                yield hear
        else:
            yield _Lines()


class Pace:
    """Runs per second and time left, from what was run since the start; what was read does not count."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def told(self, advance: Advance) -> str:
        """Put it in words: `41.3 runs a second, about 3 minutes left, 2 failed`."""
        seconds = time.monotonic() - self._start
        words = []
        if advance.run and seconds > 0.0:
            each = seconds / advance.run
            words.append(f"{1.0 / each:,.1f} runs a second")
            if advance.done < advance.total:
                words.append(f"{time_left(each * (advance.total - advance.done))} left")
        if advance.failed:
            words.append(f"{advance.failed:,} failed")
        if advance.lost:
            words.append(f"{advance.lost:,} chunks begun anew after a worker died")
        if advance.elsewhere:
            words.append("another process is at work here too")
        return ", ".join(words)


class _Lines:
    """A line at the start, and from time to time one more."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._told: float | None = None
        self._named = 0

    def __call__(self, advance: Advance) -> None:
        lines = _named(advance)
        for line in lines[self._named :]:
            _say(line)
        self._named = len(lines)
        now = time.monotonic()
        if self._told is None:
            there = f", {advance.read:,} of them there already" if advance.read else ""
            _say(f"{advance.total:,} runs{there}")
        elif now - self._told < EVERY_SECONDS or advance.done >= advance.total:
            return
        else:
            _say(f"{advance.done:,} of {advance.total:,} runs, {self._pace.told(advance)}")
        self._told = now


def _named(advance: Advance) -> list[str]:
    """Name each file that could not be used, a line each, those put aside first: they are known from the start."""
    aside = [f"file {file} in parts/ {why}: it is put aside in kept/" for file, why in advance.aside]
    return aside + [f"part {file} {why}: it is done again" for file, why in advance.damaged]


@contextmanager
def _bar() -> Iterator[Hear]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TextColumn("runs  {task.description}"))
    pace = Pace()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None)
        named: set[str] = set()

        def hear(advance: Advance) -> None:
            for line in _named(advance):
                if line not in named:
                    named.add(line)
                    bars.console.print(line)
            bars.update(task, total=advance.total, completed=advance.done, description=pace.told(advance))

        yield hear


def status_lines(state: dict[str, Any]) -> Iterator[str]:
    """Yield the status of a sweep in words."""
    yield f"{state['title']} ({state['method']})"
    whole = "all" if state["complete"] else f"{state['done'] / state['cells']:.0%}"
    yield f"{state['done']:,} of {state['cells']:,} runs finished ({whole}), {state['failed']:,} of them failed"
    for file, why in state["damaged"]:
        yield f"part {file} {why}: it will be done again"
    if state["complete"]:
        yield f"complete: innovex sweep report {state['folder']}"
    elif state["at_work"]:
        pace = state["per_second"]
        left = f", {pace:,.1f} runs a second, {time_left((state['cells'] - state['done']) / pace)} left" if pace else ""
        yield f"under way{left}"
    else:
        yield f"nobody is at work on it; to go on: innovex sweep {state['folder']} --resume"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
