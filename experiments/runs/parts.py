"""Finished jobs on disk: one Parquet file for each, named by the job's address and sealed with a digest.

A part is written beside and renamed, so it is there whole or not at all; one that is damaged, cut short or belongs
elsewhere is found by its seal and told by name.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from experiments.runs.jobs import Divisible
from scenarios.files import UNFINISHED, replacing
from simulator.jobs import Columns, Job

CLAIMS = ".claims"
ADDRESS, BASE, DIGEST, SHAPES = b"innovex.address", b"innovex.base", b"innovex.digest", b"innovex.shapes"
ABANDONED_SECONDS = 3600.0  # since the last change to an unfinished file
FILES_OPEN = 16  # parts that are held in memory while cells are taken from them


class Damaged(NamedTuple):
    """A part that cannot be used, and why."""

    file: str
    why: str


class Parts:
    """A folder of parts. `base` identifies what all of them belong to; a part of anything else is damaged."""

    def __init__(self, folder: Path, base: str = "") -> None:
        self.folder, self.base = folder, base

    def make(self) -> None:
        """Make the folder, if it is not there. Raises OSError."""
        (self.folder.parent / CLAIMS).mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(exist_ok=True)

    def path(self, address: str) -> Path:
        """Return where the part of an address lies, or will lie."""
        return self.folder / f"{address}.parquet"

    def read(
        self, address: str, names: Sequence[str] | None = None, *, is_whole: bool = False
    ) -> Columns | Damaged | None:
        """Return a part's columns (some of them), None where there is none, or what is wrong with it.

        Where the part `is_whole`, as this process knows, its digest is not computed again.
        """
        path = self.path(address)
        if not path.exists():
            return None
        columns = read(path, self.base, names if is_whole else None, check=not is_whole)
        return columns if isinstance(columns, Damaged) or names is None else {name: columns[name] for name in names}

    def write(self, address: str, columns: Columns) -> None:
        """Write a part, whole or not at all. Raises OSError."""
        table = as_table(columns)
        seal = {ADDRESS: address.encode(), BASE: self.base.encode(), DIGEST: _digest(table)}
        with replacing(self.path(address)) as working:
            pq.write_table(
                table.replace_schema_metadata((table.schema.metadata or {}) | seal),
                working,
                compression="zstd",
                compression_level=1,
                write_page_checksum=True,
                use_dictionary=[item.name for item in table.schema if pa.types.is_string(item.type)],
                write_statistics=[item.name for item in table.schema if pa.types.is_integer(item.type)],
            )

    def claim(self, address: str) -> FileLock:
        """Return the lock that says that some process has an address in hand."""
        return FileLock(self.folder.parent / CLAIMS / f"{address}.lock")

    def release(self, claim: FileLock) -> None:
        """Give up a claim and take its file away."""
        with contextlib.suppress(OSError):
            Path(claim.lock_file).unlink()
        claim.release()

    def forget_unfinished(self) -> None:
        """Remove what killed processes had begun to write; what somebody has in hand stays."""
        for path in self.folder.glob(f"*{UNFINISHED}"):
            claim = self.claim(path.name.partition(".")[0])
            with contextlib.suppress(Timeout, OSError), claim.acquire(blocking=False):
                path.unlink(missing_ok=True)
                Path(claim.lock_file).unlink(missing_ok=True)


def forget_abandoned(paths: Iterable[Path]) -> None:
    """Remove unfinished files that nobody has written to for an hour."""
    for path in paths:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()


def in_hand(claims: Path) -> int:
    """Return how many addresses some process has in hand at this moment."""
    return sum(1 for path in claims.glob("*.lock") if not _is_free(path))


def forget_claims(claims: Path) -> None:
    """Remove the locks that killed processes have left."""
    for path in claims.glob("*.lock"):
        if _is_free(path):
            remove(path)


def _is_free(lock: Path) -> bool:
    claim = FileLock(lock)
    try:
        claim.acquire(blocking=False)
    except Timeout:
        return False
    except OSError:  # it has gone meanwhile
        return True
    claim.release()
    return True


# ---------- one part


def as_table(columns: Columns) -> pa.Table:
    """Return columns as a table; an array of more dimensions is a column of lists, its shape in the metadata."""
    arrays: dict[str, pa.Array] = {}
    shapes: dict[str, list[int]] = {}
    for name, values in columns.items():
        if values.ndim == 1:
            arrays[name] = pa.array(values if values.dtype.kind in "iuf" else values.tolist())
        else:
            shapes[name] = list(values.shape[1:])
            flat = np.ascontiguousarray(values).reshape(-1)
            arrays[name] = pa.FixedSizeListArray.from_arrays(pa.array(flat), int(np.prod(values.shape[1:])))
    return pa.table(arrays).replace_schema_metadata({SHAPES: json.dumps(shapes).encode()} if shapes else None)


def as_columns(table: pa.Table) -> Columns:
    """Return a table's columns as they were."""
    shapes = json.loads((table.schema.metadata or {}).get(SHAPES, b"{}"))
    columns: Columns = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name in shapes:
            columns[name] = column.flatten().to_numpy().reshape(len(column), *shapes[name])
        elif pa.types.is_string(column.type):
            columns[name] = np.array(column.to_pylist(), dtype=object)
        else:
            columns[name] = column.to_numpy()
    return columns


