"""What the fitted model expects of calls whose outcomes are not known to the project."""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import label_rows, plain, sheet
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits import looks
from experiments.validation.exhibits.looks import ROW, in_words
from experiments.validation.study import Validation

REPEATED = "financed_partners"  # the approvals under another name: not drawn twice


class Ahead(NamedTuple):
    """The table `forecast`, and what the figure rests on."""

    forecast: pd.DataFrame
    source: str

    @property
    def calls(self) -> str:
        """The calls in words."""
        return calls(self.forecast)


def calls(forecast: pd.DataFrame) -> str:
    """Return the calls of a forecast in words."""
    return in_words(sorted({int(call) for call in forecast["call"]}))


def data(validation: Validation) -> Ahead:
    """Return the forecast."""
    return Ahead(validation.tables["forecast"], looks.source_line(validation))


def draw(shown: Ahead) -> Figure:
    """Draw the intervals of each number, call by call."""
    rows = _drawn(shown)
    title = f"What the fitted model expects of the calls of {shown.calls}"
    figure = sheet(shown.source, title, 0.6 + 1.15 * ROW * len(rows), looks.legend(real=False), 2)
    axes = figure.subplots()
    looks.draw_intervals(axes, rows, 1.0)
    axes.set_xlim(left=0)
    axes.set_xlabel("number")
    label_rows(axes, [f"{label}, {call}" for label, call in zip(rows["label"], rows["call"], strict=True)], 44)
    plain(axes, spine="bottom")
    return figure


def _drawn(shown: Ahead) -> pd.DataFrame:
    """Return the numbers that are drawn, measure by measure."""
    rows = shown.forecast[shown.forecast["measure"] != REPEATED]
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["measure"]))}
    return rows.sort_values(
        ["measure", "call"], key=lambda column: column.map(order) if column.name == "measure" else column
    )


def caption(shown: Ahead) -> Caption:
    """Say how to read the figure, and what is forecast."""
    numbers = [
        f"{row['label']} in {row['call']} {row['low90']:.0f} to {row['high90']:.0f}"
        for _, row in _drawn(shown).iterrows()
    ]
    return Caption(
        alt=f"Forecast 90% intervals for the calls of {shown.calls}: {'; '.join(numbers)}.",
        reading="Made from inputs alone; the gap in a bar is the median. What came out of these calls is not known "
        "to the project.",
    )


def tables(shown: Ahead) -> list[Table]:
    """Return a row for each number and call."""
    rows = tuple(Row(f"{row['label']}, {row['call']}", _cells(row)) for _, row in shown.forecast.iterrows())
    return [Table(f"The calls of {shown.calls}, from their inputs", "what", ("median", "50%", "90%"), rows)]


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    return (
        Cell(f"{row['median']:.0f}"),
        Cell(f"{row['low50']:.0f} to {row['high50']:.0f}"),
        Cell(f"{row['low90']:.0f} to {row['high90']:.0f}"),
    )


EXHIBIT = Exhibit("ahead", data, draw, caption, tables)
