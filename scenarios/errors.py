"""Wrong input stops at the door, with one sentence: where, what is wrong, what is allowed."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

LONGEST_ECHO = 60  # characters of the user's own text that a message repeats


class InputError(ValueError):
    """An input file or value that cannot be used; the message is one sentence for the person who wrote it."""


class Fault(NamedTuple):
    """One thing that is wrong: where (key path, empty for the whole file), what, and what would be right."""

    where: str
    what: str
    allowed: str = ""
    nearest: str = ""


def refuse(source: str | Path, faults: Sequence[Fault], count: int | None = None) -> InputError:
    """Return the error that tells the first of `faults` and how many more there are (of `count`)."""
    fault, more = faults[0], (count or len(faults)) - 1
    parts = [f"{echo(str(source), 200)}{f', {echo(fault.where, 120)}' if fault.where else ''}: {fault.what}"]
    if fault.allowed:
        parts.append(f"allowed: {fault.allowed}")
    if fault.nearest:
        parts.append(f"did you mean {fault.nearest}?")
    if more:
        parts.append(f"and {more} more {'fault' if more == 1 else 'faults'}")
    return InputError("; ".join(parts))


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that `name` was probably meant to be, or an empty string."""
    every = list(names)
    if all(candidate.isdecimal() for candidate in (name, *every)):
        return min(every, key=lambda candidate: abs(int(candidate) - int(name[:9])), default="")
    by_folded = {candidate.casefold(): candidate for candidate in every}
    found = difflib.get_close_matches(name.casefold()[:80], by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return the names in one line, cut after `most`."""
    every = list(names)
    tail = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + tail


def echo(text: str, most: int = LONGEST_ECHO) -> str:
    """Return the user's text fit for one line: no control characters, not too long."""
    clean = "".join("?" if unicodedata.category(letter)[0] == "C" else letter for letter in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def told(value: object) -> str:
    """Return a value in words a reader of TOML knows: "text '5'", 'true', 'a table'."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text '{echo(value)}'"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) > 10**15:  # Python does not write out more than 4,300 digits
        return "a number that is far too large"
    return echo(str(value))
