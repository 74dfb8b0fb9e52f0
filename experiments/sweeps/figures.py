"""Figures of a sweep: which factors matter and how far that can be told, and how the outcome goes with them."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.exhibits import words
from experiments.exhibits.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    PEACH,
    QUIET,
    SKY,
    axis_label,
    column,
    fitted,
    inches_of,
    is_narrow,
    label_rows,
    plain,
    row_label,
    rows_height,
    sheet_of,
    styled,
    width_now,
)
from experiments.sweeps.convergence import above_nothing
from experiments.sweeps.findings import Finding
from experiments.sweeps.indices import LABELS, MAIN_INDEX

MOST = 16  # factors in a figure: the strongest
SHARES = ("S1", "ST", "S2")  # told in percent
NO_BREAK = "\N{NO-BREAK SPACE}"
HOLLOW = "hollow: not told apart from doing nothing"  # the one meaning of hollow marks on a page
DISTANCES = ("median", "delta")  # told as numbers between 0 and 1
LINES: tuple[dict[str, Any], ...] = (
    {"color": INK, "linestyle": "-", "marker": "o"},
    {"color": BLUE, "linestyle": "--", "marker": "s"},
    {"color": ORANGE, "linestyle": "-.", "marker": "^"},
    {"color": GREEN, "linestyle": ":", "marker": "D"},
    {"color": QUIET, "linestyle": "-", "marker": "v"},
    {"color": SKY, "linestyle": "-", "marker": "x"},
)


def form_of(index: str, unit: str = "") -> words.Form:
    """How a value of an index is written; `unit`: that of the outcome, where the index has it too."""
    if index in SHARES:
        return _share
    if index == "bound":  # of a share: luck that is taken out may leave it below zero, which no share is
        return lambda value: _share(max(value, 0.0))
    if index in DISTANCES:
        return lambda value: words.MISSING if value != value else f"{value:.2f}"
    plain = words.eur if unit.startswith("EUR") else _number
    return plain if index in ("mu_star", "sigma", "beyond_luck", "slope") else partial(words.signed, form=plain)


def _number(value: float) -> str:
    """A number with three digits at the most behind which there is something: `1,234`, `56`, `0.65`."""
    return words.count(value) if not abs(value) < 10 else words.axis(float(f"{value:.2g}"))


def _share(value: float) -> str:
    """A share that may lie below zero by chance: `54%`, `−2%`."""
    text = words.MISSING if value != value else f"{value:.0%}"
    return text.lstrip("-") if text == "-0%" else text.replace("-", words.MINUS)


def _axis(axes: Any, index: str, label: str) -> None:
    form = form_of(index)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow() else 5, steps=[1, 2, 5, 10]))
    axes.axvline(0, color=INK, linewidth=1)
    axes.grid(axis="x")
    axes.set_xlabel(axis_label(label))
    plain(axes, spine="bottom")


def _labels(finding: Finding, places: list[int]) -> list[str]:
    return [finding.factors[place].label for place in places]


def _heading(finding: Finding, text: str, shown: int) -> str:
    more = f"(the strongest {shown} of {len(finding.factors)})" if shown < len(finding.factors) else ""
    return f"{text} {more.replace(' ', NO_BREAK)}".rstrip(" ")


def outcome_of(finding: Finding, base: str) -> str:
    """What an axis of the outcome tells, with its unit; `base`: what the option is held against, "" for nothing."""
    unit = finding.unit or finding.label  # its label where it has no unit
    return f"difference from {base} in {unit}" if base else unit


def _interval(rows: pd.DataFrame, label: str = "90% interval") -> list[Any]:
    """The legend's entry for intervals, or that there are none."""
    if rows["low"].isna().all():
        return [Line2D([], [], linestyle="", label="no 90% intervals: too few blocks")]
    return [Line2D([], [], color=INK, linewidth=1.6, label=label)]


