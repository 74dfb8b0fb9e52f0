"""Resolve a scenario into what a run needs: `Parameters`, `Rules`, `World` and the length of the run."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt

from scenarios.entries import central, check_values, drawn, levers, register
from scenarios.errors import Fault, describe, listed, refuse
from scenarios.history import Programme, programme
from scenarios.settings import (
    DEFAULT_HORIZON_MONTHS,
    LONGEST_HORIZON_MONTHS,
    SHORTEST_HORIZON_MONTHS,
    Change,
    Setting,
    Value,
    value_at,
)
from scenarios.world import world
from simulator.parameters import DECISION_DATES, FUNDING_RULES, CallRules, Parameters, Rules, Terms, World

Arrays = dict[str, npt.NDArray[Any]]
F64 = npt.NDArray[np.float64]
Settings = tuple[Setting, ...]
Years = tuple[int, ...]
ByName = Mapping[tuple[str | None, str], list[Setting]]  # settings by funder and name

# Rules of a call that are levers as they are: its numbers. Whole numbers are dates, sizes and choices.
DRAWN = ("grant_eur", "pass_share")  # rules of a funder that the draws decide unless a scenario sets them
CHOICES = {"funding_rule": FUNDING_RULES, "decision_dates": DECISION_DATES}  # names by position
LEVERS = tuple(name for name, kind in CallRules.__annotations__.items() if kind == F64)


@dataclass(frozen=True)
class Resolved:
    """Everything that a run needs, and the names behind the rows. The arrays belong to the caller.

    Parameters
    ----------
    parameters : Parameters
    rules : Rules
    world : World
    months : int
        The length of the run.
    change_year : int or None
        The first call that differs from the baseline's; None if none does.
    funder_codes, country_codes, sector_names : tuple of str
        In the order of the rows of `rules` and `world`.
    call_years : tuple of int
        In the order of the rows of `rules`.
    """

    parameters: Parameters
    rules: Rules
    world: World
    months: int
    change_year: int | None
    funder_codes: tuple[str, ...]
    country_codes: tuple[str, ...]
    sector_names: tuple[str, ...]
    call_years: tuple[int, ...]


def resolve(
    settings: Settings,
    baseline: Settings,
    parameters: Mapping[str, float] | None = None,
    *,
    budget_scale: float = 1.0,
    scale_from: int | None = None,
    horizon_months: int | None = None,
    last_call: int | None = None,
    smes: int | None = None,
    clusters: int | None = None,
    past: Programme | None = None,
) -> Resolved:
    """Return what a run under `settings` needs.

    Parameters
    ----------
    settings, baseline : tuple of Setting
        All settings of the scenario and of the baseline.
    parameters, budget_scale, scale_from, horizon_months, last_call, smes, clusters
        As in `Scenario.resolve`.
    past : Programme, optional
        The programme as it was; the shipped one unless given.

    Raises
    ------
    InputError
        As in `Scenario.resolve`.
    """
    past = past or programme()
    years = _years(settings, past, last_call)
    horizon = _horizon(settings, horizon_months)
    values = _values(settings, {**central(), **check_values(parameters or {}, "parameters")})
    template = _template(settings, years, past)
    changed = _change_year(settings, baseline, years, _years(baseline, past, last_call), past)
    scale = _scale(years, changed if scale_from is None else scale_from, budget_scale)
    rules = _rules(template, values, past, horizon, scale)
    return Resolved(
        parameters=Parameters(**{name: values[name] for name in Parameters._fields}),
        rules=rules,
        world=world(past, smes, clusters),
        months=12 * math.ceil((int(rules.calls.close_month[-1]) + 1 + horizon) / 12),
        change_year=changed,
        funder_codes=tuple(past.funders),
        country_codes=tuple(past.countries),
        sector_names=tuple(sector.name for sector in past.sectors.values()),
        call_years=years,
    )


def clear_caches() -> None:
    """Clear the caches of resolved scenarios, so that the time to resolve one can be measured."""
    for cached in (_template, _unchanged, _change_year):
        cached.cache_clear()


def _years(settings: Settings, past: Programme, last_call: int | None) -> Years:
    last = value_at(settings, None, None, "last_call") if last_call is None else last_call
    if last is None:
        return past.call_years
    if last not in past.call_years or isinstance(last, bool):
        years = listed(map(str, past.call_years))
        raise refuse("last_call", [Fault("", f"{describe(last)} is not a call", years)])
    return tuple(year for year in past.call_years if year <= last)


def _horizon(settings: Settings, horizon_months: int | None) -> int:
    set_months = value_at(settings, None, None, "horizon_months") if horizon_months is None else horizon_months
    months = DEFAULT_HORIZON_MONTHS if set_months is None else set_months
    is_whole = isinstance(months, int | np.integer) and not isinstance(months, bool)
    if not is_whole or not SHORTEST_HORIZON_MONTHS <= months <= LONGEST_HORIZON_MONTHS:
        allowed = f"a whole number from {SHORTEST_HORIZON_MONTHS} to {LONGEST_HORIZON_MONTHS}"
        raise refuse("horizon_months", [Fault("", f"{describe(months)} does not fit", allowed)])
    return int(months)


def _values(settings: Settings, values: dict[str, float]) -> dict[str, float]:
    """Return behaviours by name, with those that the scenario holds at a value or changes."""
    return values | {name: float(_set(name, value, values[name])) for name, value in _own_values(settings).items()}


def _own_values(settings: Settings) -> dict[str, Value | Change]:
    """Return the behaviours that the scenario holds at a value or changes."""
    return {row.name: row.value for row in settings if row.year is None and row.name in drawn()}


def _set(name: str, value: Value | Change, without: Any) -> Any:
    """Return what holds where a value or a change is set."""
    return changed(name, value, without) if isinstance(value, Change) else value


def changed(name: str, change: Change, without: Any) -> Any:
    """Return numbers after a change: within the limits of the register, unless they were beyond without it.

    Parameters
    ----------
    name : str
        A number of the register.
    change : Change
    without : float or array
        What holds without the change, in the unit of the register.
    """
    smallest, largest = register()[name].limits
    return np.clip(change.of(without), np.fmin(smallest, without), np.fmax(largest, without))


@lru_cache(maxsize=256)
def _template(settings: Settings, years: Years, past: Programme) -> Arrays:
    """Return the rules with NaN wherever a draw decides. Cached: never change it."""
    by_name = _by_name(settings)
    lever = {name: _by_call(by_name, years, name) for name in levers("call")}
    held = np.array(lever["held"], dtype=np.int64)
    unchanged = _unchanged(past, years)
    size = unchanged["event_clusters"] * np.array(lever["event_size_factor"]) * held
    arrays: Arrays = {
        **{name: unchanged[name] for name in ("year", "event_month", "open_month", "close_month")},
        "event_clusters": np.rint(size).astype(np.int64),
        "held": held,
        **{name: _indices(lever[name], names) for name, names in CHOICES.items()},
        "grant_factor": np.array(lever["grant_factor"], dtype=np.float64),
    }
    for name in LEVERS:
        arrays[name] = np.array(lever[name], dtype=np.float64)
    for name in ("cofinance_rate", "openness", "lag_position", "deadline_months"):
        arrays[name] = _by_funder(by_name, years, past, name, unchanged[name])
    for name in ("project_months", "phase_two_share"):
        arrays[name] = _by_funder(by_name, years, past, name, _columns_of(lever[name], past))
    for name in DRAWN:
        arrays[name] = _by_funder(by_name, years, past, name, np.full(unchanged["budget_eur"].shape, math.nan))
        arrays |= _changes(by_name, years, past, name)
    floor = np.array(lever["openness_floor"], dtype=np.float64)
    arrays["openness"] = np.maximum(arrays["openness"], floor[:, None])
    budget = unchanged["budget_eur"] * np.array(lever["budget_factor"], dtype=np.float64)[:, None]
    takes_part = _by_funder(by_name, years, past, "takes_part", unchanged["takes_part"])
    arrays["budget_eur"] = _by_funder(by_name, years, past, "budget_eur", budget) * takes_part * held[:, None]
    return arrays


@lru_cache(maxsize=16)
def _unchanged(past: Programme, years: Years) -> Arrays:
    """Return dates, (calls,), and funders' own rules, (calls, funders), as they were. Cached: never change it."""
    calls, funders = [past.calls[year] for year in years], past.funders.items()
    arrays: Arrays = {
        "year": np.array(years, dtype=np.int64),
        "event_month": np.array([past.month(call.event) for call in calls], dtype=np.int64),
        "open_month": np.array([past.month(call.open) for call in calls], dtype=np.int64),
        "close_month": np.array([past.month(call.close) for call in calls], dtype=np.int64),
        "event_clusters": np.array([call.event_clusters for call in calls]),
        "budget_eur": np.array([[past.budget_eur(year, code) for code, _ in funders] for year in years]),
        "takes_part": np.array([[float(code in call.funders) for code, _ in funders] for call in calls]),
    }
    for name in ("cofinance_rate", "openness", "lag_position", "deadline_months"):
        arrays[name] = np.array([[getattr(funder, name) for _, funder in funders]] * len(years), dtype=np.float64)
    return arrays


