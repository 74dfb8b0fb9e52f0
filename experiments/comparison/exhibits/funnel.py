"""From SMEs to contracts: at which stage a scenario gains or loses."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.comparison.exhibits.changes import Changes, Column, changes, table_of
from experiments.comparison.frames import Frames
from experiments.comparison.verdicts import verdict
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import INK, MARKS, QUIET, label_rows, plain, reach, rule_rows, sheet
from experiments.exhibits.table import Table


class Stage(NamedTuple):
    """A stage of the way from SMEs to contracts: its measure, and its name in lines over a panel."""

    measure: str
    name: str

    @property
    def in_words(self) -> str:
        """The name on one line."""
        return self.name.replace("-\n", "").replace("\n", " ")


STAGES = (
    Stage("smes_engaged", "SMEs\nengaged"),
    Stage("smes_active", "SMEs\nactive"),
    Stage("contacts", "First\ncontacts"),
    Stage("partnerships", "Partner-\nships"),
    Stage("rni_collaborations", "R&I col-\nlaborations"),
    Stage("contracts", "Con-\ntracts"),
)
COLUMNS = (
    Column("smes_engaged"),
    Column("smes_active"),
    Column("contacts"),
    Column("knowledge", "SMEs with new knowledge"),
    Column("partnerships", "SME partnerships"),
    Column("rni_collaborations", "SME R&I collaborations"),
    Column("contracts", "SME contracts"),
)
NUMBERS = 4.3  # where the numbers of a panel end, in lengths of its scale


def data(frames: Frames) -> Changes:
    """Return the measures of all stages."""
    return changes(frames, [column.measure for column in COLUMNS])


def draw(shown: Changes) -> Figure | None:
    """Draw a panel for each stage: the base's number, and each scenario's change."""
    tables = [shown.effects[stage.measure] for stage in STAGES]
    name = _column(shown)
    values: list[float] = [x for table in tables for x in table[name].to_numpy(float)]
    if not np.isfinite(values).any():
        return None
    what, unit = ("change", "change against the base") if name == "relative" else ("number", "mean per run")
    legend = [
        Line2D([], [], linestyle="", label="up, in at least 90% of draws", **MARKS["better"]),
        Line2D([], [], linestyle="", label="down, in at least 90% of draws", **MARKS["worse"]),
        Line2D([], [], linestyle="", label="not told apart from the base", **MARKS["open"]),
        Line2D([], [], linestyle="", label=f"number: {unit}, at {shown.basis}"),
    ]
    lineup = shown.lineup
    title = f"From SMEs to contracts: {what} at each stage"
    figure = sheet(lineup.source, title, 0.75 + 0.33 * max(3, len(lineup.ranked)), legend, 2)
    panels = figure.subplots(1, len(STAGES), sharey=True)
    for axes, stage, table in zip(panels, STAGES, tables):
        _panel(axes, table, name, reach(values))
        axes.set_title(f"{stage.name}\nbase: {words.count(shown.base[stage.measure])}", fontsize=9)
    label_rows(panels[0], [lineup.titles[scenario] for scenario in lineup.ranked], 25)
    return figure


def _column(shown: Changes) -> str:
    """Return the column that is shown: relative changes, or values if the base has nothing."""
    relative = any(shown.effects[stage.measure]["relative"].notna().any() for stage in STAGES)
    return "relative" if relative else "value"


def _form(name: str) -> words.Form:
    return words.percent if name == "relative" else words.count


def _panel(axes: Any, table: pd.DataFrame, name: str, limit: float) -> None:
    """Draw marks at the left on a common scale, and numbers at the right."""
    axes.set_xlim((-limit if name == "relative" else 0), NUMBERS * limit)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xticks([])
    plain(axes)
    axes.tick_params(axis="y", length=0)
    for y, (_, row) in enumerate(table.iterrows()):
        value, side = row[name], verdict(row)
        if not math.isfinite(value):
            continue
        look = MARKS[side]
        end = float(np.clip(value, -limit, limit))
        axes.plot([0, end], [y, y], color=look["color"], linewidth=1.2)
        if end != value:
            look = {"marker": ">" if value > 0 else "<", "color": look["color"]}
        axes.plot([end], [y], linestyle="", **(look | {"markersize": 4.5}), clip_on=False)
        colour = QUIET if side == "open" else INK
        axes.text(NUMBERS * limit, y, _form(name)(value), ha="right", va="center", color=colour)
    rule_rows(axes, len(table))


def caption(shown: Changes) -> Caption:
    """Say how to read the figure, what the base has at each stage, and by how much scenarios change it."""
    base = [f"{stage.in_words} {words.count(shown.base[stage.measure])}" for stage in STAGES]
    reading = (
        "Read a row from left to right: it shows at which stage a scenario gains or loses. SMEs are counted in the "
        "first three columns, partnerships, R&I collaborations and contracts in the last three; an SME can have "
        "several."
    )
    what = "Changes" if _column(shown) == "relative" else "Numbers"
    rows = [f"{shown.lineup.titles[scenario]} {_row(shown, scenario)}" for scenario in shown.lineup.ranked]
    text = f"Dots: change at each stage from SMEs to contracts. In the base: {'; '.join(base)}."
    return Caption(reading, f"{text} {what} at these stages: {'; '.join(rows)}.")


def _row(shown: Changes, scenario: str) -> str:
    """Return the numbers of a scenario, stage by stage."""
    name = _column(shown)
    return ", ".join(_form(name)(shown.effects[stage.measure].loc[scenario, name]) for stage in STAGES)


def tables(shown: Changes) -> list[Table]:
    """Return a row for each scenario and a column for each stage."""
    return [table_of(shown, f"Per run at {shown.basis}, gross, with the change below", COLUMNS)]


EXHIBIT = Exhibit("funnel", data, draw, caption, tables)
