"""Carrying out a plan in its folder: only what is missing, part by part, beside other processes if there are any."""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from experiments.runs.engines import Engine, Lost, Outcome
from experiments.runs.parts import (
    PARTS,
    UNFINISHED,
    Damaged,
    Earlier,
    addresses,
    put_in_order,
    read,
    table_of,
    write,
)
from experiments.sweeps.plan import FORMAT, MEND, Chunk, Design, Plan, as_data, write_design
from experiments.sweeps.work import Found, Rows, Work
from scenarios import InputError
from scenarios.errors import listed

PLAN, DESIGN, MANIFEST, LOCK, CLAIMS = "plan.json", "design.parquet", "manifest.json", ".lock", ".claims"
OF_REPORT, FIGURES = ("report.html", "indices.parquet"), "figures"
NEEDED = (  # of a plan, to understand it
    "format", "name", "experiment", "cases", "contrasts", "first_year", "evaluate", "code", "posterior", "base",
    "family",
)  # fmt: skip
DEATHS_BELIEVED = 3  # as often a chunk may lose its worker before it is taken for the cause
LOOK_AGAIN_SECONDS = 0.5  # for chunks that another process has in hand


@dataclass
class Advance:
    """How far a sweep is: cells done (read, run), failed, in all; what another process has in hand.

    damaged: parts that are done again. aside: files among the parts that are none of this sweep, moved to `kept/`.
    """

    cells: int
    read: int = 0
    run: int = 0
    failed: int = 0
    damaged: list[Damaged] = field(default_factory=list)
    aside: list[Damaged] = field(default_factory=list)
    lost: int = 0
    elsewhere: int = 0

    @property
    def done(self) -> int:
        """Cells that are finished, by whomever."""
        return self.read + self.run


Hear = Callable[[Advance], None]


@dataclass
class _Hand:
    """A chunk in hand: its claim, its cells, and which of them are to be run."""

    chunk: Chunk
    address: str
    claim: FileLock
    rows: Rows
    keys: Any
    before: dict[int, tuple[Any, str]]


def lay_out(plan: Plan, folder: Path) -> tuple[Design, list[Damaged]]:
    """Write plan and design into the folder, and put the parts that are there in order; returns what is none of them.

    Raises InputError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        before = json_there(folder / PLAN)
        if before is not None and before.get("family", plan.family) != plan.family:  # none: it is damaged
            what = "holds the sweep of another question; nothing is overwritten, choose another --out"
            raise InputError(f"{folder}: {what}")
        if before is None or before != as_data(plan) | {"design": _hash_of(folder / DESIGN)}:
            working = folder / f"{DESIGN}.{uuid.uuid4().hex[:8]}{UNFINISHED}"
            write_design(plan, working)
            (folder / MANIFEST).unlink(missing_ok=True)
            forget_report(folder)
            os.replace(working, folder / DESIGN)
            write_json(as_data(plan) | {"design": _hash_of(folder / DESIGN)}, folder / PLAN)
        design = Design(plan, folder / DESIGN)
        aside = put_in_order(folder, (address for _, address in addresses(plan, design)), plan.base)
    return design, aside


def _hash_of(path: Path) -> str:
    """Hash of a file, empty if there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except FileNotFoundError:
        return ""


def carry_out(
    plan: Plan, folder: Path, engine: Engine, design: Design, hear: Hear = lambda _: None, redo_failed: bool = False,
    aside: Sequence[Damaged] = (),
) -> Advance:  # fmt: skip
    """Run what is missing; returns when every part is there, whoever made it. `aside`: told with how far it is.

    Raises KeyboardInterrupt and `ClusterLost` with all finished parts kept.
    """
    driver = _Driver(plan, folder, engine, design, hear, redo_failed)
    driver.advance.aside.extend(aside)
    return driver.drive()


