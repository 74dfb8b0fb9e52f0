"""Factors: what an experiment varies, from a number between 0 and 1 to a value of the register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.runs.parameter_draws import POSTERIOR, PRIOR, draw_source
from experiments.sweeps.form import Choice, Experiment, Vary
from scenarios import Entry, programme, quantile, register
from scenarios.entries import drawn, levers
from scenarios.errors import Fault, describe, listed, nearest, refuse
from scenarios.settings import Setting, in_order, value_at
from simulator.parameters import F64


@dataclass(frozen=True)
class Factor:
    """One thing that is varied; `choices` empty: a number from `low` to `high`, or by the prior of the register.

    `lever`: a rule of the programme in the calls `first` to `last` (None: to the end), in the base too or not.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    by: str = ""  # "prior" or "posterior": a number is a quantile; else a place between low and high
    choices: tuple[Choice, ...] = ()
    lever: bool = False
    first: int | None = None
    last: int | None = None
    in_base: bool = True

    def numbers(self, u: F64) -> F64:
        """Return values for numbers in [0, 1]: quantiles of the prior, places in the range, or numbers of choices."""
        if self.choices:
            place: F64 = np.minimum(np.floor(u * len(self.choices)), len(self.choices) - 1.0)
            return place
        if self.by == POSTERIOR:
            return draw_source(POSTERIOR).quantiles(self.name, u)
        if self.by == PRIOR:
            return quantile(register()[self.name], u)
        return self.low + (self.high - self.low) * u

    def value(self, number: float) -> Choice:
        """Return what a number stands for: itself, or a choice."""
        return self.choices[int(number)] if self.choices else float(number)

    def reaches(self, levered: bool) -> bool:
        """Tell whether a case hangs on it: what is no lever reaches all cases, a lever those with levers, or all."""
        return not self.lever or levered or self.in_base

    @property
    def told(self) -> str:
        """Over what it is varied, in words."""
        if self.choices:
            return ", ".join(str(choice).lower() for choice in self.choices)
        return f"{self.way}, {self.low:g} to {self.high:g}" if self.by else f"{self.low:g} to {self.high:g}"

    @property
    def way(self) -> str:
        """How likely each value is, in words."""
        return {PRIOR: "by its prior", POSTERIOR: "by the posterior"}.get(self.by, "evenly")


def factors_of(experiment: Experiment, source: str | Path, free: bool = False) -> tuple[Factor, ...]:
    """Return the factors in the order of the file, then those of `vary_all` in the order of the register.

    `free`: names need not stand in the register (functions other than the model). Raises InputError.
    """
    known = set(draw_source(experiment.draws_from).fitted) if experiment.vary_all else set()
    factors = [_factor(name, vary, source, free) for name, vary in experiment.vary.items()]
    named = set(experiment.vary)
    for name, entry in drawn().items():
        if entry.evidence in experiment.vary_all and name not in named and _varies(entry):
            factors.append(_parameter(name, entry, Vary(by="posterior" if name in known else "prior"), source))
    return tuple(factors)


def _varies(entry: Entry) -> bool:
    return entry.prior != "fixed" and entry.low != entry.high


def _factor(name: str, vary: Vary, source: str | Path, free: bool) -> Factor:
    if name in drawn():
        return _parameter(name, drawn()[name], vary, source)
    if name in levers("call"):
        return _lever(name, levers("call")[name], vary, source)
    if free and (vary.choices or vary.low is not None):
        low, high = (vary.low, vary.high) if vary.low is not None and vary.high is not None else (0.0, 1.0)
        return Factor(name, name, "", low, high, choices=tuple(vary.choices or ()))
    names = [*drawn(), *levers("call")]
    raise refuse(source, [Fault(f"vary.{name}", "this name is not known here", listed(names, 4), nearest(name, names))])


def _parameter(name: str, entry: Entry, vary: Vary, source: str | Path) -> Factor:
    """Return a factor that varies behaviour or a funder: it holds in base and option alike."""
    if vary.from_ is not None or vary.to is not None or vary.applies_to == "option" or vary.choices:
        what = "it describes how the world behaves, in all calls and in base and option alike"
        raise refuse(source, [Fault(f"vary.{name}", what, '"prior", or low and high')])
    if vary.low is None or vary.high is None:
        if not _varies(entry):
            raise refuse(source, [Fault(f"vary.{name}", "its prior is fixed", "low and high")])
        if vary.by == POSTERIOR and name not in draw_source(POSTERIOR).fitted:
            raise refuse(
                source,
                [Fault(f"vary.{name}", "it is not fitted", f"one of {listed(draw_source(POSTERIOR).fitted, 30)}")],
            )
        ends = np.array([0.0, 1.0])
        low, high = draw_source(POSTERIOR).quantiles(name, ends) if vary.by == POSTERIOR else quantile(entry, ends)
        return Factor(name, entry.label, entry.unit, float(low), float(high), vary.by or PRIOR)
    _check_range(name, entry, vary.low, vary.high, source)
    return Factor(name, entry.label, entry.unit, vary.low, vary.high)


