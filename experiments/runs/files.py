"""Files that results are made of: places that can be written to, folders and tables written whole or not at all."""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import BaseFileLock, FileLock, Timeout

from scenarios import InputError
from scenarios.files import UNFINISHED, replacing

if TYPE_CHECKING:
    import pandas as pd

FREE_BYTES = 50_000_000  # on disk, before a question is begun
LOCK = ".lock"  # ends the name of the lock beside a working folder: who holds it is at work there


def check_root(root: Path, needed_bytes: float = 0.0, name: str = "--out") -> None:
    """Refuse, before hours of runs, a place where nothing can be written, or too little. Raises InputError."""
    place = root
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{name} {root}: {place} is a file; allowed: a folder, there or to be made")
    try:
        tempfile.TemporaryFile(dir=place).close()
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise InputError(
            f"{name} {root}: nothing can be written in {place} ({reason(error)}); choose another folder"
        ) from None
    needed = FREE_BYTES + needed_bytes
    if free < needed:
        raise InputError(
            f"{name} {root}: {free / 1e6:.0f} MB are free on that disk; allowed: {needed / 1e6:.0f} MB or more"
        )


@contextlib.contextmanager
def in_one_sentence(target: Path, what: str) -> Iterator[None]:
    """Turn trouble with the disk into an InputError of one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{target}: {what} ({reason(error)}); make room or choose another folder by --out") from None


def reason(error: OSError) -> str:
    """Return why the disk refused, in a few words."""
    return (error.strerror or str(error).splitlines()[0] or type(error).__name__).lower()


@contextlib.contextmanager
def working_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target, of this process alone, that is gone afterwards whatever happens.

    What killed processes have left of theirs goes first.
    """
    working = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _forget_abandoned(target)
        with FileLock(_lock_of(working), thread_local=False) as lock:  # given up in whatever thread
            working.mkdir()
            try:
                yield working
            finally:
                _clear(working, lock)
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # made for nothing: only if it is empty


def in_temporary(name: str) -> Path:
    """Return a path in the system's folder for temporary files."""
    return Path(tempfile.gettempdir()) / name


class TemporaryFolder:
    """A working folder that lasts as long as this object is in use, at most until the process ends."""

    def __init__(self, target: Path) -> None:
        stack = contextlib.ExitStack()
        self.path = stack.enter_context(working_folder(target))
        self._end = weakref.finalize(self, stack.close)


def _forget_abandoned(target: Path) -> None:
    """Remove the working folders beside a target whose lock nobody holds: killed processes have left them."""
    left = target.parent.glob(f"{glob.escape(target.name)}.*{UNFINISHED}*")
    for working in {path.with_name(path.name.removesuffix(LOCK)) for path in left}:
        with contextlib.suppress(Timeout, OSError), FileLock(_lock_of(working), blocking=False) as lock:
            _clear(working, lock)


def _lock_of(working: Path) -> Path:
    return working.with_name(working.name + LOCK)


def _clear(working: Path, lock: BaseFileLock) -> None:
    """Remove a working folder, then its lock's file; the lock is held."""
    shutil.rmtree(working, ignore_errors=True)
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write plain values as JSON, a list of plain values per line, whole or not at all."""
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    text = re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]", lambda list_: "[" + re.sub(r",\n\s*", ", ", list_[1]) + "]", text)
    with replacing(path) as working:
        working.write_text(text + "\n", encoding="utf-8")


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as CSV: numbers to six digits, whole or not at all."""
    with replacing(path) as working:
        frame.to_csv(working, index=False, float_format="%.6g", lineterminator="\n")


def write_table(frame: "pd.DataFrame", path: Path, units: dict[str, str]) -> None:
    """Write a frame as Parquet: names, which repeat, as dictionaries; a column's metadata holds its unit."""
    table = as_table(frame, units)
    pq.write_table(table, path, compression="zstd", use_dictionary=names_in(table.schema))


def as_table(frame: "pd.DataFrame", units: dict[str, str]) -> pa.Table:
    """Return a frame as an Arrow table with the unit of each column in its metadata."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    schema = pa.schema(
        [item.with_metadata({"unit": units[item.name]}) if item.name in units else item for item in table.schema],
        metadata=table.schema.metadata,
    )
    return table.cast(schema)


def names_in(schema: pa.Schema) -> list[str]:
    """Return the columns whose values repeat."""
    return [item.name for item in schema if not pa.types.is_floating(item.type)]


def size_and_hash(path: Path) -> list[Any]:
    """Return a file's size in bytes and the hash of its content."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return [os.path.getsize(path), digest]
