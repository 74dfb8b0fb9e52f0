"""Which factors matter: the factors by their main index, the strongest on top."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    PEACH,
    SKY,
    column,
    label_rows,
    rows_height,
    sheet,
)
from experiments.exhibits.table import Cell, Row, Table
from experiments.sweeps.convergence import above_nothing
from experiments.sweeps.exhibits import answer
from experiments.sweeps.exhibits.looks import (
    HOLLOW,
    MOST,
    SHARES,
    bounds,
    form_of,
    index_axis,
    interval_key,
    labels_of,
    outcome_of,
    title_of,
)
from experiments.sweeps.findings import Finding
from experiments.sweeps.indices import LABELS, MAIN_INDEX

Look = dict[str, Any]
UPPER: Look = {"facecolor": SKY, "hatch": "////", "edgecolor": INK}
LOWER: Look = {"facecolor": BLUE, "hatch": "", "edgecolor": INK}
LOW_END: Look = {"facecolor": PEACH, "hatch": "////", "edgecolor": ORANGE}
HIGH_END: Look = {"facecolor": BLUE, "hatch": "", "edgecolor": BLUE}


def data(finding: Finding) -> Finding | None:
    """Return a finding with indices; None without."""
    return None if finding.why_not or finding.indices.empty else finding


# ---------- the figure


def draw(finding: Finding) -> Figure:
    """Draw the factors by their main index, each with its 90% interval."""
    kinds = {"sobol": _shares, "tornado": _tornado}
    return kinds.get(finding.method.name, _dots)(finding)


def _shares(finding: Finding) -> Figure:
    """Draw two bars for each factor: its share in all, and alone."""
    rows = finding.main.head(MOST)
    places = [int(place) for place in rows["factor"]]
    labels = labels_of(finding, places)
    legend = [
        Patch(**UPPER, linewidth=0.8, label="upper bar: in all (ST), with others too"),
        Patch(**LOWER, linewidth=0.8, label="lower bar: alone (S1)"),
        *interval_key(rows),
        Patch(facecolor="white", edgecolor=INK, linewidth=0.8, label=HOLLOW),
    ]
    title = title_of(finding, "Which share of the variance goes with each factor", len(places))
    figure = sheet(finding.source, title, 0.75 + max(1.0, rows_height(labels, 0.5)), legend, 2)
    axes = figure.subplots()
    tables = (rows, finding.rows("S1").reset_index())
    numbers = []
    for shift, table, look in zip((-0.18, 0.18), tables, (UPPER, LOWER)):
        clear = above_nothing(table, finding.indices)
        values = table.set_index("factor")
        for y, place in enumerate(places):
            _bar(axes, y + shift, values.loc[place], place in clear, look)
            numbers.append((y + shift, form_of("ST")(values.loc[place, "value"])))
    column(axes, 8, numbers)
    index_axis(axes, "ST", "share of the variance of the expected outcome")
    label_rows(axes, labels, 32)
    return figure


def _tornado(finding: Finding) -> Figure:
    """Draw two bars for each factor: the outcome's change at its low and at its high end."""
    rows = finding.main.head(MOST)
    places = [int(place) for place in rows["factor"]]
    labels, tail = labels_of(finding, places), float(finding.method["tail"])
    legend = [
        Patch(**LOW_END, label=f"upper bar: factor at its {tail:.0%} quantile"),
        Patch(**HIGH_END, label=f"lower bar: factor at its {1 - tail:.0%} quantile"),
        *interval_key(rows, "90% interval of the mean"),
        Patch(facecolor="white", edgecolor=INK, label=HOLLOW),
    ]
    title = title_of(finding, "What each factor does by itself", len(places))
    figure = sheet(finding.source, title, 0.95 + max(1.26, rows_height(labels, 0.42)), legend, 2)
    axes = figure.subplots()
    clear, form = above_nothing(finding.main, finding.indices), form_of("swing", finding.unit)
    numbers = []
    for shift, end, look in zip((-0.17, 0.17), ("low", "high"), (LOW_END, HIGH_END)):
        values = finding.rows(end)
        for y, place in enumerate(places):
            _bar(axes, y + shift, values.loc[place], place in clear, look)
            numbers.append((y + shift, form(values.loc[place]["value"])))
    edge = column(axes, 8, numbers, "ends")
    swings = [(float(y), form(value)) for y, value in enumerate(rows["value"])]
    column(axes, edge + 8, swings, "swing", fontweight="bold")
    index_axis(axes, "swing", f"change of the {outcome_of(finding)}, all else in the middle")
    label_rows(axes, labels, 32)
    return figure


