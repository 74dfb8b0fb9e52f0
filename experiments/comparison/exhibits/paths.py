"""When money is spent and contracts come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import YEAR, Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, PALE, SKY, row_label, sheet
from scenarios import programme
from simulator.parameters import F64

DRAWN = 3  # scenarios


class Path(NamedTuple):
    """A monthly measure over time: its unit in numbers, whether it is summed up, and its axis."""

    measure: str
    scale: float
    cumulative: bool
    axis: str


SPENT = Path("spent_eur", 1e3, False, "grants paid out,\nEUR thousand a month\n(mean of the last 12 months)")
CONTRACTS = Path("contracts", 1.0, True, "SME contracts so far\n(counted calls, gross)")
PATHS = (SPENT, CONTRACTS)
MEAN: dict[str, Any] = {"color": INK, "linewidth": 1.6, "linestyle": (0, (4, 2))}


@dataclass(frozen=True)
class Paths:
    """Measures over time.

    Attributes
    ----------
    lineup : Lineup
        The scenarios.
    bands : mapping of (str, str) to DataFrame
        By measure and scenario: columns mean, low and high over draws; index: month.
    drawn : tuple of str
        The scenarios that the figure shows, each beside the base; the base alone if nothing is compared.
    start : int
        The year that month 0 begins.
    """

    lineup: Lineup
    bands: Mapping[tuple[str, str], pd.DataFrame]
    drawn: tuple[str, ...]
    start: int

    @property
    def alone(self) -> bool:
        """Whether the base is all that is drawn."""
        return self.drawn == (self.lineup.base,)


def data(frames: Frames) -> Paths | None:
    """Return spending and contracts over time; None if months were not counted."""
    drawn = views.telling(frames, DRAWN) or (frames.base,)
    if frames.rows("by_month", frames.base, ["month"]).empty:
        return None
    bands = {
        (path.measure, scenario): views.bands(frames, scenario, path.measure, cumulative=path.cumulative)
        for path in PATHS
        for scenario in dict.fromkeys((frames.base, *drawn))
    }
    return Paths(views.lineup(frames), bands, drawn, programme().first_year)


def draw(shown: Paths) -> Figure:
    """Draw a column for each scenario: spending above, contracts below, the base behind."""
    drawn, lineup = shown.drawn, shown.lineup
    legend = _legend()[: 2 if shown.alone else 4]
    figure = sheet(lineup.source, "When money is spent and contracts come", 5.2, legend, 2)
    panels = figure.subplots(len(PATHS), len(drawn), sharex=True, sharey="row", squeeze=False)
    for row, path in zip(panels, PATHS):
        for axes, scenario in zip(row, drawn):
            _base_band(axes, shown.bands[path.measure, lineup.base] / path.scale, shown.start)
            if scenario != lineup.base:
                _band(axes, shown.bands[path.measure, scenario] / path.scale, shown.start)
            axes.grid(axis="y")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 4, 5, 10]))
    for axes, scenario in zip(panels[0], drawn):
        title = row_label(lineup.titles[scenario], 20 if len(drawn) > 2 else 34)
        axes.set_title(title, loc="left", fontweight="bold")
    for row, path in zip(panels, PATHS):
        row[0].set_ylim(bottom=0)
        row[0].set_ylabel(path.axis)
    return figure


def _years(table: pd.DataFrame, start: int) -> F64:
    return np.asarray(start + table.index.to_numpy(float) / YEAR)


def _base_band(axes: Any, table: pd.DataFrame, start: int) -> None:
    x = _years(table, start)
    axes.fill_between(x, table["low"], table["high"], color=PALE, linewidth=0, zorder=1)
    axes.plot(x, table["mean"], zorder=3, **MEAN)


def _band(axes: Any, table: pd.DataFrame, start: int) -> None:
    x = _years(table, start)
    axes.fill_between(x, table["low"], table["high"], facecolor="none", edgecolor=SKY, hatch="////", linewidth=0)
    for side in ("low", "high"):
        axes.plot(x, table[side], color=BLUE, linewidth=0.6, zorder=2)
    axes.plot(x, table["mean"], color=BLUE, linewidth=1.8, zorder=4)


def _legend() -> list[Any]:
    return [
        Line2D([], [], label="base, mean of draws", **MEAN),
        Patch(facecolor=PALE, label="base, 90% of draws"),
        Line2D([], [], color=BLUE, linewidth=1.8, label="scenario, mean of draws"),
        Patch(facecolor="white", edgecolor=SKY, hatch="////", label="scenario, 90% of draws"),
    ]


def caption(shown: Paths) -> Caption:
    """Say how to read the figure, when most money is spent, and how many contracts there are at the end."""
    reading = (
        "The bands hold 90% of the draws and show how different plausible worlds are, not how sure a difference is: "
        "base and scenario meet the same worlds, so bands may overlap fully where the scenario is better in every "
        "draw. Above: all calls; below: contracts of the counted calls. After the last call no new money comes."
    )
    scenarios = tuple(dict.fromkeys((shown.lineup.base, *shown.drawn)))
    most = [f"{shown.lineup.titles[key]} {_most(shown, key)}" for key in scenarios]
    last = [f"{shown.lineup.titles[key]} {_last(shown, key)}" for key in scenarios]
    what = "Lines over years: grants paid out a month, and contracts so far."
    text = f"{what} Most grants paid out a month: {'; '.join(most)}. Contracts at the end"
    return Caption(reading, f"{text} (and where 90% of draws lie): {'; '.join(last)}.")


def _most(shown: Paths, scenario: str) -> str:
    """Return the most grants paid out a month, and in which year."""
    mean = shown.bands[SPENT.measure, scenario]["mean"]
    return f"{words.eur(float(mean.max()))} in {shown.start + int(mean.idxmax()) // YEAR}"


def _last(shown: Paths, scenario: str) -> str:
    """Return how many contracts there are at the end, and where 90% of draws lie."""
    last = shown.bands[CONTRACTS.measure, scenario].iloc[-1]
    return f"{words.count(last['mean'])} ({words.between(last['low'], last['high'], words.count)})"


EXHIBIT = Exhibit("paths", data, draw, caption)
