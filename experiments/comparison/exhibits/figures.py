"""Figures of what scenarios change: the answer, where contracts come from, the way from SMEs to contracts."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.comparison import views
from experiments.comparison.exhibits.tables import with_base
from experiments.exhibits import words
from experiments.exhibits.style import (
    BLUE,
    INK,
    MARKS,
    ORANGE,
    QUIET,
    SKY,
    beside,
    is_narrow,
    label_rows,
    over,
    plain,
    reach,
    row_label,
    rows_height,
    rule_rows,
    sheet,
    styled,
)

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison

STAGES = (
    ("smes_engaged", "SMEs\nengaged"),
    ("smes_active", "SMEs\nactive"),
    ("contacts", "First\ncontacts"),
    ("partnerships", "Partner-\nships"),
    ("rni_collaborations", "R&I col-\nlaborations"),
    ("contracts", "Con-\ntracts"),
)
PARTS = (
    ("additional", "additional: would not exist without the programme", BLUE, ""),
    ("accelerated", "accelerated: comes earlier", SKY, "////"),
    ("deadweight", "deadweight: would have come anyway", "white", "---"),
    ("displaced", "displaced: lost elsewhere (counts against)", ORANGE, "xxxx"),
)


def _change_axis(axes: Any, relative: bool) -> None:
    form = words.percent if relative else words.signed
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value).removeprefix("+")))
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.axvline(0, color=INK, linewidth=1)
    axes.grid(axis="x")
    plain(axes, spine="bottom")


@styled
def answer(comparison: "Comparison") -> Figure | None:
    """Change in net contracts with its 90% interval, at equal budget beside equal spending."""
    bases, order = views.bases(comparison), views.ranked(comparison)
    if not bases:
        return None
    relative = views.uses_relative(comparison)
    name = "relative" if relative else "difference"
    tables = {basis: views.effects_of(comparison, views.NET, basis).loc[list(order)] for basis in bases}
    limits = _limits(list(tables.values()), name)
    base = views.title(comparison, comparison.base)
    title = f"Net contracts against “{base}”"
    labels = [views.title(comparison, scenario) for scenario in order]
    lines = len(bases) if is_narrow() else 1  # of panels
    body = lines * (0.8 + max(1.05, rows_height(labels, 0.35)))
    figure = sheet(comparison, title, body, _verdict_legend())
    panels = figure.subplots(lines, len(bases) // lines, sharey=True, squeeze=False).ravel()
    for axes, basis in zip(panels, bases):
        _answer_panel(axes, tables[basis], name, limits)
        what = "change in net contracts" + ("" if relative else " (number)")
        axes.set_xlabel(what)
        axes.set_title(views.heading(comparison, basis), loc="left", fontweight="bold", pad=18)
    for axes in panels[:lines]:
        label_rows(axes, labels, 24)
    return figure


def _limits(tables: list[pd.DataFrame], name: str) -> tuple[float, float]:
    """Ends of the axis, each side as far as it has something to show."""
    ends = [x for table in tables for x in table[[name, f"{name}_low", f"{name}_high"]].to_numpy(float).ravel()]
    down, up = [x for x in ends if x < 0], [x for x in ends if x > 0]
    low, high = reach(down) if down else 0.0, reach(up) if up else 0.0
    if not any(x > -0.99 for x in down):
        low = min(low, high or low)
    wide = max(low, high)
    return -max(low, 0.2 * wide), max(high, 0.2 * wide)


def _answer_panel(axes: Any, table: pd.DataFrame, name: str, limits: tuple[float, float]) -> None:
    """One row per scenario: interval, mark, and both numbers at the right."""
    form = words.percent if name == "relative" else words.signed
    axes.set_xlim(limits)
    _change_axis(axes, name == "relative")
    for y, (_, row) in enumerate(table.iterrows()):
        middle, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
        if not math.isfinite(middle):
            axes.text(np.mean(limits), y, "not matched", ha="center", va="center", color=QUIET)
            continue
        mark = MARKS[views.verdict(row)]
        if math.isfinite(low) and math.isfinite(high):
            ends = np.clip([low, high], *limits)
            axes.plot(ends, [y, y], color=mark["color"], linewidth=1.6, solid_capstyle="butt")
        beyond = {"linestyle": "", "color": mark["color"], "clip_on": False}
        if min(middle, low) < limits[0]:
            axes.plot([limits[0]], [y], marker="<", **beyond)
        if max(middle, high) > limits[1]:
            axes.plot([limits[1]], [y], marker=">", **beyond)
        if limits[0] <= middle <= limits[1]:
            axes.plot([middle], [y], linestyle="", **mark)
        beside(axes, y, 41, form(middle), fontweight="bold")
        beside(axes, y, 76, words.share(row["p_better"]), color=QUIET)
    over(axes, 41, "mean")
    over(axes, 76, "better", color=QUIET)
    axes.tick_params(axis="y", length=0)
    if not is_narrow():  # there the labels bring them
        rule_rows(axes, len(table))


def _verdict_legend() -> list[Line2D]:
    texts = {
        "better": "better than the base in at least 90% of draws",
        "worse": "better than the base in at most 10% of draws",
        "open": "not told apart from the base",
    }
    marks = [Line2D([], [], linewidth=1.6, label=text, **MARKS[key]) for key, text in texts.items()]  # type: ignore[index]
    words_only = "line: 90% interval; arrowhead: beyond the scale; “better”: share of draws in which it is better"
    return [*marks, Line2D([], [], linestyle="", label=words_only)]


@styled
def split(comparison: "Comparison") -> Figure | None:
    """Contracts by what they would have been without the programme, base first."""
    order = views.ranked(comparison)
    basis = views.main_basis(comparison)
    parts = {key: views.values_of(comparison, f"contracts_{key}", basis) for key, *_ in PARTS}
    if not any(series.notna().any() for series in parts.values()):
        return None
    rows = [comparison.base, *order]
    labels = [with_base(comparison, scenario) for scenario in rows]
    body = 0.75 + max(1.0, rows_height(labels, 0.33))
    figure = sheet(comparison, "Where the contracts come from", body, _split_legend())
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for key, _, colour, hatch in PARTS:
        size = parts[key].loc[rows].fillna(0).to_numpy(float)
        displaced = key == "displaced"
        axes.barh(
            range(len(rows)), -size if displaced else size, left=0 if displaced else left, height=0.66,
            color=colour, hatch=hatch, edgecolor=INK, linewidth=0.6,
        )  # fmt: skip
        left += 0 if displaced else size
    net = (parts["additional"] - parts["displaced"]).loc[rows].to_numpy(float)
    axes.plot(net, range(len(rows)), linestyle="", marker="D", markersize=5, color="white", markeredgecolor=INK)
    for y, value in enumerate(net):
        beside(axes, y, 40, words.count(value), fontweight="bold")
    over(axes, 40, "net")
    axes.axvline(0, color=INK, linewidth=1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.count(value)))
    axes.set_xlabel("SME contracts, mean per run" + (f", at {basis}" if order else ""))
    axes.grid(axis="x")
    plain(axes, spine="bottom")
    label_rows(axes, labels, 30)
    return figure


def _split_legend() -> list[Any]:
    boxes: list[Any] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor=INK, linewidth=0.6, label=label)
        for _, label, colour, hatch in PARTS
    ]
    diamond = Line2D([], [], linestyle="", marker="D", markersize=5, color="white", markeredgecolor=INK)
    diamond.set_label("net = additional − displaced")
    return [*boxes, diamond]


@styled
def funnel(comparison: "Comparison") -> Figure | None:
    """Each stage from SMEs to contracts: the base's number, and each scenario's change in it."""
    order, basis = views.ranked(comparison), views.main_basis(comparison)
    tables = {key: views.effects_of(comparison, key, basis).loc[list(order)] for key, _ in STAGES}
    name = "relative" if any(table["relative"].notna().any() for table in tables.values()) else "value"
    values: list[float] = [x for table in tables.values() for x in table[name].to_numpy(float)]
    if not np.isfinite(values).any():
        return None
    limit = reach(values)
    what = "change at each stage" if name == "relative" else "number at each stage"
    unit = "change against the base" if name == "relative" else "mean per run"
    legend = [
        Line2D([], [], linestyle="", label="up, in at least 90% of draws", **MARKS["better"]),
        Line2D([], [], linestyle="", label="down, in at least 90% of draws", **MARKS["worse"]),
        Line2D([], [], linestyle="", label="not told apart from the base", **MARKS["open"]),
        Line2D([], [], linestyle="", label=f"number: {unit}, at {basis}"),
    ]
    figure = sheet(comparison, f"From SMEs to contracts: {what}", 0.75 + 0.33 * max(3, len(order)), legend, 2)
    panels = figure.subplots(1, len(STAGES), sharey=True)
    for axes, (key, label) in zip(panels, STAGES):
        _funnel_panel(axes, tables[key], name, limit)
        base = words.count(views.base_value(comparison, key))
        axes.set_title(f"{label}\nbase: {base}", fontsize=9)
    label_rows(panels[0], [views.title(comparison, scenario) for scenario in order], 25)
    return figure


def _funnel_panel(axes: Any, table: pd.DataFrame, name: str, limit: float) -> None:
    """Marks at the left on a common scale, numbers at the right."""
    form = words.percent if name == "relative" else words.count
    axes.set_xlim((-limit if name == "relative" else 0), 4.3 * limit)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xticks([])
    plain(axes)
    axes.tick_params(axis="y", length=0)
    for y, (_, row) in enumerate(table.iterrows()):
        value = row[name]
        if not math.isfinite(value):
            continue
        mark = MARKS[views.verdict(row)]
        shown = float(np.clip(value, -limit, limit))
        axes.plot([0, shown], [y, y], color=mark["color"], linewidth=1.2)
        if shown != value:
            mark = {"marker": ">" if value > 0 else "<", "color": mark["color"]}
        axes.plot([shown], [y], linestyle="", **(mark | {"markersize": 4.5}), clip_on=False)
        told = views.verdict(row) != "open"
        axes.text(4.3 * limit, y, form(value), ha="right", va="center", color=INK if told else QUIET)
    rule_rows(axes, len(table))


def _matrix(
    comparison: "Comparison", frame: pd.DataFrame, rows: list[tuple[str, str]], column: str, title: str,
    key: tuple[str, str],
) -> Figure:  # fmt: skip
    """A dot for each row (mechanism or parameter) and scenario: area is size, filled is up, hollow is down.

    `frame` holds `scenario`, `column` (the row's key) and `size` (signed, at most 1 in absolute value).
    """
    order = [scenario for scenario in views.ranked(comparison) if scenario in set(frame["scenario"])]
    names = [views.title(comparison, scenario) for scenario in order]
    places = {name: place for place, (name, _) in enumerate(rows)}
    few = len(order) <= 3
    longest = 6 if few else min(34, max(len(name) for name in names))
    body = 0.3 + 0.052 * longest + 0.345 * max(3, len(rows))
    figure = sheet(comparison, title, body, _matrix_legend(*key))
    axes = figure.subplots()
    for _, row in frame.iterrows():
        if row[column] not in places or not math.isfinite(row["size"]):
            continue
        up = row["size"] > 0
        area = 9 + 200 * min(1.0, abs(row["size"]))
        spot = order.index(row["scenario"]), places[row[column]]
        axes.scatter(*spot, s=area, facecolor=BLUE if up else "white", edgecolor=BLUE if up else ORANGE, linewidth=1.5)
    label_rows(axes, [label for _, label in rows], 38)
    axes.set_xlim(-0.6, max(len(order), 3 if few else 8) - 0.4)
    slant: dict[str, Any] = {"rotation": 55, "ha": "left", "rotation_mode": "anchor"}
    shown = [row_label(name, 17) if few else name if len(name) <= 34 else name[:33] + "…" for name in names]
    axes.set_xticks(range(len(order)), shown, **({} if few else slant))
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x")
    plain(axes)
    return figure


def _matrix_legend(filled: str, hollow: str) -> list[Line2D]:
    dot: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 8, "markeredgewidth": 1.5}
    return [
        Line2D([], [], color=BLUE, label=filled, **dot),
        Line2D([], [], color=ORANGE, markerfacecolor="white", label=hollow, **dot),
    ]


def telling_reasons(comparison: "Comparison") -> pd.DataFrame:
    """Contributions beyond twice their standard error; the others cannot be told from chance."""
    frame = views.rows_of(comparison.reasons, "scenario", "mechanism", "label", "contribution", "standard_error")
    size, error = frame["contribution"].astype(float).abs(), frame["standard_error"].astype(float)
    return frame[(size > 0) & ~(size <= 2 * error)]


@styled
def reasons(comparison: "Comparison") -> Figure | None:
    """What each mechanism adds to or takes from a scenario's effect: it is switched off, one at a time."""
    frame = telling_reasons(comparison).copy()
    if frame.empty:
        return None
    biggest = frame["contribution"].abs().max()
    frame["size"] = frame["contribution"] / biggest
    strength = frame.assign(size=frame["size"].abs()).groupby("mechanism", sort=False)["size"].max()
    labels = frame.drop_duplicates("mechanism").set_index("mechanism")["label"]
    rows = [(name, words.capital(labels[name])) for name in strength.sort_values(ascending=False).index]
    scale = words.contribution(biggest, views.uses_relative(comparison)).removeprefix("+")
    key = f"filled: pushes the effect on net contracts up (the largest dot: {scale})", "hollow: pushes it down"
    return _matrix(comparison, frame, rows, "mechanism", "Which mechanisms carry each effect", key)


@styled
def hangs_on(comparison: "Comparison") -> Figure | None:
    """Parameters with which a scenario's effect rises or falls over draws."""
    frame = views.rows_of(comparison.hangs_on, "scenario", "parameter", "label", "correlation", "evidence")
    frame = frame[np.isfinite(frame["correlation"].to_numpy(float))].copy()
    if frame.empty:
        return None
    frame["size"] = frame["correlation"].astype(float)
    strength = frame.assign(size=frame["size"].abs()).groupby("parameter", sort=False)["size"]
    weight = strength.sum().sort_values(ascending=False, kind="stable")
    first = frame.drop_duplicates("parameter").set_index("parameter")
    rows = [
        (name, f"{first.loc[name, 'label']} ({words.EVIDENCE.get(first.loc[name, 'evidence'], '')})")
        for name in weight.index[:14]
    ]
    key = (
        "filled: the effect on net contracts is higher where the parameter is higher (area: rank correlation)",
        "hollow: the effect is lower where the parameter is higher",
    )
    return _matrix(comparison, frame, rows, "parameter", "On which parameters each effect hangs", key)
