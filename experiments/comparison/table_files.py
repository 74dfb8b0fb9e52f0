"""A comparison's tables as files: which there are, the units of their columns, the summary as people read it."""

import pandas as pd

from experiments.comparison.frames import Frames
from experiments.comparison.run_tables import digest_of
from scenarios import programme, register

RUN_TABLES = ("by_call", "by_country", "by_month", "by_group", "lost", "short")  # one row per scenario, draw and run
SMALL_TABLES = ("parameters", "network", "effects", "spending", "reasons", "variance", "hangs_on")
TABLES = RUN_TABLES + SMALL_TABLES


def units_of(measures: pd.DataFrame, monthly: pd.DataFrame, table: str) -> dict[str, str]:
    """Return the unit of each column of a table that has one; `measures` and `monthly` hold those of measures."""
    start = f"January {programme().first_year}"
    units = {"draw": "number", "run": "number", "call": "year", "month": f"months since {start}"} | {"draws": "draws"}
    if table == "by_month":
        return units | dict(monthly["unit"])
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
    return units | (own[table] if table in own else dict(measures["unit"]))


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
    small = {f"{table}.parquet": digest_of(getattr(frames, table)) for table in SMALL_TABLES}
    return {f"{table}.parquet": ({**frames.digests, **small})[f"{table}.parquet"] for table in TABLES}
