"""A scenario as text: its question, what differs, and every value that it resolves to, with unit and source."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

import scenarios as library
from experiments.runs.parameter_draws import POSTERIOR
from experiments.runs.world_ranges import Range, ranges_of_draws
from scenarios import Resolved, Scenario, Setting
from scenarios.differences import Difference
from scenarios.resolve import CHOICES
from scenarios.settings import Change

WIDEST = 120
DATES = ("event_month", "open_month", "close_month")
NO_PART = "-"  # instead of the values of a funder that takes no part in a call


class Words(NamedTuple):
    """What stands beside a rule's values."""

    label: str
    unit: str
    source: str


TABLE_2 = "Wise (2017), Table 2; the calls after 2017 repeat it (assumption)"
LIMITS = "Danish rules of 2013, Norwegian rules of 2015; elsewhere the programme's EUR 10,000 to 60,000"
OF_THE_PROGRAMME = {
    "event_month": Words("Matchmaking event", "month", TABLE_2),
    "open_month": Words("Call opens", "month", f"{TABLE_2}; taken as the event's month but for 2013 (assumption)"),
    "close_month": Words("Call closes", "month", "30 October in 2015 (Wise 2017); the others like it (assumption)"),
    "event_clusters": Words("Clusters at the event", "clusters", TABLE_2),
    "counted_months": Words("Months counted", "months", "what the question asks: horizon_months of the scenario"),
    "grant_min_eur": Words("Smallest grant", "EUR", LIMITS),
    "grant_max_eur": Words("Largest grant", "EUR", LIMITS),
}


def lines(name: str) -> Iterator[str]:
    """Yield the lines that `innovex scenarios show NAME` prints; raises InputError."""
    scenario = library.load(name)
    resolved = scenario.resolve()
    yield f"{scenario.name}: {scenario.title}"
    yield scenario.question
    yield f"File: {scenario.path}" + (f", extends {scenario.parent.name}" if scenario.parent else "")
    yield ""
    yield from _differences(scenario)
    yield ""
    yield from _rules_by_call(resolved)
    yield ""
    yield from _rules_by_funder(resolved)
    yield ""
    yield from _parameters(scenario)


def _differences(scenario: Scenario) -> Iterator[str]:
    rows = scenario.differences()
    spans = ranges_of_draws(rows, library.load("baseline"), POSTERIOR)
    yield "WHAT DIFFERS FROM THE BASELINE" if rows else "NOTHING DIFFERS FROM THE BASELINE"
    for row, span in zip(rows, spans, strict=True):
        when = f"from the call of {row.year}" if row.year else "always"
        whose = f", {row.funder}" if row.funder else ""
        entry = library.register().get(row.name)
        evidence = f"; the effect is {entry.effect_evidence}" if entry and entry.effect_evidence else ""
        change = _changed(row, span) if not row.ends else f"{_in_words(row.now)} again"
        idle = f"; IT CANNOT ACT HERE: {row.idle}" if row.idle else evidence
        taken = f" ({row.taken})" if row.taken else ""
        yield f"  {_head(row.label, row.name, row.unit)}{whose} {when}: {change}{taken}{idle}"


def _changed(row: Difference, span: Range | None) -> str:
    """Put what is now and what was; where worlds differ, their range, and whether all have one value now."""
    if span is None:
        return f"{_in_words(row.now)}, was {_in_words(row.was)}"
    now = f"{_in_words(row.now)}" if isinstance(row.now, Change) else f"{_in_words(row.now)} in every world"
    low, high = (_in_words(float(f"{number:.3g}")) for number in span)
    return f"{now}, was {_in_words(row.was)} at the central values, {low} to {high} in nine worlds of ten"


def _rules_by_call(resolved: Resolved) -> Iterator[str]:
    """Yield a line per rule, with the calls for which a value holds; its source below."""
    yield f"RULES BY CALL, {resolved.call_years[0]} to {resolved.call_years[-1]}"
    for name, column in resolved.rules.calls._asdict().items():
        if name == "year":
            continue
        words = _words(name)
        values = [_value(name, value) for value in column]
        text = ", ".join(values) if name in DATES else _spans(values, resolved.call_years)
        yield f"  {_head(words.label, name, words.unit)}: {text}"
        yield from _wrapped(words.source)


def _rules_by_funder(resolved: Resolved) -> Iterator[str]:
    """Yield a small table per rule: a column per funder, a row for each run of calls with the same values."""
    yield f"RULES BY CALL AND FUNDER; {NO_PART} where a funder takes no part in the call"
    terms = resolved.rules.terms
    part = terms.budget_eur > 0.0
    for name in terms._fields:
        words = _words(name)
        rows = [
            [_value(name, value) if takes_part else NO_PART for value, takes_part in zip(row, parts, strict=True)]
            for row, parts in zip(getattr(terms, name), part, strict=True)
        ]
        common = _common(rows)
        yield f"  {_head(words.label, name, words.unit)}" + (f": {_for_all(common, resolved)}" if common else "")
        yield from _wrapped(words.source)
        if not common:
            yield from _table(resolved, rows)


