"""Figures of who and when: what each country pays and gets, good projects lost, cluster networks, time paths."""

from functools import cache
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison import views
from experiments.comparison.exhibits.tables import with_base
from experiments.exhibits import words
from experiments.exhibits.style import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    QUIET,
    SKY,
    heading,
    label_rows,
    plain,
    sheet,
    styled,
)

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison

CAUSE_LOOKS = {
    "below_threshold": ("white", "---"),
    "purse_empty": (BLUE, ""),
    "partner_refused": (SKY, "////"),
    "common_purse_empty": (ORANGE, "xxxx"),
}
ELSEWHERE = "elsewhere"


def country_table(comparison: "Comparison") -> pd.DataFrame:
    """Per scenario and country, mean per run: EUR paid (grants and administration), EUR received, partners, net
    contracts of its own SMEs. Countries that pay in no scenario are one row, `elsewhere`, which comes last.
    """
    frame = comparison.by_country
    frame = frame.assign(
        paid_eur=frame["outlay_eur"] + frame["admin_eur"],
        net=frame["contracts_additional"] - frame["contracts_displaced"],
    )
    paying = set(frame.loc[frame["paid_eur"] > 0, "country"])
    frame = frame.assign(country=frame["country"].astype(str).where(frame["country"].isin(paying), ELSEWHERE))
    columns = ["paid_eur", "spent_eur", "partners", "net"]
    table = pd.DataFrame({column: views.mean_per_run(comparison, frame, ["country"], column) for column in columns})
    weight = table["paid_eur"].groupby("country").max().drop(ELSEWHERE, errors="ignore")
    order = [*weight.sort_values(ascending=False, kind="stable").index]
    order += [ELSEWHERE] if ELSEWHERE in table.index.get_level_values("country") else []
    index = pd.MultiIndex.from_product([comparison.scenarios, order], names=["scenario", "country"])
    return table.reindex(index, fill_value=0.0)


def country_name(code: str) -> str:
    """A row's name in tables by country."""
    return "All countries without a funder" if code == ELSEWHERE else words.country(code)


@styled
def countries(comparison: "Comparison") -> Figure | None:
    """Per country, base and scenario: what its funder pays, what its SMEs get."""
    table = country_table(comparison)
    codes = list(table.index.get_level_values("country").unique())
    chosen = views.telling(comparison, 3 if len(codes) > 8 else 4) or (comparison.base,)
    if not codes:
        return None
    legend = [
        Line2D([], [], linestyle="", marker="o", color=INK, markerfacecolor="white", label="base"),
        Line2D([], [], linestyle="", marker="D", color=BLUE, markersize=5, label="scenario"),
    ]
    legend = legend if views.others(comparison) else []
    title = "What each country's funder pays, and what its SMEs get"
    figure = sheet(comparison, title, 0.6 + len(chosen) * (0.3 + 0.205 * max(3, len(codes))), legend, 2)
    panels = figure.subplots(len(chosen), 2, sharex="col", squeeze=False)
    for row, scenario in zip(panels, chosen):
        for axes, column, scale in ((row[0], "paid_eur", 1e6), (row[1], "net", 1.0)):
            values = [table.loc[key, column].reindex(codes) / scale for key in (comparison.base, scenario)]
            _dumbbells(axes, *[series.to_numpy(float) for series in values])
        short = [country_name(code).replace("All countries", "Countries") for code in codes]
        label_rows(row[0], short, 34)
        label_rows(row[1], [""] * len(codes))
        row[0].set_title(views.title(comparison, scenario), loc="left", fontweight="bold")
    panels[-1][0].set_xlabel("paid by its funder,\nEUR million, mean per run")
    panels[-1][1].set_xlabel("net contracts of its own SMEs,\nmean per run")
    return figure


def _dumbbells(axes: Any, base: np.ndarray, now: np.ndarray) -> None:
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


