"""A comparison on disk: a folder per question, named by its scenarios and by a hash of all that determines it.

It holds everything that a comparison is made of, so that it can be read back whole and its report written again.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.comparison.frames import Frames
from experiments.comparison.manifest import MANIFEST, check_same, default_name, question_id, read_manifest
from experiments.comparison.run_tables import RunTables
from experiments.comparison.table_files import RUN_TABLES, SMALL_TABLES, TABLES, summary_of, table_hashes, units_of
from experiments.runs.files import (
    forget_abandoned,
    in_one_sentence,
    working_folder,
    write_json,
    write_table,
)
from scenarios import InputError

REPORT, WORDS, TRACE = "report.html", "words.json", "trace"


# ---------- writing


def save(frames: Frames, root: Path, *, with_report: bool = True, name: str | None = None) -> Path:
    """Write tables, summary and manifest to `root/name`, then the report into it; return that folder.

    The folder is written beside and renamed when complete, so it is never half there. One that holds the same results
    already is left as it is, and gets the report if it lacks it; one that holds anything else is refused. The
    manifest is complete when the report is there too. Raises InputError.
    """
    target = root / (name or default_name(frames.manifest))
    with in_one_sentence(target, "cannot be written"):
        if os.path.lexists(target):
            check_same(target, frames.manifest, table_hashes(frames))
        else:
            _write_new(frames, target, with_report)
    if with_report and not (target / REPORT).exists():
        with in_one_sentence(target, "holds all tables, but the report cannot be written"):
            _add_report(frames, target)
    return target


def _write_new(frames: Frames, target: Path, with_report: bool) -> None:
    forget_abandoned(target)
    missing = [*frames.manifest.get("missing", ()), *(["report"] if with_report else [])]
    with working_folder(target) as working:
        _write(frames, working, missing)
        try:
            os.rename(working, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            check_same(target, frames.manifest, table_hashes(frames))  # another process was first


def _write(frames: Frames, folder: Path, missing: list[str]) -> None:
    """Write tables, summary, words and manifest."""
    for table in RUN_TABLES:
        shutil.copyfile(frames.runs.path(table), folder / f"{table}.parquet")
    for table in SMALL_TABLES:
        units = units_of(frames.measures, frames.monthly_measures, table)
        write_table(getattr(frames, table), folder / f"{table}.parquet", units)
    for name, frame in frames.trace.items():
        (folder / TRACE).mkdir(exist_ok=True)
        write_table(frame, folder / TRACE / f"{name}.parquet", {})
    frames.measures.to_csv(folder / "measures.csv")
    summary_of(frames).to_csv(folder / "summary.csv", index=False)
    words = {
        "about": frames.about,
        "answers": [{name: _written(value) for name, value in each.items()} for each in frames.answers],
        "measures": frames.measures.reset_index().to_dict("list"),
        "monthly_measures": frames.monthly_measures.reset_index().to_dict("list"),
    }
    write_json(words, folder / WORDS)
    manifest = {
        "id": question_id(frames.manifest),
        "complete": not missing,
        "missing": missing,
        "answers": [answer["sentence"] for answer in frames.answers],
        "tables": table_hashes(frames),
    }
    write_json(frames.manifest | manifest, folder / MANIFEST)


def _add_report(frames: Frames, target: Path) -> None:
    """Report and figures, written beside and moved in file by file, the report last; then the manifest knows."""
    from experiments.comparison.report import write_report  # here, since figures take a second to load

    with working_folder(target) as working:
        write_report(frames, working)
        files = [path.relative_to(working) for path in working.rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda file: (file.name == REPORT, file)):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            os.replace(working / file, target / file)
    manifest = read_manifest(target)
    if "report" in manifest["missing"]:
        missing = [part for part in manifest["missing"] if part != "report"]
        write_json(manifest | {"missing": missing, "complete": not missing}, target / MANIFEST)


# ---------- reading


def read(folder: Path) -> Frames:
    """Return the comparison that a results folder holds. Raises InputError."""
    manifest = read_manifest(folder)
    with _not_whole(folder):
        for table in RUN_TABLES:
            (folder / f"{table}.parquet").stat()
        words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
        small = {table: pd.read_parquet(folder / f"{table}.parquet") for table in SMALL_TABLES}
        trace = {path.stem: pd.read_parquet(path) for path in sorted((folder / TRACE).glob("*.parquet"))}
        return Frames(
            base=manifest["compared"][0],
            scenarios=tuple(manifest["compared"]),
            about=words["about"],
            measures=_measures(words["measures"]),
            monthly_measures=_measures(words["monthly_measures"]),
            runs=RunTables(folder),
            digests={f"{table}.parquet": manifest["tables"][f"{table}.parquet"] for table in RUN_TABLES},
            answers=[{name: _number(value) for name, value in each.items()} for each in words["answers"]],
            manifest=manifest,
            trace=trace,
            **small,
        )


def _written(value: Any) -> Any:
    return None if value != value else value


def _number(value: Any) -> Any:
    """A value as it was: JSON has no NaN, so it is written as nothing."""
    return float("nan") if value is None else value


def _measures(columns: dict[str, list[Any]]) -> pd.DataFrame:
    return pd.DataFrame(columns).set_index("name")


@contextlib.contextmanager
def _not_whole(folder: Path) -> Iterator[None]:
    """Turn what is missing from a folder, or cannot be read in it, into an InputError."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        missing = [f"{name}.parquet" for name in TABLES if not (folder / f"{name}.parquet").is_file()]
        missing += [] if (folder / WORDS).is_file() else [WORDS]
        what = f"{', '.join(missing)} missing" if missing else "a table cannot be read"
        raise InputError(f"{folder}: is not a whole results folder ({what})") from None
