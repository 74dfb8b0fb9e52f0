"""What one scenario sets differently from another, as rows for people."""

from typing import Any, NamedTuple

from scenarios.entries import central, drawn, register
from scenarios.history import programme
from scenarios.resolve import DRAWN, resolve
from scenarios.settings import DEFAULT_HORIZON_MONTHS, Change, Setting, Value, label_and_unit, value_at

Settings = tuple[Setting, ...]


class Difference(NamedTuple):
    """One row of what differs.

    Parameters
    ----------
    year : int or None
        The call year from which it differs; None if it has no date.
    funder : str or None
        The funder for which it differs; None for all.
    name, label, unit : str
        The setting, in code and in words.
    was, now : float, bool, str or Change
        The values in force in the other scenario and in this one; of what the draws decide, the central one.
    ends : bool
        Whether a difference ends here: from here on both have the same in every world.
    """

    year: int | None
    funder: str | None
    name: str
    label: str
    unit: str
    was: Value | Change
    now: Value | Change
    ends: bool


def differences(settings: Settings, others: Settings) -> tuple[Difference, ...]:
    """Return the rows where a difference between two scenarios begins, changes or ends.

    Parameters
    ----------
    settings, others : tuple of Setting
        All settings of the scenario and of the one that it is compared with.

    Returns
    -------
    tuple of Difference
        By year, funder and name.
    """
    keys = {setting[:3] for setting in (*settings, *others)}
    rows: list[Difference] = []
    for funder, name in {(funder, name) for _, funder, name in keys}:
        years = [year for year, of, what in keys if (of, what) == (funder, name)]
        rows += _rows(settings, others, sorted(years, key=lambda year: year or 0), funder, name)
    return tuple(sorted(rows, key=lambda row: (row.year or 0, row.funder or "", row.name)))


def _rows(
    settings: Settings, others: Settings, years: list[int | None], funder: str | None, name: str
) -> list[Difference]:
    """Return the rows of one name and funder, in order of year."""
    rows: list[Difference] = []
    last: tuple[Value | Change, Value | Change] | None = None
    for year in years:
        pair = _in_force(others, year, funder, name), _in_force(settings, year, funder, name)
        differs = pair[0] != pair[1] or _is_held_in_one(settings, others, year, funder, name)
        if pair != last and (differs or last is not None):
            rows.append(Difference(year, funder, name, *label_and_unit(name), *pair, ends=not differs))
        last = pair if differs else None
    return rows


def _is_held_in_one(settings: Settings, others: Settings, year: int | None, funder: str | None, name: str) -> bool:
    """Tell whether only one of the two holds a value that draws decide in the other, be it the central one."""
    if not (name in drawn() if year is None else funder is not None and name in DRAWN):
        return False
    return (value_at(settings, year, funder, name) is None) != (value_at(others, year, funder, name) is None)


def _in_force(settings: Settings, year: int | None, funder: str | None, name: str) -> Any:
    """Return the value in force, be it from the scenario, the programme or the register."""
    value = value_at(settings, year, funder, name)
    if value is not None:
        return value
    if year is not None and funder is not None:
        return _of_funder(settings, year, funder, name)
    if name in drawn():
        return central()[name]
    if name == "horizon_months":
        return DEFAULT_HORIZON_MONTHS
    return programme().call_years[-1] if name == "last_call" else register()[name].value


def _of_funder(settings: Settings, year: int, funder: str, name: str) -> Value:
    """Return a funder's rule for a call that the scenario does not set for this funder."""
    rules = resolve(settings, settings, last_call=year).rules
    call, row = len(rules.calls.year) - 1, list(programme().funders).index(funder)
    if name == "takes_part":
        return bool(rules.terms.budget_eur[call, row] > 0)
    return float(getattr(rules.terms, name)[call, row])