class _Driver:
    """One process at work on a folder."""

    def __init__(self, plan: Plan, folder: Path, engine: Engine, design: Design, hear: Hear, redo_failed: bool) -> None:
        self.plan, self.folder, self.engine, self.design, self.hear = plan, folder, engine, design, hear
        self.redo_failed = redo_failed
        self.advance = Advance(plan.cells)
        self.hands: dict[int, _Hand] = {}
        self.deaths: dict[str, int] = {}
        self.number = 0

    def drive(self) -> Advance:
        was_complete = (self.folder / MANIFEST).exists()
        todo = deque(self._missing())
        if todo and was_complete:  # parts were lost since: what the manifest and perhaps the report say is not so
            (self.folder / MANIFEST).unlink(missing_ok=True)
        self.earlier = Earlier(self.plan, self.folder, not self.redo_failed)
        (self.folder / CLAIMS).mkdir(exist_ok=True)
        self.hear(self.advance)
        try:
            while todo or self.hands:
                later = self._fill(todo)
                if self.hands:
                    self._take_one(todo)
                elif later:
                    _wait_a_little()
                todo.extend(later)
        finally:
            for hand in self.hands.values():
                hand.claim.release()
        self._forget_unfinished()
        return self.advance

    def _forget_unfinished(self) -> None:
        """What killed drivers had begun to write; what somebody has in hand stays."""
        for path in (self.folder / PARTS).glob(f"*{UNFINISHED}"):
            claim = self._claim(path.name.partition(".")[0])
            with contextlib.suppress(Timeout, OSError), claim.acquire(blocking=False):
                path.unlink(missing_ok=True)
                Path(claim.lock_file).unlink(missing_ok=True)

    def _claim(self, address: str) -> FileLock:
        return FileLock(self.folder / CLAIMS / f"{address}.lock")

    def _missing(self) -> Iterator[tuple[Chunk, str]]:
        """Chunks whose part is not there, or is damaged; parts that are whole are counted."""
        for chunk, address in addresses(self.plan, self.design):
            if not self._is_there(chunk, address):
                yield chunk, address

    def _is_there(self, chunk: Chunk, address: str) -> bool:
        path = self.folder / PARTS / f"{address}.parquet"
        if not path.exists():
            return False
        table = read(path, self.plan.base)
        if isinstance(table, Damaged):
            self.advance.damaged.append(table)
            return False
        failed = sum(1 for cause in table.column("failure").to_pylist()[:: len(self.plan.work.cases)] if cause)
        if failed and self.redo_failed:
            return False
        self.advance.read += chunk.stop - chunk.start
        self.advance.failed += failed
        return True

    def _fill(self, todo: "deque[tuple[Chunk, str]]") -> list[tuple[Chunk, str]]:
        """Give the engine chunks until it has enough; returns those that another process has in hand."""
        later = []
        while todo and len(self.hands) < self.engine.slots and not self._is_suspect_under_way():
            chunk, address = todo.popleft()
            if self._suspect(address) and self.hands:
                later.append((chunk, address))  # by itself, so that it alone is the cause if the worker dies
                break
            claim = self._claim(address)
            try:
                claim.acquire(blocking=False)
            except Timeout:
                later.append((chunk, address))
                continue
            if address not in self.deaths and self._made_by_another(chunk, address):
                claim.release()
                continue
            self._begin(chunk, address, claim)
        self.advance.elsewhere = len(later)
        return later

    def _made_by_another(self, chunk: Chunk, address: str) -> bool:
        """Whether another process has finished the part since this one looked."""
        damaged = len(self.advance.damaged)
        there = self._is_there(chunk, address)
        del self.advance.damaged[damaged:]
        return there

    def _suspect(self, address: str) -> bool:
        return self.deaths.get(address, 0) >= DEATHS_BELIEVED - 1

    def _is_suspect_under_way(self) -> bool:
        return any(self._suspect(hand.address) for hand in self.hands.values())

    def _begin(self, chunk: Chunk, address: str, claim: FileLock) -> None:
        """Run those cells of a chunk that were never run before."""
        rows = self.design.rows(chunk)
        keys = self.plan.keys(rows)
        before = {place: cell for place, key in enumerate(keys) if (cell := self.earlier.cell(int(key))) is not None}
        hand = _Hand(chunk, address, claim, rows, keys, before)
        fresh = [place for place in range(len(keys)) if place not in before]
        if not fresh:
            self._finish(hand, Found(np.empty((0, *_shape(self.plan.work))), []))
            return
        self.number += 1
        self.hands[self.number] = hand
        fresh_rows = Rows(rows.row[fresh], rows.block[fresh], rows.values[fresh], rows.run)
        self.engine.submit(self.number, self.plan.work, fresh_rows)

    def _take_one(self, todo: "deque[tuple[Chunk, str]]") -> None:
        """Wait for a chunk, and write its part or do it again."""
        number, outcome = self.engine.finished()
        hand = self.hands.pop(number)
        if isinstance(outcome, Lost):
            outcome = self._after_death(hand, outcome, todo)
        if isinstance(outcome, Found):
            self._finish(hand, outcome)
        self.hear(self.advance)

    def _after_death(self, hand: _Hand, lost: Lost, todo: "deque[tuple[Chunk, str]]") -> Outcome:
        """Do it again; after some deaths, the last of which it had by itself, the chunk is the cause."""
        self.advance.lost += 1
        deaths = self.deaths[hand.address] = self.deaths.get(hand.address, 0) + 1
        if deaths < DEATHS_BELIEVED:
            hand.claim.release()
            todo.append((hand.chunk, hand.address))
            return None
        fresh = len(hand.rows.row) - len(hand.before)
        nothing = np.full((fresh, *_shape(self.plan.work)), np.nan)
        return Found(nothing, [f"{lost.why}, {deaths} times, with this or a neighbouring row"] * fresh)

    def _finish(self, hand: _Hand, fresh: Found) -> None:
        found = _together(hand, fresh, self.plan.work)
        try:
            write(self.folder, hand.address, self.plan.base, table_of(self.plan.work, hand.rows, hand.keys, found))
        except OSError as error:
            raise InputError(
                f"{self.folder}: cannot be written ({(error.strerror or str(error)).lower()}); "
                f"what is finished is kept: make room, then go on with --resume"
            ) from None
        with contextlib.suppress(OSError):
            Path(hand.claim.lock_file).unlink()
        hand.claim.release()
        self.advance.read += len(hand.before)
        self.advance.run += len(fresh.failures)
        self.advance.failed += sum(1 for cause in found.failures if cause)


