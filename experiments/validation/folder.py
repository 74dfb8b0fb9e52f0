"""The validation on disk: a folder with its tables, its manifest and its report."""

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

import pandas as pd

from experiments.validation.report import write_report
from experiments.validation.study import Validation
from scenarios import InputError


def save(found: Validation, root: Path) -> Path:
    """Write everything into a new folder under `root`, named by its content; one that is there is left as it is.

    It is written beside and renamed when complete, so it is never half there. Raises InputError.
    """
    target = root / f"validation-{_identity(found)}"
    if (target / "report.html").exists():
        return target
    working = root / f"{target.name}.{uuid.uuid4().hex[:8]}.unfinished"
    try:
        working.mkdir(parents=True)
        for name, frame in found.tables.items():
            write_csv(frame, working / f"{name}.csv")
        (working / "manifest.json").write_text(json.dumps(dict(found.manifest), indent=2) + "\n", encoding="utf-8")
        write_report(found, working)
        os.replace(working, target)
    except OSError as error:
        why = (error.strerror or "unknown reason").lower()
        raise InputError(f"{target}: cannot be written ({why}); make room or choose another folder by --out") from None
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return target


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV: numbers to six digits, whole or not at all."""
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    frame.to_csv(beside, index=False, float_format="%.6g", lineterminator="\n")
    os.replace(beside, path)


def _identity(found: Validation) -> str:
    """Hash of all tables, as they are written."""
    digest = hashlib.blake2b(digest_size=4)
    for name, frame in sorted(found.tables.items()):
        digest.update(f"{name}\n{frame.to_csv(index=False, float_format='%.6g')}".encode())
    return digest.hexdigest()