def _for_all(values: list[str], resolved: Resolved) -> str:
    """Return values that all funders have in common, by call."""
    none = set(values) == {NO_PART}
    return "no funder takes part" if none else f"{_spans(values, resolved.call_years)}, the same for all funders"


def _common(rows: list[list[str]]) -> list[str]:
    """Return the values of each call, if its funders have one in common in every call; else nothing."""
    values = [{value for value in row if value != NO_PART} or {NO_PART} for row in rows]
    return [value for each in values for value in each] if all(len(each) == 1 for each in values) else []


def _table(resolved: Resolved, rows: list[list[str]]) -> Iterator[str]:
    runs = [
        (f"{years[0]} to {years[-1]}" if len(years) > 1 else f"{years[0]}", row) for row, years in _runs(rows, resolved)
    ]
    widths = [max(len(code), *(len(row[place]) for _, row in runs)) for place, code in enumerate(resolved.funder_codes)]
    yield f"    {'':12}  " + "  ".join(f"{code:>{w}}" for code, w in zip(resolved.funder_codes, widths, strict=True))
    for when, row in runs:
        yield f"    {when:12}  " + "  ".join(f"{value:>{w}}" for value, w in zip(row, widths, strict=True))


def _runs(rows: list[list[str]], resolved: Resolved) -> Iterator[tuple[list[str], list[int]]]:
    """Return rows that are equal from one call to the next, as one, with their years."""
    for _, group in groupby(zip(rows, resolved.call_years, strict=True), key=lambda pair: pair[0]):
        pairs = list(group)
        yield pairs[0][0], [year for _, year in pairs]


def _spans(values: Sequence[str], years: Sequence[int]) -> str:
    """Return values with the calls for which they hold: `own in 2013 to 2015, committed in 2016 to 2019`."""
    spans = []
    for value, group in groupby(zip(values, years, strict=True), key=lambda pair: pair[0]):
        calls = [year for _, year in group]
        spans.append((value, f"{calls[0]} to {calls[-1]}" if len(calls) > 1 else f"{calls[0]}"))
    return spans[0][0] if len(spans) == 1 else ", ".join(f"{value} in {when}" for value, when in spans)


def _parameters(scenario: Scenario) -> Iterator[str]:
    """Return values of behaviours and funders' shares: those that the scenario holds, else the central ones."""
    yield "PARAMETERS at their central values [range of the prior; evidence]; draws take other values from the range"
    own = {each.name: each for each in scenario.settings if each.year is None}
    for name, entry in library.register().items():
        if entry.kind == "lever":
            continue
        span = f"{_in_words(entry.low)} to {_in_words(entry.high)}" if entry.prior != "fixed" else "fixed"
        value = _parameter(own.get(name), entry.value)
        yield f"  {_head(entry.label, name, entry.unit)}: {value} [{span}; {entry.evidence}]"
        yield from _wrapped(entry.source)


def _parameter(own: Setting | None, central: object) -> str:
    if own is None:
        return _in_words(central)
    if isinstance(own.value, Change):
        return f"{_in_words(central)}, by the scenario {_in_words(own.value)}"
    return f"{_in_words(own.value)}, held by the scenario in every draw"


def _words(name: str) -> Words:
    """Label, unit and source of a rule, from the register or of the programme."""
    if name in OF_THE_PROGRAMME:
        return OF_THE_PROGRAMME[name]
    entry = library.register()[name]
    return Words(entry.label, entry.unit, entry.source)


def _value(name: str, value: float) -> str:
    """Put a rule's value as people say it: choices by name, months of the calendar by date, switches as yes or no."""
    if name in CHOICES:
        return CHOICES[name][int(value)]
    if name in DATES:
        return f"{library.programme().first_year + int(value) // 12}-{int(value) % 12 + 1:02}"
    if _words(name).unit == "yes or no":
        return _in_words(bool(value))
    return _in_words(float(value))


def _in_words(value: object) -> str:
    """Put a value as plain text: `593,020`, `0.85`, `yes`, `own`."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:g}"
    return str(value)


def _head(label: str, name: str, unit: str) -> str:
    """Head a value by what it is: `Project length (project_months), months`."""
    return f"{label} ({name})" + ("" if unit in ("choice", "yes or no") else f", {unit}")


def _wrapped(source: str) -> Iterator[str]:
    width = min(max(shutil.get_terminal_size((WIDEST, 24)).columns, 60), WIDEST)
    yield from textwrap.wrap(f"Source: {source}", width, initial_indent=" " * 6, subsequent_indent=" " * 6)
