"""The calls, real and simulated."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import ORANGE, label_rows, plain, sheet
from experiments.exhibits.table import Table
from experiments.validation.exhibits import looks
from experiments.validation.exhibits.looks import REAL, ROW
from experiments.validation.study import Validation

MOST = 2.6  # multiples of the real number that the axis holds


class Calls(NamedTuple):
    """The statistics of the calls: rows of the table `predictive`, and what the figure rests on."""

    rows: pd.DataFrame
    source: str


def data(validation: Validation) -> Calls | None:
    """Return the statistics of the calls; None if there are none."""
    rows = validation.tables["predictive"]
    rows = rows[rows["block"] == "programme"]
    return None if rows.empty else Calls(rows, looks.source_line(validation))


def draw(shown: Calls) -> Figure | None:
    """Draw every statistic, simulated over real; None if all real numbers are 0."""
    rows = _drawn(shown)
    if rows.empty:
        return None
    title = f"The calls’ statistics: {looks.typical(rows)} of {len(rows)} real numbers are typical of the fitted model"
    figure = sheet(shown.source, title, 0.6 + ROW * len(rows), looks.legend(), 3)
    axes = figure.subplots()
    real = rows["real"].to_numpy()
    looks.draw_intervals(axes, rows, 1.0 / real, most=MOST)
    axes.axvline(1.0, color=ORANGE, linewidth=1.0, zorder=0)
    axes.plot(np.ones(len(rows)), range(len(rows)), **REAL)
    axes.set_xlim(0, MOST)
    axes.set_xlabel("simulated, as a multiple of the real number")
    label_rows(axes, [f"{label} ({value:,.4g})" for label, value in zip(looks.labels(rows), real, strict=True)], 60)
    plain(axes, spine="bottom")
    return figure


def _drawn(shown: Calls) -> pd.DataFrame:
    """Return the statistics that something can be a multiple of."""
    return shown.rows[shown.rows["real"] > 0]


def caption(shown: Calls) -> Caption:
    """Say how to read the figure, and which real numbers the model does not give."""
    calls = words.years({int(call) for call in shown.rows["call"]})
    return Caption(
        alt=f"For each statistic of the calls of {calls} the simulated interval over the real number. "
        f"Of real numbers {looks.in_short(_drawn(shown), False)}",
        reading="Each row is one statistic, its real number in brackets. A bar that misses the line at 1 is a "
        "number that the fitted model does not give.",
    )


def tables(shown: Calls) -> list[Table]:
    """Return a table for each call, and one of who takes part."""
    rows = shown.rows
    who = rows["group"] != ""
    tables = [
        looks.real_and_simulated(part, f"The call of {year}: real and simulated", False)
        for year, part in rows[~who].groupby("call")
    ]
    if who.any():
        tables.append(looks.real_and_simulated(rows[who], "Who takes part, and in what: real and simulated", False))
    return tables


EXHIBIT = Exhibit("calls", data, draw, caption, tables)
