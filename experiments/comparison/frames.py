"""The results of a comparison as plain data: what all tables, figures and sentences are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Frames:
    """Tables of scenarios side by side, the answers, and the manifest.

    Columns, units and meaning of every table are declared in `experiments.comparison.tables`.

    Parameters
    ----------
    base
        Name of the scenario that the others are compared with.
    scenarios
        Names of all scenarios, the base first.
    about
        By scenario: title, question, parent, changes (levers that differ from the base's programme) and evidence.
    measures, monthly_measures
        Name (index), unit and label of every measure.
    answers
        One sentence for each scenario but the base, with the numbers in it.
    manifest
        All that determines the numbers, and what they were made on.
    trace
        Of a single scenario: its first run, every event.
    """

    base: str
    scenarios: tuple[str, ...]
    about: dict[str, dict[str, Any]]
    measures: pd.DataFrame
    monthly_measures: pd.DataFrame
    parameters: pd.DataFrame
    by_call: pd.DataFrame
    by_country: pd.DataFrame
    by_month: pd.DataFrame
    by_group: pd.DataFrame
    lost: pd.DataFrame
    short: pd.DataFrame
    network: pd.DataFrame
    effects: pd.DataFrame
    spending: pd.DataFrame
    reasons: pd.DataFrame
    variance: pd.DataFrame
    hangs_on: pd.DataFrame
    answers: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, pd.DataFrame] = field(default_factory=dict)

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return one scenario's rows of a large table, which need not fit into memory as a whole.

        Parameters
        ----------
        table
            Name of a table with a row per scenario, draw and run.
        scenario
            Name of the scenario.
        columns
            Names of the columns that are needed.
        """
        frame = getattr(self, table)
        return frame.loc[frame["scenario"] == scenario, list(columns)]