def lost_table(comparison: "Comparison", keys: list[str]) -> pd.DataFrame:
    """Good applications refused per run, by scenario and `keys` (rows) and by cause (columns)."""
    means = views.mean_per_run(comparison, comparison.lost, [*keys, "cause"], "applications")
    if means.empty:
        return pd.DataFrame(columns=list(CAUSE_LOOKS))
    return means.unstack("cause").reindex(columns=list(CAUSE_LOOKS)).fillna(0.0)


@styled
def lost(comparison: "Comparison") -> Figure | None:
    """Good applications refused: by cause in every scenario, and by funder in the base."""
    everywhere = lost_table(comparison, [])
    if everywhere.empty or not everywhere.to_numpy().sum() > 0:
        return None
    rows = [comparison.base, *views.ranked(comparison)]
    everywhere = everywhere.reindex(rows).fillna(0.0)
    funders = lost_table(comparison, ["funder"])
    one = comparison.base if everywhere.loc[comparison.base].sum() > 0 else everywhere.sum(axis=1).idxmax()
    by_funder = funders.loc[one]
    by_funder = by_funder.loc[by_funder.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    by_funder = by_funder[by_funder.sum(axis=1) > 0]
    sizes = [max(3, len(rows)), max(3, len(by_funder))]
    legend = [
        Patch(facecolor=colour, hatch=hatch, edgecolor=INK, linewidth=0.6, label=words.CAUSES[cause])
        for cause, (colour, hatch) in CAUSE_LOOKS.items()
        if funders[cause].sum() > 0
    ]
    figure = sheet(comparison, "Good applications that were refused, and why", 1.3 + 0.22 * sum(sizes), legend, 2)
    top, bottom = figure.subplots(2, 1, height_ratios=sizes)
    _stack(top, everywhere)
    label_rows(top, [with_base(comparison, key) for key in rows], 48)
    top.set_title("All funders together, by scenario", loc="left", fontweight="bold")
    _stack(bottom, by_funder)
    label_rows(bottom, [words.country(str(code)) for code in by_funder.index], 48)
    name = "the base" if one == comparison.base else f"“{views.title(comparison, one)}”"
    bottom.set_title(f"By funder, in {name}", loc="left", fontweight="bold")
    bottom.set_xlabel("refused applications in proposals above the\ncommon quality threshold, mean per run")
    return figure


def _stack(axes: Any, table: pd.DataFrame) -> None:
    left = np.zeros(len(table))
    for cause, (colour, hatch) in CAUSE_LOOKS.items():
        size = table[cause].to_numpy(float)
        axes.barh(
            range(len(table)), size, left=left, height=0.66, color=colour, hatch=hatch, edgecolor=INK,
            linewidth=np.where(size > 0, 0.6, 0.0),
        )  # fmt: skip
        left += size
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    axes.set_xlim(0, 1.04 * float(left.max()))
    axes.grid(axis="x")
    plain(axes, spine="bottom")


@styled
def network(comparison: "Comparison") -> Figure | None:
    """Who works with whom, by country: base beside scenarios, every country in one place throughout."""
    frame = views.rows_of(comparison.network, "scenario", "country", "other", "links")
    frame = frame[frame["country"] != frame["other"]]
    chosen = _networks(comparison, frame)
    if not chosen:
        return None
    frame = frame[frame["scenario"].isin(chosen) & (frame["links"] >= 0.05)]
    places = _places(tuple(sorted(zip(frame["country"].astype(str), frame["other"].astype(str), frame["links"]))))
    most = float(frame["links"].max())
    columns = min(2, len(chosen))
    rows = -(-len(chosen) // columns)
    legend = [
        Line2D([], [], color=QUIET, linewidth=_width(size, most), label=words.count(size))
        for size in _round_steps(most)
    ]
    lines = "Width of a line: pairs of partners in projects, mean per run (under 0.05 left out)"
    figure = sheet(comparison, "Which countries' clusters work together", 3.2 * rows, legend, 3, lines)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    for axes, scenario in zip(panels, chosen):
        links = frame[frame["scenario"] == scenario]
        _graph(axes, links, places, most)
        total = words.count(float(links["links"].sum()))
        name = with_base(comparison, scenario)
        axes.set_title(f"{name}\n{total} pairs of partners across borders", fontsize=9, loc="left")
    return figure


def _networks(comparison: "Comparison", frame: pd.DataFrame) -> list[str]:
    """The base and the three scenarios that change its network most, of those that have any."""
    links = frame.pivot_table(index="scenario", columns=["country", "other"], values="links", fill_value=0.0)
    if links.empty:
        return []
    base = links.loc[comparison.base] if comparison.base in links.index else 0.0
    change = (links - base).abs().sum(axis=1).drop(comparison.base, errors="ignore")
    chosen = set(change.sort_values(ascending=False, kind="stable").index[:3]) | {comparison.base}
    return [key for key in (comparison.base, *views.ranked(comparison)) if key in chosen and key in links.index]


def _graph(axes: Any, links: pd.DataFrame, places: dict[str, tuple[float, float]], most: float) -> None:
    strength: dict[str, float] = dict.fromkeys(places, 0.0)
    for _, row in links.sort_values("links", kind="stable").iterrows():
        a, b = places[row["country"]], places[row["other"]]
        grey = 0.72 - 0.6 * (row["links"] / most) ** 0.5
        axes.plot(*zip(a, b), color=str(grey), linewidth=_width(row["links"], most), zorder=1, solid_capstyle="round")
        strength[row["country"]] += row["links"]
        strength[row["other"]] += row["links"]
    for code, (x, y) in places.items():
        alone = strength[code] == 0
        edge = PALE if alone else BLUE
        box = {"boxstyle": "round,pad=0.16", "facecolor": "white", "edgecolor": edge, "linewidth": 0.9}
        axes.text(x, y, code, ha="center", va="center", fontsize=9, color=QUIET if alone else INK, bbox=box, zorder=3)
    axes.set_xlim(-1.12, 1.12)
    axes.set_ylim(-1.1, 1.1)
    axes.set_axis_off()


def _width(links: float, most: float) -> float:
    return max(0.35, 7.0 * links / most)


def _round_steps(most: float) -> list[float]:
    """Three round numbers of links up to the most, and never zero."""
    step = 10 ** np.floor(np.log10(most))
    top = float(step * np.floor(most / step))
    return [top / 10, top / 3 if top / 3 < 1 else float(round(top / 3)), top]


@cache
def _places(links: tuple[tuple[str, str, float], ...]) -> dict[str, tuple[float, float]]:
    """Countries on two rings: the most linked inside, the others outside in an order that keeps links short."""
    graph: nx.Graph = nx.Graph()
    for a, b, weight in links:
        old = graph.get_edge_data(a, b, {"weight": 0.0})["weight"]
        graph.add_edge(a, b, weight=old + weight)
    start = nx.spring_layout(graph, weight="weight", seed=1, iterations=200, k=1.2 / max(1, len(graph)) ** 0.5)
    strength = dict(graph.degree(weight="weight"))
    inside = sorted(strength, key=lambda code: (-strength[code], code))[: max(1, min(8, len(strength) // 2))]
    outside = [code for code in sorted(strength) if code not in inside]
    return _ring(inside, start, 0.48) | _ring(outside, start, 1.0)


def _ring(codes: list[str], start: dict[str, np.ndarray], radius: float) -> dict[str, tuple[float, float]]:
    if len(codes) == 1:
        return {codes[0]: (0.0, 0.0)}
    angle = {code: float(np.arctan2(start[code][1], start[code][0])) for code in codes}
    order = sorted(codes, key=lambda code: (angle[code], code))
    first = angle[order[0]]
    turn = [first + 2 * np.pi * place / len(order) for place in range(len(order))]
    return {code: (float(radius * np.cos(t)), float(radius * np.sin(t))) for code, t in zip(order, turn)}


def bands(comparison: "Comparison", scenario: str, column: str, *, cumulative: bool) -> pd.DataFrame:
    """Mean and 90% band over draws of a monthly measure, seeds averaged: columns mean, low, high by month."""
    frame = comparison.by_month
    frame = frame[frame["scenario"] == scenario]
    by_draw = frame.groupby(["draw", "month"], observed=True)[column].mean().unstack("month")
    by_draw = by_draw.cumsum(axis=1) if cumulative else by_draw.T.rolling(12, min_periods=1).mean().T
    by_draw = by_draw.loc[:, by_draw.columns >= first_month(comparison)]
    return pd.DataFrame({"mean": by_draw.mean(), "low": by_draw.quantile(0.05), "high": by_draw.quantile(0.95)})


def first_month(comparison: "Comparison") -> int:
    """The month (0 is January 2013) with which the year of the first counted call begins."""
    calls = comparison.manifest.get("counted_calls") or [2013]
    return max(0, 12 * (int(min(calls)) - 2013))


@styled
def paths(comparison: "Comparison") -> Figure | None:
    """Spending by month and contracts so far, base and scenario, each with its 90% band."""
    chosen = views.telling(comparison, 3) or (comparison.base,)
    if comparison.by_month.empty:
        return None
    legend = _path_legend() if chosen != (comparison.base,) else _path_legend()[:2]
    figure = sheet(comparison, "When money is spent and contracts come", 5.2, legend, 2)
    panels = figure.subplots(2, len(chosen), sharex=True, sharey="row", squeeze=False)
    looks = (("spent_eur", 1e3, False), ("contracts", 1.0, True))
    for row, (column, scale, cumulative) in zip(panels, looks):
        base = bands(comparison, comparison.base, column, cumulative=cumulative) / scale
        for axes, scenario in zip(row, chosen):
            axes.fill_between(_years(base), base["low"], base["high"], color=PALE, linewidth=0, zorder=1)
            axes.plot(_years(base), base["mean"], color=INK, linewidth=1.6, linestyle=(0, (4, 2)), zorder=3)
            if scenario != comparison.base:
                _band(axes, bands(comparison, scenario, column, cumulative=cumulative) / scale)
            axes.grid(axis="y")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 4, 5, 10]))
    for axes, scenario in zip(panels[0], chosen):
        axes.set_title(heading(comparison, scenario, 20 if len(chosen) > 2 else 34), loc="left", fontweight="bold")
    for row in panels:
        row[0].set_ylim(bottom=0)
    panels[0][0].set_ylabel("grants paid out,\nEUR thousand a month\n(mean of the last 12 months)")
    panels[1][0].set_ylabel("SME contracts so far\n(counted calls, gross)")
    return figure


def _years(table: pd.DataFrame) -> np.ndarray:
    return 2013 + table.index.to_numpy(float) / 12


def _band(axes: Any, table: pd.DataFrame) -> None:
    x = _years(table)
    axes.fill_between(x, table["low"], table["high"], facecolor="none", edgecolor=SKY, hatch="////", linewidth=0)
    for side in ("low", "high"):
        axes.plot(x, table[side], color=BLUE, linewidth=0.6, zorder=2)
    axes.plot(x, table["mean"], color=BLUE, linewidth=1.8, zorder=4)


def _path_legend() -> list[Any]:
    return [
        Line2D([], [], color=INK, linewidth=1.6, linestyle=(0, (4, 2)), label="base, mean of draws"),
        Patch(facecolor=PALE, label="base, 90% of draws"),
        Line2D([], [], color=BLUE, linewidth=1.8, label="scenario, mean of draws"),
        Patch(facecolor="white", edgecolor=SKY, hatch="////", label="scenario, 90% of draws"),
    ]
