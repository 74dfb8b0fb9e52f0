"""What a measure is: one row of data at its owner, from which columns, units, heads and sums are derived.

Rows stand in `instruments.calls.measures` and `outcomes.measures`; `simulator.observe` puts them together.
"""

from collections import namedtuple
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Form = Literal["count", "eur", "months", "share", "index"]  # how a value is shown; an index is 0-1


class Sum(NamedTuple):
    """A sum of other measures, each with its sign: it holds in any row, by country, call or run."""

    terms: tuple[tuple[str, float], ...]


class Ratio(NamedTuple):
    """A measure over another, as total over total; missing where there is nothing to divide by."""

    over: str
    under: str


class Concentration(NamedTuple):
    """How unevenly a measure is spread over countries (Herfindahl index of what is above 0); missing where all is 0."""

    of: str


class Measure(NamedTuple):
    """A thing that is counted, or derived from what is counted.

    Attributes
    ----------
    name, unit : str
        Its name in tables, and its unit.
    label : str
        What it is, as a full phrase.
    head : str
        A short label, for the head of a table or an axis.
    form : Form
        How a value is shown.
    better : int
        1: more is better; -1: less is better; 0: neither.
    of : Sum, Ratio, Concentration or None
        What it is derived from; None if it is counted.
    """

    name: str
    unit: str
    label: str
    head: str = ""
    form: Form = "count"
    better: Literal[-1, 0, 1] = 0
    of: Sum | Ratio | Concentration | None = None


def positions(measures: Sequence[Measure]) -> Any:
    """Return the column of each measure under its name, as a named tuple of whole numbers that kernels can read.

    Parameters
    ----------
    measures : sequence of Measure
        The rows, in the order of the columns.
    """
    names = [measure.name for measure in measures]
    return namedtuple("Positions", names)(*range(len(names)))
