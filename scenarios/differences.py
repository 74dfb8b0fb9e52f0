"""What one scenario sets differently from another, as rows for people."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from scenarios.entries import central, drawn, register
from scenarios.history import programme
from scenarios.resolve import CHOICES, DRAWN, Resolved, resolve
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
    idle : str
        Why it cannot act, and what would make it act; an empty string if it can.
    taken : str
        Which number the model takes, if not this one; an empty string if it takes it as it is.
    """

    year: int | None
    funder: str | None
    name: str
    label: str
    unit: str
    was: Value | Change
    now: Value | Change
    ends: bool
    idle: str = ""
    taken: str = ""


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
        if funder is not None:  # what a funder does without the scenario may change from call to call
            first = min(year for year in years if year is not None)
            years = [year for year in programme().call_years if year >= first]
        rows += _rows(settings, others, sorted(years, key=lambda year: year or 0), funder, name)
    rows = [row._replace(idle=_idle(row, settings, others), taken=_taken(row)) for row in rows]
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
    call, row = len(rules.calls.year) - 1, _column(funder)
    if name == "takes_part":
        return bool(rules.terms.budget_eur[call, row] > 0)
    return float(getattr(rules.terms, name)[call, row])


def _taken(row: Difference) -> str:
    entry = register().get(row.name)
    if row.ends or entry is None or entry.whole is None or isinstance(row.was, Change):
        return ""
    number = float(row.now.of(row.was) if isinstance(row.now, Change) else row.now)
    whole = entry.taken(number)
    return f"{entry.unit} are whole: {whole:g} for {number:g}" if whole != number else ""


# ---------- what cannot act


def _idle(row: Difference, settings: Settings, others: Settings) -> str:
    """Return why a difference cannot act in any call in which it holds; an empty string if it can."""
    if row.ends or row.year is None:
        return ""
    resolved = resolve(settings, others)
    calls = [place for place, year in enumerate(resolved.call_years) if year >= row.year]
    entry = register()[row.name]
    for name, choices in entry.acts_with.items():
        in_force = {CHOICES[name][int(getattr(resolved.rules.calls, name)[call])] for call in calls}
        if not in_force & set(choices):
            return f"it acts only where {name} is {_either(choices)}"
    if entry.acts_where and not any(getattr(resolved.rules.terms, entry.acts_where)[call].any() for call in calls):
        return f"it acts only where {entry.acts_where} is above 0"
    if row.name in DRAWN or not _changes_nothing(row, settings, others, resolved):
        return ""
    if row.funder is not None and not resolved.rules.terms.budget_eur[calls, _column(row.funder)].any():
        return f"{row.funder} has no budget in these calls: give it a budget_eur above 0"
    return "the rules of every call are the same without it"


def _changes_nothing(row: Difference, settings: Settings, others: Settings, resolved: Resolved) -> bool:
    """Tell whether all rules and behaviours are the same if a scenario does not set this."""
    own = [each for each in settings if each[1:3] == (row.funder, row.name) and (each.year or 0) <= (row.year or 0)]
    if not own:
        return False
    without = resolve(tuple(each for each in settings if each != own[-1]), others)
    return all(
        np.array_equal(ours, theirs)
        for with_it, without_it in zip(resolved.rules, without.rules, strict=True)
        for ours, theirs in zip(with_it, without_it, strict=True)
    )


def _column(funder: str) -> int:
    return list(programme().funders).index(funder)


def _either(names: Iterable[str]) -> str:
    """Return names as alternatives: `own or slowest`."""
    return " or ".join(names)
