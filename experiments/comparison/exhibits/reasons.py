"""Which mechanisms carry each effect: they are switched off one at a time."""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from experiments.comparison import views
from experiments.comparison.exhibits.dots import draw_dots
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.table import Cell, Row, Table


@dataclass(frozen=True)
class Reasons:
    """Effects on net contracts with and without each mechanism.

    Attributes
    ----------
    lineup : Lineup
        The scenarios.
    rows : DataFrame
        The rows of the table `reasons`.
    relative : bool
        Whether effects are relative to the base.
    """

    lineup: Lineup
    rows: pd.DataFrame
    relative: bool

    @property
    def telling(self) -> pd.DataFrame:
        """The rows with a contribution beyond two standard errors; the others may be chance."""
        size, error = self.rows["contribution"].astype(float).abs(), self.rows["standard_error"].astype(float)
        return self.rows[(size > 0) & ~(size <= 2 * error)]

    def contribution(self, value: float) -> str:
        """Return a part of an effect in words: `+3.2 points` of a relative change, else `+12 contracts`."""
        return words.points(value) if self.relative else f"{words.signed(value)} contracts"


def data(frames: Frames) -> Reasons | None:
    """Return what was computed; None if nothing was."""
    if frames.reasons.empty:
        return None
    return Reasons(views.lineup(frames), frames.reasons, views.uses_relative(frames))


def draw(shown: Reasons) -> Figure | None:
    """Draw what each mechanism adds to or takes from each effect; None if all may be chance."""
    rows = shown.telling
    if rows.empty:
        return None
    biggest = rows["contribution"].abs().max()
    dots = rows[["scenario", "mechanism"]].set_axis(["scenario", "row"], axis=1)
    dots = dots.assign(size=rows["contribution"] / biggest)
    strength = dots.assign(size=dots["size"].abs()).groupby("row", sort=False)["size"].max()
    labels = rows.drop_duplicates("mechanism").set_index("mechanism")["label"]
    order = strength.sort_values(ascending=False).index
    scale = shown.contribution(biggest).removeprefix("+")
    key = f"filled: pushes the effect on net contracts up (the largest dot: {scale})", "hollow: pushes it down"
    named = {name: words.capital(labels[name]) for name in order}
    return draw_dots(shown.lineup, dots, named, "Which mechanisms carry each effect", key)


def caption(shown: Reasons) -> Caption:
    """Say how to read the figure, and which mechanism carries most of each effect."""
    largest = []
    for scenario in shown.lineup.ranked:
        rows = shown.telling[shown.telling["scenario"] == scenario]
        if len(rows):
            first = rows.iloc[0]
            part = shown.contribution(float(first["contribution"]))
            largest.append(f"{shown.lineup.titles[scenario]}: {first['label']} ({part})")
    reading = (
        "Each mechanism is switched off in base and scenario alike, one at a time; a dot shows by how much the "
        "effect on net contracts then falls (filled) or rises (hollow). Left out: changes within two standard errors. "
        "Mechanisms act together, so the dots of a column do not sum to its effect."
    )
    return Caption(reading, f"Dots by mechanism and scenario. Largest for each: {'; '.join(largest)}.")


def tables(shown: Reasons) -> list[Table]:
    """Return a table for each scenario: its effect with each mechanism switched off."""
    tables = [_table(shown, scenario) for scenario in shown.lineup.ranked]
    return [table for table in tables if table.rows]


def _table(shown: Reasons, scenario: str) -> Table:
    form: words.Form = words.percent if shown.relative else words.signed
    rows = []
    for _, row in shown.rows[shown.rows["scenario"] == scenario].iterrows():
        error = float(row["standard_error"])
        doubt = f"± {shown.contribution(2 * error).lstrip('+')}" if math.isfinite(error) else ""
        effects = (Cell(form(float(row[name]))) for name in ("effect", "effect_without"))
        part = Cell(shown.contribution(float(row["contribution"])), doubt)
        rows.append(Row(words.capital(str(row["label"])), (*effects, part)))
    heads = ("Effect on net contracts", "Effect with this switched off", "Carried by it (± 2 standard errors)")
    return Table(shown.lineup.titles[scenario], "Mechanism", heads, tuple(rows))


EXHIBIT = Exhibit("reasons", data, draw, caption, tables)
