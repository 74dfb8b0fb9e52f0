"""What several exhibits share: how values of an index read, axes, legends, panels, and the words that recur."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy.typing as npt
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.exhibits import words
from experiments.exhibits.style import INK, axis_label, is_narrow, plain
from experiments.sweeps.factors import Factor
from experiments.sweeps.findings import Finding

SHARES = ("S1", "ST", "S2")  # indices that are shares of the variance
DISTANCES = ("median", "delta")  # indices between 0 and 1
SIZES = ("mu_star", "sigma", "beyond_luck", "slope")  # indices without a sign, in the unit of the outcome
MOST = 16  # factors in a figure: the strongest
HOLLOW = "hollow: not told apart from doing nothing"  # the one meaning of hollow marks on a page
WITHOUT_UNIT = ("yes or no", "choice", "")
NO_BREAK = "\N{NO-BREAK SPACE}"


# ---------- numbers


def form_of(index: str, unit: str = "") -> words.Form:
    """Return how values of an index are written.

    Parameters
    ----------
    index : str
        Name of the index.
    unit : str, optional
        Unit of the outcome, if the index is in that unit.
    """
    if index in SHARES:
        return _share
    if index == "bound":  # of a share: it may come out below zero where luck is taken out, and no share is that
        return lambda value: _share(max(value, 0.0))
    if index in DISTANCES:
        return lambda value: words.MISSING if value != value else f"{value:.2f}"
    form = words.eur if unit.startswith("EUR") else _number
    return form if index in SIZES else partial(words.signed, form=form)


def _number(value: float) -> str:
    """Return a number with up to three significant digits: `1,234`, `56`, `0.65`."""
    return words.count(value) if not abs(value) < 10 else words.axis(float(f"{value:.2g}"))


def _share(value: float) -> str:
    """Return a share that may lie below zero by chance: `54%`, `−2%`."""
    text = words.MISSING if value != value else f"{value:.0%}"
    return text.lstrip("-") if text == "-0%" else text.replace("-", words.MINUS)


def bounds(rows: pd.DataFrame) -> pd.DataFrame:
    """Cut bounds of shares at zero and where they say nothing any more; `more`: whether an interval goes on there."""
    columns = ["value", "low", "high"]
    most = max(1.2, 1.05 * float(rows["value"].max()))
    return rows.assign(**rows[columns].clip(lower=0.0, upper=most), more=rows["high"] > most)


# ---------- words


def labels_of(finding: Finding, places: Sequence[int]) -> list[str]:
    """Return the labels of factors."""
    return [finding.factors[place].label for place in places]


def with_unit(factor: Factor) -> str:
    """Return the label of a factor with its unit, if it has one."""
    return factor.label if factor.choices or factor.unit in WITHOUT_UNIT else f"{factor.label} ({factor.unit})"


def title_of(finding: Finding, text: str, shown: int) -> str:
    """Return a title that says how many factors are shown, if not all are."""
    more = f"(the strongest {shown} of {len(finding.factors)})" if shown < len(finding.factors) else ""
    return f"{text} {more.replace(' ', NO_BREAK)}".rstrip(" ")


def outcome_of(finding: Finding) -> str:
    """Return what an axis of the outcome shows: its unit, and what it is the difference from."""
    unit = finding.unit or finding.label
    return f"difference from {finding.base} in {unit}" if finding.base else unit


# ---------- axes, legends and panels


def number_axis(axis: Any, form: Callable[[float], str] = words.axis) -> None:
    """Write the numbers on an axis in the given form."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))


def index_axis(axes: Any, index: str, label: str) -> None:
    """Make the x axis one of an index, with a line at zero."""
    number_axis(axes.xaxis, form_of(index))
    axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow() else 5, steps=[1, 2, 5, 10]))
    axes.axvline(0, color=INK, linewidth=1)
    axes.grid(axis="x")
    axes.set_xlabel(axis_label(label))
    plain(axes, spine="bottom")


def interval_key(rows: pd.DataFrame, label: str = "90% interval") -> list[Any]:
    """Return the legend's entry for intervals, or that there are none."""
    if rows["low"].isna().all():
        return [Line2D([], [], linestyle="", label="no 90% intervals: too few blocks")]
    return [Line2D([], [], color=INK, linewidth=1.6, label=label)]


def number_keys(labels: Sequence[str]) -> list[Any]:
    """Return the legend's entries for labels that a figure replaces by numbers."""
    return [
        Line2D(
            [], [], linestyle="", marker=f"${number}$", color=INK, markeredgewidth=0.2,
            markersize=6 if number < 10 else 9, label=label,
        )
        for number, label in enumerate(labels, start=1)
    ]  # fmt: skip


def grid(panels: int, most: int) -> tuple[int, int]:
    """Return columns (one on a phone, else `most` at most) and lines of panels."""
    columns = 1 if is_narrow() else min(most, panels)
    return columns, -(-panels // columns)


def panel_title() -> float:
    """Return the inches that the title of a panel has."""
    return 2.6 if is_narrow() else 1.75


def hide(panels: npt.NDArray[Any], used: int) -> None:
    """Hide the panels that are not used."""
    for axes in panels.ravel()[used:]:
        axes.set_visible(False)
