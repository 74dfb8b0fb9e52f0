"""A comparison as plain data: tables, words, answers, and a manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from experiments.comparison.run_tables import RunTables


@dataclass(frozen=True)
class Frames:
    """Scenarios side by side, as pandas frames.

    `effects` holds the paired differences with their 90% intervals; `answers` the sentences. The large tables, with one
    row per scenario, draw, run and call, country, month, group or funder, lie on disk and are read when they are used:
    `by_call`, `by_country`, `by_month`, `by_group`, `lost`, `short`; `rows` reads some columns of one scenario.
    """

    base: str
    scenarios: tuple[str, ...]
    about: dict[str, dict[str, Any]]
    measures: pd.DataFrame
    monthly_measures: pd.DataFrame
    parameters: pd.DataFrame
    network: pd.DataFrame
    effects: pd.DataFrame
    spending: pd.DataFrame
    reasons: pd.DataFrame
    variance: pd.DataFrame
    hangs_on: pd.DataFrame
    runs: RunTables
    digests: Mapping[str, str]  # of the large tables, by file
    answers: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, pd.DataFrame] = field(default_factory=dict)  # of a single scenario: its first run in full

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of a scenario's rows of a large table."""
        return self.runs.rows(table, scenario, columns)

    @property
    def by_call(self) -> pd.DataFrame:
        """Measures by scenario, draw, run and call."""
        return self.runs.frame("by_call")

    @property
    def by_country(self) -> pd.DataFrame:
        """Measures of the counted calls by scenario, draw, run and country."""
        return self.runs.frame("by_country")

    @property
    def by_month(self) -> pd.DataFrame:
        """Monthly measures by scenario, draw, run and month."""
        return self.runs.frame("by_month")

    @property
    def by_group(self) -> pd.DataFrame:
        """Measures of the counted calls by scenario, draw, run and sector or size of SMEs."""
        return self.runs.frame("by_group")

    @property
    def lost(self) -> pd.DataFrame:
        """Good applications refused, by scenario, draw, run, funder and cause."""
        return self.runs.frame("lost")

    @property
    def short(self) -> pd.DataFrame:
        """EUR that were missing for them, by scenario, draw, run and funder."""
        return self.runs.frame("short")
