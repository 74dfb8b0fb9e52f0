"""Figures of the validation: real beside simulated, intervals that hold what they claim, what was learned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.exhibits.style import BLUE, INK, ORANGE, PALE, QUIET, label_rows, plain, sheet_of, styled
from experiments.validation.study import Validation

ROW = 0.27  # inches of a row
REAL: dict[str, Any] = {"marker": "D", "color": ORANGE, "markersize": 5.5, "linestyle": "none", "markeredgecolor": INK}
WIDE: dict[str, Any] = {"color": BLUE, "linewidth": 1.4, "solid_capstyle": "butt"}
NARROW: dict[str, Any] = {"color": BLUE, "linewidth": 5.0, "solid_capstyle": "butt"}


def source_line(found: Validation) -> str:
    """What a figure rests on."""
    draws = found.manifest.get("draws", 0)
    posterior = found.manifest.get("posterior", "")
    return f"innovex, {draws:,} draws of posterior {posterior}; real numbers: Wise 2017 and what is derived from it."


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], **REAL, label="real"),
        Line2D([], [], **NARROW, label="simulated, 50%"),
        Line2D([], [], **WIDE, label="simulated, 90%"),
    ]


@styled
def survey(found: Validation) -> Figure | None:
    """Every survey share, real and simulated."""
    frame = found.tables["predictive"]
    frame = frame[frame["block"] == "survey"]
    if frame.empty:
        return None
    typical = int((frame["verdict"] == "typical").sum())
    title = f"The survey’s tables: {typical} of {len(frame)} real shares are typical of the fitted model"
    figure = sheet_of(source_line(found), title, 0.6 + ROW * 1.35 * len(frame), _legend(), 3)
    axes = figure.subplots()
    _intervals(axes, frame, 100.0)
    axes.plot(100.0 * frame["real"], range(len(frame)), **REAL)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of those who answered, %")
    label_rows(axes, _labels(frame), 44)
    plain(axes, spine="bottom")
    return figure


@styled
def calls(found: Validation) -> Figure | None:
    """Every statistic of the calls, simulated over real."""
    frame = found.tables["predictive"]
    frame = frame[(frame["block"] == "programme") & (frame["real"] > 0)]
    if frame.empty:
        return None
    typical = int((frame["verdict"] == "typical").sum())
    title = f"The calls’ statistics: {typical} of {len(frame)} real numbers are typical of the fitted model"
    figure = sheet_of(source_line(found), title, 0.6 + ROW * len(frame), _legend(), 3)
    axes = figure.subplots()
    real = frame["real"].to_numpy()
    _intervals(axes, frame, 1.0 / real, most=2.6)
    axes.axvline(1.0, color=ORANGE, linewidth=1.0, zorder=0)
    axes.plot(np.ones(len(frame)), range(len(frame)), **REAL)
    axes.set_xlim(0, 2.6)
    axes.set_xlabel("simulated, as a multiple of the real number")
    label_rows(axes, [f"{label} ({value:,.4g})" for label, value in zip(_labels(frame), real, strict=True)], 60)
    plain(axes, spine="bottom")
    return figure


def _labels(frame: pd.DataFrame) -> list[str]:
    """Labels of rows, the call without a comma where all are of one call."""
    several = frame["call"].nunique() > 1
    return [label if several else label.rsplit(",", 1)[0] for label in frame["label"]]


def _intervals(axes: Any, frame: pd.DataFrame, scale: float | np.ndarray, most: float = np.inf) -> None:
    """Intervals of 90% and 50% and the median, a row each; what goes beyond `most` gets an arrowhead."""
    rows = range(len(frame))
    ends = {name: frame[name].to_numpy() * scale for name in ("low90", "low50", "median", "high50", "high90")}
    for row in rows:
        axes.plot([ends["low90"][row], min(most, ends["high90"][row])], [row, row], **WIDE)
        axes.plot([ends["low50"][row], min(most, ends["high50"][row])], [row, row], **NARROW)
        if ends["high90"][row] > most:
            axes.plot(most, row, marker=">", color=BLUE, clip_on=False)
        if ends["median"][row] <= most:
            axes.plot(ends["median"][row], row, marker="|", color="white", markersize=7, markeredgewidth=1.6)


@styled
def coverage(found: Validation) -> Figure | None:
    """How often intervals held the truth in worlds whose parameters are known."""
    frame = found.table("coverage")
    if frame is None:
        return None
    names = list(dict.fromkeys(frame["parameter"]))
    fits, worlds = int(frame["fits"].sum()), int(frame["replicates"].max())
    title = f"In {worlds} known worlds, {fits} of {len(frame)} kinds of interval hold as often as they claim"
    legend = [
        Line2D([], [], marker="o", color=BLUE, linestyle="none", label="50% intervals"),
        Line2D([], [], marker="s", color=INK, linestyle="none", label="90% intervals"),
        Line2D([], [], color=PALE, linewidth=8, label="where 95% of right fits lie"),
    ]
    figure = sheet_of(source_line(found), title, 0.6 + ROW * len(names), legend, 3)
    axes = figure.subplots()
    for level, marker, color in ((0.5, "o", BLUE), (0.9, "s", INK)):
        part = frame[frame["level"] == level].set_index("parameter").loc[names]
        axes.axvspan(100 * part["expected_low"].iloc[0], 100 * part["expected_high"].iloc[0], color=PALE, zorder=0)
        axes.axvline(100 * level, color=QUIET, linewidth=0.8, linestyle=":")
        axes.plot(100 * part["covered"], range(len(names)), marker=marker, color=color, linestyle="none", clip_on=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of worlds in which the interval held the true value, %")
    label_rows(axes, names_of(found, names), 48)
    plain(axes, spine="bottom")
    return figure


@styled
def learned(found: Validation) -> Figure | None:
    """How much of each parameter's spread the evidence has taken away."""
    frame = found.tables["parameters"].sort_values("contraction", ascending=False)
    if frame.empty:
        return None
    least = 0.1
    told = int((frame["contraction"] >= least).sum())
    title = f"The evidence says something about {told} of {len(frame)} fitted parameters"
    figure = sheet_of(source_line(found), title, 0.6 + ROW * len(frame))
    axes = figure.subplots()
    share = 100.0 * frame["contraction"].clip(lower=0.0).to_numpy()
    axes.hlines(range(len(frame)), 0, share, color=BLUE, linewidth=3)
    for row, value in enumerate(share):
        known = value >= 100 * least
        axes.plot(value, row, marker="o", color=BLUE, markerfacecolor=BLUE if known else "white", clip_on=False)
    axes.axvline(100 * least, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the prior’s variance that is gone, %")
    label_rows(axes, list(frame["label"]), 48)
    plain(axes, spine="bottom")
    return figure


@styled
def ahead(found: Validation) -> Figure | None:
    """What is expected of the calls of 2016 and 2017."""
    frame = found.tables["forecast"]
    frame = frame[frame["measure"] != "financed_partners"]
    figure = sheet_of(
        source_line(found), "What the fitted model expects of the calls of 2016 and 2017",
        0.6 + 1.15 * ROW * len(frame), _legend()[1:], 2,
    )  # fmt: skip
    axes = figure.subplots()
    frame = frame.sort_values(["measure", "call"], key=_in_order(list(frame["measure"])))
    _intervals(axes, frame, 1.0)
    axes.set_xlim(left=0)
    axes.set_xlabel("number")
    label_rows(axes, [f"{label}, {call}" for label, call in zip(frame["label"], frame["call"], strict=True)], 44)
    plain(axes, spine="bottom")
    return figure


def _in_order(names: Sequence[str]) -> Any:
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return lambda column: column.map(place) if column.name == "measure" else column


def names_of(found: Validation, parameters: Sequence[str]) -> list[str]:
    """Labels of parameters."""
    labels = found.tables["parameters"].set_index("parameter")["label"]
    return [str(labels.get(name, name)) for name in parameters]
