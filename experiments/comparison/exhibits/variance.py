"""What comparing the same worlds with the same luck saves."""

import math
from typing import NamedTuple

import pandas as pd

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table


class Variance(NamedTuple):
    """By scenario, variance of independent differences over that of paired ones."""

    lineup: Lineup
    ratio: pd.Series


def data(frames: Frames) -> Variance | None:
    """Return what pairing saves; None if that was not computed."""
    if frames.variance.empty:
        return None
    return Variance(views.lineup(frames), frames.variance.set_index("scenario")["ratio"])


def tables(shown: Variance) -> list[Table]:
    """Return a row for each scenario."""
    rows = tuple(
        Row(shown.lineup.titles[key], (Cell(_times(float(shown.ratio[key]))),))
        for key in shown.lineup.ranked
        if key in shown.ratio.index
    )
    caption = "How many times more runs would be needed without pairing"
    return [Table(caption, "Scenario", ("Runs saved by pairing",), rows)] if rows else []


def _times(ratio: float) -> str:
    if math.isinf(ratio):
        return "no noise left"
    return f"{words.count(ratio)} times" if math.isfinite(ratio) else words.MISSING


EXHIBIT = Exhibit("variance", data, tables=tables)
