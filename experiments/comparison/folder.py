"""Results on disk: a folder per question, named by what was asked and by a hash of its content."""

from __future__ import annotations

import contextlib
import errno
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

from experiments.comparison.carry_out import Comparison
from experiments.comparison.table_files import TABLES, summary_of, table_hashes, units_of, write_table
from scenarios import InputError

if TYPE_CHECKING:
    import pandas as pd

MANIFEST, REPORT, UNFINISHED = "manifest.json", "report.html", ".unfinished"
QUESTION = (
    "compared", "scenarios", "draws", "runs", "seed", "horizon_months", "smes", "clusters", "reasons", "spending",
    "code", "parameters_from",
)  # fmt: skip
LARGEST_MANIFEST_BYTES = 20_000_000
FREE_BYTES = 50_000_000  # on disk, before a study is started
ABANDONED_SECONDS = 3600.0  # since the last change to an unfinished folder


# ---------- names


def question_id(manifest: dict[str, Any]) -> str:
    """Hash of all that determines the numbers: scenarios, settings, seed, the version of the code, what is finished."""
    asked = {key: manifest[key] for key in QUESTION}
    asked["finished"] = manifest.get("finished_draws", max(1, manifest["draws"]))
    asked["missing"] = [part for part in manifest.get("missing", ()) if part != "report"]
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4).hexdigest()


def default_name(manifest: dict[str, Any]) -> str:
    """A folder's name: the scenarios, shortened, and the question's hash; and whether the study was interrupted."""
    names = [re.sub(r"[^\w.-]", "_", name) for name in manifest["compared"]]
    told = "-vs-".join(names) if len(names) <= 2 else f"{names[0]}-vs-{len(names) - 1}-scenarios"
    short = told.encode()[:80].decode(errors="ignore")
    tail = "-interrupted" if set(manifest.get("missing", ())) - {"report"} else ""
    return f"{short}-{question_id(manifest)}{tail}"


# ---------- before a study


def check_root(root: Path) -> None:
    """Refuse, before hours of runs, a place where nothing can be written. Raises InputError."""
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
            f"--out {root}: nothing can be written in {place} ({_why(error)}); choose another folder"
        ) from None
    if free < FREE_BYTES:
        raise InputError(
            f"--out {root}: {free / 1e6:.0f} MB are free on that disk; allowed: {FREE_BYTES / 1e6:.0f} MB or more"
        )


def check_free(root: Path, asked: dict[str, Any]) -> None:
    """Refuse, before hours of runs, a question whose folder is there and holds something else. Raises InputError."""
    target = root / default_name(asked)
    if os.path.lexists(target):
        _check_same(target, asked, None)


# ---------- writing


def save(comparison: Comparison, root: Path, *, with_report: bool = True, name: str | None = None) -> Path:
    """Write tables, summary and manifest to `root/name`, then the report into it; return that folder.

    The folder is written beside and renamed when complete, so it is never half there. One that holds the same results
    already is left as it is, and gets the report if it lacks it; one that holds anything else is refused. The
    manifest is complete when the report is there too. Raises InputError.
    """
    target = root / (name or default_name(comparison.manifest))
    with _in_one_sentence(target, "cannot be written"):
        if os.path.lexists(target):
            _check_same(target, comparison.manifest, table_hashes(comparison))
        else:
            _write_new(comparison, target, with_report)
    if with_report and not (target / REPORT).exists():
        with _in_one_sentence(target, "holds all tables, but the report cannot be written"):
            _add_report(comparison, target)
    return target


