"""What scenarios set, as plain rows: dated by call year, for one funder or all; plain values, or changes of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from scenarios.entries import register

FIRST_POLICY_CALL = 2016  # from where a question counts that changes no rule: the first call not fitted to
# Months after its close for which a call is counted.
SHORTEST_HORIZON_MONTHS, DEFAULT_HORIZON_MONTHS, LONGEST_HORIZON_MONTHS = 12, 60, 240

UNDATED = {"horizon_months": ("Months counted", "months"), "last_call": ("Last call", "year")}  # label and unit


Value = float | bool | str


class Change(NamedTuple):
    """A number relative to what each world has without it: `times` that number, plus `add`.

    Parameters
    ----------
    times : float
    add : float
        In the unit of the register.
    """

    times: float = 1.0
    add: float = 0.0

    def of(self, values: Any) -> Any:
        """Return the numbers, or an array of them, after the change."""
        return values * self.times + self.add

    def after(self, before: "Change | None") -> "Change":
        """Return this change on top of another, if there is one."""
        if before is None:
            return self
        return Change(before.times * self.times, before.add * self.times + self.add)

    def __str__(self) -> str:
        times = f"{self.times:g} times as much" if self.times != 1.0 else ""
        add = f"{abs(self.add):,.10g} {'more' if self.add > 0 else 'less'}" if self.add else ""
        return f"{', and '.join(filter(None, (times, add))) or 'the same'} in each world"


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
    value : float, bool, str or Change
        In the unit of the register.
    """

    year: int | None
    funder: str | None
    name: str
    value: "Value | Change"


def plain(value: Value | Change) -> Value | dict[str, float]:
    """Return a value as a file holds it."""
    return {**value._asdict()} if isinstance(value, Change) else value


def set_value(value: Value | Mapping[str, float]) -> Value | Change:
    """Return a value as a setting holds it, from what a file holds."""
    return Change(**value) if isinstance(value, Mapping) else value


def as_row(setting: Setting) -> list[Any]:
    """Return a setting as plain values, for files."""
    return [*setting[:3], plain(setting.value)]


def from_row(row: Sequence[Any]) -> Setting:
    """Return the setting that `as_row` gave."""
    year, funder, name, value = row
    return Setting(year, funder, name, set_value(value))


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
