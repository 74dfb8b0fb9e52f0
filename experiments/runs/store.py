"""The store: every finished run of scenarios, kept by what determines it, for all questions below one results folder.

`<results>/runs/<case>/<address>.parquet`. A question reads what is there and runs what is not, so a killed question
goes on, a larger one runs only what is new, and a base is run once for all its comparisons. The folder may be deleted
at any time; what is in it is made again when it is needed.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from experiments.runs.driver import Advance, Task, finish
from experiments.runs.engines import Engine
from experiments.runs.files import in_temporary, working_folder
from experiments.runs.jobs import Divisible
from experiments.runs.parts import CLAIMS, Damaged, Earlier, Parts, forget_claims, remove, taken_over, together
from scenarios import InputError
from simulator.jobs import Columns, Progress

FOLDER = "runs"  # below a results folder


class Kept(Divisible, Protocol):
    """A job whose part is kept in the store; `base` is a hash of all that its cells share, and names their folder."""

    @property
    def base(self) -> str: ...


class Store:
    """A folder of finished runs."""

    def __init__(self, root: Path, tables: Path | None = None) -> None:
        self.root = root
        self.tables = tables or root / "tables"  # where large tables are put together, until they are saved
        self.runs_read = 0  # runs that were there already
        self.damaged: list[Damaged] = []  # parts that could not be used and were made again
        self._whole: set[str] = set()  # addresses whose parts this process has written, or found whole

    @classmethod
    @contextlib.contextmanager
    def temporary(cls) -> "Iterator[Store]":
        """Yield a store that is gone afterwards."""
        with working_folder(in_temporary("innovex-runs")) as folder:
            yield cls(folder, in_temporary("innovex-tables"))

    def parts(self, base: str) -> Parts:
        """Return the folder of all parts that share a base."""
        return Parts(self.root / base, base)

    def read(self, job: Kept, names: Sequence[str] | None = None) -> Columns:
        """Return a finished job's columns, or some of them. Raises InputError if its part is damaged or gone."""
        parts = self.parts(job.base)
        columns = parts.read(job.address, names, is_whole=job.address in self._whole)
        if columns is None or isinstance(columns, Damaged):
            columns = self._from_others(job, names) or columns
        if columns is None or isinstance(columns, Damaged):
            why = columns.why if isinstance(columns, Damaged) else "is gone"
            raise InputError(f"{parts.path(job.address)}: {why}; the same command makes it again")
        return columns

    def _from_others(self, job: Kept, names: Sequence[str] | None) -> Columns | None:
        """Return a job's columns from other parts: a larger question may have tidied its own part away meanwhile."""
        rest, before = taken_over(job, Earlier(self.root / job.base, job.base))
        if rest is not None:
            return None
        columns = together(job, before, None)
        return columns if names is None else {name: columns[name] for name in names}

    def finish(self, jobs: Sequence[Kept], engine: Engine, progress: Progress) -> Iterator[int]:
        """Carry out what is missing of some jobs; yield the place of each when its part is there."""
        earlier = cache(lambda base: Earlier(self.root / base, base))
        tasks = (Task(job, self.parts(job.base), partial(earlier, job.base)) for job in jobs)
        advance, hear = progress_of(sum(job.runs for job in jobs), progress)
        try:
            for place in finish(tasks, engine, advance, hear):
                self._whole.add(jobs[place].address)
                yield place
        finally:
            self.runs_read += advance.read
            self.damaged += advance.damaged
        for base in {job.base for job in jobs}:
            self.parts(base).forget_unfinished()
        forget_claims(self.root / CLAIMS)

    def tidy(self, jobs: Iterable[Kept]) -> None:
        """Remove parts whose cells all stand in the parts of `jobs` too: of smaller sizes of a question."""
        wanted: dict[str, set[str]] = {}
        cells: dict[str, set[int]] = {}
        for job in jobs:
            wanted.setdefault(job.base, set()).add(job.address)
            cells.setdefault(job.base, set()).update(job.index["cell"].tolist())
        for base, addresses in wanted.items():
            for path in (self.root / base).glob("*.parquet"):
                if path.stem not in addresses and _all_in(path, base, cells[base]):
                    remove(path)

    def forget(self) -> None:
        """Remove the whole store."""
        shutil.rmtree(self.root, ignore_errors=True)

    def forget_empty(self) -> bool:
        """Remove folders that hold nothing, the store itself and its results folder too; true if all of it is gone."""
        for folder in (*self.root.glob("*"), self.root, self.root.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()  # only if it is empty
        return not self.root.exists()


def _all_in(path: Path, base: str, cells: set[int]) -> bool:
    columns = Parts(path.parent, base).read(path.stem)
    return isinstance(columns, dict) and set(columns["cell"].tolist()) <= cells


def progress_of(total: int, progress: Progress) -> tuple[Advance, Callable[[Advance], None]]:
    """Return an advance, and a callback that calls `progress` with the runs done since it was last called."""
    last = 0

    def hear(advance: Advance) -> None:
        nonlocal last
        done, last = advance.done - last, advance.done
        if done:
            progress(done)

    return Advance(total), hear