def _line(axes: Any, y: float, row: pd.Series) -> None:
    axes.plot([row["low"], row["high"]], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")


def _bar(axes: Any, y: float, row: pd.Series, told: bool, look: dict[str, Any]) -> None:
    """A bar with its interval; hollow where it is not told apart from nothing."""
    look = look if told else look | {"facecolor": "white", "hatch": ""}
    value = max(row["value"], 0.0) if row["index"] in SHARES else row["value"]
    axes.barh(y, value, height=0.3, linewidth=0.8, **look)
    _line(axes, y, row)


@styled
def ranking(finding: Finding, base: str = "") -> Figure | None:
    """The factors by their main index, the strongest on top, each with its 90% interval."""
    if finding.why_not or finding.found.empty:
        return None
    if finding.method.name == "sobol":
        return _sobol_bars(finding)
    if finding.method.name == "tornado":
        return _tornado(finding, base)
    return _dots(finding, base)


def _sobol_bars(finding: Finding) -> Figure:
    rows, alone = finding.main.head(MOST), finding.rows("S1")
    places = [int(place) for place in rows["factor"]]
    labels = _labels(finding, places)
    looks: tuple[dict[str, Any], ...] = (
        {"facecolor": SKY, "hatch": "////", "edgecolor": INK}, {"facecolor": BLUE, "hatch": "", "edgecolor": INK},
    )  # fmt: skip
    legend = [
        Patch(**looks[0], linewidth=0.8, label="upper bar: in all (ST), with others too"),
        Patch(**looks[1], linewidth=0.8, label="lower bar: alone (S1)"),
        *_interval(rows),
        Patch(facecolor="white", edgecolor=INK, linewidth=0.8, label=HOLLOW),
    ]
    title = _heading(finding, "Which share of the variance goes with each factor", len(places))
    figure = sheet_of(finding.source, title, 0.75 + max(1.0, rows_height(labels, 0.5)), legend, 2)
    axes = figure.subplots()
    numbers = []
    for shift, table, look in zip((-0.18, 0.18), (rows.set_index("factor", drop=False), alone.reset_index()), looks):
        told = above_nothing(table, finding.found)
        table = table.set_index("factor")
        for y, place in enumerate(places):
            row = table.loc[place]
            _bar(axes, y + shift, row, place in told, look)
            numbers.append((y + shift, form_of("ST")(row["value"])))
    column(axes, 8, numbers)
    _axis(axes, "ST", "share of the variance of the expected outcome")
    label_rows(axes, labels, 32)
    return figure


def _tornado(finding: Finding, base: str) -> Figure:
    rows, ends = finding.main.head(MOST), (finding.rows("low"), finding.rows("high"))
    places = [int(place) for place in rows["factor"]]
    labels, tail = _labels(finding, places), float(finding.method["tail"])
    looks: tuple[dict[str, Any], ...] = (
        {"facecolor": PEACH, "hatch": "////", "edgecolor": ORANGE}, {"facecolor": BLUE, "hatch": "", "edgecolor": BLUE},
    )  # fmt: skip
    legend = [
        Patch(**looks[0], label=f"upper bar: factor at its {tail:.0%} quantile"),
        Patch(**looks[1], label=f"lower bar: factor at its {1 - tail:.0%} quantile"),
        *_interval(rows, "90% interval of the mean"),
        Patch(facecolor="white", edgecolor=INK, label=HOLLOW),
    ]
    title = _heading(finding, "What each factor does by itself", len(places))
    figure = sheet_of(finding.source, title, 0.95 + max(1.26, rows_height(labels, 0.42)), legend, 2)
    axes = figure.subplots()
    clear, form = above_nothing(finding.main, finding.found), form_of("swing", finding.unit)
    numbers = []
    for shift, table, look in zip((-0.17, 0.17), ends, looks):
        for y, place in enumerate(places):
            _bar(axes, y + shift, table.loc[place], place in clear, look)
            numbers.append((y + shift, form(table.loc[place]["value"])))
    edge = column(axes, 8, numbers, "ends")
    swings = [(float(y), form(value)) for y, value in enumerate(rows["value"])]
    column(axes, edge + 8, swings, "swing", fontweight="bold")
    _axis(axes, "swing", f"change of the {outcome_of(finding, base)}, all else in the middle")
    label_rows(axes, labels, 32)
    return figure


def _dots(finding: Finding, base: str) -> Figure:
    rows, index = finding.main.head(MOST), MAIN_INDEX[finding.method.name]
    if index == "bound":  # none is strong by being far below zero
        rows = _bounds(finding.main.sort_values("value", ascending=False, kind="stable").head(MOST))
    places = [int(place) for place in rows["factor"]]
    labels = _labels(finding, places)
    chance = finding.found[finding.found["factor"] < 0]
    legend: list[Any] = [
        Line2D([], [], color=INK, marker="o", linestyle="", label="told apart from doing nothing"),
        Line2D([], [], color=INK, marker="o", linestyle="", markerfacecolor="white", label=HOLLOW),
        *_interval(rows),
    ]
    if len(chance):
        legend.append(Patch(facecolor=PALE, label="what a factor that does nothing gets (90%)"))
    title = _heading(finding, f"Which factors matter: {finding.method.kind.title}", len(places))
    figure = sheet_of(finding.source, title, 0.75 + max(1.0, rows_height(labels, 0.33)), legend, 2)
    axes = figure.subplots()
    clear = set(above_nothing(finding.main, finding.found))
    if len(chance):
        axes.axvspan(chance["low"].iloc[0], chance["high"].iloc[0], color=PALE, zorder=0)
    _dots_of(axes, rows, clear)
    numbers = [(float(y), form_of(index, finding.unit)(value)) for y, value in enumerate(rows["value"])]
    column(axes, 8, numbers, fontweight="bold")
    more = {"mu_star": f": {outcome_of(finding, base)}", "bound": " (above 100% it bounds nothing)"}
    _axis(axes, index, LABELS[index] + more.get(index, ""))
    label_rows(axes, labels, 36)
    return figure


def _dots_of(axes: Any, rows: pd.DataFrame, clear: set[int]) -> None:
    for y, (_, row) in enumerate(rows.iterrows()):
        _line(axes, y, row)
        if row.get("more"):  # the line goes on
            axes.plot([row["high"]], [y], color=INK, marker=">", markersize=5)
        face = INK if int(row["factor"]) in clear else "white"
        axes.plot([row["value"]], [y], color=INK, marker="o", markerfacecolor=face)


def _bounds(rows: pd.DataFrame) -> pd.DataFrame:
    """Bounds of shares, from zero up to where they say nothing any more; `more`: an interval that goes on there."""
    columns = ["value", "low", "high"]
    most = max(1.2, 1.05 * float(rows["value"].max()))
    return rows.assign(**rows[columns].clip(lower=0.0, upper=most), more=rows["high"] > most)


@styled
def interactions(finding: Finding, _: str = "") -> Figure | None:
    """Pairs of factors: which share of the variance goes only when both are known."""
    if finding.why_not or not (finding.found["index"] == "S2").any():
        return None
    places = sorted(int(place) for place in finding.main.head(8)["factor"])
    labels, numbered = _labels(finding, places), is_narrow() or len(places) > 5
    legend = [
        Line2D([], [], linestyle="", marker="s", markersize=9, color=BLUE, label="interval above zero (area: share)"),
        Line2D([], [], linestyle="", marker="s", markersize=9, color=BLUE, markerfacecolor="white",
               label=HOLLOW.replace("doing nothing", "nothing")),
        *(_numbers(labels) if numbered else ()),
    ]  # fmt: skip
    figure = sheet_of(finding.source, "Which factors act together (S2)", 0.9 + 0.75 * (len(places) - 1), legend, 2)
    axes = figure.subplots()
    cell = (width_now() - (0.5 if numbered else 2.0)) / (len(places) - 1)
    pairs = finding.rows("S2")
    for i, upper in enumerate(places):
        for j, other in enumerate(places[i + 1 :], start=i + 1):
            _pair(axes, (i, j), pairs.loc[(upper, other)], cell)
    axes.set_xlim(-0.6, len(places) - 1.4)
    axes.set_ylim(len(places) - 0.35, 0.45)
    names = [str(number) for number in range(1, len(places) + 1)] if numbered else [row_label(x, 22) for x in labels]
    axes.set_xticks(range(len(places) - 1), names[:-1])
    axes.set_yticks(range(1, len(places)), names[1:])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    plain(axes)
    return figure


def _numbers(labels: list[str]) -> list[Any]:
    """A legend's entries for what a figure calls by numbers."""
    return [
        Line2D(
            [], [], linestyle="", marker=f"${number}$", color=INK, markeredgewidth=0.2,
            markersize=6 if number < 10 else 9, label=label,
        )
        for number, label in enumerate(labels, start=1)
    ]  # fmt: skip


def _pair(axes: Any, at: tuple[int, int], row: pd.Series, cell: float) -> None:
    """A pair's square with its share and, where `cell` inches hold it, the interval."""
    size = float(np.clip(row["value"], 0.004, 0.3)) * min(1.0, cell / 0.7) ** 2
    axes.scatter(*at, marker="s", s=3600 * size, facecolor=BLUE if row["low"] > 0.0 else "white",
                 edgecolor=BLUE, linewidth=1.2)  # fmt: skip
    value, low, high = (form_of("S2")(row[name]) for name in ("value", "low", "high"))
    interval = f"({low} to {high})"
    text = f"{value}\n{interval}" if inches_of(interval, size=8) < cell else value
    axes.annotate(text, at, (0, -17), textcoords="offset points", ha="center", va="top", fontsize=8)


@styled
def screening(finding: Finding, base: str = "") -> Figure | None:
    """Morris's plane: how large a factor's effects are, and how much they depend on where the others stand."""
    if finding.method.name != "morris" or finding.why_not:
        return None
    star, sigma = finding.rows("mu_star"), finding.rows("sigma")
    places = [int(place) for place in finding.main.head(12)["factor"]]
    legend = [
        Line2D([], [], linestyle="", marker="o", color=BLUE, markersize=5, label="told apart from doing nothing"),
        Line2D([], [], linestyle="", marker="o", color=BLUE, markersize=5, markerfacecolor="white", label=HOLLOW),
        *_numbers(_labels(finding, places)),
    ]
    title = "Size of effects, and how much they depend on the other factors"
    figure = sheet_of(finding.source, title, 3.4, legend, 2)
    axes = figure.subplots()
    clear = above_nothing(finding.main, finding.found)
    for place in star.index:
        axes.plot(star["value"][place], sigma["value"][place], "o", color=BLUE, markersize=5 if place in places else 3,
                  markerfacecolor=BLUE if place in clear else "white", zorder=3 if place in places else 2)  # fmt: skip
    for number, place in enumerate(places, start=1):
        axes.annotate(str(number), (star["value"][place], sigma["value"][place]), (5, 3), textcoords="offset points",
                      fontweight="bold")  # fmt: skip
    most = float(min(1.08 * star["value"].max(), 1.15 * sigma["value"].max()))  # within both axes, so the name is seen
    axes.plot([0, most], [0, most], color=QUIET, linewidth=0.8, linestyle=":")
    axes.annotate("σ = μ*", (most * 0.97, most * 0.97), (0, -10), textcoords="offset points", ha="right", va="top",
                  color=QUIET)  # fmt: skip
    axes.set_xlim(0, 1.08 * float(star["value"].max()) or None)  # None, where all are zero: as matplotlib has it
    axes.set_ylim(0, 1.15 * float(sigma["value"].max()) or None)
    for which, label in ((axes.xaxis, "mean size of effect, μ*"), (axes.yaxis, "spread, σ")):
        which.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
        which.set_label_text(fitted(f"{label} ({outcome_of(finding, base)})", 2.6))
    axes.grid()
    return figure


@styled
def settling(finding: Finding, _: str = "") -> Figure | None:
    """How the main index came to stand as blocks were added."""
    if finding.settled is None or finding.why_not or finding.path["n"].nunique() < 2:
        return None
    places = [int(place) for place in finding.main["factor"].head(len(LINES))]
    index = MAIN_INDEX[finding.method.name]
    path = _bounds(finding.path) if index == "bound" else finding.path
    names = [
        Line2D([], [], markersize=5, label=finding.factors[place].label, **look) for place, look in zip(places, LINES)
    ]
    title = f"As blocks were added: {finding.settled.told}"
    figure = sheet_of(finding.source, title, 2.7, names, 2)
    axes = figure.subplots()
    sizes = sorted(path["n"].unique())
    for number, (place, look) in enumerate(zip(places, LINES)):
        rows = path[path["factor"] == place].sort_values("n")
        at = np.arange(len(rows)) + 0.07 * (number - (len(places) - 1) / 2)
        axes.plot(at, rows["value"], markersize=5, linewidth=1, **look)
        axes.vlines(at, rows["low"], rows["high"], color=look["color"], linewidth=1.2)
    axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
    axes.set_xlabel("blocks")
    form = form_of(index)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    axes.set_ylabel(LABELS[index])
    axes.axhline(0, color=INK, linewidth=1)
    axes.grid(axis="y")
    return figure
