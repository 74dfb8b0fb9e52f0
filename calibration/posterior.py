"""The posterior as a file: weighted draws of the fitted parameters, and the manifest that tells how they came.

The other parameters stay at their priors: the evidence does not tell them apart. So a draw of the posterior is a
row of the file, with the prior's draw of the same number for everything else.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from calibration.survey.register import draw as prior_draw
from calibration.survey.register import register
from scenarios import Entry, InputError, uniforms
from scenarios.errors import nearest
from simulator.parameters import F64

SHIPPED = Path(__file__).with_name("posterior.parquet")
WEIGHT = "weight"
AGAIN = "make it anew with `innovex calibrate`, or take --draws-from prior"


@dataclass(frozen=True)
class Posterior:
    """Weighted draws of the fitted parameters, in their own units, and the manifest of the fit."""

    values: Mapping[str, F64]
    weight: F64
    manifest: dict[str, Any]
    identity: str

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the fitted parameters."""
        return tuple(self.values)

    @property
    def informed(self) -> tuple[str, ...]:
        """Fitted parameters that the evidence has told something about; the others are as good as unidentified."""
        least = float(self.manifest["unidentified_below"])
        return tuple(row["parameter"] for row in self.manifest["parameters"] if row["contraction"] >= least)

    def rows(self, n: int, seed: int, first: int = 0) -> np.ndarray:
        """Places of `n` draws from number `first` on: heavier rows sooner (Efraimidis & Spirakis 2006), each once
        before any comes again.

        A longer sequence begins with the shorter one.
        """
        keys = -np.log(uniforms(len(self.weight), seed, "posterior")) / np.maximum(self.weight, 1e-300)
        return np.argsort(keys, kind="stable")[np.arange(first, first + n) % len(keys)]

    def draw(self, n: int, seed: int, first: int = 0) -> dict[str, F64]:
        """`n` draws of every parameter of `calibration.register()`, from number `first` on: the fitted ones together,
        the others' priors."""
        rows = self.rows(n, seed, first)
        return {**prior_draw(n, seed, first), **{name: column[rows] for name, column in self.values.items()}}

    def centre(self) -> dict[str, float]:
        """Weighted median of every fitted parameter."""
        return {name: weighted_quantile(column, self.weight, 0.5) for name, column in self.values.items()}


def weighted_quantile(values: F64, weight: F64, share: float) -> float:
    """The value below which `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    return float(np.interp(share, below, values[order]))


def read(path: str | os.PathLike[str] | None = None) -> Posterior:
    """The posterior of a file, the shipped one without; raises InputError if it does not fit the present register."""
    return _shipped() if path is None else _read(Path(path))


@cache
def _shipped() -> Posterior:
    return _read(SHIPPED)


def _read(path: Path) -> Posterior:
    try:
        table = pq.ParquetFile(path).read()
        manifest = json.loads(manifest_of(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or path}: there is no such file; {AGAIN}") from None
    except (OSError, ValueError, pa.ArrowException):
        raise InputError(f"{path}: this is no posterior with its manifest beside it; {AGAIN}") from None
    # no to_numpy, no read_table: both import pandas, which keeps the first result of a run waiting
    columns = {name: np.array(table[name].to_pylist(), dtype=np.float64) for name in table.column_names}
    if WEIGHT not in columns or not len(table):
        raise InputError(f"{path}: it has no draws with a column {WEIGHT!r}; {AGAIN}")
    weight = columns.pop(WEIGHT)
    _check(path, columns, weight, manifest)
    digest = hashlib.blake2b(weight.tobytes(), digest_size=8)
    for name, column in sorted(columns.items()):
        digest.update(name.encode() + column.tobytes())
    return Posterior(columns, weight, manifest, digest.hexdigest())


def _check(path: Path, columns: Mapping[str, F64], weight: F64, manifest: dict[str, Any]) -> None:
    """Raise InputError where the posterior is not one of the present register."""
    entries = register()
    told = {row["parameter"]: row for row in manifest.get("parameters", [])}
    for name, column in columns.items():
        entry = entries.get(name)
        if entry is None:
            near = nearest(name, entries)
            meant = f"; did you mean {near}?" if near else ""
            raise InputError(f"{path}, {name}: the register has no such parameter{meant}; {AGAIN}")
        if name not in told or told[name]["prior"] != prior_in_words(entry):
            raise InputError(f"{path}, {name}: it was fitted with another prior than the register's; {AGAIN}")
        smallest, largest = entry.limits
        if not ((smallest <= column) & (column <= largest)).all():
            raise InputError(f"{path}, {name}: a draw is out of range; allowed: {entry.allowed}; {AGAIN}")
    if not (np.isfinite(weight).all() and (weight >= 0.0).all() and weight.sum() > 0.0):
        raise InputError(f"{path}, {WEIGHT}: a weight does not fit; allowed: 0 or more, and not all 0; {AGAIN}")


def prior_in_words(entry: Entry) -> str:
    """A prior, so that two can be compared: `triangular 0.5, 1, 2`."""
    shape = f", shape {entry.shape[0]:g} {entry.shape[1]:g}" if entry.shape else ""
    return f"{entry.prior} {entry.low:g}, {entry.value:g}, {entry.high:g}{shape}"


def manifest_of(path: Path) -> Path:
    """Where the manifest of a posterior lies."""
    return path.with_suffix(".json")


def write(path: Path, values: Mapping[str, F64], weight: F64, manifest: dict[str, Any], units: Sequence[str]) -> None:
    """Write the draws and their manifest, whole or not at all."""
    fields = [pa.field(WEIGHT, pa.float64(), metadata={"unit": "share of the posterior"})]
    fields += [pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in zip(values, units, strict=True)]
    table = pa.table([weight, *values.values()], schema=pa.schema(fields))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}.unfinished")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        os.replace(unfinished, path)
        unfinished.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(unfinished, manifest_of(path))
    finally:
        unfinished.unlink(missing_ok=True)