def _dots(finding: Finding) -> Figure:
    """Draw a dot for each factor."""
    rows, index = finding.main.head(MOST), MAIN_INDEX[finding.method.name]
    if index == "bound":  # none is strong by being far below zero
        rows = bounds(finding.main.sort_values("value", ascending=False, kind="stable").head(MOST))
    places = [int(place) for place in rows["factor"]]
    labels = labels_of(finding, places)
    chance = finding.chance
    legend: list[Any] = [
        Line2D([], [], color=INK, marker="o", linestyle="", label="told apart from doing nothing"),
        Line2D([], [], color=INK, marker="o", linestyle="", markerfacecolor="white", label=HOLLOW),
        *interval_key(rows),
    ]
    if len(chance):
        legend.append(Patch(facecolor=PALE, label="what a factor that does nothing gets (90%)"))
    title = title_of(finding, f"Which factors matter: {finding.method.kind.title}", len(places))
    figure = sheet(finding.source, title, 0.75 + max(1.0, rows_height(labels, 0.33)), legend, 2)
    axes = figure.subplots()
    if len(chance):
        axes.axvspan(chance["low"].iloc[0], chance["high"].iloc[0], color=PALE, zorder=0)
    clear = set(above_nothing(finding.main, finding.indices))
    for y, (_, row) in enumerate(rows.iterrows()):
        _dot(axes, y, row, int(row["factor"]) in clear)
    numbers = [(float(y), form_of(index, finding.unit)(value)) for y, value in enumerate(rows["value"])]
    column(axes, 8, numbers, fontweight="bold")
    more = {"mu_star": f": {outcome_of(finding)}", "bound": " (above 100% it bounds nothing)"}
    index_axis(axes, index, LABELS[index] + more.get(index, ""))
    label_rows(axes, labels, 36)
    return figure


def _bar(axes: Any, y: float, row: pd.Series, clear: bool, look: Look) -> None:
    """Draw a bar with its interval; hollow if it is not told apart from nothing."""
    look = look if clear else look | {"facecolor": "white", "hatch": ""}
    value = max(row["value"], 0.0) if row["index"] in SHARES else row["value"]
    axes.barh(y, value, height=0.3, linewidth=0.8, **look)
    _interval(axes, y, row)


def _dot(axes: Any, y: float, row: pd.Series, clear: bool) -> None:
    """Draw a dot with its interval; hollow if it is not told apart from nothing."""
    _interval(axes, y, row)
    if row.get("more"):  # the interval goes on
        axes.plot([row["high"]], [y], color=INK, marker=">", markersize=5)
    axes.plot([row["value"]], [y], color=INK, marker="o", markerfacecolor=INK if clear else "white")


def _interval(axes: Any, y: float, row: pd.Series) -> None:
    axes.plot([row["low"], row["high"]], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")


def caption(finding: Finding) -> Caption:
    """Say how to read the figure, and which factors matter most."""
    return answer.caption(
        finding,
        "The factors from the strongest down. Where the intervals of two factors overlap, their order cannot be read "
        "off. Numbers at the right: the values. Hollow: not told apart from doing nothing.",
    )


# ---------- the tables


def tables(finding: Finding) -> list[Table]:
    """Return every index of every factor with its 90% interval, the strongest factor first."""
    names = [name for name in LABELS if name != "S2" and (finding.indices["index"] == name).any()]
    values = {name: finding.rows(name) for name in names}
    rows = [
        Row(finding.factors[place].label, tuple(cell(values[name].loc[place], name, finding.unit) for name in names))
        for place in finding.order
    ]
    if len(finding.chance):
        rest = (Cell(words.MISSING),) * (len(names) - 1)
        rows.append(Row("A factor that does nothing", (cell(finding.chance.iloc[0], names[0]), *rest), base=True))
    caption = f"{words.capital(finding.label)}: {finding.contrast} (90% intervals)"
    return [Table(caption, "Factor", tuple(LABELS[name] for name in names), tuple(rows))]


def cell(row: pd.Series, index: str, unit: str = "") -> Cell:
    """Return the value of an index with its interval."""
    if index == "chance":
        return Cell(words.share(row["value"]))
    form = form_of(index, unit)
    return Cell(form(row["value"]), words.between(row["low"], row["high"], form))


def luck_tables(finding: Finding) -> list[Table]:
    """Return indices with luck taken out beside those with luck left in, if both are known."""
    luck = finding.indices["luck"]
    both = [name for name in ("S1", "ST") if set(luck[finding.indices["index"] == name]) == {"in", "out"}]
    if not both:
        return []
    columns = [(name, which) for name in both for which in ("out", "in")]
    rows = []
    for place in finding.order:
        ours = finding.indices[finding.indices["factor"] == place].set_index(["index", "luck"])
        rows.append(Row(finding.factors[place].label, tuple(cell(ours.loc[key], key[0]) for key in columns)))
    heads = tuple(f"{LABELS[name]}, luck {which}" for name, which in columns)
    return [Table("What luck does to indices: taken out, and left in as SALib has them", "Factor", heads, tuple(rows))]


EXHIBIT = Exhibit("ranking", data, draw, caption, tables, narrow=True)
LUCK = Exhibit("luck", data, tables=luck_tables)
