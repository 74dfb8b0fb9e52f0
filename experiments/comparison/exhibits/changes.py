"""What several exhibits share: the measures of all scenarios at one basis, and tables of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.table import Cell, Row, Table
from experiments.exhibits.words import Form
from experiments.runs.measures import all_measures


@dataclass(frozen=True)
class Changes:
    """Measures of all scenarios at one basis.

    Attributes
    ----------
    lineup : Lineup
        The scenarios.
    basis, heading : str
        Equal budget or equal spending; the same as a heading, with the draws where they are not those of all.
    base : mapping of str to float
        The base's value by measure.
    effects : mapping of str to DataFrame
        By measure: the scenarios' effects, a row each, in ranked order.
    """

    lineup: Lineup
    basis: str
    heading: str
    base: Mapping[str, float]
    effects: Mapping[str, pd.DataFrame]

    def values(self, measure: str) -> pd.Series:
        """Return the means of a measure by scenario, the base first."""
        base = pd.Series({self.lineup.base: self.base[measure]}, dtype=float)
        return pd.concat([base, self.effects[measure]["value"]])


class Column(NamedTuple):
    """A column of a table of changes: a measure, a head other than the measure's own, and whether with intervals."""

    measure: str
    own_head: str = ""
    interval: bool = False

    @property
    def head(self) -> str:
        """The head of the column."""
        return words.hyphenated(self.own_head or all_measures()[self.measure].head)

    @property
    def form(self) -> Form:
        """How its numbers are written."""
        return words.FORMS[all_measures()[self.measure].form]


def changes(frames: Frames, measures: Iterable[str], basis: str | None = None) -> Changes:
    """Return measures of all scenarios.

    Parameters
    ----------
    frames : Frames
        The comparison.
    measures : iterable of str
        Names of the measures.
    basis : str or None, optional
        `views.BUDGET` or `views.SPENDING`; if None, equal budget where it was computed.
    """
    basis = basis or views.main_basis(frames)
    lineup = views.lineup(frames)
    names = tuple(measures)
    return Changes(
        lineup,
        basis,
        views.heading(frames, basis),
        {name: views.base_value(frames, name, basis) for name in names},
        {name: views.effects_of(frames, name, basis).loc[list(lineup.ranked)] for name in names},
    )


def by_basis(frames: Frames, measures: Sequence[str]) -> tuple[Changes, ...]:
    """Return measures of all scenarios at each basis that was computed; of a single scenario at equal budget."""
    return tuple(changes(frames, measures, basis) for basis in views.bases(frames) or (views.BUDGET,))


def table_of(shown: Changes, caption: str, columns: Sequence[Column]) -> Table:
    """Return a table with a row for each scenario, the base first, and a column for each measure.

    Of a single scenario, the caption says that nothing is compared.
    """
    lineup = shown.lineup
    base = tuple(Cell(column.form(shown.base[column.measure])) for column in columns)
    rows = [Row(lineup.label(lineup.base), base, True)]
    for scenario in lineup.ranked:
        cells = tuple(_cell(shown.effects[column.measure].loc[scenario], column) for column in columns)
        rows.append(Row(lineup.label(scenario), cells))
    if not lineup.ranked:
        caption = "Means per run over the counted calls"
    return Table(caption, "Scenario", tuple(column.head for column in columns), tuple(rows))


def _cell(row: pd.Series, column: Column) -> Cell:
    """Return a mean and its change: relative, or in the measure's own unit if the base has none."""
    form = column.form
    if not math.isfinite(row["value"]):
        return Cell(words.MISSING)
    if math.isfinite(row["relative"]):
        change, interval = words.percent(row["relative"]), words.between(row["relative_low"], row["relative_high"])
    elif math.isfinite(row["difference"]) and row["difference"] != 0:
        change = words.signed(row["difference"], form)
        interval = words.between(row["difference_low"], row["difference_high"], lambda x: words.signed(x, form))
    else:
        return Cell(form(row["value"]))
    small = f"{change}\n({interval})" if column.interval and interval != words.MISSING else change
    return Cell(form(row["value"]), small)
