"""The survey, real and simulated."""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import label_rows, plain, sheet
from experiments.exhibits.table import Table
from experiments.validation.exhibits import looks
from experiments.validation.exhibits.looks import REAL, ROW
from experiments.validation.study import Validation


class Survey(NamedTuple):
    """The shares of the survey: rows of the table `predictive`, and what the figure rests on."""

    rows: pd.DataFrame
    source: str


def data(validation: Validation) -> Survey | None:
    """Return the shares of the survey; None if there are none."""
    rows = validation.tables["predictive"]
    rows = rows[rows["block"] == "survey"]
    return None if rows.empty else Survey(rows, looks.source_line(validation))


def draw(shown: Survey) -> Figure:
    """Draw every share, real and simulated."""
    rows = shown.rows
    title = f"The survey’s tables: {looks.typical(rows)} of {len(rows)} real shares are typical of the fitted model"
    figure = sheet(shown.source, title, 0.6 + ROW * 1.35 * len(rows), looks.legend(), 3)
    axes = figure.subplots()
    looks.draw_intervals(axes, rows, 100.0)
    axes.plot(100.0 * rows["real"], range(len(rows)), **REAL)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of those who answered, %")
    label_rows(axes, looks.labels(rows), 44)
    plain(axes, spine="bottom")
    return figure


def caption(shown: Survey) -> Caption:
    """Say how to read the figure, and which real shares the model does not give."""
    return Caption(
        alt="For each question of the survey the real share beside the 50% and 90% intervals of simulated surveys. "
        f"Of real shares {looks.in_short(shown.rows, True)}",
        reading="Each row is one answer: the diamond is what the evaluation found, the bars are what the fitted "
        "model’s surveys give, with the luck of who is asked and who answers; the gap in a bar is the median.",
    )


def tables(shown: Survey) -> list[Table]:
    """Return a row for each share."""
    return [looks.real_and_simulated(shown.rows, "The survey’s shares, real and simulated", True)]


EXHIBIT = Exhibit("survey", data, draw, caption, tables)
