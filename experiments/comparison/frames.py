"""A comparison as plain data: what all tables, figures and sentences are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from experiments.runs.files import TemporaryFolder


class Large(Protocol):
    """The large tables of a comparison, with one row per scenario, draw and run, wherever they lie."""

    def frame(self, table: str) -> pd.DataFrame:
        """Return a whole table."""

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of a scenario's rows."""


class OnDisk:
    """Large tables as Parquet files in a folder, read when they are used."""

    def __init__(self, folder: Path, owner: TemporaryFolder | None = None) -> None:
        self.folder = folder
        self._owner = owner  # a temporary folder lives as long as its tables are in use

    def path(self, table: str) -> Path:
        """Return a table's file."""
        return self.folder / f"{table}.parquet"

    def frame(self, table: str) -> pd.DataFrame:
        """Return a whole table."""
        return pd.read_parquet(self.path(table))

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of a scenario's rows; rows of other scenarios are not read."""
        frame = pd.read_parquet(self.path(table), columns=list(columns), filters=[("scenario", "==", scenario)])
        return frame.reset_index(drop=True)


@dataclass(frozen=True)
class InMemory:
    """Large tables as frames."""

    frames: Mapping[str, pd.DataFrame]

    def frame(self, table: str) -> pd.DataFrame:
        """Return a whole table."""
        return self.frames[table]

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of a scenario's rows."""
        frame = self.frames[table]
        return frame.loc[frame["scenario"] == scenario, list(columns)].reset_index(drop=True)


@dataclass(frozen=True)
class Frames:
    """Tables of scenarios side by side, the answers, and the manifest.

    Columns, units and meaning of every table are declared in `experiments.comparison.tables`. The large ones (by_call,
    by_country, by_month, by_group, lost, short) are read when they are used.

    Attributes
    ----------
    base : str
        Name of the scenario that the others are compared with.
    scenarios : tuple of str
        Names of all scenarios, the base first.
    about : dict of str to dict of str to object
        By scenario: title, question, parent, changes (levers that differ from the base's programme) and evidence.
    measures, monthly_measures : DataFrame
        Name (index), unit and label of every measure.
    large : Large
        The large tables.
    digests : mapping of str to str
        Hash of each large table's values, by file name.
    answers : list of dict of str to object
        One sentence for each scenario but the base, with the numbers in it.
    manifest : dict of str to object
        All that determines the numbers, and what they were made on.
    trace : dict of str to DataFrame
        Of a single scenario: its first run, every event.
    """

    base: str
    scenarios: tuple[str, ...]
    about: dict[str, dict[str, Any]]
    measures: pd.DataFrame
    monthly_measures: pd.DataFrame
    parameters: pd.DataFrame
    large: Large
    network: pd.DataFrame
    effects: pd.DataFrame
    spending: pd.DataFrame
    reasons: pd.DataFrame
    variance: pd.DataFrame
    hangs_on: pd.DataFrame
    digests: Mapping[str, str] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, pd.DataFrame] = field(default_factory=dict)

    def is_the_same(self, scenario: str) -> bool:
        """Tell whether no measure of a scenario differs from the base in any world.

        Parameters
        ----------
        scenario : str
            Name of the scenario.
        """
        of_scenario = self.effects[self.effects["scenario"] == scenario]
        return not np.nan_to_num(of_scenario[["difference", "difference_low", "difference_high"]].to_numpy()).any()

    def rows(self, table: str, scenario: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return one scenario's rows of a large table, which need not fit into memory as a whole.

        Parameters
        ----------
        table : str
            Name of a table with a row per scenario, draw and run.
        scenario : str
            Name of the scenario.
        columns : sequence of str
            Names of the columns that are needed.
        """
        return self.large.rows(table, scenario, columns)

    @property
    def by_call(self) -> pd.DataFrame:
        """Measures by scenario, draw, run and call."""
        return self.large.frame("by_call")

    @property
    def by_country(self) -> pd.DataFrame:
        """Measures of the counted calls by scenario, draw, run and country."""
        return self.large.frame("by_country")

    @property
    def by_month(self) -> pd.DataFrame:
        """Monthly measures by scenario, draw, run and month."""
        return self.large.frame("by_month")

    @property
    def by_group(self) -> pd.DataFrame:
        """Measures of the counted calls by scenario, draw, run and sector or size of SMEs."""
        return self.large.frame("by_group")

    @property
    def lost(self) -> pd.DataFrame:
        """Good applications refused, by scenario, draw, run, funder and cause."""
        return self.large.frame("lost")

    @property
    def short(self) -> pd.DataFrame:
        """Money that these applications were short of, by scenario, draw, run and funder."""
        return self.large.frame("short")
