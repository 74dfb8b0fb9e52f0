"""Morris's plane: how large the effects of factors are, and how much they depend on where the others stand."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, QUIET, fitted, sheet
from experiments.sweeps.convergence import above_nothing
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import HOLLOW, form_of, labels_of, number_axis, number_keys, outcome_of
from experiments.sweeps.findings import Finding

NAMED = 5  # factors in the alternative text
MOST = 12  # factors with a number: the strongest


def data(finding: Finding) -> Finding | None:
    """Return a finding by Morris's method; None of another."""
    return finding if finding.method.name == "morris" and not finding.why_not else None


def draw(finding: Finding) -> Figure:
    """Draw each factor at the mean size and the spread of its effects."""
    star, sigma = finding.rows("mu_star")["value"], finding.rows("sigma")["value"]
    places = finding.order[:MOST]
    dot: dict[str, Any] = {"marker": "o", "linestyle": "", "color": BLUE}
    legend = [
        Line2D([], [], markersize=5, label="told apart from doing nothing", **dot),
        Line2D([], [], markersize=5, markerfacecolor="white", label=HOLLOW, **dot),
        *number_keys(labels_of(finding, places)),
    ]
    title = "Size of effects, and how much they depend on the other factors"
    figure = sheet(finding.source, title, 3.4, legend, 2)
    axes = figure.subplots()
    clear = above_nothing(finding.main, finding.indices)
    for place in star.index:
        face, strong = BLUE if place in clear else "white", place in places
        axes.plot(
            star[place], sigma[place], markersize=5 if strong else 3, markerfacecolor=face, zorder=3 if strong else 2,
            **dot,
        )  # fmt: skip
    for number, place in enumerate(places, start=1):
        at = star[place], sigma[place]
        axes.annotate(str(number), at, (5, 3), textcoords="offset points", fontweight="bold")
    most = float(min(1.08 * star.max(), 1.15 * sigma.max()))  # within both axes, so that the line's name is seen
    axes.plot([0, most], [0, most], color=QUIET, linewidth=0.8, linestyle=":")
    at = (most * 0.97, most * 0.97)
    axes.annotate("σ = μ*", at, (0, -10), textcoords="offset points", ha="right", va="top", color=QUIET)
    axes.set_xlim(0, 1.08 * float(star.max()) or None)  # None, where all are zero: as matplotlib has it
    axes.set_ylim(0, 1.15 * float(sigma.max()) or None)
    for axis, label in ((axes.xaxis, "mean size of effect, μ*"), (axes.yaxis, "spread, σ")):
        number_axis(axis)
        axis.set_label_text(fitted(f"{label} ({outcome_of(finding)})", 2.6))
    axes.grid()
    return figure


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and where the strongest factors stand."""
    star, sigma = finding.rows("mu_star")["value"], finding.rows("sigma")["value"]
    form = form_of("mu_star", finding.unit)
    strongest = [
        f"{finding.factors[place].label}: μ* {form(star[place])}, σ {form(sigma[place])}"
        for place in finding.order[:NAMED]
    ]
    return answer.caption(
        finding,
        "To the right: factors with large effects. High up: factors whose effect depends on where the others stand, or "
        "is not a straight line. Hollow: not told apart from doing nothing. Small dots: all other factors.",
        f"{'; '.join(strongest)}.",
    )


EXHIBIT = Exhibit("screening", data, draw, caption, narrow=True)
