"""Numbers and names as people read them: plain, with a unit, no more digits than the simulation can tell."""

import math
from functools import cache

from scenarios.history import programme

MISSING = "n/a"
MINUS = "−"

CAUSES = {
    "below_threshold": "judged too weak by the national funder",
    "purse_empty": "national purse empty",
    "partner_refused": "another partner was refused",
    "common_purse_empty": "common purse empty",
}
EVIDENCE = {
    "data-informed": "informed by the programme's data",
    "literature-informed": "informed by other studies",
    "assumed": "assumed",
    "survey": "fitted to the survey",
    "programme": "programme statistics",
    "literature": "other studies",
    "assumption": "assumed",
}
# Unit, and what it reads like after a number.
_UNITS = {"yes or no": "", "choice": "", "ratio": "times", "share": "", "0-1": ""}


def count(value: float) -> str:
    """A number of things: `1,234`, `56`, `7.8`, `0`."""
    if not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 9.95 or value == 0 else 1
    return _signless(f"{value:,.{digits}f}")


def eur(value: float) -> str:
    """An amount with three digits that mean something: `EUR 12,300`, `EUR 6.85 million`."""
    if not math.isfinite(value):
        return MISSING
    rounded = _rounded(value)
    if abs(rounded) >= 1e6:
        return f"{_signless('EUR ' + format(rounded / 1e6, ',.2f'))} million"
    return _signless(f"EUR {rounded:,.0f}")


def signed(value: float, form=count) -> str:
    """A difference in the given form: `+12`, `−EUR 3,400`."""
    if not math.isfinite(value):
        return MISSING
    text = form(abs(value))
    if value == 0 or not any(digit in text for digit in "123456789"):
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def percent(value: float) -> str:
    """A relative change: `+12%`, `−0.4%`, `0%`."""
    if not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 0.00995 or value == 0 else 1
    text = f"{abs(value):.{digits}%}"
    if not any(digit in text for digit in "123456789"):
        return "0%"
    return f"{'+' if value > 0 else MINUS}{text}"


def share(value: float) -> str:
    """A share of draws: `97%`; never rounded to certainty."""
    if not math.isfinite(value):
        return MISSING
    if 0.995 <= value < 1:
        return "over 99%"
    if 0 < value < 0.005:
        return "under 1%"
    return f"{value:.0%}"


def between(low: float, high: float, form=percent) -> str:
    """An interval: `+3% to +20%`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{form(low)} to {form(high)}"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def plural(number: int, one: str, many: str = "") -> str:
    """`1 draw`, `200 draws`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def setting(value, unit: str) -> str:
    """A lever's value with its unit: `24 months`, `1.3 times`, `on`, `all or none`."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value.replace("_", " ")
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if not math.isfinite(value):
        return MISSING
    if unit in ("share", "0-1") and 0 <= value <= 1:
        return f"{value:.0%}"
    if unit.startswith("EUR"):
        return eur(value) + unit[3:]
    return f"{value:,.6g} {_UNITS.get(unit, unit)}".strip()


def years(calls) -> str:
    """Call years in words: `2016 to 2019`."""
    calls = sorted(calls)
    if len(calls) < 2:
        return "".join(str(year) for year in calls)
    if calls == list(range(calls[0], calls[-1] + 1)):
        return f"{calls[0]} to {calls[-1]}"
    return listed([str(year) for year in calls])


@cache
def _names() -> dict[str, str]:
    return {code: country.name for code, country in programme().countries.items()}


def country(code: str) -> str:
    """A country's or region's name; an unknown code stays as it is."""
    return _names().get(code, code)


@cache
def _sectors() -> dict[str, str]:
    return {key: sector.name for key, sector in programme().sectors.items()}


def group(kind: str, key: str) -> str:
    """A group of SMEs by name."""
    return f"{capital(key)} firms" if kind == "size" else _sectors().get(key, capital(key))


def _signless(text: str) -> str:
    """With a true minus sign, and without one before zero."""
    if "-" not in text:
        return text
    if not any(digit in text for digit in "123456789"):
        return text.replace("-", "")
    return MINUS + text.replace("-", "")


def _rounded(value: float) -> float:
    if value == 0:
        return 0.0
    digits = 2 - math.floor(math.log10(abs(value)))
    return round(value, min(digits, 0) if abs(value) >= 100 else 0)
