"""Which factors act together: the share of the variance that goes only when both of a pair are known."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, inches_of, is_narrow, plain, row_label, sheet, width_now
from experiments.exhibits.table import Row, Table
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import HOLLOW, form_of, labels_of, number_keys
from experiments.sweeps.exhibits.ranking import cell
from experiments.sweeps.findings import Finding
from experiments.sweeps.indices import LABELS

MOST = 8  # factors in the figure: the strongest
WRITTEN = 5  # factors up to which their names stand at the axes
NAMED, PAIRS = 2, 5  # pairs in the sentence, in the alternative text
MUCH = 0.1  # share of the variance that pairs must hold to be spoken of
LISTED = 15  # pairs in the table: the strongest


def data(finding: Finding) -> Finding | None:
    """Return a finding with indices of pairs; None without."""
    return None if finding.why_not or not (finding.indices["index"] == "S2").any() else finding


def draw(finding: Finding) -> Figure:
    """Draw a square for each pair of the strongest factors."""
    places = sorted(finding.order[:MOST])
    labels, numbered = labels_of(finding, places), is_narrow() or len(places) > WRITTEN
    square: dict[str, Any] = {"linestyle": "", "marker": "s", "markersize": 9, "color": BLUE}
    legend = [
        Line2D([], [], label="interval above zero (area: share)", **square),
        Line2D([], [], markerfacecolor="white", label=HOLLOW.replace("doing nothing", "nothing"), **square),
        *(number_keys(labels) if numbered else ()),
    ]
    figure = sheet(finding.source, "Which factors act together (S2)", 0.9 + 0.75 * (len(places) - 1), legend, 2)
    axes = figure.subplots()
    width = (width_now() - (0.5 if numbered else 2.0)) / (len(places) - 1)
    pairs = finding.rows("S2")
    for i, upper in enumerate(places):
        for j, other in enumerate(places[i + 1 :], start=i + 1):
            _pair(axes, (i, j), pairs.loc[(upper, other)], width)
    axes.set_xlim(-0.6, len(places) - 1.4)
    axes.set_ylim(len(places) - 0.35, 0.45)
    names = [str(number) for number in range(1, len(places) + 1)] if numbered else [row_label(x, 22) for x in labels]
    axes.set_xticks(range(len(places) - 1), names[:-1])
    axes.set_yticks(range(1, len(places)), names[1:])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    plain(axes)
    return figure


def _pair(axes: Any, at: tuple[int, int], row: pd.Series, width: float) -> None:
    """Draw a pair's square with its share and, where `width` inches hold it, the interval."""
    size = float(np.clip(row["value"], 0.004, 0.3)) * min(1.0, width / 0.7) ** 2
    face = BLUE if row["low"] > 0.0 else "white"
    axes.scatter(*at, marker="s", s=3600 * size, facecolor=face, edgecolor=BLUE, linewidth=1.2)
    value, low, high = (form_of("S2")(row[name]) for name in ("value", "low", "high"))
    interval = f"({low} to {high})"
    text = f"{value}\n{interval}" if inches_of(interval, size=8) < width else value
    axes.annotate(text, at, (0, -17), textcoords="offset points", ha="center", va="top", fontsize=8)


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and which pairs act together most."""
    rows = finding.rows("S2").sort_values("value", ascending=False).head(PAIRS)
    pairs = words.listed([_in_words(finding, pair, row) for pair, row in rows.iterrows()])
    return answer.caption(
        finding,
        "The share of the variance that goes only when both factors are known, with its 90% interval (where there is "
        "no room for it: in the tables). Hollow: not told apart from nothing.",
        f"Largest shares of pairs: {pairs}.",
    )


def sentence(finding: Finding) -> str:
    """Return how much goes with factors by themselves, and which pairs hold the rest; "" where that is not known."""
    if finding.method.name != "sobol" or finding.why_not:
        return ""
    alone = float(finding.rows("S1")["value"].clip(lower=0.0).sum())
    if not math.isfinite(alone):
        return ""
    if alone > 1.0 - MUCH:
        return "The factors act next to independently of one another."
    text = f"By themselves the factors account for {alone:.0%} of the variance; the rest comes from factors together"
    if not (finding.indices["index"] == "S2").any():
        return f"{text}."
    pairs = finding.rows("S2").sort_values("value", ascending=False)
    sure = [_in_words(finding, pair, row) for pair, row in pairs[pairs["low"] > 0.0].head(NAMED).iterrows()]
    which = f"most of it {words.listed(sure)}" if sure else "of which no single pair is told apart from none"
    return f"{text}, {which}."


def _in_words(finding: Finding, pair: Any, row: pd.Series) -> str:
    a, b = (finding.factors[int(place)].label for place in pair)
    value, low, high = (form_of("S2")(row[name]) for name in ("value", "low", "high"))
    return f"{a} with {b} ({value}, {low} to {high})"


def tables(finding: Finding) -> list[Table]:
    """Return the pairs that act together most."""
    rows = finding.rows("S2").sort_values("value", ascending=False).head(LISTED)
    shown = tuple(
        Row(f"{finding.factors[int(a)].label} with {finding.factors[int(b)].label}", (cell(row, "S2"),))
        for (a, b), row in rows.iterrows()
    )
    return [Table("Pairs of factors", "Pair", (LABELS["S2"],), shown)]


EXHIBIT = Exhibit("interactions", data, draw, caption, tables, narrow=True)
