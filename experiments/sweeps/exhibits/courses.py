"""How the outcome goes with each factor."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, SKY, fitted, row_label, sheet
from experiments.runs.measures import ENDS
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import form_of, grid, hide, number_axis, outcome_of, panel_title, with_unit
from experiments.sweeps.findings import Finding
from experiments.sweeps.methods import from_quantiles

MOST = 6  # panels
GROUPS = 8  # into which the points are sorted along a factor with many values
LONG_NUMBERS = 1e4  # from which on there is room for fewer numbers on an axis


def data(finding: Finding) -> Finding | None:
    """Return a finding with points all over the space of factors; None without."""
    if finding.method.name == "tornado" or not len(finding.y) or (finding.why_not and not finding.indices.empty):
        return None
    return finding if _factors(finding) else None


def _factors(finding: Finding) -> list[int]:
    """Return the strongest factors; without indices, those of the boxes, then those that the outcome goes with."""
    if not finding.indices.empty:
        return finding.order[:MOST]
    of_boxes = [place for box in (finding.boxes.discovery.boxes if finding.boxes else ()) for place in box.bounds]
    ranks = pd.DataFrame(finding.design).rank()
    strength = ranks.corrwith(pd.Series(finding.y.mean(axis=1)).rank()).abs().sort_values(ascending=False)
    return [*dict.fromkeys([*of_boxes, *(int(place) for place in strength.index)])][:MOST]


def draw(finding: Finding) -> Figure:
    """Draw a panel for each of the strongest factors: means along it, and 90% of the points."""
    places = _factors(finding)
    columns, lines = grid(len(places), 3)
    legend = [
        Line2D([], [], color=BLUE, marker="o", markersize=4, label="mean"),
        Patch(facecolor=SKY, alpha=0.6, label="90% of the points"),
    ]
    figure = sheet(finding.source, "How the outcome goes with each factor", 0.3 + 1.9 * lines, legend, 2)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    hide(panels, len(places))
    for axes, place in zip(panels.ravel(), places):
        _panel(axes, finding, place)
    for axes in panels[:, 0]:
        axes.set_ylabel(fitted(outcome_of(finding), 1.6))
    return figure


def _panel(axes: Any, finding: Finding, place: int) -> None:
    factor, course = finding.factors[place], _course(finding, place)
    at, mean, low, high = (course[name].to_numpy() for name in ("at", "mean", "low", "high"))
    if factor.choices:
        axes.vlines(at, low, high, color=SKY, linewidth=9, alpha=0.6)
        names = [words.setting(factor.choices[int(key)], factor.unit) for key in at]
        axes.set_xticks(at, [row_label(name, 14) for name in names])
        axes.set_xlim(at.min() - 0.5, at.max() + 0.5)
    else:
        axes.fill_between(at, low, high, color=SKY, alpha=0.6, linewidth=0)
        axes.xaxis.set_major_locator(MaxNLocator(3 if at.max() >= LONG_NUMBERS else 4))
        number_axis(axes.xaxis)
    axes.plot(at, mean, color=BLUE, marker="o", markersize=4, linestyle="" if factor.choices else "-")
    axes.axhline(0, color=INK, linewidth=0.8)
    number_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y")
    axes.set_title(fitted(with_unit(factor), panel_title()), loc="left", fontsize=9)


def _course(finding: Finding, place: int) -> pd.DataFrame:
    """Return columns at (the factor's value), mean, low and high (90% of the points), for groups of points."""
    factor, u, y = finding.factors[place], finding.design[:, place], finding.y.mean(axis=1)
    group = _groups(finding, place)
    rows = []
    for key in np.unique(group):
        inside = group == key
        at = float(key) if factor.choices else float(np.median(factor.numbers(u[inside])))
        rows.append((at, y[inside].mean(), *np.quantile(y[inside], ENDS)))
    return pd.DataFrame(rows, columns=["at", "mean", "low", "high"])


def _ends(finding: Finding, place: int, form: words.Form) -> str:
    """Return the mean outcome at the low and at the high end of a factor."""
    mean = _course(finding, place)["mean"]
    return f"{form(mean.iloc[0])} to {form(mean.iloc[-1])}"


def _groups(finding: Finding, place: int) -> npt.NDArray[np.int64]:
    """Return the group of each point along a factor: its choice, its level or its part of the range."""
    factor, u = finding.factors[place], finding.design[:, place]
    if factor.choices:
        return factor.numbers(u).astype(np.int64)
    if finding.method.name == "morris":
        levels = int(finding.method["levels"])
        return np.rint(from_quantiles(u, levels) * (levels - 1)).astype(np.int64)
    return np.minimum((u * GROUPS).astype(np.int64), GROUPS - 1)


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and from where to where the mean goes."""
    form = form_of("mu_star", finding.unit)
    ends = [f"{finding.factors[place].label} {_ends(finding, place, form)}" for place in _factors(finding)]
    return answer.caption(
        finding,
        "Each panel holds all points, grouped by one factor; all other factors vary. A flat line within a wide band is "
        "a factor that does little.",
        f"Mean outcome from the low to the high end of each factor: {'; '.join(ends)}.",
    )


EXHIBIT = Exhibit("courses", data, draw, caption, narrow=True)
