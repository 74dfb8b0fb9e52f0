"""On which parameters each effect hangs: over draws it rises or falls with them."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.comparison import views
from experiments.comparison.exhibits.dots import draw_dots
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.table import Cell, Row, Table, spanned

MOST = 14  # parameters in the figure: the strongest


class HangsOn(NamedTuple):
    """Rank correlations of effects with parameters: the rows of the table `hangs_on`, and the scenarios."""

    lineup: Lineup
    correlations: pd.DataFrame


def data(frames: Frames) -> HangsOn | None:
    """Return the correlations; None if no parameter stands out."""
    return None if frames.hangs_on.empty else HangsOn(views.lineup(frames), frames.hangs_on)


def draw(shown: HangsOn) -> Figure | None:
    """Draw the correlation of each scenario's effect with each parameter."""
    rows = shown.correlations[np.isfinite(shown.correlations["correlation"].to_numpy(float))]
    if rows.empty:
        return None
    dots = rows[["scenario", "parameter"]].set_axis(["scenario", "row"], axis=1)
    dots = dots.assign(size=rows["correlation"].astype(float))
    strength = dots.assign(size=dots["size"].abs()).groupby("row", sort=False)["size"].sum()
    order = strength.sort_values(ascending=False, kind="stable").index[:MOST]
    first = rows.drop_duplicates("parameter").set_index("parameter")
    named = {
        name: f"{first.loc[name, 'label']} ({words.EVIDENCE.get(first.loc[name, 'evidence'], '')})" for name in order
    }
    key = (
        "filled: the effect on net contracts is higher where the parameter is higher (area: rank correlation)",
        "hollow: the effect is lower where the parameter is higher",
    )
    return draw_dots(shown.lineup, dots, named, "On which parameters each effect hangs", key)


def caption(shown: HangsOn) -> Caption:
    """Say how to read the figure, and which parameter each effect goes with most."""
    strongest = []
    for scenario in shown.lineup.ranked:
        rows = shown.correlations[shown.correlations["scenario"] == scenario]
        if len(rows):
            first = rows.iloc[0]
            r = _correlation(float(first["correlation"]))
            strongest.append(f"{shown.lineup.titles[scenario]}: {first['label']} ({r})")
    reading = (
        "Parameters differ between draws within what is thought plausible; a dot says that a scenario's effect rises "
        "or falls with a parameter. With about a hundred parameters tried, some of the weaker dots are chance."
    )
    return Caption(reading, f"Dots by parameter and scenario. Strongest for each: {'; '.join(strongest)}.")


def _correlation(r: float) -> str:
    return f"{'+' if r > 0 else words.MINUS}{abs(r):.2f}"


def tables(shown: HangsOn) -> list[Table]:
    """Return the parameters that each effect goes with, and where their values come from."""
    rows = []
    for scenario in shown.lineup.ranked:
        for _, row in shown.correlations[shown.correlations["scenario"] == scenario].iterrows():
            r, evidence = float(row["correlation"]), str(row["evidence"])
            way = "higher" if r > 0 else "lower"
            cells = (
                Cell(str(row["label"])), Cell(_correlation(r)), Cell(f"effect is {way} where it is higher"),
                Cell(words.EVIDENCE.get(evidence, evidence)),
            )  # fmt: skip
            rows.append(Row(shown.lineup.titles[scenario], cells))
    heads = ("Parameter", "Rank correlation", "Direction", "Where its value comes from")
    caption = "Parameters that go with the effect on net contracts"
    return [Table(caption, "Scenario", heads, spanned(rows), (0, 2, 3))] if rows else []


EXHIBIT = Exhibit("hangs_on", data, draw, caption, tables)
