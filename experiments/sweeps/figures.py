"""Figures of a sweep: which factors matter and how far that can be told, and how the outcome goes with them."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments import words
from experiments.figure_style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    QUIET,
    SKY,
    beside,
    label_rows,
    plain,
    row_label,
    sheet_of,
    styled,
)
from experiments.sweeps.convergence import above_nothing
from experiments.sweeps.findings import Finding
from experiments.sweeps.indices import LABELS, MAIN_INDEX

MOST = 16  # factors in a figure: the strongest
SHARES = ("S1", "ST", "S2", "bound")  # told in percent
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
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.axvline(0, color=INK, linewidth=1)
    axes.grid(axis="x")
    axes.set_xlabel(label)
    plain(axes, spine="bottom")


def _labels(finding: Finding, places: list[int]) -> list[str]:
    return [finding.factors[place].label for place in places]


def _heading(finding: Finding, text: str, shown: int) -> str:
    more = f" (the strongest {shown} of {len(finding.factors)})" if shown < len(finding.factors) else ""
    return f"{text}{more}"


@styled
def ranking(finding: Finding) -> Figure | None:
    """The factors by their main index, the strongest on top, each with its 90% interval."""
    if finding.why_not or finding.found.empty:
        return None
    if finding.method.name == "sobol":
        return _sobol_bars(finding)
    if finding.method.name == "tornado":
        return _tornado(finding)
    return _dots(finding)


def _sobol_bars(finding: Finding) -> Figure:
    rows, alone = finding.main.head(MOST), finding.rows("S1")
    places = [int(place) for place in rows["factor"]]
    legend = [
        Patch(facecolor=SKY, hatch="////", edgecolor=INK, linewidth=0.6, label="in all (ST): with others too"),
        Patch(facecolor=BLUE, edgecolor=INK, linewidth=0.6, label="alone (S1)"),
        Line2D([], [], color=INK, linewidth=1.6, label="90% interval"),
    ]
    title = _heading(finding, "Which share of the variance goes with each factor", len(places))
    figure = sheet_of(finding.source, title, 0.75 + 0.5 * max(2, len(places)), legend, 3)
    axes = figure.subplots()
    looks = ((-0.18, rows.set_index("factor"), SKY, "////"), (0.18, alone, BLUE, ""))
    for shift, table, colour, hatch in looks:
        for y, place in enumerate(places):
            row = table.loc[place]
            axes.barh(
                y + shift, max(row["value"], 0.0), height=0.3, color=colour, hatch=hatch, edgecolor=INK, linewidth=0.6
            )
            axes.plot([row["low"], row["high"]], [y + shift] * 2, color=INK, linewidth=1.6, solid_capstyle="butt")
            beside(axes, y + shift, 34, form_of("ST")(row["value"]), fontweight="bold" if shift < 0 else "normal")
    _axis(axes, "ST", "share of the variance of the expected outcome")
    label_rows(axes, _labels(finding, places), 32)
    return figure


def _tornado(finding: Finding) -> Figure:
    rows, low, high = finding.main.head(MOST), finding.rows("low"), finding.rows("high")
    places = [int(place) for place in rows["factor"]]
    tail = float(finding.method["tail"])
    legend = [
        Patch(facecolor="white", hatch="////", edgecolor=ORANGE, label=f"factor at its {tail:.0%} quantile"),
        Patch(facecolor=BLUE, edgecolor=BLUE, label=f"factor at its {1 - tail:.0%} quantile"),
        Line2D([], [], color=INK, linewidth=1.6, label="90% interval of the mean"),
    ]
    title = _heading(finding, "What each factor does by itself", len(places))
    figure = sheet_of(finding.source, title, 0.75 + 0.42 * max(3, len(places)), legend, 2)
    axes = figure.subplots()
    for shift, table, colour, face, hatch in ((-0.17, low, ORANGE, "white", "////"), (0.17, high, BLUE, BLUE, "")):
        for y, place in enumerate(places):
            row = table.loc[place]
            axes.barh(
                y + shift, row["value"], height=0.3, facecolor=face, hatch=hatch, edgecolor=colour, linewidth=0.8
            )
            axes.plot([row["low"], row["high"]], [y + shift] * 2, color=INK, linewidth=1.6, solid_capstyle="butt")
            beside(axes, y + shift, 40, form_of("swing", finding.unit)(row["value"]))
    _axis(axes, "swing", f"change in {unit_of(finding)}, all else in the middle")
    label_rows(axes, _labels(finding, places), 32)
    return figure


def _dots(finding: Finding) -> Figure:
    rows, index = finding.main.head(MOST), MAIN_INDEX[finding.method.name]
    places = [int(place) for place in rows["factor"]]
    chance = finding.found[finding.found["factor"] < 0]
    legend: list[Any] = [Line2D([], [], color=INK, marker="o", linewidth=1.6, label="value and 90% interval")]
    legend.append(Line2D([], [], color=INK, marker="o", linewidth=1.6, markerfacecolor="white",
                         label="the same, not told apart from doing nothing"))  # fmt: skip
    if len(chance):
        legend.append(Patch(facecolor=PALE, label="what a factor that does nothing gets (90%)"))
    title = _heading(finding, f"Which factors matter: {finding.method.kind.title}", len(places))
    figure = sheet_of(finding.source, title, 0.75 + 0.33 * max(3, len(places)), legend, 2)
    axes = figure.subplots()
    clear = set(above_nothing(finding.main, finding.found))
    if len(chance):
        axes.axvspan(chance["low"].iloc[0], chance["high"].iloc[0], color=PALE, zorder=0)
    for y, (_, row) in enumerate(rows.iterrows()):
        axes.plot([row["low"], row["high"]], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")
        face = INK if int(row["factor"]) in clear else "white"
        axes.plot([row["value"]], [y], color=INK, marker="o", markerfacecolor=face)
        beside(axes, y, 40, form_of(index, finding.unit)(row["value"]), fontweight="bold")
    _axis(axes, index, LABELS[index] + (f", {unit_of(finding)}" if index == "mu_star" else ""))
    label_rows(axes, _labels(finding, places), 36)
    return figure


def unit_of(finding: Finding) -> str:
    """The unit of the outcome; its label where it has none."""
    return finding.unit or finding.label


@styled
def interactions(finding: Finding) -> Figure | None:
    """Pairs of factors: which share of the variance goes only when both are known."""
    if finding.why_not or not (finding.found["index"] == "S2").any():
        return None
    places = sorted(int(place) for place in finding.main.head(8)["factor"])
    pairs = finding.rows("S2")
    labels = [row_label(label, 22) for label in _labels(finding, places)]
    legend = [
        Line2D([], [], linestyle="", marker="s", markersize=9, color=BLUE, label="interval above zero (area: share)"),
        Line2D([], [], linestyle="", marker="s", markersize=9, color=QUIET, markerfacecolor="white",
               label="not told apart from none"),
    ]  # fmt: skip
    body = 1.0 + 0.62 * len(places)
    figure = sheet_of(finding.source, "Which factors act together (S2)", body, legend, 2)
    axes = figure.subplots()
    for i, upper in enumerate(places):
        for j, other in enumerate(places):
            if j <= i:
                continue
            row = pairs.loc[(upper, other)]
            told = row["low"] > 0.0
            size = float(np.clip(row["value"], 0.004, 0.5))
            axes.scatter(i, j, marker="s", s=3600 * size, facecolor=BLUE if told else "white",
                         edgecolor=BLUE if told else QUIET, linewidth=1.2)  # fmt: skip
            text = f"{form_of('S2')(row['value'])}\n({form_of('S2')(row['low'])} to {form_of('S2')(row['high'])})"
            axes.annotate(text, (i, j), (0, -17), textcoords="offset points", ha="center", va="top", fontsize=8)
    axes.set_xlim(-0.6, len(places) - 1.4)
    axes.set_ylim(len(places) - 0.35, 0.45)
    axes.set_xticks(range(len(places) - 1), labels[:-1])
    axes.set_yticks(range(1, len(places)), labels[1:])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    plain(axes)
    return figure


@styled
def screening(finding: Finding) -> Figure | None:
    """Morris's plane: how large a factor's effects are, and how much they depend on where the others stand."""
    if finding.method.name != "morris" or finding.why_not:
        return None
    star, sigma, top = finding.rows("mu_star"), finding.rows("sigma"), finding.main.head(12)
    places = [int(place) for place in top["factor"]]
    names = [
        Line2D([], [], linestyle="", marker=f"${number}$", color=INK, markersize=6 if number < 10 else 9,
               label=finding.factors[place].label[:44])
        for number, place in enumerate(places, start=1)
    ]  # fmt: skip
    title = "Size of effects, and how much they depend on the other factors"
    figure = sheet_of(finding.source, title, 3.4, names, 2)
    axes = figure.subplots()
    others = star.index.difference(places)
    axes.plot(star["value"][others], sigma["value"][others], "o", color=QUIET, markersize=3, markerfacecolor="white")
    for number, place in enumerate(places, start=1):
        axes.plot(star["value"][place], sigma["value"][place], "o", color=BLUE, markersize=5)
        axes.annotate(str(number), (star["value"][place], sigma["value"][place]), (5, 3), textcoords="offset points",
                      fontweight="bold")  # fmt: skip
    most = 1.08 * float(max(star["value"].max(), sigma["value"].max()))
    axes.plot([0, most], [0, most], color=QUIET, linewidth=0.8, linestyle=":")
    axes.annotate("σ = μ*", (most * 0.97, most * 0.97), (-4, -2), textcoords="offset points", ha="right", va="top",
                  color=QUIET)  # fmt: skip
    axes.set_xlim(0, 1.08 * float(star["value"].max()) or None)  # None, where all are zero: as matplotlib has it
    axes.set_ylim(0, 1.15 * float(sigma["value"].max()) or None)
    for which, label in ((axes.xaxis, "mean size of effect, μ*"), (axes.yaxis, "spread, σ")):
        which.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
        which.set_label_text(f"{label} ({unit_of(finding)})")
    axes.grid()
    return figure


@styled
def settling(finding: Finding) -> Figure | None:
    """How the main index came to stand as blocks were added."""
    if finding.settled is None or finding.why_not or finding.path["n"].nunique() < 2:
        return None
    places = [int(place) for place in finding.main["factor"].head(len(LINES))]
    index = MAIN_INDEX[finding.method.name]
    names = [
        Line2D([], [], markersize=5, label=finding.factors[place].label[:48], **look)
        for place, look in zip(places, LINES)
    ]
    title = f"As blocks were added: {finding.settled.told}"
    figure = sheet_of(finding.source, title, 2.7, names, 2)
    axes = figure.subplots()
    sizes = sorted(finding.path["n"].unique())
    for number, (place, look) in enumerate(zip(places, LINES)):
        rows = finding.path[finding.path["factor"] == place].sort_values("n")
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
