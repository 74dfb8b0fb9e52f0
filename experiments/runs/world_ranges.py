"""What worlds differ in: the range over the draws of a number that a scenario sets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.runs.parameter_draws import drawn
from scenarios import Scenario
from scenarios.differences import Difference
from scenarios.resolve import DRAWN
from simulator.parameters import F64

DRAWS = 400  # no more are looked at: the ends of a range move little then
LOW, HIGH = 5.0, 95.0  # percentiles: the range of nine worlds in ten


class Range(NamedTuple):
    """The numbers that nine worlds in ten have between them."""

    low: float
    high: float


def range_without(row: Difference, base: Scenario, values: Mapping[str, F64]) -> Range | None:
    """Return the range that a number has in the worlds of another scenario; None if it is the same in all of them.

    Parameters
    ----------
    row : Difference
        The number: a behaviour, or a rule from some call on.
    base : Scenario
        The scenario in which the number is looked at.
    values : mapping of str to array
        Draws by parameter, (draws,).
    """
    if row.year is not None and (row.funder is None or row.name not in DRAWN):
        return None
    draws = min(DRAWS, len(next(iter(values.values()))))
    numbers = np.array(
        [_number(row, base, {name: float(column[k]) for name, column in values.items()}) for k in range(draws)]
    )
    low, high = np.percentile(numbers, [LOW, HIGH])
    return Range(float(low), float(high)) if high > low else None


def ranges_of_draws(rows: Sequence[Difference], base: Scenario, draws_from: str) -> list[Range | None]:
    """Return the range of each number over draws made for this."""
    if not any(row.year is None or row.name in DRAWN for row in rows):
        return [None] * len(rows)
    values = drawn(draws_from, DRAWS, 1).values
    return [range_without(row, base, values) for row in rows]


def _number(row: Difference, base: Scenario, values: Mapping[str, float]) -> float:
    resolved = base.resolve(values)
    if row.year is None:
        return float(getattr(resolved.parameters, row.name, values.get(row.name, np.nan)))
    call, funder = resolved.call_years.index(row.year), resolved.funder_codes.index(str(row.funder))
    return float(getattr(resolved.rules.terms, row.name)[call, funder])
