"""Contracts by sector and by size of firm."""

from typing import NamedTuple

import pandas as pd

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table


class Groups(NamedTuple):
    """Gross contracts per run by scenario, kind of group and group, and the groups (kind, name) in order."""

    lineup: Lineup
    contracts: pd.Series
    groups: list[tuple[str, str]]
    scenarios: tuple[str, ...]


def data(frames: Frames) -> Groups:
    """Return the contracts of groups, in the base and the scenarios with the largest effects."""
    keys = ["kind", "group"]
    contracts = views.mean_per_run(frames, "by_group", keys, ["contracts"])["contracts"]
    groups = frames.rows("by_group", frames.base, keys).drop_duplicates().itertuples(index=False, name=None)
    return Groups(views.lineup(frames), contracts, list(groups), (frames.base, *views.telling(frames)))


def tables(shown: Groups) -> list[Table]:
    """Return a row for each group and a column for each scenario."""
    rows = []
    for kind, name in shown.groups:
        base, *values = (float(shown.contracts.get((key, kind, name), 0.0)) for key in shown.scenarios)
        changed = [Cell(words.count(value), words.percent(value / base - 1) if base > 0 else "") for value in values]
        rows.append(Row(_name(str(kind), str(name)), (Cell(words.count(base)), *changed)))
    heads = tuple(shown.lineup.label(key) for key in shown.scenarios)
    return [Table("Gross SME contracts per run, by sector and by size of firm", "Group", heads, tuple(rows))]


def _name(kind: str, name: str) -> str:
    return f"{words.capital(name)} firms" if kind == "size" else words.capital(name)


EXHIBIT = Exhibit("groups", data, tables=tables)
