"""Where contracts come from: what they would have been without the programme, and what it displaces."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from experiments.comparison.exhibits.changes import Changes, Column, by_basis, table_of
from experiments.comparison.frames import Frames
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import (
    BLUE,
    INK,
    ORANGE,
    SKY,
    beside,
    label_rows,
    over,
    plain,
    rows_height,
    sheet,
)
from experiments.exhibits.table import Cell, Row, Table
from experiments.runs.measures import MAIN


class Part(NamedTuple):
    """A part of the contracts: its measure, what it means, and how its bar looks."""

    measure: str
    meaning: str
    colour: str
    hatch: str


DISPLACED, MOVED, FORWARD = "contracts_displaced", "contracts_accelerated", "contracts_months_forward"
PARTS = (
    Part("contracts_additional", "additional: would not exist without the programme", BLUE, ""),
    Part(MOVED, "accelerated: comes earlier", SKY, "////"),
    Part("contracts_deadweight", "deadweight: would have come anyway", "white", "---"),
    Part(DISPLACED, "displaced: lost elsewhere (counts against)", ORANGE, "xxxx"),
)
COLUMNS = (
    Column("contracts_additional", "Additional"),
    Column(MOVED, "Accelerated"),
    Column("contracts_deadweight", "Deadweight"),
    Column("contracts", "Gross"),
    Column(DISPLACED, "Displaced"),
    Column(MAIN, "Net"),
)
DIAMOND: dict[str, Any] = {"linestyle": "", "marker": "D", "markersize": 5, "color": "white", "markeredgecolor": INK}


def data(frames: Frames) -> tuple[Changes, ...]:
    """Return the parts of the contracts at each basis."""
    return by_basis(frames, [*(column.measure for column in COLUMNS), FORWARD])


def draw(shown: Sequence[Changes]) -> Figure | None:
    """Draw a bar for each scenario, the base first, with its parts, and a mark at net contracts."""
    first = shown[0]
    lineup = first.lineup
    rows = list(lineup.everyone)
    parts = {part.measure: first.values(part.measure).loc[rows] for part in PARTS}
    if not any(series.notna().any() for series in parts.values()):
        return None
    labels = [lineup.label(scenario) for scenario in rows]
    body = 0.75 + max(1.0, rows_height(labels, 0.33))
    figure = sheet(lineup.source, "Where the contracts come from", body, _legend())
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for part in PARTS:
        size = parts[part.measure].fillna(0).to_numpy(float)
        displaced = part.measure == DISPLACED
        axes.barh(
            range(len(rows)), -size if displaced else size, left=0 if displaced else left, height=0.66,
            color=part.colour, hatch=part.hatch, edgecolor=INK, linewidth=0.6,
        )  # fmt: skip
        left += 0 if displaced else size
    net = (parts["contracts_additional"] - parts[DISPLACED]).to_numpy(float)
    axes.plot(net, range(len(rows)), **DIAMOND)
    for y, value in enumerate(net):
        beside(axes, y, 40, words.count(value), fontweight="bold")
    over(axes, 40, "net")
    axes.axvline(0, color=INK, linewidth=1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.count(value)))
    axes.set_xlabel("SME contracts, mean per run" + (f", at {first.basis}" if lineup.ranked else ""))
    axes.grid(axis="x")
    plain(axes, spine="bottom")
    label_rows(axes, labels, 30)
    return figure


def _legend() -> list[Any]:
    boxes: list[Any] = [
        Patch(facecolor=part.colour, hatch=part.hatch, edgecolor=INK, linewidth=0.6, label=part.meaning)
        for part in PARTS
    ]
    diamond = Line2D([], [], **DIAMOND)
    diamond.set_label("net = additional − displaced")
    return [*boxes, diamond]


def caption(shown: Sequence[Changes]) -> Caption:
    """Say how to read the figure, and how many net contracts there are."""
    lineup, net = shown[0].lineup, shown[0].values(MAIN)
    numbers = [f"{lineup.titles[scenario]} {words.count(net[scenario])}" for scenario in lineup.everyone]
    reading = (
        "A contract counts once for each of the two SMEs. Every run is held against its twin, the same world and luck "
        "without the programme: only what the twin does not have is additional, and what the twin has and this run has "
        "not is displaced."
    )
    return Caption(reading, f"Stacked bars of SME contracts per scenario. Net contracts per run: {'; '.join(numbers)}.")


def tables(shown: Sequence[Changes]) -> list[Table]:
    """Return a table for each basis, with the months by which accelerated contracts come earlier."""
    return [_table(part) for part in shown]


def _table(shown: Changes) -> Table:
    table = table_of(shown, f"SME contracts per run at {shown.basis}", COLUMNS)
    forward, moved = shown.values(FORWARD), shown.values(MOVED)
    rows = []
    for scenario, row in zip(shown.lineup.everyone, table.rows):
        months = forward[scenario] / moved[scenario] if moved[scenario] > 0 else math.nan
        rows.append(Row(row.head, (*row.cells, Cell(words.count(months))), row.base))
    heads = (*table.heads, "Months by which an accelerated contract comes earlier")
    return Table(table.caption, table.corner, heads, tuple(rows))


EXHIBIT = Exhibit("split", data, draw, caption, tables, narrow=True)
