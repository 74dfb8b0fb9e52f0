"""How well spending could be matched with the base's."""

from typing import NamedTuple

import pandas as pd

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table


class Spending(NamedTuple):
    """The rows of the table `spending`, and the scenarios."""

    lineup: Lineup
    matched: pd.DataFrame


def data(frames: Frames) -> Spending | None:
    """Return how spending was matched; None if that was not computed."""
    return None if frames.spending.empty else Spending(views.lineup(frames), frames.spending.set_index("scenario"))


def tables(shown: Spending) -> list[Table]:
    """Return a row for each scenario."""
    rows = [Row(shown.lineup.titles[scenario], _cells(shown, scenario)) for scenario in shown.lineup.ranked]
    heads = ("Draws matched within 1%", "Mean factor on budgets", "Draws tried", "What stood in the way")
    caption = "Equal spending: budgets scaled until as much is paid out as in the base"
    return [Table(caption, "Scenario", heads, tuple(rows), (3,))]


def _cells(shown: Spending, scenario: str) -> tuple[Cell, ...]:
    if scenario not in shown.matched.index:
        return Cell(words.MISSING), Cell(words.MISSING), Cell("0"), Cell("Spends nothing, so nothing to match.")
    row = shown.matched.loc[scenario]
    return (
        Cell(words.share(float(row["matched"]))), Cell(f"× {float(row['scale_mean']):.2f}"),
        Cell(words.count(float(row["draws"]))), Cell(str(row["note"] or "")),
    )  # fmt: skip


EXHIBIT = Exhibit("spending", data, tables=tables)
