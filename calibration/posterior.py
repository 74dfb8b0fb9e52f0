"""The posterior as a file: weighted draws of the fitted parameters, and the manifest of the fit.

The other parameters stay at their priors: the evidence says too little about them. So a draw of the posterior is a row
of the file, with the prior's draw of the same number for everything else.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from calibration.parameters import draw as prior_draw
from calibration.parameters import register
from scenarios import Entry, InputError, uniforms
from scenarios.errors import nearest
from scenarios.files import replacing
from simulator.parameters import F64

I64 = npt.NDArray[np.int64]

SHIPPED = Path(__file__).with_name("posterior.parquet")
WEIGHT = "weight"
REMEDY = "make a new one with `innovex calibrate`, or use --draws-from prior"


@dataclass(frozen=True)
class Posterior:
    """Weighted draws of the fitted parameters, and the manifest of the fit.

    Parameters
    ----------
    values : mapping of str to ndarray of float64, shape (rows,)
        By parameter, in the units of the register.
    weight : ndarray of float64, shape (rows,)
        Shares of the posterior, on any scale.
    manifest : dict
        What determines the posterior, and what was learned about each parameter.
    identity : str
        A hash of values and weights, 16 hex digits.
    """

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
        """Names of the fitted parameters that the evidence informs; the others are as good as unidentified."""
        least = float(self.manifest["unidentified_below"])
        return tuple(row["parameter"] for row in self.manifest["parameters"] if row["contraction"] >= least)

    @property
    def calls(self) -> tuple[int, ...]:
        """Years of the calls that it is fitted to; the names of the fit's targets end with them."""
        ends = (target["name"].rpartition("_")[2] for target in self.manifest.get("targets", ()))
        return tuple(sorted({int(end) for end in ends if end.isdigit()}))

    def rows(self, n: int, seed: int, first: int = 0) -> I64:
        """Return the rows of some draws: heavier rows sooner (Efraimidis & Spirakis 2006), each once before any again.

        A longer sequence begins with the shorter one.

        Parameters
        ----------
        n : int
            How many draws.
        seed : int
        first : int, optional
            The number of the first draw.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        keys = -np.log(uniforms(len(self.weight), seed, "posterior")) / np.maximum(self.weight, 1e-300)
        return np.asarray(np.argsort(keys, kind="stable")[np.arange(first, first + n) % len(keys)])

    def draw(self, n: int, seed: int, first: int = 0) -> dict[str, F64]:
        """Draw every parameter of `calibration.register()`: the fitted ones together, the others from their priors.

        Parameters
        ----------
        n : int
            How many draws.
        seed : int
        first : int, optional
            The number of the first draw.

        Returns
        -------
        dict of str to ndarray of float64, shape (n,)
            By name, in the units of the register.
        """
        rows = self.rows(n, seed, first)
        return {**prior_draw(n, seed, first), **{name: column[rows] for name, column in self.values.items()}}

    def centre(self) -> dict[str, float]:
        """Return the weighted median of every fitted parameter, in the units of the register."""
        return {name: float(self.quantiles(name, 0.5)) for name in self.fitted}

    def quantiles(self, name: str, shares: npt.ArrayLike) -> F64:
        """Return the values of a fitted parameter below which shares of the posterior lie.

        Parameters
        ----------
        name : str
        shares : array_like of float
            From 0 to 1.

        Returns
        -------
        ndarray of float64, of the shape of `shares`
            In the unit of the register.
        """
        return weighted_quantiles(self.values[name], self.weight, shares)


def weighted_quantiles(values: F64, weight: F64, shares: npt.ArrayLike) -> F64:
    """Return the values below which shares of the weight lie.

    Parameters
    ----------
    values, weight : ndarray of float64, shape (n,)
    shares : array_like of float
        From 0 to 1.

    Returns
    -------
    ndarray of float64, of the shape of `shares`
    """
    order = np.argsort(values, kind="stable")
    weight = weight[order]
    below = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.asarray(np.interp(np.asarray(shares, np.float64), below, values[order]))


def read(path: str | os.PathLike[str] | None = None) -> Posterior:
    """Return the posterior in a file.

    Parameters
    ----------
    path : str or path, optional
        A .parquet file with its manifest beside it; the shipped posterior unless given.

    Raises
    ------
    InputError
        If it is not a posterior, or does not fit the present register.
    """
    return _shipped() if path is None else _read(Path(path))


@cache
def _shipped() -> Posterior:
    return _read(SHIPPED)


def _read(path: Path) -> Posterior:
    try:
        table = pq.ParquetFile(path).read()
        manifest = json.loads(manifest_of(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or path}: there is no such file; {REMEDY}") from None
    except (OSError, ValueError, pa.ArrowException):
        raise InputError(f"{path}: this is not a posterior with its manifest beside it; {REMEDY}") from None
    # no to_numpy, no read_table: both import pandas, which keeps the first result of a run waiting
    columns = {name: np.array(table[name].to_pylist(), dtype=np.float64) for name in table.column_names}
    if WEIGHT not in columns or not len(table):
        raise InputError(f"{path}: it has no draws with a column {WEIGHT!r}; {REMEDY}")
    weight = columns.pop(WEIGHT)
    _check(path, columns, weight, manifest)
    digest = hashlib.blake2b(weight.tobytes(), digest_size=8)
    for name, column in sorted(columns.items()):
        digest.update(name.encode() + column.tobytes())
    return Posterior(columns, weight, manifest, digest.hexdigest())


def _check(path: Path, columns: Mapping[str, F64], weight: F64, manifest: dict[str, Any]) -> None:
    """Raise InputError if the posterior does not fit the present register."""
    entries = register()
    priors = {row["parameter"]: row["prior"] for row in manifest.get("parameters", [])}
    for name, column in columns.items():
        entry = entries.get(name)
        if entry is None:
            candidate = nearest(name, entries)
            meant = f"; did you mean {candidate}?" if candidate else ""
            raise InputError(f"{path}, {name}: the register has no such parameter{meant}; {REMEDY}")
        if priors.get(name) != prior_in_words(entry):
            raise InputError(f"{path}, {name}: it was fitted with another prior than the register's; {REMEDY}")
        smallest, largest = entry.limits
        if not ((smallest <= column) & (column <= largest)).all():
            raise InputError(f"{path}, {name}: a draw is out of range; allowed: {entry.allowed}; {REMEDY}")
    if not (np.isfinite(weight).all() and (weight >= 0.0).all() and weight.sum() > 0.0):
        raise InputError(f"{path}, {WEIGHT}: a weight does not fit; allowed: 0 or more, and not all 0; {REMEDY}")


def prior_in_words(entry: Entry) -> str:
    """Return a prior as text, so that two can be compared: "triangular 0.5, 1, 2"."""
    shape = f", shape {entry.shape[0]:g} {entry.shape[1]:g}" if entry.shape else ""
    return f"{entry.prior} {entry.low:g}, {entry.value:g}, {entry.high:g}{shape}"


def manifest_of(path: Path) -> Path:
    """Return the path of a posterior's manifest."""
    return path.with_suffix(".json")


def write(path: Path, values: Mapping[str, F64], weight: F64, manifest: dict[str, Any], units: Sequence[str]) -> None:
    """Write the draws and their manifest, each whole or not at all.

    Parameters
    ----------
    path : Path
        Of the draws; the manifest lies beside it.
    values : mapping of str to ndarray of float64, shape (rows,)
        By parameter.
    weight : ndarray of float64, shape (rows,)
    manifest : dict
        As JSON.
    units : sequence of str
        Of the parameters, in the order of `values`.
    """
    fields = [pa.field(WEIGHT, pa.float64(), metadata={"unit": "share of the posterior"})]
    fields += [pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in zip(values, units, strict=True)]
    table = pa.table([weight, *values.values()], schema=pa.schema(fields))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as working:
        pq.write_table(table, working, compression="zstd")
    with replacing(manifest_of(path)) as working:
        working.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
