"""How the main index came to stand as blocks were added."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, GREEN, INK, ORANGE, QUIET, SKY, sheet
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import bounds, form_of, number_axis
from experiments.sweeps.findings import Finding
from experiments.sweeps.indices import LABELS, MAIN_INDEX

# One for each of the strongest factors.
LINES: tuple[dict[str, Any], ...] = (
    {"color": INK, "linestyle": "-", "marker": "o"},
    {"color": BLUE, "linestyle": "--", "marker": "s"},
    {"color": ORANGE, "linestyle": "-.", "marker": "^"},
    {"color": GREEN, "linestyle": ":", "marker": "D"},
    {"color": QUIET, "linestyle": "-", "marker": "v"},
    {"color": SKY, "linestyle": "-", "marker": "x"},
)


def data(finding: Finding) -> Finding | None:
    """Return a finding with indices at two sizes or more; None without."""
    if finding.settled is None or finding.why_not or finding.path["n"].nunique() < 2:
        return None
    return finding


def draw(finding: Finding) -> Figure:
    """Draw the main index of the strongest factors, from few blocks to all of them."""
    assert finding.settled is not None
    places = finding.order[: len(LINES)]
    index = MAIN_INDEX[finding.method.name]
    path = bounds(finding.path) if index == "bound" else finding.path
    names = [
        Line2D([], [], markersize=5, label=finding.factors[place].label, **look) for place, look in zip(places, LINES)
    ]
    figure = sheet(finding.source, f"As blocks were added: {finding.settled.in_words}", 2.7, names, 2)
    axes = figure.subplots()
    sizes = sorted(path["n"].unique())
    for number, (place, look) in enumerate(zip(places, LINES)):
        rows = path[path["factor"] == place].sort_values("n")
        at = np.arange(len(rows)) + 0.07 * (number - (len(places) - 1) / 2)
        axes.plot(at, rows["value"], markersize=5, linewidth=1, **look)
        axes.vlines(at, rows["low"], rows["high"], color=look["color"], linewidth=1.2)
    axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
    axes.set_xlabel("blocks")
    number_axis(axes.yaxis, form_of(index))
    axes.set_ylabel(LABELS[index])
    axes.axhline(0, color=INK, linewidth=1)
    axes.grid(axis="y")
    return figure


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and how the strongest factor came to stand."""
    assert finding.settled is not None
    index, first = MAIN_INDEX[finding.method.name], finding.order[0]
    rows, form = finding.path[finding.path["factor"] == first].sort_values("n"), form_of(index, finding.unit)
    values = [f"{form(value)} at {n:,}" for n, value in zip(rows["n"], rows["value"])]
    return answer.caption(
        finding,
        "The same runs, the first blocks alone at the left, all of them at the right; lines are 90% intervals.",
        f"{words.capital(finding.settled.in_words)}. {finding.factors[first].label}, by blocks: {', '.join(values)}.",
    )


EXHIBIT = Exhibit("settling", data, draw, caption, narrow=True)