def _shape(work: Work) -> tuple[int, int]:
    return len(work.cases), len(work.measures)


def _together(hand: _Hand, fresh: Found, work: Work) -> Found:
    """Cells that were read and cells that were run, in order of rows."""
    measures = np.full((len(hand.rows.row), *_shape(work)), np.nan)
    failures: list[str] = []
    new = iter(range(len(fresh.failures)))
    for place in range(len(measures)):
        if place in hand.before:
            measures[place], cause = hand.before[place]
        else:
            n = next(new)
            measures[place], cause = fresh.measures[n], fresh.failures[n]
        failures.append(cause)
    return Found(measures, failures)


def _wait_a_little() -> None:
    import time

    time.sleep(LOOK_AGAIN_SECONDS)


# ---------- files of the folder


def read_plan(path: Path) -> dict[str, Any]:
    """What the file of a plan holds, whole enough to be understood. Raises InputError, with the way to mend it."""
    try:
        told = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; {MEND}" if path.exists() else str(error)) from None
    lacks = [key for key in NEEDED if key not in told]
    if lacks and told.get("format", FORMAT) == FORMAT:
        raise InputError(f"{path}: is not the plan of a sweep, or not all of it (it lacks {listed(lacks, 3)}); {MEND}")
    return told


def size_there(folder: Path, family: str) -> tuple[int | None, int | None]:
    """Blocks and runs of the sweep that lies in a folder; nothing known where it is damaged or of another question."""
    for name in (PLAN, MANIFEST):  # a manifest tells of a finished sweep all that its plan does
        told = json_there(folder / name) or {}
        if told.get("family") == family:
            experiment = told["experiment"]
            return experiment["method"]["n"], experiment["runs"]
    return None, None


def json_there(path: Path) -> dict[str, Any] | None:
    """What a file holds, or nothing where there is none or it is damaged: such a one is written again."""
    try:
        return read_json(path)
    except InputError:
        return None


def forget_report(folder: Path) -> None:
    """Take away a report that tells of another size, or of less than is there; `sweep report` makes it again."""
    for name in OF_REPORT:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / FIGURES, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone in the folder, for the moments in which plan, design or manifest are written."""
    with FileLock(folder / LOCK):
        yield


def write_json(told: dict[str, Any], path: Path) -> None:
    """Plain values as JSON, in full or not at all."""
    working = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    try:
        working.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(working, path)
    finally:
        working.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """What a JSON file of the folder holds. Raises InputError."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent}: is not the folder of a sweep (it holds no {path.name})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or 'unknown reason').lower()})") from None
    except ValueError:
        raise InputError(f"{path}: is damaged, it cannot be read as JSON") from None
    if not isinstance(told, dict):
        raise InputError(f"{path}: is not the {path.stem} of a sweep")
    return told
