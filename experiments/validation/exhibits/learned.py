"""What the evidence says of each fitted parameter."""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, QUIET, label_rows, plain, sheet
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits import looks
from experiments.validation.exhibits.looks import ROW, share
from experiments.validation.study import Validation

INFORMED = 0.1  # share of the prior's variance that must go before a parameter counts as informed


class Learned(NamedTuple):
    """The table `parameters`, the most informed first, and what the figure rests on."""

    parameters: pd.DataFrame
    source: str


def data(validation: Validation) -> Learned | None:
    """Return the fitted parameters; None if there are none."""
    rows = validation.tables["parameters"].sort_values("contraction", ascending=False)
    return None if rows.empty else Learned(rows, looks.source_line(validation))


def draw(shown: Learned) -> Figure:
    """Draw how much of each parameter's prior variance is gone."""
    rows = shown.parameters
    informed = rows["contraction"] >= INFORMED
    title = f"The evidence says something about {informed.sum()} of {len(rows)} fitted parameters"
    figure = sheet(shown.source, title, 0.6 + ROW * len(rows))
    axes = figure.subplots()
    gone = 100.0 * rows["contraction"].clip(lower=0.0).to_numpy()
    axes.hlines(range(len(rows)), 0, gone, color=BLUE, linewidth=3)
    for row, (value, known) in enumerate(zip(gone, informed)):
        axes.plot(value, row, marker="o", color=BLUE, markerfacecolor=BLUE if known else "white", clip_on=False)
    axes.axvline(100 * INFORMED, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the prior’s variance that is gone, %")
    label_rows(axes, list(rows["label"]), 48)
    plain(axes, spine="bottom")
    return figure


def caption(shown: Learned) -> Caption:
    """Say how to read the figure, and how much is gone."""
    gone = [f"{row['label']} {share(max(0.0, row['contraction']))}" for _, row in shown.parameters.iterrows()]
    return Caption(
        alt="For each fitted parameter, the share of the prior’s variance that the evidence has taken away: "
        f"{'; '.join(gone)}.",
        reading="Hollow dots: as good as unidentified. Parameters that are not listed were not fitted.",
    )


def tables(shown: Learned) -> list[Table]:
    """Return a row for each fitted parameter."""
    rows = tuple(Row(row["label"], _cells(row)) for _, row in shown.parameters.iterrows())
    heads = ("prior, 90%", "posterior", "spread gone", "unit")
    return [Table("What the evidence says of each fitted parameter", "parameter", heads, rows, (3,))]


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    return (
        Cell(f"{row['prior_low']:.3g} to {row['prior_high']:.3g}"),
        Cell(f"{row['median']:.3g}", f"{row['low']:.3g} to {row['high']:.3g}"),
        Cell(share(max(0.0, row["contraction"]))),
        Cell(row["unit"]),
    )


EXHIBIT = Exhibit("learned", data, draw, caption, tables)
