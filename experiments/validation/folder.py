"""The validation on disk: a folder with its tables, its manifest and its report."""

import hashlib
import os
from pathlib import Path

from experiments.runs.files import in_one_sentence, working_folder, write_csv, write_json
from experiments.validation.report import write_report
from experiments.validation.study import Validation


def save(validation: Validation, root: Path) -> Path:
    """Write everything into a new folder under `root`, named by its content; one that is there is left as it is.

    It is written beside and renamed when complete, so it is never half there. Raises InputError.
    """
    target = root / f"validation-{_identity(validation)}"
    if (target / "report.html").exists():
        return target
    with in_one_sentence(target, "cannot be written"), working_folder(target) as working:
        for name, frame in validation.tables.items():
            write_csv(frame, working / f"{name}.csv")
        write_json(dict(validation.manifest), working / "manifest.json")
        write_report(validation, working)
        os.replace(working, target)
    return target


def _identity(validation: Validation) -> str:
    """Hash of all tables, as they are written."""
    digest = hashlib.blake2b(digest_size=4)
    for name, frame in sorted(validation.tables.items()):
        digest.update(f"{name}\n{frame.to_csv(index=False, float_format='%.6g')}".encode())
    return digest.hexdigest()
