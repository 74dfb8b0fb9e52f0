"""Figures of the space of factors: how the outcome goes with them, and the boxes in which something turns round."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.exhibits import words
from experiments.exhibits.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    QUIET,
    SKY,
    fitted,
    is_narrow,
    row_label,
    sheet_of,
    styled,
)
from experiments.sweeps.discovery import Box
from experiments.sweeps.factors import Factor
from experiments.sweeps.figures import outcome_of
from experiments.sweeps.findings import Finding, Found
from experiments.sweeps.methods import from_quantiles, in_blocks
from simulator.parameters import F64

MOST_PANELS = 6
MOST_POINTS = 1500  # in one panel


def _grid(panels: int, most: int) -> tuple[int, int]:
    """Columns (one on a phone) and lines of so many panels."""
    columns = 1 if is_narrow() else min(most, panels)
    return columns, -(-panels // columns)


def _panel() -> float:
    """Inches of a panel's width that a title has."""
    return 2.6 if is_narrow() else 1.75


@styled
def courses(finding: Finding, base: str = "") -> Figure | None:
    """How the outcome goes with the strongest factors: means, and 90% of the points, along each of them."""
    if finding.method.name == "tornado" or not len(finding.y) or (finding.why_not and not finding.found.empty):
        return None
    places = _telling_factors(finding)
    if not places:
        return None
    columns, lines = _grid(len(places), 3)
    legend = [
        Line2D([], [], color=BLUE, marker="o", markersize=4, label="mean"),
        Patch(facecolor=SKY, alpha=0.6, label="90% of the points"),
    ]
    figure = sheet_of(finding.source, "How the outcome goes with each factor", 0.3 + 1.9 * lines, legend, 2)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes in panels.ravel()[len(places) :]:
        axes.set_visible(False)
    for axes, place in zip(panels.ravel(), places):
        _course(axes, finding, place)
    for axes in panels[:, 0]:
        axes.set_ylabel(fitted(outcome_of(finding, base), 1.6))
    return figure


def _telling_factors(finding: Finding) -> list[int]:
    """The strongest factors; without indices, those that the boxes are made of, else those the outcome goes with."""
    if not finding.found.empty:
        return [int(place) for place in finding.main["factor"].head(6)]
    from_boxes = [place for box in (finding.boxes.discovery.boxes if finding.boxes else ()) for place in box.bounds]
    ranks = pd.DataFrame(finding.design).rank()
    strength = ranks.corrwith(pd.Series(finding.y.mean(axis=1)).rank()).abs().sort_values(ascending=False)
    return [*dict.fromkeys([*from_boxes, *(int(place) for place in strength.index)])][:6]


def _course(axes: Any, finding: Finding, place: int) -> None:
    factor, u, y = finding.factors[place], finding.design[:, place], finding.y.mean(axis=1)
    if factor.choices:
        group = factor.numbers(u).astype(int)
    elif finding.method.name == "morris":
        levels = int(finding.method["levels"])
        group = np.rint(from_quantiles(u, levels) * (levels - 1)).astype(int)
    else:
        group = np.minimum((u * 8).astype(int), 7)
    keys = np.unique(group)
    mean = [y[group == key].mean() for key in keys]
    low, high = ([np.quantile(y[group == key], q) for key in keys] for q in (0.05, 0.95))
    if factor.choices:
        at = keys.astype(float)
        axes.vlines(at, low, high, color=SKY, linewidth=9, alpha=0.6)
        names = [words.setting(factor.choices[key], factor.unit) for key in keys]
        axes.set_xticks(at, [row_label(name, 14) for name in names])
        axes.set_xlim(at.min() - 0.5, at.max() + 0.5)
    else:
        at = np.array([np.median(factor.numbers(u[group == key])) for key in keys])
        axes.fill_between(at, low, high, color=SKY, alpha=0.6, linewidth=0)
        axes.xaxis.set_major_locator(MaxNLocator(3 if at.max() >= 1e4 else 4))  # long numbers need room
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    axes.plot(at, mean, color=BLUE, marker="o", markersize=4, linestyle="" if factor.choices else "-")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y")
    unit = "" if factor.choices or factor.unit in ("yes or no", "choice", "") else f" ({factor.unit})"
    axes.set_title(fitted(factor.label + unit, _panel()), loc="left", fontsize=9)


