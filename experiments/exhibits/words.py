"""Write numbers and names as people read them: plain, with a unit, no more digits than a simulation can support."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from scenarios.history import programme

Form = Callable[[float], str]

MISSING = "n/a"
MINUS = "−"

# What stands behind a value of the register.
EVIDENCE = {
    "data-informed": "informed by the programme's data",
    "literature-informed": "informed by other studies",
    "assumed": "assumed",
    "fitted": "fitted to survey and programme statistics",
    "survey": "guessed from the survey",
    "programme": "programme statistics",
    "literature": "other studies",
    "assumption": "assumed",
}
_LONG_WORDS = {
    "dministration": "dminis\N{SOFT HYPHEN}tration",
    "ollaborations": "ollabo\N{SOFT HYPHEN}rations",
    "oncentration": "oncen\N{SOFT HYPHEN}tration",
    "artnerships": "artner\N{SOFT HYPHEN}ships",
    "pplications": "ppli\N{SOFT HYPHEN}cations",
}
# Units that are left out or changed after a number.
_UNITS = {"yes or no": "", "choice": "", "ratio": "", "share": "", "0-1": "", "exponent": ""}
_CHOICES = {
    "independent": "each funder alone",
    "all_or_none": "all partners or none",
    "negotiated": "negotiated gaps",
    "virtual_common_pot": "one ranking, national money",
    "common_pot": "one common purse",
    "own": "each on its own date",
    "slowest": "all on the slowest one's date",
    "committed": "all on a committed date",
}


def count(value: float) -> str:
    """Return a number of things: `1,234`, `56`, `7.8`, `0`."""
    if not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 9.95 or value == round(value) else 1
    return _signless(f"{value:,.{digits}f}")


def axis(value: float) -> str:
    """Return a number on an axis: `1,500`, `0.25`."""
    return _signless(f"{value:,.6g}")


def eur(value: float) -> str:
    """Return an amount with three significant digits: `EUR 12,300`, `EUR 6.85 million`."""
    if not math.isfinite(value):
        return MISSING
    rounded = _rounded(value)
    if abs(rounded) >= 1e6:
        millions = rounded / 1e6
        digits = 2 if abs(millions) < 10 else 1 if abs(millions) < 100 else 0
        return _signless(f"EUR {millions:,.{digits}f} million")
    return _signless(f"EUR {rounded:,.0f}")


def signed(value: float, form: Form = count) -> str:
    """Return a difference, written by `form`, with its sign: `+12`, `−EUR 3,400`."""
    if not math.isfinite(value):
        return MISSING
    text = form(abs(value))
    if value == 0 or not any(digit in text for digit in "123456789"):
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def percent(value: float) -> str:
    """Return a relative change: `+12%`, `−0.4%`, `0%`."""
    if not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 0.00995 or value == 0 else 1
    text = f"{abs(value):.{digits}%}"
    if not any(digit in text for digit in "123456789"):
        return "0%"
    return f"{'+' if value > 0 else MINUS}{text}"


def points(value: float) -> str:
    """Return a difference of two relative changes: `+3.2 points`."""
    if not math.isfinite(value):
        return MISSING
    text = f"{abs(100 * value):.{0 if abs(value) >= 0.1 else 1}f}"
    sign = "" if text in ("0", "0.0") else "+" if value > 0 else MINUS
    return f"{sign}{text} points"


def share(value: float) -> str:
    """Return a share: `97%`, `over 99%`; 0% and 100% only where it is exactly that."""
    if not math.isfinite(value):
        return MISSING
    if 0.995 <= value < 1:
        return "over 99%"
    if 0 < value < 0.005:
        return "under 1%"
    return f"{value:.0%}"


def between(low: float, high: float, form: Form = percent) -> str:
    """Return an interval: `+3% to +20%`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{form(low)} to {form(high)}"


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence: `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def typeset(sentence: str) -> str:
    """Return a sentence with true minus signs, and none before a zero."""
    return re.sub(r"[-+−](?=0%)", "", re.sub(r"(?<!\w)-(?=\d)", MINUS, sentence))


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 draw`, `200 draws`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def months(value: float) -> str:
    """Return a time: `6.2 months`."""
    return f"{value:.1f} months" if math.isfinite(value) else MISSING


def index(value: float) -> str:
    """Return an index between 0 and 1: `0.31`."""
    return f"{value:.2f}" if math.isfinite(value) else MISSING


# How values of a measure are written, by its `form`.
FORMS: Mapping[str, Form] = {"count": count, "eur": eur, "months": months, "share": share, "index": index}


def hyphenated(text: str) -> str:
    """Return a text in which browsers may break long words."""
    for word, parts in _LONG_WORDS.items():
        text = text.replace(word, parts)
    return text


def setting(value: Any, unit: str) -> str:
    """Return the value of a lever with its unit: `24 months`, `× 1.3`, `yes`, `all partners or none`."""
    if value is None:
        return MISSING
    if isinstance(value, Mapping):
        return _change(value, unit)
    if isinstance(value, str):
        return _CHOICES.get(value, value.replace("_", " "))
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if not math.isfinite(value):
        return MISSING
    if unit in ("share", "0-1") and 0 <= value <= 1:
        return f"{value:.0%}"
    if unit.startswith("EUR"):
        return eur(value) + unit[3:]
    if unit == "ratio":
        return f"× {value:,.6g}"
    return f"{value:,.6g} {_UNITS.get(unit, unit)}".strip()


def _change(change: Mapping[str, float], unit: str) -> str:
    """Return a change with its unit: `EUR 10,000 less in each world`, `× 0.8 in each world`."""
    times, add = change["times"], change["add"]
    parts = [f"× {times:,.6g}"] if times != 1.0 else []
    if add and unit in ("share", "0-1"):
        parts.append(f"{abs(100.0 * add):,.6g} points {'more' if add > 0 else 'less'}")
    elif add:
        parts.append(f"{setting(abs(add), unit)} {'more' if add > 0 else 'less'}")
    return f"{', then '.join(parts) or 'the same'} in each world"


def setting_in_worlds(in_worlds: Sequence[float], unit: str) -> str:
    """Return the range that a number has: `EUR 13,000 to EUR 60,000 in nine worlds of ten`."""
    low, high = (setting(float(f"{number:.3g}"), unit) for number in in_worlds)
    return f"{low} to {high} in nine worlds of ten"


def years(calls: Iterable[int]) -> str:
    """Return the years of calls: `2016 to 2019`, `2014 and 2016`."""
    calls = sorted(calls)
    if len(calls) < 2:
        return "".join(str(year) for year in calls)
    if calls == list(range(calls[0], calls[-1] + 1)):
        return f"{calls[0]} to {calls[-1]}"
    return listed([str(year) for year in calls])


@cache
def _names() -> dict[str, str]:
    """Return the names of countries and regions by code."""
    return {code: country.name for code, country in programme().countries.items()}


def country(code: str) -> str:
    """Return the name of a country or region; an unknown code stays as it is."""
    return _names().get(code, code)


def _signless(text: str) -> str:
    """Return a number with a true minus sign, and without one before zero."""
    if "-" not in text:
        return text
    if not any(digit in text for digit in "123456789"):
        return text.replace("-", "")
    return MINUS + text.replace("-", "")


def _rounded(value: float) -> float:
    """Round to three significant digits, and to whole numbers from 100 on."""
    if value == 0:
        return 0.0
    digits = 2 - math.floor(math.log10(abs(value)))
    return round(value, min(digits, 0) if abs(value) >= 100 else 0)
