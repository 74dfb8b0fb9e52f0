"""The answer: how net contracts change, at equal budget and at equal spending."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison import views
from experiments.comparison.exhibits.changes import Changes, changes
from experiments.comparison.frames import Frames
from experiments.comparison.verdicts import verdict
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import (
    INK,
    MARKS,
    QUIET,
    Verdict,
    beside,
    is_narrow,
    label_rows,
    over,
    plain,
    reach,
    rows_height,
    rule_rows,
    sheet,
)
from experiments.runs.measures import MAIN

VERDICTS: Mapping[Verdict, str] = {
    "better": "better than the base in at least 90% of draws",
    "worse": "better than the base in at most 10% of draws",
    "open": "not told apart from the base",
}


@dataclass(frozen=True)
class Answer:
    """Changes in net contracts at each basis. `relative`: whether they are told relative to the base."""

    bases: tuple[Changes, ...]
    relative: bool

    @property
    def form(self) -> words.Form:
        """How a change is written."""
        return words.percent if self.relative else words.signed

    @property
    def column(self) -> str:
        """The column of the effects that is shown."""
        return "relative" if self.relative else "difference"


def data(frames: Frames) -> Answer | None:
    """Return the changes in net contracts; None if nothing is compared."""
    shown = tuple(changes(frames, [MAIN], basis) for basis in views.bases(frames))
    return Answer(shown, views.uses_relative(frames)) if shown else None


# ---------- the figure


def draw(shown: Answer) -> Figure:
    """Draw a row for each scenario with its 90% interval, equal budget beside equal spending."""
    first = shown.bases[0].lineup
    tables = [part.effects[MAIN] for part in shown.bases]
    limits = _limits(tables, shown.column)
    labels = [first.titles[scenario] for scenario in first.ranked]
    lines = len(shown.bases) if is_narrow() else 1  # of panels
    body = lines * (0.8 + max(1.05, rows_height(labels, 0.35)))
    figure = sheet(first.source, f"Net contracts against “{first.titles[first.base]}”", body, _legend())
    panels = figure.subplots(lines, len(shown.bases) // lines, sharey=True, squeeze=False).ravel()
    for axes, part, table in zip(panels, shown.bases, tables):
        _panel(axes, table, shown, limits)
        axes.set_xlabel("change in net contracts" + ("" if shown.relative else " (number)"))
        axes.set_title(part.heading, loc="left", fontweight="bold", pad=18)
    for axes in panels[:lines]:
        label_rows(axes, labels, 24)
    return figure


def _limits(tables: Sequence[pd.DataFrame], name: str) -> tuple[float, float]:
    """Return the ends of the axis, each side as far as there is something to show."""
    ends = [x for table in tables for x in table[[name, f"{name}_low", f"{name}_high"]].to_numpy(float).ravel()]
    down, up = [x for x in ends if x < 0], [x for x in ends if x > 0]
    low, high = reach(down) if down else 0.0, reach(up) if up else 0.0
    if not any(x > -0.99 for x in down):
        low = min(low, high or low)
    wide = max(low, high)
    return -max(low, 0.2 * wide), max(high, 0.2 * wide)


def _panel(axes: Any, table: pd.DataFrame, shown: Answer, limits: tuple[float, float]) -> None:
    """Draw one row per scenario: interval, mark, and both numbers at the right."""
    axes.set_xlim(limits)
    _scale(axes, shown.form)
    for y, (_, row) in enumerate(table.iterrows()):
        if math.isfinite(row[shown.column]):
            _mark(axes, y, row, shown.column, limits)
            beside(axes, y, 41, shown.form(row[shown.column]), fontweight="bold")
            beside(axes, y, 76, words.share(row["p_better"]), color=QUIET)
        else:
            axes.text(np.mean(limits), y, "not matched", ha="center", va="center", color=QUIET)
    over(axes, 41, "mean")
    over(axes, 76, "better", color=QUIET)
    axes.tick_params(axis="y", length=0)
    if not is_narrow():  # there the labels bring them
        rule_rows(axes, len(table))


def _scale(axes: Any, form: words.Form) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value).removeprefix("+")))
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.axvline(0, color=INK, linewidth=1)
    axes.grid(axis="x")
    plain(axes, spine="bottom")


def _mark(axes: Any, y: int, row: pd.Series, name: str, limits: tuple[float, float]) -> None:
    """Draw a mean with its interval, and arrowheads where they go beyond the axis."""
    middle, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    look = MARKS[verdict(row)]
    if math.isfinite(low) and math.isfinite(high):
        axes.plot(
            np.clip([low, high], *limits), [y, y], color=look["color"], linewidth=1.6, solid_capstyle="butt"
        )  # fmt: skip
    beyond = {"linestyle": "", "color": look["color"], "clip_on": False}
    if min(middle, low) < limits[0]:
        axes.plot([limits[0]], [y], marker="<", **beyond)
    if max(middle, high) > limits[1]:
        axes.plot([limits[1]], [y], marker=">", **beyond)
    if limits[0] <= middle <= limits[1]:
        axes.plot([middle], [y], linestyle="", **look)


def _legend() -> list[Line2D]:
    marks = [Line2D([], [], linewidth=1.6, label=text, **MARKS[verdict]) for verdict, text in VERDICTS.items()]
    words_only = "line: 90% interval; arrowhead: beyond the scale; “better”: share of draws in which it is better"
    return [*marks, Line2D([], [], linestyle="", label=words_only)]


# ---------- the same in words


def caption(shown: Answer) -> Caption:
    """Say how to read the figure, and by how much net contracts change."""
    parts = []
    for part in shown.bases:
        rows = part.effects[MAIN]
        changes = [f"{part.lineup.titles[scenario]} {_change(row, shown)}" for scenario, row in rows.iterrows()]
        parts.append(f"At {part.basis}: {'; '.join(changes)}.")
    reading = (
        "Each line spans 90% of the draws, the mark is their mean. Triangles stand for scenarios that are told apart "
        "from the base; a circle means that the draws do not agree on better or worse. Equal budget: the same money on "
        "offer unless the scenario itself changes it. Equal spending: budgets scaled until the same money is paid out."
    )
    return Caption(reading, f"Dots with 90% intervals: change in net contracts against the base. {' '.join(parts)}")


def _change(row: pd.Series, shown: Answer) -> str:
    mean, low, high = (row[f"{shown.column}{end}"] for end in ("", "_low", "_high"))
    if not math.isfinite(mean):
        return "not matched"
    interval, better = words.between(low, high, shown.form), words.share(row["p_better"])
    return f"{shown.form(mean)} ({interval}), better in {better} of draws"


EXHIBIT = Exhibit("answer", data, draw, caption, narrow=True)
