"""What several exhibits share: intervals beside real numbers, rows of real and simulated numbers, how numbers read."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from experiments.exhibits import words
from experiments.exhibits.style import BLUE, INK, ORANGE
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.study import Validation
from simulator.parameters import F64

ROW = 0.27  # inches of a row
REAL: dict[str, Any] = {"marker": "D", "color": ORANGE, "markersize": 5.5, "linestyle": "none", "markeredgecolor": INK}
WIDE: dict[str, Any] = {"color": BLUE, "linewidth": 1.4, "solid_capstyle": "butt"}
NARROW: dict[str, Any] = {"color": BLUE, "linewidth": 5.0, "solid_capstyle": "butt"}


def source_line(validation: Validation) -> str:
    """Return what a figure rests on."""
    draws = validation.manifest.get("draws", 0)
    posterior = validation.manifest.get("posterior", "")
    return f"innovex, {draws:,} draws of posterior {posterior}; real numbers: Wise 2017 and what is derived from it."


def legend(real: bool = True) -> list[Line2D]:
    """Return the entries of a legend for intervals, with real numbers or without."""
    intervals = [Line2D([], [], **NARROW, label="simulated, 50%"), Line2D([], [], **WIDE, label="simulated, 90%")]
    return [Line2D([], [], **REAL, label="real"), *intervals] if real else intervals


def draw_intervals(axes: Any, rows: pd.DataFrame, scale: float | F64, most: float = np.inf) -> None:
    """Draw intervals of 90% and 50% and the median, a row each.

    Parameters
    ----------
    axes
        Where to draw.
    rows : DataFrame
        Columns low90, low50, median, high50 and high90.
    scale : float or ndarray of float64
        What the numbers are multiplied by, for all rows or for each.
    most : float, optional
        The end of the axis; what goes beyond gets an arrowhead.
    """
    ends = {name: rows[name].to_numpy() * scale for name in ("low90", "low50", "median", "high50", "high90")}
    for row in range(len(rows)):
        axes.plot([ends["low90"][row], min(most, ends["high90"][row])], [row, row], **WIDE)
        axes.plot([ends["low50"][row], min(most, ends["high50"][row])], [row, row], **NARROW)
        if ends["high90"][row] > most:
            axes.plot(most, row, marker=">", color=BLUE, clip_on=False)
        if ends["median"][row] <= most:
            axes.plot(ends["median"][row], row, marker="|", color="white", markersize=7, markeredgewidth=1.6)


def labels(rows: pd.DataFrame) -> list[str]:
    """Return the labels of rows, without their call if all are of one call."""
    several = rows["call"].nunique() > 1
    return [label if several else label.rsplit(",", 1)[0] for label in rows["label"]]


def typical(rows: pd.DataFrame) -> int:
    """Return how many real numbers are typical of the fitted model."""
    return int((rows["verdict"] == "typical").sum())


def in_short(rows: pd.DataFrame, percent: bool) -> str:
    """Return how many real numbers are typical, and those that are not, with their simulated 90% intervals."""
    off = [
        f"{row['label']} {number(row['real'], percent)} ({number(row['low90'], percent)} to "
        f"{number(row['high90'], percent)})"
        for _, row in rows[rows["verdict"] != "typical"].iterrows()
    ]
    text = f"{typical(rows)} of {len(rows)} are typical"
    return f"{text}; not: {'; '.join(off)}." if off else f"{text}."


def real_and_simulated(rows: pd.DataFrame, caption: str, percent: bool) -> Table:
    """Return a table of real beside simulated numbers.

    Parameters
    ----------
    rows : DataFrame
        Rows of the table `predictive`.
    caption : str
        The table's caption.
    percent : bool
        Whether the numbers are shares.
    """
    heads = ("real", "simulated", "90% interval", "as far out", "verdict", "used as")
    return Table(caption, "what", heads, tuple(_row(row, percent) for _, row in rows.iterrows()), (4, 5))


def _row(row: pd.Series, percent: bool) -> Row:
    real, median, low, high = (number(row[name], percent) for name in ("real", "median", "low90", "high90"))
    of = f"of {row['n']:.0f}" if row["n"] and not math.isnan(row["n"]) else ""
    cells = (
        Cell(real, of),
        Cell(median),
        Cell(f"{low} to {high}"),
        Cell(share(row["probability"])),
        Cell(row["verdict"], row["note"]),
        Cell("fitted" if row["fitted"] else "check only"),
    )
    return Row(row["label"], cells)


# ---------- how numbers read


def number(value: float, percent: bool) -> str:
    """Return a count or mean (`1,234`, `5.2`) or, if `percent`, a share (`12%`)."""
    if percent:
        return f"{100.0 * value:.0f}%"
    return f"{value:,.0f}" if value == round(value) or value >= 20 else f"{value:,.1f}"


def share(value: float) -> str:
    """Return a share: `12%`, `0.4%`."""
    if math.isnan(value):
        return words.MISSING
    return f"{100.0 * value:.0f}%" if value >= 0.0095 or value == 0 else f"{100.0 * value:.1f}%"


def plain(value: float) -> str:
    """Return a number with four digits."""
    return words.MISSING if math.isnan(value) else f"{value:.4g}"


# ---------- calls


def known_calls(validation: Validation) -> list[int]:
    """Return the years of the calls of which real numbers are known."""
    return sorted({int(call) for call in validation.tables["predictive"]["call"]})


def in_words(calls: list[int]) -> str:
    """Return single calls in words: `2016 and 2017`."""
    return words.listed([str(call) for call in calls])
