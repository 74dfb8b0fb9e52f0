"""The bank: worlds simulated once and kept, in parts on disk, so that a killed fit goes on where it was.

A part is named after a hash of everything that determines it (code, priors, values, seeds), and gets its name only
when it is written in full. So a part is either whole or not there, and one of another version is never taken.
"""

import hashlib
import os
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from calibration.fit.problem import F64, I64, Problem, Progress, values_of

PART = 200  # worlds


def bank(problem: Problem, scores: F64, seeds: I64, folder: Path, tell: Progress) -> F64:
    """The targets' values in the worlds at `scores` (n, drawn parameters), (n, targets); what lies there is used."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(scores), PART):
        rows = slice(start, start + PART)
        path = folder / f"part-{_identity(problem, scores[rows], seeds[rows])}.parquet"
        found = _read(path, problem, len(scores[rows]))
        if found is None:
            found = problem.simulate(values_of(problem.entries, problem.drawn, scores[rows]), seeds[rows], tell)
            _write(path, problem, found)
        else:
            tell(len(found))
        parts.append(found)
    return np.concatenate(parts) if parts else np.empty((0, len(problem.targets)))


def _identity(problem: Problem, scores: F64, seeds: I64) -> str:
    told = [problem.code, *(target.name for target in problem.targets)]
    told += [f"{name} {_prior(problem, name)}" for name in problem.drawn]
    return hashlib.blake2b("\n".join(told).encode() + scores.tobytes() + seeds.tobytes(), digest_size=10).hexdigest()


def _prior(problem: Problem, name: str) -> tuple[object, ...]:
    entry = problem.entries[name]
    return entry.prior, entry.low, entry.value, entry.high, entry.shape, entry.limits


def _read(path: Path, problem: Problem, rows: int) -> F64 | None:
    """A part that lies there whole, or None."""
    try:
        table = pq.read_table(path)
        found = np.stack([table[target.name].to_numpy() for target in problem.targets], axis=1)
    except (OSError, KeyError, pa.ArrowException):
        return None
    return found if found.shape[0] == rows else None


def _write(path: Path, problem: Problem, found: F64) -> None:
    table = pa.table({target.name: found[:, place] for place, target in enumerate(problem.targets)})
    unfinished = path.with_name(f".{uuid.uuid4().hex}.unfinished")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