def _by_name(settings: Settings) -> ByName:
    """Return the settings by funder and name, each in order of year."""
    by_name: dict[tuple[str | None, str], list[Setting]] = {}
    for setting in settings:
        by_name.setdefault((setting.funder, setting.name), []).append(setting)
    return by_name


def _by_call(by_name: ByName, years: Years, name: str) -> list[Any]:
    """Return a lever's value at each call."""
    values = [levers("call")[name].value] * len(years)
    for setting in by_name.get((None, name), ()):
        first = bisect_left(years, setting.year or 0)
        values[first:] = [_set(name, setting.value, levers("call")[name].value)] * (len(years) - first)
    return values


def _by_funder(by_name: ByName, years: Years, past: Programme, name: str, default: F64) -> F64:
    """Return a rule at each call and funder, (calls, funders): `default` where the scenario sets none."""
    table = default.copy()
    for column, funder in enumerate(past.funders):
        for setting in by_name.get((funder, name), ()):
            calls = slice(bisect_left(years, setting.year or 0), None)
            table[calls, column] = _set(name, setting.value, default[calls, column])
    return table


def _changes(by_name: ByName, years: Years, past: Programme, name: str) -> Arrays:
    """Return how a rule that is drawn is changed at each call and funder: factors and summands."""
    times, add = np.ones((len(years), len(past.funders))), np.zeros((len(years), len(past.funders)))
    for column, funder in enumerate(past.funders):
        for setting in by_name.get((funder, name), ()):
            change = setting.value if isinstance(setting.value, Change) else Change()
            first = bisect_left(years, setting.year or 0)
            times[first:, column], add[first:, column] = change
    return {f"{name}_times": times, f"{name}_add": add}


