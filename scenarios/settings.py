"""What scenarios set, as plain rows: dated by call year, for one funder or all."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from scenarios.entries import register

# Months after its close for which a call is counted.
FIRST_POLICY_CALL = 2016  # from where a question counts that changes no rule: the first call not fitted to
SHORTEST_HORIZON_MONTHS, DEFAULT_HORIZON_MONTHS, LONGEST_HORIZON_MONTHS = 12, 60, 240

UNDATED = {"horizon_months": ("Months counted", "months"), "last_call": ("Last call", "year")}  # label and unit


class Setting(NamedTuple):
    """One thing that a scenario sets.

    Parameters
    ----------
    year : int or None
        The call year from which it holds; None if it has no date.
    funder : str or None
        The funder for which it holds; None for all.
    name : str
        A lever, a behaviour or a key of `UNDATED`.
    value : float, bool or str
        In the unit of the register.
    """

    year: int | None
    funder: str | None
    name: str
    value: float | bool | str


def in_order(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """Return the settings sorted by year, funder and name; undated ones and those for all funders first."""
    return tuple(sorted(settings, key=lambda setting: (setting.year or 0, setting.funder or "", setting.name)))


def value_at(settings: tuple[Setting, ...], year: int | None, funder: str | None, name: str) -> Any:
    """Return the value in force at a call.

    Parameters
    ----------
    settings : tuple of Setting
        In order of year (`in_order`).
    year : int or None
        The call; None for what has no date.
    funder : str or None
        The funder; None for what holds for all.
    name : str

    Returns
    -------
    float, bool, str or None
        The latest value set up to `year`; None if nothing is set.
    """
    value = None
    for setting in settings:
        if (setting.funder, setting.name) == (funder, name) and (setting.year or 0) <= (year or 0):
            value = setting.value
    return value


def label_and_unit(name: str) -> tuple[str, str]:
    """Return the label and the unit of anything that a scenario sets."""
    return UNDATED[name] if name in UNDATED else (register()[name].label, register()[name].unit)
