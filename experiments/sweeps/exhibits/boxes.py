"""Where something happens: the boxes of scenario discovery, drawn and in words."""

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import INK, ORANGE, PALE, QUIET, row_label, sheet
from experiments.sweeps.discovery import Box
from experiments.sweeps.exhibits.looks import grid, hide, number_axis, with_unit
from experiments.sweeps.factors import Factor
from experiments.sweeps.findings import Event
from simulator.parameters import F64

MOST_PANELS = 6
MOST_POINTS = 1500  # in one panel
MANY_POINTS = 800  # from which on they are drawn as an image
GROUPS = 12  # into which worlds are sorted along a factor with many values
ENDS = 1e-9  # of the range of a factor: what counts as its end


def data(event: Event) -> Event | None:
    """Return an event with boxes; None without."""
    return event if event.discovery.boxes else None


# ---------- the figure


def draw(event: Event) -> Figure:
    """Draw the boxes from their sides: each pair of a box's factors, with the worlds inside its other bounds."""
    panels = [(box, side) for box in event.discovery.boxes for side in _sides(box)][:MOST_PANELS]
    columns, lines = grid(len(panels), 2)
    legend = [
        Line2D([], [], linestyle="", marker="^", markersize=5, color=ORANGE, label=event.in_words),
        Line2D([], [], linestyle="", marker="o", markersize=2.5, color=QUIET, label="all other"),
        Patch(facecolor="none", edgecolor=INK, linewidth=2, label="the box"),
    ]
    figure = sheet(event.source, f"Where {event.in_words}", 0.2 + 2.9 * lines, legend, 3)
    cells = figure.subplots(lines, columns, squeeze=False)
    hide(cells, len(panels))
    for axes, (box, side) in zip(cells.ravel(), panels):
        _side(axes, event, box, side) if len(side) > 1 else _share_along(axes, event, box, side[0])
        if len(event.discovery.boxes) > 1:
            axes.set_title(f"Box {event.discovery.boxes.index(box) + 1}", loc="left", fontweight="bold")
    return figure


def _sides(box: Box) -> list[tuple[int, ...]]:
    places = list(box.bounds)
    return [(places[0],)] if len(places) == 1 else list(combinations(places, 2))


def _side(axes: Any, event: Event, box: Box, pair: tuple[int, ...]) -> None:
    """Draw a scatter over two factors, of the worlds within the box's other bounds."""
    rest = Box({place: bound for place, bound in box.bounds.items() if place not in pair})
    inside = np.flatnonzero(rest.holds(event.design))[:MOST_POINTS]
    x, y = (_spread(event.factors[place], event.design[inside, place], place) for place in pair)
    happens = event.happens[inside]
    small: dict[str, Any] = {"linestyle": "", "rasterized": len(inside) > MANY_POINTS}
    axes.plot(x[~happens], y[~happens], marker="o", markersize=2.2, color=QUIET, markeredgewidth=0, **small)
    axes.plot(x[happens], y[happens], marker="^", markersize=4, color=ORANGE, **small)
    (left, right), (low, high) = (_ends(event.factors[place], box.bounds[place]) for place in pair)
    axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, edgecolor=INK, linewidth=2))
    _scale(axes.xaxis, event.factors[pair[0]])
    _scale(axes.yaxis, event.factors[pair[1]])


def _share_along(axes: Any, event: Event, box: Box, place: int) -> None:
    """Draw the share of worlds with the event along one factor, and the box's range."""
    factor, u = event.factors[place], event.design[:, place]
    group = factor.numbers(u).astype(int) if factor.choices else np.minimum((u * GROUPS).astype(int), GROUPS - 1)
    keys = np.unique(group)
    at = [float(np.median(factor.numbers(u[group == key]))) for key in keys]
    axes.plot(at, [event.happens[group == key].mean() for key in keys], color=ORANGE, marker="^", markersize=5)
    axes.axvspan(*_ends(factor, box.bounds[place]), facecolor=PALE, edgecolor=INK, linewidth=2, zorder=0)
    axes.set_ylim(0, 1.03)
    number_axis(axes.yaxis, "{:.0%}".format)
    axes.set_ylabel("share of worlds")
    _scale(axes.xaxis, factor)


def _spread(factor: Factor, u: F64, place: int) -> F64:
    """Return values; choices are scattered a little, so that points do not hide one another."""
    values = factor.numbers(u)
    if not factor.choices:
        return values
    return values + np.random.default_rng(place).uniform(-0.25, 0.25, len(u))


def _ends(factor: Factor, bound: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of a bound in the factor's values."""
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
        number_axis(axis)
    axis.set_label_text(row_label(with_unit(factor), 36))


def caption(event: Event) -> Caption:
    """Say how to read the figure, and where the boxes lie."""
    reading = (
        "Each sign is a world; those outside the box's other bounds are left out. A good box holds most triangles "
        "(coverage) and little else (density)."
    )
    return Caption(reading, " ".join(sentences(event)))


# ---------- the same in words


def sentences(event: Event) -> list[str]:
    """Return how common an event is, then its boxes, or why there are none."""
    discovery, name = event.discovery, event.in_words
    if not discovery.worlds:
        return ["Nothing is finished yet."]
    if event.luck == "unknown":
        return [f"In which worlds {name} is not told apart from luck, so no box is looked for."]
    first = f"{words.capital(name)} in {words.share(discovery.share)} of {discovery.worlds:,} worlds"
    first += {"in": ", the luck of their one run included.", "out": ", luck taken out."}.get(event.luck, ".")
    if not discovery.boxes:
        return [f"{first} No box is told: {discovery.why_none}."]
    return [first, *(_where(event, box) for box in discovery.boxes)]


def _where(event: Event, box: Box) -> str:
    """Return a box as a sentence, with coverage and density, here and in worlds held out."""
    bounds = words.listed([_bound(event.factors[place], *ends) for place, ends in box.bounds.items()])
    text = (
        f"Where {bounds}: there {event.in_words} in {words.share(box.density)} of {box.worlds:,} worlds "
        f"(density), and {words.share(box.coverage)} of all such worlds lie there (coverage)"
    )
    if box.held_out is None:
        return f"{text}."
    density, least = words.share(box.held_out.density), words.share(box.held_out.low)
    return (
        f"{text}. In worlds that were kept out when such a box was drawn, the density is {density} (at least {least})."
    )


def _bound(factor: Factor, low: float, high: float) -> str:
    """Return a bound in words: `Trust is above 0.4`, `decision dates: all on a committed date`."""
    if factor.choices:
        count = len(factor.choices)
        chosen = factor.choices[round(low * count) : round(high * count)]
        return f"{factor.label}: {' or '.join(words.setting(choice, factor.unit) for choice in chosen)}"
    left, right = (_value(factor, u) for u in (low, high))
    if low <= ENDS:
        return f"{factor.label} is below {right}"
    if high >= 1.0 - ENDS:
        return f"{factor.label} is above {left}"
    return f"{factor.label} lies between {left} and {right}"


def _value(factor: Factor, u: float) -> str:
    value = float(factor.numbers(np.array([u]))[0])
    if factor.unit in ("share", "0-1"):
        return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"
    return words.setting(float(f"{value:.3g}"), factor.unit)


EXHIBIT = Exhibit("boxes", data, draw, caption, narrow=True)