@styled
def shifts(finding: Finding, base: str = "") -> Figure | None:
    """PAWN's curves: the distribution of the outcome where a factor is low, middling and high, against that of all."""
    if finding.method.name != "pawn" or finding.why_not:
        return None
    places = [int(place) for place in finding.main["factor"].head(6)]
    columns, lines = _grid(len(places), 3)
    looks: tuple[tuple[str, str, Any], ...] = (
        ("low third", ORANGE, "-."), ("middle third", GREEN, ":"), ("high third", BLUE, "--"),
    )  # fmt: skip
    legend = [Line2D([], [], color=INK, linewidth=2, label="all points")]
    legend += [Line2D([], [], color=colour, linestyle=line, linewidth=1.6, label=f"factor in its {name}")
               for name, colour, line in looks]  # fmt: skip
    figure = sheet_of(finding.source, "How the whole distribution moves with a factor", 0.3 + 1.9 * lines, legend, 2)
    panels = figure.subplots(lines, columns, sharey=True, sharex=True, squeeze=False)
    y = in_blocks(finding.method, finding.design.shape[1], finding.y)[:, 0].mean(axis=1)
    for axes in panels.ravel()[len(places) :]:
        axes.set_visible(False)
    for axes, place in zip(panels.ravel(), places):
        third = np.minimum((finding.design[:, place] * 3).astype(int), 2)
        axes.step(np.sort(y), np.arange(1, len(y) + 1) / len(y), color=INK, linewidth=2)
        for number, (_, colour, line) in enumerate(looks):
            inside = np.sort(y[third == number])
            axes.step(inside, np.arange(1, len(inside) + 1) / len(inside), color=colour, linestyle=line, linewidth=1.6)
        axes.set_title(fitted(finding.factors[place].label, _panel()), loc="left", fontsize=9)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.grid()
    for axes in panels[:, 0]:
        axes.set_ylabel("share of points below")
    for axes in panels[-1]:
        axes.set_xlabel(fitted(outcome_of(finding, base), 1.8))
    return figure


@styled
def boxes(found: Found) -> Figure | None:
    """The boxes seen from their sides: each pair of a box's factors, with the worlds inside its other bounds."""
    panels = [(box, pair) for box in found.discovery.boxes for pair in _sides(box)][:MOST_PANELS]
    if not panels:
        return None
    columns, lines = _grid(len(panels), 2)
    legend = [
        Line2D([], [], linestyle="", marker="^", markersize=5, color=ORANGE, label=found.event_in_words),
        Line2D([], [], linestyle="", marker="o", markersize=2.5, color=QUIET, label="all other"),
        Patch(facecolor="none", edgecolor=INK, linewidth=2, label="the box"),
    ]
    title = f"Where {found.event_in_words}"
    figure = sheet_of(found.source, title, 0.2 + 2.9 * lines, legend, 3)
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes, (box, pair) in zip(grid, panels):
        _side(axes, found, box, pair) if len(pair) > 1 else _share_along(axes, found, box, pair[0])
        if len(found.discovery.boxes) > 1:
            axes.set_title(f"Box {found.discovery.boxes.index(box) + 1}", loc="left", fontweight="bold")
    return figure


def _sides(box: Box) -> list[tuple[int, ...]]:
    places = list(box.bounds)
    return [(places[0],)] if len(places) == 1 else list(combinations(places, 2))


def _side(axes: Any, found: Found, box: Box, pair: tuple[int, ...]) -> None:
    """A scatter over two factors, of the worlds that lie within the box's other bounds."""
    rest = Box({place: bound for place, bound in box.bounds.items() if place not in pair})
    shown = np.flatnonzero(rest.holds(found.design))[:MOST_POINTS]
    x, y = (_spread(found.factors[place], found.design[shown, place], place) for place in pair)
    event = found.event[shown]
    small: dict[str, Any] = {"linestyle": "", "rasterized": len(shown) > 800}
    axes.plot(x[~event], y[~event], marker="o", markersize=2.2, color=QUIET, markeredgewidth=0, **small)
    axes.plot(x[event], y[event], marker="^", markersize=4, color=ORANGE, **small)
    (left, right), (low, high) = (_ends(found.factors[place], box.bounds[place]) for place in pair)
    axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, edgecolor=INK, linewidth=2))
    _scale(axes.xaxis, found.factors[pair[0]])
    _scale(axes.yaxis, found.factors[pair[1]])


def _share_along(axes: Any, found: Found, box: Box, place: int) -> None:
    """The share of worlds with the event along one factor, the box's range framed."""
    factor, u = found.factors[place], found.design[:, place]
    group = factor.numbers(u).astype(int) if factor.choices else np.minimum((u * 12).astype(int), 11)
    keys = np.unique(group)
    at = [float(np.median(factor.numbers(u[group == key]))) for key in keys]
    axes.plot(at, [found.event[group == key].mean() for key in keys], color=ORANGE, marker="^", markersize=5)
    axes.axvspan(*_ends(factor, box.bounds[place]), facecolor=PALE, edgecolor=INK, linewidth=2, zorder=0)
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_ylabel("share of worlds")
    _scale(axes.xaxis, factor)


def _spread(factor: Factor, u: F64, place: int) -> F64:
    """Values; choices are scattered a little, so that points do not hide one another."""
    values = factor.numbers(u)
    if not factor.choices:
        return values
    return values + np.random.default_rng(place).uniform(-0.25, 0.25, len(u))


def _ends(factor: Factor, bound: tuple[float, float]) -> tuple[float, float]:
    """The ends of a bound in the factor's values."""
    if factor.choices:
        count = len(factor.choices)
        return round(bound[0] * count) - 0.5, round(bound[1] * count) - 0.5
    low, high = (float(value) for value in factor.numbers(np.array(bound)))
    return low, high


def _scale(axis: Any, factor: Factor) -> None:
    if factor.choices:
        names = [row_label(words.setting(choice, factor.unit), 12) for choice in factor.choices]
        axis.set_ticks(range(len(names)), names)
    else:
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    unit = "" if factor.choices or factor.unit in ("yes or no", "choice", "") else f" ({factor.unit})"
    axis.set_label_text(row_label(factor.label + unit, 36))
