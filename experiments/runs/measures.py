"""Measures of many runs: those that a run counts, and those derived from them as their rows say."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from simulator.measures import Concentration, Measure, Ratio, Sum
from simulator.observe import COLUMN, DERIVED, MEASURES
from simulator.parameters import F64

MAIN = "contracts_net"
INTERVAL = 0.9  # 90% intervals, of draws, blocks and runs alike
ENDS = (0.05, 0.95)  # their quantiles


@cache
def all_measures() -> Mapping[str, Measure]:
    """Return the measures of a run and those derived from them, by name."""
    return {measure.name: measure for measure in (*MEASURES, *DERIVED)}


def sums() -> tuple[str, ...]:
    """Return the names of the derived measures that are sums: they hold in any row, by country, call or run."""
    return tuple(measure.name for measure in DERIVED if isinstance(measure.of, Sum))


def may_be_missing() -> frozenset[str]:
    """Return the names of the measures that do not exist where there is nothing to divide by."""
    return frozenset(measure.name for measure in DERIVED if not isinstance(measure.of, Sum))


def ratio_of(name: str) -> Ratio | None:
    """Return what a measure is the ratio of, None if it is none.

    Ratios are averaged as total over total: a mean of ratios would be ruled by the few draws with next to no outcome.
    """
    of = all_measures()[name].of
    return of if isinstance(of, Ratio) else None


def columns_of(rows: F64, names: Sequence[str]) -> F64:
    """Return some measures, counted ones and sums, (..., names), of rows (..., measures of a run)."""
    return np.stack([_column(rows, name) for name in names], axis=-1)


def values_of(by_country: F64) -> dict[str, F64]:
    """Return every measure, shape (...), from measures by country, (..., countries, measures)."""
    total = by_country.sum(axis=-2)
    values: dict[str, F64] = {name: total[..., column] for name, column in COLUMN.items()}
    for measure in DERIVED:
        if isinstance(measure.of, Sum):
            values[measure.name] = _sum(measure.of, values.__getitem__)
        elif isinstance(measure.of, Ratio):
            values[measure.name] = ratio(values[measure.of.over], values[measure.of.under])
        elif isinstance(measure.of, Concentration):
            values[measure.name] = _herfindahl(_column(by_country, measure.of.of))
    return values


def _column(rows: F64, name: str) -> F64:
    """Return a measure that is counted, or a sum of such, by row."""
    if name in COLUMN:
        return rows[..., COLUMN[name]]
    of = all_measures()[name].of
    assert isinstance(of, Sum), f"{name} is no sum"
    return _sum(of, lambda term: _column(rows, term))


def _sum(of: Sum, value: Callable[[str], F64]) -> F64:
    """Return the signed sum of values, in the order of its terms."""
    (first, sign), *others = of.terms
    total = sign * value(first)
    for name, sign in others:
        total = total + sign * value(name)
    return total


def _herfindahl(by_country: F64) -> F64:
    """Return the Herfindahl index of what is above zero, (...), from (..., countries)."""
    above = np.maximum(by_country, 0.0)
    return ratio((above**2).sum(axis=-1), above.sum(axis=-1) ** 2)


def ratio(over: F64, under: F64) -> F64:
    """Return a quotient; NaN where there is nothing to divide by, or where a net outcome is not above zero."""
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0.0)
