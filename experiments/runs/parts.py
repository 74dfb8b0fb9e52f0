"""Parts on disk: one Parquet file for each finished chunk, named by its content and sealed with a digest.

A part is written beside and renamed, so it is there in full or not at all; one that is damaged, cut short or belongs
elsewhere is found by its seal and told by name. `parts/` holds the parts of the present plan and nothing else, so
that `parts/*.parquet` is the table of results; parts of an earlier size of the same question lie in `kept/`.
"""

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.sweeps.plan import Chunk, Design, Plan
from experiments.sweeps.work import Found, Rows, Work
from simulator.parameters import F64

PARTS, KEPT, UNFINISHED = "parts", "kept", ".unfinished"
ADDRESS, BASE, DIGEST = b"innovex.address", b"innovex.base", b"innovex.digest"
ABANDONED_SECONDS = 3600.0
FILES_OPEN = 16  # earlier parts that are held in memory while their cells are taken over


class Damaged(NamedTuple):
    """A part that cannot be used, and why."""

    file: str
    why: str


# ---------- one part


def table_of(work: Work, rows: Rows, keys: npt.NDArray[np.int64], found: Found) -> pa.Table:
    """A chunk's results, one row per row and case."""
    cases = len(work.cases)
    columns: dict[str, pa.Array] = {
        "row": pa.array(np.repeat(rows.row, cases)),
        "run": pa.array(np.full(len(rows.row) * cases, rows.run, np.int32)),
        "case": pa.array([case.name for case in work.cases] * len(rows.row)),
        "cell": pa.array(np.repeat(keys, cases)),
        "failure": pa.array([cause for cause in found.failures for _ in range(cases)], pa.string()),
    }
    flat = found.measures.reshape(-1, len(work.measures))
    columns |= {name: pa.array(np.ascontiguousarray(flat[:, place])) for place, name in enumerate(work.measures)}
    return pa.table(columns)


def found_in(work: Work, table: pa.Table) -> Found:
    """The results that a part holds."""
    cases = len(work.cases)
    flat = np.stack([table.column(name).to_numpy() for name in work.measures], axis=1)
    return Found(flat.reshape(-1, cases, len(work.measures)), table.column("failure").to_pylist()[::cases])


def write(folder: Path, address: str, base: str, table: pa.Table) -> None:
    """Write a part, in full or not at all."""
    target = folder / PARTS / f"{address}.parquet"
    seal = {ADDRESS: address.encode(), BASE: base.encode(), DIGEST: _digest(table)}
    working = target.with_name(f"{address}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    try:
        pq.write_table(
            table.replace_schema_metadata(seal), working, compression="zstd", write_page_checksum=True,
            use_dictionary=["case", "failure"], write_statistics=["row", "run"],
        )  # fmt: skip
        os.replace(working, target)
    finally:
        working.unlink(missing_ok=True)


def read(path: Path, base: str | None = None) -> pa.Table | Damaged:
    """A part that is whole and belongs where it lies (and to `base`), or what is wrong with it."""
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True, memory_map=False).read()
        told = table.schema.metadata or {}
        if told.get(ADDRESS, b"").decode() != path.stem:
            return Damaged(path.name, "is not the part that its name says")
        if base is not None and told.get(BASE, b"").decode() != base:
            return Damaged(path.name, "belongs to another sweep")
        if told.get(DIGEST) != _digest(table):
            return Damaged(path.name, "its content is not what was written")
    except FileNotFoundError:
        return Damaged(path.name, "is gone")
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None)  # the disk's; what Parquet says of a byte helps nobody
        return Damaged(path.name, f"cannot be read ({why.lower()})" if why else "is damaged or cut short")
    return table


def _digest(table: pa.Table) -> bytes:
    digest = hashlib.blake2b(",".join(table.column_names).encode(), digest_size=16)
    for column in table.columns:
        if pa.types.is_string(column.type):
            digest.update("\0".join(column.to_pylist()).encode())
        else:
            digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
    return digest.hexdigest().encode()


# ---------- all parts of a sweep


def addresses(plan: Plan, design: Design) -> Iterator[tuple[Chunk, str]]:
    """Every chunk of a plan with its address."""
    for chunk in plan.chunks():
        yield chunk, plan.address(chunk, plan.keys(design.rows(chunk)))


def put_in_order(folder: Path, wanted: Iterable[str], base: str) -> list[Damaged]:
    """Move parts that the plan has no place for to `kept/`, back what it has a place for; forget abandoned files.

    Returns those moved to `kept/` that are no parts of this question at all, in the order of their names.
    """
    aside: list[Damaged] = []
    names = {f"{address}.parquet" for address in wanted}
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    (folder / KEPT).mkdir(exist_ok=True)
    for path in sorted((folder / PARTS).iterdir()):
        if path.suffix == UNFINISHED:
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
        elif path.name not in names:
            with contextlib.suppress(OSError):
                os.replace(path, folder / KEPT / path.name)
                found = read(folder / KEPT / path.name, base)
                aside += [found] if isinstance(found, Damaged) else []
    for path in (folder / KEPT).glob("*.parquet"):
        if path.name in names and not (folder / PARTS / path.name).exists():
            with contextlib.suppress(OSError):
                os.replace(path, folder / PARTS / path.name)
    return aside


class Earlier:
    """Cells that were run for an earlier size of the question: read, not run again."""

    def __init__(self, plan: Plan, folder: Path, with_failures: bool = True) -> None:
        self._plan, self._with_failures = plan, with_failures
        self._place: dict[int, tuple[Path, int]] = {}
        self._read = lru_cache(maxsize=FILES_OPEN)(self._open)
        for path in sorted((folder / KEPT).glob("*.parquet")):
            table = read(path, plan.base)
            if not isinstance(table, Damaged):
                for place, key in enumerate(self._keys(table)):
                    if with_failures or not table.column("failure")[place * len(plan.work.cases)].as_py():
                        self._place[int(key)] = (path, place)

    def __len__(self) -> int:
        return len(self._place)

    def _keys(self, table: pa.Table) -> npt.NDArray[np.int64]:
        keys: npt.NDArray[np.int64] = table.column("cell").to_numpy()[:: len(self._plan.work.cases)]
        return keys

    def _open(self, path: Path) -> Found | None:
        table = read(path, self._plan.base)
        return None if isinstance(table, Damaged) else found_in(self._plan.work, table)

    def cell(self, key: int) -> tuple[F64, str] | None:
        """The measures and failure of a cell, if it was run before."""
        if key not in self._place:
            return None
        path, place = self._place[key]
        found = self._read(path)
        return None if found is None else (found.measures[place], found.failures[place])
