"""Carry out the jobs of a question: only what is missing, part by part, beside other processes if there are any.

Everything that runs many times goes through here: comparisons, single runs, sweeps, checks of the calibration. What is
finished lies on disk as parts (`experiments.runs.parts`), so a killed question goes on where it was, in this process or
another, and a larger question runs only what is new.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from experiments.runs.engines import Engine, Lost
from experiments.runs.jobs import Divisible
from experiments.runs.parts import Damaged, Earlier, Parts, first_rows, taken_over, together
from scenarios import InputError
from simulator.jobs import Columns, Job

DEATHS_BELIEVED = 3  # as often a job may lose its worker before it is taken for the cause
LOOK_AGAIN_SECONDS = 0.5  # for jobs that another process has in hand


class Task(NamedTuple):
    """A job and the folder in which its part lies; `earlier` gives cells of other sizes of the question."""

    job: Job
    parts: Parts
    earlier: Callable[[], Earlier] | None = None


@dataclass
class Advance:
    """How far a question is, in runs: read (there before), run, failed, in all; what another process has in hand.

    damaged: parts that are done again. aside: files among the parts that belong to another question. lost: workers
    that died.
    """

    total: int
    read: int = 0
    run: int = 0
    failed: int = 0
    damaged: list[Damaged] = field(default_factory=list)
    aside: list[Damaged] = field(default_factory=list)
    lost: int = 0
    elsewhere: int = 0

    @property
    def done(self) -> int:
        """Runs that are finished, by whomever."""
        return self.read + self.run


Hear = Callable[[Advance], None]


class WorkersDie(RuntimeError):
    """The workers that have a job die again and again."""


@dataclass
class _Hand:
    """A task in hand: its place, its claim, and its cells that were carried out before."""

    place: int
    task: Task
    claim: FileLock
    before: dict[int, Columns]


def finish(
    tasks: Iterable[Task],
    engine: Engine,
    advance: Advance,
    hear: Hear = lambda _: None,
    *,
    redo_failed: bool = False,
    on_missing: Callable[[], None] = lambda: None,
    way_on: str = "the same command goes on",
) -> Iterator[int]:
    """Carry out what is missing of `tasks`; yield the place of each task when its part is there, whoever made it.

    Parameters
    ----------
    tasks: taken one by one, only as the engine has room for them.
    engine: where missing jobs are carried out.
    advance: kept up to date; `hear` is called with it after each job.
    redo_failed: carry out again what holds a failure.
    on_missing: called once, before the first job that is not there is begun.
    way_on: what to do after trouble with the disk, for its message.

    Raises
    ------
    KeyboardInterrupt, ClusterLost: all finished parts are kept.
    InputError: a part cannot be written.
    """
    yield from _Driver(iter(enumerate(tasks)), engine, advance, hear, redo_failed, on_missing, way_on).drive()


class _Driver:
    """One process at work on the tasks of a question."""

    def __init__(
        self,
        tasks: Iterator[tuple[int, Task]],
        engine: Engine,
        advance: Advance,
        hear: Hear,
        redo_failed: bool,
        on_missing: Callable[[], None],
        way_on: str,
    ) -> None:
        self.tasks, self.engine, self.advance, self.hear = tasks, engine, advance, hear
        self.redo_failed, self.on_missing, self.way_on = redo_failed, on_missing, way_on
        self.again: deque[tuple[int, Task]] = deque()  # its worker died, or another process has it in hand
        self.hands: dict[int, _Hand] = {}
        self.deaths: dict[str, int] = {}
        self.number = 0
        self.is_new = True

    def drive(self) -> Iterator[int]:
        try:
            while True:
                yield from self._fill()
                self.hear(self.advance)  # after the first time it counts what was there before
                if self.hands:
                    yield from self._take_one()
                elif self.again:
                    time.sleep(LOOK_AGAIN_SECONDS)
                else:
                    return
        finally:
            for hand in self.hands.values():
                hand.claim.release()

    def _next(self) -> tuple[int, Task] | None:
        """Return the next task: of those not yet looked at first, then of those to be tried again."""
        return next(self.tasks, None) or (self.again.popleft() if self.again else None)

    def _fill(self) -> Iterator[int]:
        """Give the engine jobs until it has enough; yield those that are there already."""
        later: list[tuple[int, Task]] = []
        while len(self.hands) < self.engine.slots and not self._is_suspect_under_way():
            pair = self._next()
            if pair is None:
                break
            place, task = pair
            if self._is_suspect(task) and self.hands:
                later.append(pair)  # by itself, so that it alone is the cause if the worker dies
                break
            if task.job.address not in self.deaths and self._is_there(task):
                yield place
                continue
            if self.is_new:
                self.is_new = False
                self.on_missing()
            claim = self._claimed(task)
            if claim is None:
                later.append(pair)
            elif task.job.address not in self.deaths and self._made_by_another(task):
                task.parts.release(claim)
                yield place
            elif self._begin(place, task, claim):
                yield place
        self.again.extend(later)
        self.advance.elsewhere = len(later)

    def _claimed(self, task: Task) -> FileLock | None:
        """Return a claim on a task's address, or None if another process has it in hand."""
        claim = task.parts.claim(task.job.address)
        try:
            task.parts.make()
            claim.acquire(blocking=False)
        except Timeout:
            return None
        except OSError as error:
            raise self._unwritten(task, error) from None
        return claim

    def _unwritten(self, task: Task, error: OSError) -> InputError:
        return InputError(
            f"{task.parts.folder}: cannot be written ({(error.strerror or str(error)).lower()}); what is finished "
            f"is kept: make room, then {self.way_on}"
        )

    def _is_there(self, task: Task) -> bool:
        """Tell whether a task's part is there and whole; what it holds is counted as read."""
        columns = task.parts.read(task.job.address)
        if isinstance(columns, Damaged):
            self.advance.damaged.append(columns)
        if columns is None or isinstance(columns, Damaged):
            return False
        failed = _failures(columns)
        if failed and self.redo_failed:
            return False
        self.advance.read += task.job.runs
        self.advance.failed += failed
        if not self.is_new:
            self.hear(self.advance)
        return True

    def _made_by_another(self, task: Task) -> bool:
        """Tell whether another process has finished the part since this one looked."""
        damaged = len(self.advance.damaged)
        is_there = self._is_there(task)
        del self.advance.damaged[damaged:]
        return is_there

    def _is_suspect(self, task: Task) -> bool:
        return self.deaths.get(task.job.address, 0) >= DEATHS_BELIEVED - 1

    def _is_suspect_under_way(self) -> bool:
        return any(self._is_suspect(hand.task) for hand in self.hands.values())

    def _begin(self, place: int, task: Task, claim: FileLock) -> bool:
        """Begin with what was never carried out of a job; true if that is nothing, so that its part is written."""
        job, before = taken_over(task.job, task.earlier() if task.earlier else None)
        hand = _Hand(place, task, claim, before)
        if job is None:
            self._keep(hand, None, 0)
            return True
        self.number += 1
        self.hands[self.number] = hand
        self.engine.submit(self.number, job)
        return False

    def _take_one(self) -> Iterator[int]:
        """Wait for a job, and write its part or put it back to be done again."""
        number, outcome = self.engine.finished()
        hand = self.hands.pop(number)
        job = hand.task.job
        runs = job.runs - len(hand.before)
        columns = self._after_death(hand, outcome) if isinstance(outcome, Lost) else outcome
        if columns is None:  # stopped, or to be done again
            hand.claim.release()
        else:
            self._keep(hand, columns, runs)
            yield hand.place
        self.hear(self.advance)

    def _after_death(self, hand: _Hand, lost: Lost) -> Columns | None:
        """Put the job back; after some deaths, the last of which it had by itself, it is the cause."""
        self.advance.lost += 1
        job = hand.task.job
        deaths = self.deaths[job.address] = self.deaths.get(job.address, 0) + 1
        if deaths < DEATHS_BELIEVED:
            self.again.append((hand.place, hand.task))
            return None
        why = f"{lost.why}, {deaths} times, with this or a neighbouring row"
        rest, _ = taken_over(job, hand.task.earlier() if hand.task.earlier else None)
        columns = rest.lost(why) if isinstance(rest, Divisible) else None
        if columns is None:
            raise WorkersDie(f"{lost.why}, {deaths} times, with the same job")
        return columns

    def _keep(self, hand: _Hand, fresh: Columns | None, runs: int) -> None:
        """Write the part of a finished job."""
        task = hand.task
        columns = together(task.job, hand.before, fresh)
        try:
            task.parts.write(task.job.address, columns)
        except OSError as error:
            raise self._unwritten(task, error) from None
        task.parts.release(hand.claim)
        self.advance.read += len(hand.before)
        self.advance.run += runs
        self.advance.failed += _failures(columns)


def _failures(columns: Columns) -> int:
    """Return how many cells of a part have failed."""
    if "failure" not in columns:
        return 0
    causes = columns["failure"][first_rows(columns["cell"])]
    return int(np.count_nonzero(causes != ""))


def in_order(places: Iterable[int]) -> Iterator[int]:
    """Yield 0, 1, 2 ... , each as soon as it and all before it have come."""
    early: set[int] = set()
    due = 0
    for place in places:
        early.add(place)
        while due in early:
            early.discard(due)
            yield due
            due += 1
