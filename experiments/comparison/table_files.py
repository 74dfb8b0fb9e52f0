"""A comparison's tables as files: Parquet with units, a summary as CSV, and a hash of each table's values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.comparison.carry_out import Comparison
from scenarios import programme, register

if TYPE_CHECKING:
    import pandas as pd

TABLES = (
    "parameters", "by_call", "by_country", "by_month", "by_group", "lost", "short", "network", "effects", "spending",
    "reasons", "variance", "hangs_on",
)  # fmt: skip


def units_of(comparison: Comparison, table: str) -> dict[str, str]:
    """The unit of each column of a table that has one."""
    start = f"January {programme().first_year}"
    units = {"draw": "number", "run": "number", "call": "year", "month": f"months since {start}"} | {"draws": "draws"}
    if table == "by_month":
        return units | dict(comparison.monthly_measures["unit"])
    if table == "parameters":
        return units | {name: entry.unit for name, entry in register().items()}
    own = {
        "lost": {"applications": "applications"},
        "short": {"short_eur": "EUR"},
        "network": {"links": "pairs of partners per run"},
        "effects": dict.fromkeys(("base", "value", "difference", "difference_low", "difference_high"), "in column unit")
        | dict.fromkeys(("relative", "relative_low", "relative_high"), "share of the base")
        | {"p_better": "share of draws"},
        "spending": {"matched": "share of draws", "scale_mean": "ratio"},
        "reasons": dict.fromkeys(("effect", "effect_without", "contribution", "standard_error"), "share of the base")
        | {"share": "share of the effect"},
        "variance": {"paired": "SME contracts, squared", "independent": "SME contracts, squared", "ratio": "ratio"},
        "hangs_on": {"correlation": "rank correlation, -1 to 1"},
    }
    return units | (own[table] if table in own else dict(comparison.measures["unit"]))


def write_table(frame: pd.DataFrame, path: Path, units: dict[str, str]) -> None:
    """A frame as Parquet: names, which repeat, are stored as dictionaries; a column's metadata holds its unit."""
    table = as_table(frame, units)
    pq.write_table(table, path, compression="zstd", use_dictionary=names_in(table.schema))


def as_table(frame: pd.DataFrame, units: dict[str, str]) -> pa.Table:
    """A frame as an Arrow table with the unit of each column in its metadata."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    schema = pa.schema(
        [item.with_metadata({"unit": units[item.name]}) if item.name in units else item for item in table.schema],
        metadata=table.schema.metadata,
    )
    return table.cast(schema)


def names_in(schema: pa.Schema) -> list[str]:
    """Columns whose values repeat."""
    return [item.name for item in schema if not pa.types.is_floating(item.type)]


def summary_of(comparison: Comparison) -> pd.DataFrame:
    """The effects as people read them: with titles and labels, numbers to six digits."""
    frame = comparison.summary.copy()
    frame.insert(1, "title", [comparison.about[name]["title"] for name in frame["scenario"]])
    frame.insert(4, "label", [comparison.measures["label"][name] for name in frame["measure"]])
    for column in frame.select_dtypes("float"):
        frame[column] = [f"{float(f'{value:.6g}'):.12g}" if value == value else "" for value in frame[column]]
    return frame


def table_hashes(comparison: Comparison) -> dict[str, str]:
    """Hash of each table's values, as the manifest keeps them."""
    return {f"{table}.parquet": _hash(getattr(comparison, table)) for table in TABLES}


def _hash(frame: pd.DataFrame) -> str:
    """Hash of a frame's columns and values, to the last bit."""
    import pandas as pd

    digest = hashlib.blake2b(",".join(map(str, frame.columns)).encode(), digest_size=16)
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()
