"""Results on disk: a folder per question, named by what was asked and by a hash of its content."""

import hashlib
import json
import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.comparison import Comparison
from experiments.effects import all_measures
from scenarios import InputError
from simulator.observe import MONTHLY

TABLES = (
    "parameters", "by_call", "by_country", "by_month", "by_group", "lost", "short", "network", "effects", "spending",
    "reasons", "variance", "hangs_on",
)  # fmt: skip
UNFINISHED = ".unfinished"
MANIFEST = "manifest.json"


def question_id(comparison: Comparison) -> str:
    """Hash of all that determines the numbers: scenarios, settings, seed and the version of the code."""
    manifest = comparison.manifest
    asked = {
        key: manifest[key]
        for key in ("draws", "runs", "seed", "horizon_months", "reasons", "spending", "smes", "scenarios", "code")
    }
    asked["finished"] = manifest["finished_draws"]
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4).hexdigest()


def default_name(comparison: Comparison) -> str:
    """A folder's name: the scenarios, shortened, and the question's hash."""
    names = comparison.scenarios
    told = "-vs-".join(names) if len(names) <= 2 else f"{names[0]}-vs-{len(names) - 1}-scenarios"
    return f"{told[:80]}-{question_id(comparison)}"


def save(comparison: Comparison, root: Path, *, with_report: bool = True, name: str | None = None) -> Path:
    """Write everything to `root/name` by way of a folder beside it that is renamed when complete.

    An existing folder with the same content is left as it is and returned; one that is unfinished or
    holds something else is refused. Raises InputError.
    """
    target = root / (name or default_name(comparison))
    if target.exists():
        return _existing(target, comparison)
    working = target.with_name(target.name + UNFINISHED)
    try:
        if working.exists():
            shutil.rmtree(working)
        working.mkdir(parents=True)
        _write(comparison, working)
        if with_report:
            from experiments.report import write_report

            write_report(comparison, working)
        os.replace(working, target)
    except OSError as error:
        shutil.rmtree(working, ignore_errors=True)
        raise InputError(f"{target}: cannot be written ({error.strerror or error}); choose another folder by --out.") from None
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise
    return target


def check_root(root: Path, name: str | None = None) -> None:
    """Refuse, before hours of runs, a place where nothing can be written. Raises InputError."""
    place = root / name if name else root
    probe = root
    while not probe.exists() and probe != probe.parent:
        probe = probe.parent
    if not probe.is_dir():
        raise InputError(f"--out {place}: {probe} is a file, not a folder.")
    if not os.access(probe, os.W_OK):
        raise InputError(f"--out {place}: no permission to write in {probe}; choose another folder.")
    if shutil.disk_usage(probe).free < 50_000_000:
        raise InputError(f"--out {place}: less than 50 MB are free on that disk; results need more.")


def _existing(target: Path, comparison: Comparison) -> Path:
    """A folder that is there already: the same results are kept, anything else is refused."""
    manifest = target / MANIFEST
    if not manifest.is_file():
        raise InputError(
            f"{target}: exists and holds no finished results (no {MANIFEST}); remove it or choose another by --out."
        )
    told = read_manifest(manifest)
    if told.get("id") == question_id(comparison):
        return target
    raise InputError(f"{target}: holds the results of another question; nothing is overwritten, choose another --out.")


def _write(comparison: Comparison, folder: Path) -> None:
    """Tables, summary and manifest."""
    units = {name: measure.unit for name, measure in all_measures().items()}
    units |= {"short_eur": "EUR", "applications": "applications", "links": "pairs of partners per run"}
    monthly = {measure.name: measure.unit for measure in MONTHLY}
    hashes = {}
    for table in TABLES:
        path = folder / f"{table}.parquet"
        _write_table(getattr(comparison, table), path, monthly if table == "by_month" else units)
        hashes[path.name] = hashlib.blake2b(_content(getattr(comparison, table)), digest_size=16).hexdigest()
    comparison.measures.to_csv(folder / "measures.csv")
    comparison.summary.to_csv(folder / "summary.csv", index=False)
    manifest = comparison.manifest | {
        "id": question_id(comparison),
        "base": comparison.base,
        "compared": list(comparison.scenarios),
        "answers": [answer["sentence"] for answer in comparison.answers],
        "tables": hashes,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, allow_nan=True) + "\n", encoding="utf-8")


def _write_table(frame: pd.DataFrame, path: Path, units: dict[str, str]) -> None:
    """A frame as Parquet; names repeat, so they are stored as dictionaries; each column's unit is in its metadata."""
    packed = frame.copy()
    for column in ("scenario", "country", "funder", "cause", "kind", "group", "measure", "basis"):
        if column in packed and len(packed):
            packed[column] = packed[column].astype("category")
    table = pa.Table.from_pandas(packed, preserve_index=False)
    schema = pa.schema(
        [item.with_metadata({"unit": units[item.name]}) if item.name in units else item for item in table.schema],
        metadata=table.schema.metadata,
    )
    pq.write_table(table.cast(schema), path, compression="zstd")


def _content(frame: pd.DataFrame) -> bytes:
    """The bytes of a frame's values, for comparing two runs of one question."""
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()


def table_hashes(comparison: Comparison) -> dict[str, str]:
    """Hash of each table's values, as the manifest keeps them."""
    return {
        f"{table}.parquet": hashlib.blake2b(_content(getattr(comparison, table)), digest_size=16).hexdigest()
        for table in TABLES
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a results folder (or the file itself). Raises InputError."""
    path = path / MANIFEST if path.is_dir() else path
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such manifest; give a results folder or its {MANIFEST}.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({error}).") from None
    needed = {"scenarios", "compared", "draws", "runs", "seed"}
    if not isinstance(told, dict) or not needed <= told.keys():
        raise InputError(f"{path}: is not a manifest of innovex (it needs {', '.join(sorted(needed))}).")
    return told


def load(folder: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """The tables of a results folder, by name. Raises InputError."""
    place = Path(folder)
    read_manifest(place)
    names = [each.name for each in fields(Comparison)]
    return {path.stem: pd.read_parquet(path) for path in sorted(place.glob("*.parquet")) if path.stem in names}