def read(
    path: Path, base: str | None = None, names: Sequence[str] | None = None, *, check: bool = True
) -> Columns | Damaged:
    """Return the columns of a part that is whole and belongs where it lies (and to `base`), or what is wrong."""
    table = read_table(path, base, names, check=check)
    return table if isinstance(table, Damaged) else as_columns(table)


def read_table(
    path: Path, base: str | None = None, names: Sequence[str] | None = None, *, check: bool = True
) -> pa.Table | Damaged:
    """Return the table of a part that is whole and belongs where it lies (and to `base`), or what is wrong.

    `names` reads some columns, without a check of the digest, which is of all of them.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True, memory_map=False).read(names)
        seal = table.schema.metadata or {}
        if seal.get(ADDRESS, b"").decode() != path.stem:
            return Damaged(path.name, "is not the part that its name says")
        if base is not None and seal.get(BASE, b"").decode() != base:
            return Damaged(path.name, "belongs to another question")
        if check and seal.get(DIGEST) != _digest(table):
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
        elif pa.types.is_fixed_size_list(column.type):
            digest.update(np.ascontiguousarray(column.combine_chunks().flatten().to_numpy()).tobytes())
        else:
            digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
    return digest.hexdigest().encode()


# ---------- cells that were carried out before, for another size of a question


class Earlier:
    """Cells in parts of a folder: read, not run again."""

    def __init__(self, folder: Path, base: str, *, with_failures: bool = True) -> None:
        self._base = base
        self._place: dict[int, tuple[Path, int]] = {}
        self._open = lru_cache(maxsize=FILES_OPEN)(lambda path: read(path, base))
        for path in sorted(folder.glob("*.parquet")):
            for key, place in _cells_in(path, with_failures):
                self._place[key] = (path, place)

    def __len__(self) -> int:
        return len(self._place)

    def cell(self, key: int) -> Columns | None:
        """Return the rows of a cell, or None if it was not carried out before."""
        if key not in self._place:
            return None
        path, place = self._place[key]
        columns = self._open(path)
        if isinstance(columns, Damaged):
            return None
        rows = slice(place, place + int(np.count_nonzero(columns["cell"] == key)))
        return {name: values[rows] for name, values in columns.items()}


def _cells_in(path: Path, with_failures: bool) -> Iterator[tuple[int, int]]:
    """Yield the key of each cell in a part and its first row; nothing of a part that cannot be read."""
    try:
        file = pq.ParquetFile(path)
        names = [name for name in ("cell", "failure") if name in file.schema_arrow.names]
        table = file.read(names)
    except (OSError, ValueError, pa.ArrowException):
        return
    if "cell" not in names:
        return
    keys = table.column("cell").to_numpy()
    failures = table.column("failure").to_pylist() if "failure" in names else [""] * len(keys)
    for place in first_rows(keys):
        if with_failures or not failures[place]:
            yield int(keys[place]), int(place)


def first_rows(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the row at which each cell begins, from the cells' keys row by row."""
    starts = np.ones(len(keys), bool)
    starts[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(starts)


def taken_over(job: Job, earlier: Earlier | None) -> tuple[Job | None, dict[int, Columns]]:
    """Return what is left to do of a job (None: nothing), and its cells that were carried out before, by place."""
    if earlier is None or not len(earlier) or not isinstance(job, Divisible):
        return job, {}
    keys = job.index["cell"]
    starts = first_rows(keys)
    before = {place: cell for place, row in enumerate(starts) if (cell := earlier.cell(int(keys[row]))) is not None}
    if not before:
        return job, {}
    fresh = np.array([place for place in range(len(starts)) if place not in before], np.int64)
    return (job.only(fresh) if len(fresh) else None), before


def together(job: Job, before: dict[int, Columns], fresh: Columns | None) -> Columns:
    """Return all rows of a job: those that were carried out before and the fresh ones, in the job's order."""
    if not isinstance(job, Divisible):
        assert fresh is not None
        return fresh
    index = job.index
    if not before:
        assert fresh is not None
        return index | fresh
    starts = [*first_rows(index["cell"]), len(index["cell"])]
    names = [name for name in next(iter(before.values())) if name not in index]
    parts: dict[str, list[Any]] = {name: [] for name in names}
    row = 0
    for place, (start, stop) in enumerate(pairwise(starts)):
        source = before.get(place)
        for name in names:
            if source is not None:
                parts[name].append(source[name])
            else:
                assert fresh is not None
                parts[name].append(fresh[name][row : row + stop - start])
        row += 0 if source is not None else int(stop - start)
    return index | {name: np.concatenate(pieces) for name, pieces in parts.items()}


def remove(path: Path) -> None:
    """Remove a file, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        os.unlink(path)
