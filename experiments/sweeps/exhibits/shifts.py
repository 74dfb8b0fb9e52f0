"""PAWN's curves: how the whole distribution of the outcome moves with a factor."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, GREEN, INK, ORANGE, fitted, sheet
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import form_of, grid, hide, number_axis, outcome_of, panel_title
from experiments.sweeps.findings import Finding
from experiments.sweeps.methods import in_blocks
from simulator.parameters import F64

MOST = 6  # panels
THIRDS: dict[str, dict[str, Any]] = {
    "low third": {"color": ORANGE, "linestyle": "-.", "linewidth": 1.6},
    "middle third": {"color": GREEN, "linestyle": ":", "linewidth": 1.6},
    "high third": {"color": BLUE, "linestyle": "--", "linewidth": 1.6},
}


def data(finding: Finding) -> Finding | None:
    """Return a finding by PAWN; None of another method."""
    return finding if finding.method.name == "pawn" and not finding.why_not else None


def draw(finding: Finding) -> Figure:
    """Draw a panel for each of the strongest factors: the outcome where it is low, middling and high, and of all."""
    places = finding.order[:MOST]
    columns, lines = grid(len(places), 3)
    legend = [Line2D([], [], color=INK, linewidth=2, label="all points")]
    legend += [Line2D([], [], label=f"factor in its {name}", **look) for name, look in THIRDS.items()]
    figure = sheet(finding.source, "How the whole distribution moves with a factor", 0.3 + 1.9 * lines, legend, 2)
    panels = figure.subplots(lines, columns, sharey=True, sharex=True, squeeze=False)
    hide(panels, len(places))
    for axes, place in zip(panels.ravel(), places):
        _distribution(axes, _outcomes(finding), color=INK, linewidth=2)
        for part, look in zip(_thirds(finding, place), THIRDS.values()):
            _distribution(axes, part, **look)
        axes.set_title(fitted(finding.factors[place].label, panel_title()), loc="left", fontsize=9)
        number_axis(axes.xaxis)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        number_axis(axes.yaxis, "{:.0%}".format)
        axes.grid()
    for axes in panels[:, 0]:
        axes.set_ylabel("share of points below")
    for axes in panels[-1]:
        axes.set_xlabel(fitted(outcome_of(finding), 1.8))
    return figure


def _outcomes(finding: Finding) -> F64:
    """Return the outcome of each point, means over runs."""
    return np.asarray(in_blocks(finding.method, finding.design.shape[1], finding.y)[:, 0].mean(axis=1))


def _thirds(finding: Finding, place: int) -> list[F64]:
    """Return the outcomes of points in the low, middle and high third of a factor."""
    y, third = _outcomes(finding), np.minimum((finding.design[:, place] * 3).astype(int), 2)
    return [y[third == number] for number in range(3)]


def _distribution(axes: Any, y: F64, **look: Any) -> None:
    axes.step(np.sort(y), np.arange(1, len(y) + 1) / len(y), **look)


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and how the median of the outcome moves."""
    form = form_of("mu_star", finding.unit)
    medians = [
        f"{finding.factors[place].label} {', '.join(form(float(np.median(y))) for y in _thirds(finding, place))}"
        for place in finding.order[:MOST]
    ]
    return answer.caption(
        finding,
        "Each curve tells for a value on the axis below which share of points lies under it. Where the broken curves "
        "leave the black one, the factor moves the distribution.",
        f"Median outcome in the low, middle and high third of each factor: {'; '.join(medians)}.",
    )


EXHIBIT = Exhibit("shifts", data, draw, caption, narrow=True)
