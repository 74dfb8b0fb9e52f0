"""Worlds with known parameters: how often intervals hold the true value, and how well it is estimated."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, PALE, QUIET, label_rows, plain, sheet
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits import looks
from experiments.validation.exhibits.looks import ROW, share
from experiments.validation.study import Validation

LEVELS: dict[float, dict[str, Any]] = {0.5: {"marker": "o", "color": BLUE}, 0.9: {"marker": "s", "color": INK}}


@dataclass(frozen=True)
class Coverage:
    """The tables `coverage` and `recovery`, labels of parameters by name, and what the figure rests on."""

    coverage: pd.DataFrame
    recovery: pd.DataFrame
    labels: pd.Series
    source: str

    def label(self, parameter: str) -> str:
        """Return the label of a parameter; its name if it has none."""
        return str(self.labels.get(parameter, parameter))


def data(validation: Validation) -> Coverage | None:
    """Return what was checked in known worlds; None if that was left out."""
    coverage, recovery = validation.table("coverage"), validation.table("recovery")
    if coverage is None or recovery is None:
        return None
    labels = validation.tables["parameters"].set_index("parameter")["label"]
    return Coverage(coverage, recovery, labels, looks.source_line(validation))


def draw(shown: Coverage) -> Figure:
    """Draw how often intervals of both levels held the true value."""
    rows = shown.coverage
    names = list(dict.fromkeys(rows["parameter"]))
    fits, worlds = int(rows["fits"].sum()), int(rows["replicates"].max())
    title = f"In {worlds} known worlds, {fits} of {len(rows)} kinds of interval hold as often as they claim"
    legend = [
        *(Line2D([], [], linestyle="none", label=f"{level:.0%} intervals", **look) for level, look in LEVELS.items()),
        Line2D([], [], color=PALE, linewidth=8, label="where 95% of right fits lie"),
    ]
    figure = sheet(shown.source, title, 0.6 + ROW * len(names), legend, 3)
    axes = figure.subplots()
    for level, look in LEVELS.items():
        part = rows[rows["level"] == level].set_index("parameter").loc[names]
        axes.axvspan(100 * part["expected_low"].iloc[0], 100 * part["expected_high"].iloc[0], color=PALE, zorder=0)
        axes.axvline(100 * level, color=QUIET, linewidth=0.8, linestyle=":")
        axes.plot(100 * part["covered"], range(len(names)), linestyle="none", clip_on=False, **look)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of worlds in which the interval held the true value, %")
    label_rows(axes, [shown.label(name) for name in names], 48)
    plain(axes, spine="bottom")
    return figure


def caption(shown: Coverage) -> Caption:
    """Say how to read the figure, and how often intervals hold the true value."""
    ranges = []
    for level in LEVELS:
        covered = shown.coverage.loc[shown.coverage["level"] == level, "covered"]
        ranges.append(f"{level:.0%} intervals in {share(covered.min())} to {share(covered.max())} of worlds")
    return Caption(
        alt="Share of known worlds in which 50% and 90% intervals hold the true value, for each fitted parameter: "
        f"{'; '.join(ranges)}.",
        reading="Worlds were drawn from the priors, their numbers taken as data and their parameters inferred by "
        "the same code. Dots should lie within the bands; left of them, intervals are too narrow.",
    )


def tables(shown: Coverage) -> list[Table]:
    """Return a row for each parameter."""
    covered = shown.coverage.pivot(index="parameter", columns="level", values="covered")
    even = shown.coverage.drop_duplicates("parameter").set_index("parameter")["uniform_p"]
    rows = []
    for _, row in shown.recovery.iterrows():
        name = row["parameter"]
        shares = (Cell(share(covered.loc[name, level])) for level in LEVELS)
        error = Cell(f"{row['error']:.2f}", f"claimed {row['claimed']:.2f}")
        rows.append(
            Row(shown.label(name), (*shares, Cell(f"{even[name]:.2f}"), Cell(f"{row['correlation']:.2f}"), error))
        )
    heads = ("50% holds", "90% holds", "ranks even, p", "truth and estimate, r", "error (1: prior’s)")
    return [Table("Worlds with known parameters: are they found again?", "parameter", heads, tuple(rows))]


EXHIBIT = Exhibit("coverage", data, draw, caption, tables)
