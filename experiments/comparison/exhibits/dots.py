"""A figure that reasons and parameters share: a dot for each row and scenario."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.comparison.views import Lineup
from experiments.exhibits.style import BLUE, ORANGE, label_rows, plain, row_label, sheet

FEW = 3  # scenarios, up to which their names stand straight above the columns
UP: dict[str, Any] = {"facecolor": BLUE, "edgecolor": BLUE}
DOWN: dict[str, Any] = {"facecolor": "white", "edgecolor": ORANGE}
LONGEST = 34  # letters of a name that stands aslant


def draw_dots(lineup: Lineup, dots: pd.DataFrame, rows: Mapping[str, str], title: str, key: tuple[str, str]) -> Figure:
    """Draw a dot for each row and scenario: its area is the size, filled is up, hollow is down.

    Parameters
    ----------
    lineup : Lineup
        The scenarios.
    dots : DataFrame
        Columns scenario, row and size (signed, at most 1 in absolute value).
    rows : mapping of str to str
        The rows from top to bottom, with their labels; dots of other rows are left out.
    title : str
        The figure's title.
    key : tuple of str
        What filled and hollow dots mean.
    """
    order = [scenario for scenario in lineup.ranked if scenario in set(dots["scenario"])]
    names = [lineup.titles[scenario] for scenario in order]
    few = len(order) <= FEW
    longest = 6 if few else min(LONGEST, max(len(name) for name in names))
    figure = sheet(lineup.source, title, 0.3 + 0.052 * longest + 0.345 * max(3, len(rows)), _legend(*key))
    axes = figure.subplots()
    places = {row: place for place, row in enumerate(rows)}
    for scenario, row, size in dots[["scenario", "row", "size"]].itertuples(index=False, name=None):
        if row in places and math.isfinite(size):
            look = UP if size > 0 else DOWN
            axes.scatter(order.index(scenario), places[row], s=9 + 200 * min(1.0, abs(size)), linewidth=1.5, **look)
    label_rows(axes, list(rows.values()), 38)
    axes.set_xlim(-0.6, max(len(order), 3 if few else 8) - 0.4)
    slant: dict[str, Any] = {} if few else {"rotation": 55, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(order)), [row_label(name, 17) if few else _cut(name) for name in names], **slant)
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x")
    plain(axes)
    return figure


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _legend(filled: str, hollow: str) -> list[Line2D]:
    dot: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 8, "markeredgewidth": 1.5}
    return [
        Line2D([], [], color=BLUE, label=filled, **dot),
        Line2D([], [], color=ORANGE, markerfacecolor="white", label=hollow, **dot),
    ]
