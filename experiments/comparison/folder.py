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
import pyarrow as pa

from experiments.comparison.frames import Frames, OnDisk
from experiments.comparison.large_tables import digest_of, digest_of_file
from experiments.comparison.manifest import MANIFEST, check_same, default_name, question_id, read_manifest
from experiments.comparison.tables import LARGE, SMALL, TABLES, table
from experiments.runs.files import (
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
    if with_report and not _has_report(target):
        with in_one_sentence(target, "holds all tables, but the report cannot be written"):
            add_report(frames, target)
    return target


def _has_report(target: Path) -> bool:
    """Tell whether the report is there and the manifest says so, which is written last."""
    return (target / REPORT).exists() and "report" not in read_manifest(target)["missing"]


def _write_new(frames: Frames, target: Path, with_report: bool) -> None:
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
    assert isinstance(frames.large, OnDisk)
    for name in LARGE:
        shutil.copyfile(frames.large.path(name), folder / f"{name}.parquet")
    for name in SMALL:
        write_table(getattr(frames, name), folder / f"{name}.parquet", table(name).units)
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


def summary_of(frames: Frames) -> pd.DataFrame:
    """Return the effects as people read them: with titles and labels, numbers to six digits."""
    frame = frames.effects.copy()
    frame.insert(1, "title", [frames.about[name]["title"] for name in frame["scenario"]])
    frame.insert(4, "label", [frames.measures["label"][name] for name in frame["measure"]])
    for column in frame.select_dtypes("float"):
        frame[column] = [f"{float(f'{value:.6g}'):.12g}" if value == value else "" for value in frame[column]]
    return frame


def table_hashes(frames: Frames) -> dict[str, str]:
    """Return the hash of each table's values, as the manifest keeps them."""
    hashes = {**frames.digests, **{f"{name}.parquet": digest_of(getattr(frames, name)) for name in SMALL}}
    return {f"{declared.name}.parquet": hashes[f"{declared.name}.parquet"] for declared in TABLES}


def add_report(frames: Frames, target: Path) -> Path:
    """Write report and figures into a results folder, beside and moved in file by file; return the report's path.

    The report comes last; then the manifest says that it is there.
    """
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
            write_json(manifest | {"missing": missing, "complete": not missing}, working / MANIFEST)
            os.replace(working / MANIFEST, target / MANIFEST)
    return target / REPORT


# ---------- reading


def read(folder: Path) -> Frames:
    """Return the comparison that a results folder holds. Raises InputError."""
    folder = folder.parent if folder.name == MANIFEST and folder.is_file() else folder
    manifest = read_manifest(folder)
    with _not_whole(folder):
        base = manifest["compared"][0]
        list(manifest["missing"])  # read when a report is added
        small = {name: pd.read_parquet(folder / f"{name}.parquet") for name in SMALL}
        hashes = {name: digest_of(frame) for name, frame in small.items()}
        hashes |= {name: digest_of_file(folder / f"{name}.parquet") for name in LARGE}
        if altered := [name for name, digest in hashes.items() if manifest["tables"][f"{name}.parquet"] != digest]:
            raise InputError(f"{folder / altered[0]}.parquet: is not the table that {MANIFEST} tells of")
        words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
        trace = {path.stem: pd.read_parquet(path) for path in sorted((folder / TRACE).glob("*.parquet"))}
        return Frames(
            base=base,
            scenarios=tuple(manifest["compared"]),
            about=words["about"],
            measures=_measures(words["measures"]),
            monthly_measures=_measures(words["monthly_measures"]),
            large=OnDisk(folder),
            digests={f"{name}.parquet": manifest["tables"][f"{name}.parquet"] for name in LARGE},
            answers=[{name: _number(value) for name, value in each.items()} for each in words["answers"]],
            manifest=manifest,
            trace=trace,
            **small,
        )


def _written(value: Any) -> Any:
    return None if value != value else value


def _number(value: Any) -> Any:
    """Return a value as it was: JSON has no NaN, so it is written as nothing."""
    return float("nan") if value is None else value


def _measures(columns: dict[str, list[Any]]) -> pd.DataFrame:
    return pd.DataFrame(columns).set_index("name")


@contextlib.contextmanager
def _not_whole(folder: Path) -> Iterator[None]:
    """Turn what is missing from a folder, or cannot be read in it, into an InputError."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        missing = [f"{name}.parquet" for name in LARGE + SMALL if not (folder / f"{name}.parquet").is_file()]
        missing += [] if (folder / WORDS).is_file() else [WORDS]
        what = f"{', '.join(missing)} missing" if missing else "a table cannot be read"
        raise InputError(f"{folder}: is not a whole results folder ({what})") from None
