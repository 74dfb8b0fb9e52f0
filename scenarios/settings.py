"""What scenarios set, as plain rows: dated by call year, for one funder or all."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from scenarios.entries import register


class Setting(NamedTuple):
    """One thing that a scenario sets: from a call year on (None: undated), for a funder or all (None)."""

    year: int | None
    funder: str | None
    name: str
    value: float | bool | str


def in_order(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """Return settings by year, funder and name; undated ones and all funders first."""
    return tuple(sorted(settings, key=lambda setting: (setting.year or 0, setting.funder or "", setting.name)))


def value_at(settings: tuple[Setting, ...], year: int | None, funder: str | None, name: str) -> Any:
    """Return the value in force at a call (year None: undated): the latest set, or None."""
    value = None
    for setting in settings:  # in order of year
        if (setting.funder, setting.name) == (funder, name) and (setting.year or 0) <= (year or 0):
            value = setting.value
    return value


def label_and_unit(name: str) -> tuple[str, str]:
    """Return the words for anything that a scenario sets."""
    undated = {"horizon_months": ("Months counted", "months"), "last_call": ("Last call", "year")}
    return undated[name] if name in undated else (register()[name].label, register()[name].unit)
