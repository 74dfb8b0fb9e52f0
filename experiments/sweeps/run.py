"""Carrying out a plan in its folder: only what is missing, part by part, beside other processes if there are any."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from experiments.runs.driver import Advance, Hear, Task, finish
from experiments.runs.engines import Engine
from experiments.runs.files import write_json
from experiments.runs.parts import Damaged, Earlier, Parts, forget_abandoned
from experiments.runs.parts import read_table as read_part
from experiments.sweeps.plan import FORMAT, MEND, Design, Plan, as_data, write_design
from experiments.sweeps.work import Cells, Rows
from scenarios import InputError
from scenarios.errors import listed
from scenarios.files import UNFINISHED, replacing

PLAN, DESIGN, MANIFEST, LOCK = "plan.json", "design.parquet", "manifest.json", ".lock"
PARTS, KEPT = "parts", "kept"  # parts of the present plan; of an earlier size of the same question
OF_REPORT, FIGURES = ("report.html", "indices.parquet"), "figures"
NEEDED = (  # of a plan, to understand it
    "format", "name", "experiment", "cases", "contrasts", "first_year", "evaluate", "code", "posterior", "base",
    "family",
)  # fmt: skip


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
            with replacing(folder / DESIGN) as working:
                write_design(plan, working)
                (folder / MANIFEST).unlink(missing_ok=True)
                forget_report(folder)
            write_json(as_data(plan) | {"design": _hash_of(folder / DESIGN)}, folder / PLAN)
        design = Design(plan, folder / DESIGN)
        aside = put_in_order(folder, addresses(plan, design), plan.base)
    return design, aside


def _hash_of(path: Path) -> str:
    """Hash of a file, empty if there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except FileNotFoundError:
        return ""


def carry_out(
    plan: Plan,
    folder: Path,
    engine: Engine,
    design: Design,
    hear: Hear = lambda _: None,
    redo_failed: bool = False,
    aside: Sequence[Damaged] = (),
) -> Advance:
    """Run what is missing; returns when every part is there, whoever made it. `aside`: told with how far it is.

    Raises KeyboardInterrupt and `ClusterLost` with all finished parts kept.
    """
    advance = Advance(plan.cells, aside=[*aside])
    parts = Parts(folder / PARTS, plan.base)
    earlier = cache(lambda: Earlier(folder / KEPT, plan.base, with_failures=not redo_failed))
    tasks = (Task(Cells(plan.work, rows, keys, address), parts, earlier) for rows, keys, address in jobs(plan, design))
    # where parts are missing, what a manifest and perhaps a report say is not so
    stale = partial((folder / MANIFEST).unlink, missing_ok=True)
    way_on = "go on with --resume"
    for _ in finish(tasks, engine, advance, hear, redo_failed=redo_failed, on_missing=stale, way_on=way_on):
        pass
    parts.forget_unfinished()
    return advance


def jobs(plan: Plan, design: Design) -> Iterator[tuple[Rows, Any, str]]:
    """Yield rows, keys and address of every chunk of a plan."""
    for chunk in plan.chunks():
        rows = design.rows(chunk)
        keys = plan.keys(rows)
        yield rows, keys, plan.address(chunk, keys)


def addresses(plan: Plan, design: Design) -> Iterator[str]:
    """Yield the address of every chunk of a plan."""
    for _, _, address in jobs(plan, design):
        yield address


def put_in_order(folder: Path, wanted: Iterable[str], base: str) -> list[Damaged]:
    """Move parts that the plan has no place for to `kept/`, back what it has a place for; forget abandoned files.

    So `parts/*.parquet` is the table of results. Returns those moved to `kept/` that are no parts of this question at
    all, in the order of their names.
    """
    aside: list[Damaged] = []
    names = {f"{address}.parquet" for address in wanted}
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    (folder / KEPT).mkdir(exist_ok=True)
    forget_abandoned((folder / PARTS).glob(f"*{UNFINISHED}"))
    for path in sorted((folder / PARTS).iterdir()):
        if path.suffix != UNFINISHED and path.name not in names:
            with contextlib.suppress(OSError):
                os.replace(path, folder / KEPT / path.name)
                part = read_part(folder / KEPT / path.name, base)
                aside += [part] if isinstance(part, Damaged) else []
    for path in (folder / KEPT).glob("*.parquet"):
        if path.name in names and not (folder / PARTS / path.name).exists():
            with contextlib.suppress(OSError):
                os.replace(path, folder / PARTS / path.name)
    return aside


# ---------- files of the folder


def read_plan(path: Path) -> dict[str, Any]:
    """Read the file of a plan, whole enough to be understood; raises InputError, with the way to mend it."""
    try:
        content = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; {MEND}" if path.exists() else str(error)) from None
    lacks = [key for key in NEEDED if key not in content]
    if lacks and content.get("format", FORMAT) == FORMAT:
        raise InputError(f"{path}: is not the plan of a sweep, or not all of it (it lacks {listed(lacks, 3)}); {MEND}")
    return content


def size_there(folder: Path, family: str) -> tuple[int | None, int | None]:
    """Return the blocks and runs of the sweep in a folder; nothing where it is damaged or of another question."""
    for name in (PLAN, MANIFEST):  # a manifest tells of a finished sweep all that its plan does
        content = json_there(folder / name) or {}
        if content.get("family") == family:
            experiment = content["experiment"]
            return experiment["method"]["n"], experiment["runs"]
    return None, None


def json_there(path: Path) -> dict[str, Any] | None:
    """Read a file, or return nothing where there is none or it is damaged: such a one is written again."""
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
    """Be alone in the folder, for the moments in which plan, design or manifest are written."""
    with FileLock(folder / LOCK):
        yield


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of the folder; raises InputError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent}: is not the folder of a sweep (it holds no {path.name})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or 'unknown reason').lower()})") from None
    except ValueError:
        raise InputError(f"{path}: is damaged, it cannot be read as JSON") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not the {path.stem} of a sweep")
    return content
