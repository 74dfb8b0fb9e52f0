"""What each country's funder pays, and what its SMEs and clusters get."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, QUIET, label_rows, plain, sheet
from experiments.exhibits.table import Cell, Row, Table
from simulator.parameters import F64

ELSEWHERE = "elsewhere"  # all countries without a funder
MANY = 8  # countries, from which on fewer scenarios are drawn
MILLION = 1e6


@dataclass(frozen=True)
class Countries:
    """What countries pay and get.

    Attributes
    ----------
    lineup : Lineup
        The scenarios.
    table : DataFrame
        By scenario and country, means per run: EUR paid by the funder (grants, administration), EUR received by
        clusters, partners in projects, net contracts of SMEs. The largest payer comes first, `ELSEWHERE` last.
    drawn : tuple of str
        The scenarios that the figure shows.
    """

    lineup: Lineup
    table: pd.DataFrame
    drawn: tuple[str, ...]

    @property
    def codes(self) -> list[str]:
        """The countries in order."""
        return list(self.table.index.get_level_values("country").unique())


def data(frames: Frames) -> Countries | None:
    """Return what countries pay and get; None if there are no countries."""
    table = _table_of(frames)
    codes = table.index.get_level_values("country").unique()
    if not len(codes):
        return None
    drawn = views.telling(frames, 3 if len(codes) > MANY else 4) or (frames.base,)
    return Countries(views.lineup(frames), table, drawn)


def _table_of(frames: Frames) -> pd.DataFrame:
    """Return payments and outcomes by scenario and country; countries that pay in no scenario are one row."""
    counted = ["outlay_eur", "admin_eur", "spent_eur", "partners", "contracts_additional", "contracts_displaced"]
    sums = views.sum_over_runs(frames, "by_country", ["country"], counted)
    table = pd.DataFrame(
        {
            "paid_eur": sums["outlay_eur"] + sums["admin_eur"],
            "spent_eur": sums["spent_eur"],
            "partners": sums["partners"],
            "net": sums["contracts_additional"] - sums["contracts_displaced"],
        }
    )
    most = table["paid_eur"].groupby("country").max()
    paying = most[most > 0].sort_values(ascending=False, kind="stable").index
    name = table.index.get_level_values("country")
    keys = [table.index.get_level_values("scenario"), name.where(name.isin(paying), ELSEWHERE)]
    order = [*paying, *([ELSEWHERE] if len(paying) < len(most) else [])]
    index = pd.MultiIndex.from_product([frames.scenarios, order], names=["scenario", "country"])
    return table.groupby(keys).sum().reindex(index, fill_value=0.0) / views.runs(frames)


def _name(code: str) -> str:
    return "All countries without a funder" if code == ELSEWHERE else words.country(code)


# ---------- the figure


def draw(shown: Countries) -> Figure:
    """Draw two panels for each scenario: what each funder pays, what its SMEs get, beside the base."""
    lineup, codes = shown.lineup, shown.codes
    legend = [
        Line2D([], [], linestyle="", marker="o", color=INK, markerfacecolor="white", label="base"),
        Line2D([], [], linestyle="", marker="D", color=BLUE, markersize=5, label="scenario"),
    ]
    body = 0.6 + len(shown.drawn) * (0.3 + 0.205 * max(3, len(codes)))
    title = "What each country's funder pays, and what its SMEs get"
    figure = sheet(lineup.source, title, body, legend if lineup.ranked else [], 2)
    panels = figure.subplots(len(shown.drawn), 2, sharex="col", squeeze=False)
    short = [_name(code).replace("All countries", "Countries") for code in codes]
    for row, scenario in zip(panels, shown.drawn):
        for axes, column, scale in ((row[0], "paid_eur", MILLION), (row[1], "net", 1.0)):
            values = (shown.table.loc[key, column].reindex(codes) / scale for key in (lineup.base, scenario))
            _dumbbells(axes, *(series.to_numpy(float) for series in values))
        label_rows(row[0], short, 34)
        label_rows(row[1], [""] * len(codes))
        row[0].set_title(lineup.titles[scenario], loc="left", fontweight="bold")
    panels[-1][0].set_xlabel("paid by its funder,\nEUR million, mean per run")
    panels[-1][1].set_xlabel("net contracts of its own SMEs,\nmean per run")
    return figure


def _dumbbells(axes: Any, base: F64, now: F64) -> None:
    for y, (a, b) in enumerate(zip(base, now)):
        axes.plot([a, b], [y, y], color=QUIET, linewidth=1.4, zorder=2)
    axes.plot(now, range(len(now)), linestyle="", marker="D", color=BLUE, markersize=4, zorder=4, clip_on=False)
    circle = {"marker": "o", "color": INK, "markerfacecolor": "none", "markersize": 7}
    axes.plot(base, range(len(base)), linestyle="", zorder=3, clip_on=False, **circle)
    axes.set_xlim(left=min(0.0, float(np.nanmin([base.min(), now.min()])) * 1.1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.05)
    axes.grid(axis="x")
    plain(axes, spine="bottom")


# ---------- the same in words and numbers


def caption(shown: Countries) -> Caption:
    """Say how to read the figure, what each country pays and gets, and where scenarios change most."""
    base = shown.table.loc[shown.lineup.base]
    paid = [
        f"{_name(str(code))} pays {words.eur(row['paid_eur'])} for {words.count(row['net'])} net contracts"
        for code, row in base.iterrows()
        if code != ELSEWHERE
    ]
    reading = (
        "Circle: base; diamond: scenario; the line between them is the change. Shown are the scenarios with the "
        "largest effects; all others stand in the tables below. A funder pays for grants, wherever they go, and for "
        "administration."
    )
    text = f"Paired dots by country, base and scenario. In the base: {'; '.join(paid)}."
    changes = [_largest_change(shown, scenario) for scenario in shown.drawn if scenario != shown.lineup.base]
    return Caption(reading, f"{text} Largest changes in net contracts: {'; '.join(changes)}." if changes else text)


def _largest_change(shown: Countries, scenario: str) -> str:
    """Return the country whose net contracts a scenario changes most, and by how much."""
    change = shown.table.loc[scenario, "net"] - shown.table.loc[shown.lineup.base, "net"]
    code = change.abs().idxmax()
    return f"{shown.lineup.titles[scenario]} {words.signed(change[code])} in {_name(str(code))}"


def tables(shown: Countries) -> list[Table]:
    """Return a table for each scenario, a row for each country."""
    return [_table(shown, scenario) for scenario in shown.lineup.everyone]


def _table(shown: Countries, scenario: str) -> Table:
    base, lineup = shown.table.loc[shown.lineup.base], shown.lineup
    rows = []
    for code, row in shown.table.loc[scenario].iterrows():
        was = None if scenario == lineup.base else base.loc[code]
        price = row["paid_eur"] / row["net"] if row["net"] > 0.5 and row["paid_eur"] > 0 else math.nan
        cells = (
            _cell(row, was, "paid_eur", words.eur), _cell(row, was, "spent_eur", words.eur),
            _cell(row, was, "partners", words.count), _cell(row, was, "net", words.count), Cell(words.eur(price)),
        )  # fmt: skip
        rows.append(Row(_name(str(code)), cells))
    heads = (
        "Its funder pays (grants, administration)", "Its clusters receive", "Its partners in projects",
        "Net contracts of its SMEs", "It pays per net contract of its own",
    )  # fmt: skip
    return Table(lineup.label(scenario), "Country or region", heads, tuple(rows))


def _cell(row: pd.Series, was: pd.Series | None, column: str, form: words.Form) -> Cell:
    if was is None or abs(row[column] - was[column]) < 1e-9:
        return Cell(form(row[column]))
    return Cell(form(row[column]), words.signed(row[column] - was[column], form))


EXHIBIT = Exhibit("countries", data, draw, caption, tables)
