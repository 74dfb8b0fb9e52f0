"""Files that results are made of: places that can be written to, folders and tables written whole or not at all."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from scenarios import InputError
from scenarios.files import UNFINISHED, replacing

if TYPE_CHECKING:
    import pandas as pd

FREE_BYTES = 50_000_000  # on disk, before a question is begun
ABANDONED_SECONDS = 3600.0  # since the last change to an unfinished folder


def check_root(root: Path, needed_bytes: float = 0.0) -> None:
    """Refuse, before hours of runs, a place where nothing can be written, or too little. Raises InputError."""
    place = root
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise InputError(f"--out {root}: {place} is a file; allowed: a folder, there or to be made")
    try:
        tempfile.TemporaryFile(dir=place).close()
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise InputError(
            f"--out {root}: nothing can be written in {place} ({reason(error)}); choose another folder"
        ) from None
    needed = FREE_BYTES + needed_bytes
    if free < needed:
        raise InputError(
            f"--out {root}: {free / 1e6:.0f} MB are free on that disk; allowed: {needed / 1e6:.0f} MB or more"
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
    """Yield a folder beside the target, of this process alone, that is gone afterwards whatever happens."""
    working = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    try:
        working.mkdir(parents=True)
        yield working
    finally:
        shutil.rmtree(working, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # made for nothing: only if it is empty


def forget_abandoned(target: Path) -> None:
    """Remove the working folders that killed processes have left beside a target."""
    for folder in target.parent.glob(f"{target.name}.*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


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
