"""A scenario as text: its question, what differs, and every value that it resolves to."""

from collections.abc import Iterator

import scenarios as library
from scenarios import Resolved, Scenario


def lines(name: str) -> Iterator[str]:
    """The lines that `innovex scenarios show NAME` prints. Raises InputError."""
    scenario = library.load(name)
    resolved = scenario.resolve()
    yield scenario.title
    yield scenario.question
    yield f"File: {scenario.path}" + (f" (extends {scenario.parent.name})" if scenario.parent else "")
    yield ""
    yield from _differences(scenario)
    yield ""
    yield from _levers(resolved)
    yield ""
    yield from _parameters(resolved)


def _differences(scenario: Scenario) -> Iterator[str]:
    rows = scenario.differences()
    yield "What differs from the baseline:" if rows else "Nothing differs from the baseline."
    for row in rows:
        when = f"from the call of {row.year}" if row.year else "always"
        whose = f", {row.funder}" if row.funder else ""
        entry = library.register().get(row.name)
        evidence = f"; effect {entry.effect_evidence}" if entry and entry.effect_evidence else ""
        yield f"  {row.name} = {row.now} {row.unit} (baseline: {row.was}) {when}{whose}{evidence}"


def _levers(resolved: Resolved) -> Iterator[str]:
    rules = resolved.rules
    yield f"Rules by call ({', '.join(map(str, resolved.call_years))}):"
    by_funder = rules._fields.index("budget_eur")
    for name in rules._fields[:by_funder]:
        yield f"  {name}: {_row(getattr(rules, name))}"
    yield f"Rules by call and funder ({', '.join(resolved.funder_codes)}):"
    for name in rules._fields[by_funder:]:
        yield f"  {name}:"
        for year, row in zip(resolved.call_years, getattr(rules, name), strict=True):
            yield f"    {year}: {_row(row)}"


def _row(values: object) -> str:
    return "  ".join(f"{float(value):g}" for value in values)  # type: ignore[attr-defined]


def _parameters(resolved: Resolved) -> Iterator[str]:
    yield "Parameters (value, unit, prior range, evidence, source):"
    entries = library.register()
    for name, value in resolved.parameters._asdict().items():
        entry = entries[name]
        span = f"{entry.low:g} to {entry.high:g}" if entry.prior != "fixed" else "fixed"
        yield f"  {name} = {value:g} {entry.unit} [{span}; {entry.evidence}] {entry.source}"