@contextlib.contextmanager
def _in_one_sentence(target: Path, what: str) -> Iterator[None]:
    """Trouble with the disk as one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{target}: {what} ({_why(error)}); make room or choose another folder by --out") from None


def _why(error: OSError) -> str:
    return (error.strerror or str(error).splitlines()[0] or type(error).__name__).lower()


@contextlib.contextmanager
def _working_folder(target: Path) -> Iterator[Path]:
    """A folder beside the target, of this process alone, that is gone afterwards whatever happens."""
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


def _write_new(comparison: Comparison, target: Path, with_report: bool) -> None:
    _forget_abandoned(target)
    missing = [*comparison.manifest.get("missing", ()), *(["report"] if with_report else [])]
    with _working_folder(target) as working:
        _write(comparison, working, missing)
        try:
            os.rename(working, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _check_same(target, comparison.manifest, table_hashes(comparison))  # another process was first


def _forget_abandoned(target: Path) -> None:
    """Remove what processes that were killed have left of this question."""
    for folder in target.parent.glob(f"{target.name}.*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _check_same(target: Path, manifest: dict[str, Any], tables: dict[str, str] | None) -> None:
    """Raise InputError unless the folder holds the results of this question (and, if given, these numbers)."""
    if not (target / MANIFEST).is_file():
        raise InputError(
            f"{target}: is there and holds no finished results (no {MANIFEST}); remove it or choose another --out"
        )
    told = read_manifest(target)
    same_question = told.get("id") == question_id(manifest)
    if not same_question or (tables is not None and told.get("tables") != tables):
        other = "other numbers for this question" if same_question else "the results of another question"
        raise InputError(f"{target}: holds {other}; nothing is overwritten, choose another --out")


def _write(comparison: Comparison, folder: Path, missing: list[str]) -> None:
    """Tables, summary and manifest."""
    for table in TABLES:
        frame = getattr(comparison, table)
        write_table(frame, folder / f"{table}.parquet", units_of(comparison, table))
    for name, frame in comparison.trace.items():
        (folder / "trace").mkdir(exist_ok=True)
        write_table(frame, folder / "trace" / f"{name}.parquet", {})
    comparison.measures.to_csv(folder / "measures.csv")
    summary_of(comparison).to_csv(folder / "summary.csv", index=False)
    _write_manifest(
        comparison.manifest
        | {
            "id": question_id(comparison.manifest),
            "complete": not missing,
            "missing": missing,
            "answers": [answer["sentence"] for answer in comparison.answers],
            "tables": table_hashes(comparison),
        },
        folder,
    )


def _write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """The manifest as JSON, a list of plain values per line."""
    text = json.dumps(manifest, indent=1, allow_nan=False, ensure_ascii=False)
    text = re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]", lambda found: "[" + re.sub(r",\n\s*", ", ", found[1]) + "]", text)
    working = folder / f"{MANIFEST}.{uuid.uuid4().hex[:8]}{UNFINISHED}"
    try:
        working.write_text(text + "\n", encoding="utf-8")
        os.replace(working, folder / MANIFEST)
    finally:
        working.unlink(missing_ok=True)


def _add_report(comparison: Comparison, target: Path) -> None:
    """Report and figures, written beside and moved in file by file, the report last; then the manifest knows."""
    from experiments.comparison.report import write_report

    with _working_folder(target) as working:
        write_report(comparison, working)
        files = [path.relative_to(working) for path in working.rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda file: (file.name == REPORT, file)):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            os.replace(working / file, target / file)
    told = read_manifest(target)
    if "report" in told["missing"]:
        missing = [part for part in told["missing"] if part != "report"]
        _write_manifest(told | {"missing": missing, "complete": not missing}, target)


# ---------- reading


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a results folder (or the file itself). Raises InputError."""
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise InputError(f"{path}: is not a finished results folder (it holds no {MANIFEST})")
        path = path / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST_BYTES:
            most = f"up to {LARGEST_MANIFEST_BYTES / 1e6:.0f} MB"
            raise InputError(f"{path}: is too large for a manifest; allowed: {most}")
        told = json.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; allowed: a results folder or its {MANIFEST}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_why(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a manifest: it is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not a manifest: it is not JSON ({str(error)[:80]})") from None
    absent = [key for key in (*QUESTION, "tables") if not isinstance(told, dict) or key not in told]
    if absent:
        verb = "are" if absent[1:] else "is"
        raise InputError(f"{path}: is not a manifest of innovex: {', '.join(absent)} {verb} missing")
    return told


def load(folder: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """The tables of a results folder, by name. Raises InputError."""
    import pandas as pd

    place = Path(folder)
    read_manifest(place)
    return {table: pd.read_parquet(place / f"{table}.parquet") for table in TABLES}