def _columns_of(values: list[Any], past: Programme) -> F64:
    return np.repeat(np.array(values, dtype=np.float64)[:, None], len(past.funders), axis=1)


def _indices(choices: list[str], among: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return np.array([among.index(choice) for choice in choices], dtype=np.int64)


@lru_cache(maxsize=256)
def _change_year(
    settings: Settings, baseline: Settings, years: Years, before_years: Years, past: Programme
) -> int | None:
    """Return the first call that differs from the baseline's. Fixed behaviours have no date: they change the first."""
    if _own_values(settings) != _own_values(baseline):
        return years[0]
    now, before = _flat(_template(settings, years, past)), _flat(_template(baseline, before_years, past))
    both = min(len(years), len(before_years))
    same = (now[:both] == before[:both]) | (np.isnan(now[:both]) & np.isnan(before[:both]))
    if not same.all():
        return years[int(same.all(axis=1).argmin())]
    shorter, longer = sorted((years, before_years), key=len)
    return longer[len(shorter)] if len(shorter) < len(longer) else None


def _flat(template: Arrays) -> F64:
    """Return a template as one table, a row per call."""
    return np.column_stack([template[name] for name in sorted(template)])


def _scale(years: Years, scale_from: int | None, budget_scale: float) -> F64:
    """Return the factor on budgets by call."""
    fits = isinstance(budget_scale, SupportsFloat) and not isinstance(budget_scale, bool | str)
    if not fits or not 0 <= budget_scale < math.inf:
        raise refuse("budget_scale", [Fault("", f"{describe(budget_scale)} does not fit", "a number of 0 or more")])
    if scale_from is None and budget_scale != 1:
        what = "the scenario changes no call, so it does not say from which call on budgets are scaled"
        raise refuse("budget_scale", [Fault("", what, "a call year as scale_from")])
    return np.array([budget_scale if scale_from is not None and year >= scale_from else 1.0 for year in years])


def _rules(template: Arrays, values: Mapping[str, float], past: Programme, horizon: int, scale: F64) -> Rules:
    """Return the rules under one draw; a grant that is set in EUR wins, and widens the limits where it must."""
    arrays = {name: array.copy() for name, array in template.items()}
    factor = arrays.pop("grant_factor")[:, None]
    funders = list(past.funders.values())
    smallest = np.array([funder.grant_min_eur for funder in funders]) * factor
    largest = np.array([funder.grant_max_eur for funder in funders]) * factor
    ratio = np.array([funder.grant_ratio for funder in funders])
    typical = np.clip(values["grant_eur"] * ratio * factor, smallest, largest)
    own_grant = _own(arrays, "grant_eur", typical)
    arrays["grant_eur"] = np.where(np.isnan(own_grant), typical, own_grant)
    arrays["grant_min_eur"] = np.fmin(smallest, own_grant)
    arrays["grant_max_eur"] = np.fmax(largest, own_grant)
    passes = np.array([values[funder.pass_] for funder in funders])
    own_pass = _own(arrays, "pass_share", np.broadcast_to(passes, own_grant.shape))
    arrays["pass_share"] = np.where(np.isnan(own_pass), passes, own_pass)
    arrays["budget_eur"] = arrays["budget_eur"] * scale[:, None]
    arrays["counted_months"] = np.full(len(scale), horizon, dtype=np.int64)
    calls = CallRules(**{name: np.ascontiguousarray(arrays[name]) for name in CallRules._fields})
    return Rules(calls, Terms(**{name: np.ascontiguousarray(arrays[name]) for name in Terms._fields}))


def _own(arrays: Arrays, name: str, drawn_values: F64) -> F64:
    """Return a drawn rule where the scenario sets or changes it, NaN elsewhere."""
    times, add, own = arrays.pop(f"{name}_times"), arrays.pop(f"{name}_add"), arrays[name]
    changed = _set(name, Change(times, add), drawn_values)  # type: ignore[arg-type]
    return np.where(np.isnan(own) & ((times != 1.0) | (add != 0.0)), changed, own)