def _lever(name: str, entry: Entry, vary: Vary, source: str | Path) -> Factor:
    """Return a factor that varies a rule of the programme, in some calls, by default in the option alone."""
    where, years = f"vary.{name}", programme().call_years
    _check_calls(where, vary, years, source)
    choices = tuple(vary.choices or ((False, True) if entry.is_switch and vary.low is None else ()))
    if vary.low is not None and vary.high is not None:
        if entry.choices or entry.is_switch:
            raise refuse(source, [Fault(where, "a range does not fit", f"choices of {entry.allowed}")])
        _check_range(name, entry, vary.low, vary.high, source)
    elif not choices:
        raise refuse(source, [Fault(where, "a lever has no prior", "low and high, or choices")])
    for choice in choices:
        if not _may_be(entry, choice):
            raise refuse(source, [Fault(f"{where}.choices", f"{describe(choice)} does not fit", entry.allowed)])
    low, high = (vary.low, vary.high) if vary.low is not None and vary.high is not None else (0.0, len(choices) - 1.0)
    return Factor(
        name, entry.label, entry.unit, low, high, choices=choices, lever=True,
        first=vary.from_, last=vary.to, in_base=vary.applies_to == "both",
    )  # fmt: skip


def _check_calls(where: str, vary: Vary, years: Sequence[int], source: str | Path) -> None:
    """Raise InputError unless a lever is varied from a call on, to the same one or a later one."""
    called = listed(map(str, years))
    if vary.from_ is None:
        raise refuse(source, [Fault(where, "a lever is varied from a call on", f"from = one of {called}")])
    for key, year in (("from", vary.from_), ("to", vary.to)):
        if year is not None and year not in years:
            meant = nearest(str(year), map(str, years))
            raise refuse(source, [Fault(f"{where}.{key}", f"there is no call in {describe(year)}", called, meant)])
    if vary.to is not None and vary.to < vary.from_:
        later = listed(str(year) for year in years if year >= vary.from_)
        raise refuse(source, [Fault(f"{where}.to", f"{vary.to} lies before from = {vary.from_}", later)])


def _may_be(entry: Entry, choice: Choice) -> bool:
    if entry.choices:
        return choice in entry.choices
    if entry.is_switch or isinstance(choice, bool | str):
        return entry.is_switch and isinstance(choice, bool)
    return entry.limits[0] <= choice <= entry.limits[1]


def _check_range(name: str, entry: Entry, low: float, high: float, source: str | Path) -> None:
    smallest, largest = entry.limits
    for value in (low, high):
        if not smallest <= value <= largest:
            raise refuse(source, [Fault(f"vary.{name}", f"{describe(value)} is out of range", entry.allowed)])


def with_levers(settings: tuple[Setting, ...], values: Mapping[Factor, Choice]) -> tuple[Setting, ...]:
    """Return a scenario's settings with levers at other values in their calls; afterwards as they were."""
    for factor, value in values.items():
        settings = _with_lever(settings, factor, value)
    return settings


def _with_lever(settings: tuple[Setting, ...], factor: Factor, value: Choice) -> tuple[Setting, ...]:
    first, last, name = factor.first or 0, factor.last, factor.name
    rows: list[Setting] = [each for each in settings if not _within(each, name, first, last)]
    rows.append(Setting(first, None, name, value))
    after = next((year for year in programme().call_years if last is not None and year > last), None)
    if after is not None and not any(each[:3] == (after, None, name) for each in settings):
        before = value_at(settings, after, None, name)
        default = register()[name].value
        rows.append(Setting(after, None, name, before if before is not None else default))  # type: ignore[arg-type]
    return in_order(rows)


def _within(each: Setting, name: str, first: int, last: int | None) -> bool:
    ours = (each.funder, each.name) == (None, name) and each.year is not None
    return ours and first <= (each.year or 0) <= (last or 9999)
