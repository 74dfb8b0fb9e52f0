"""Errors in input: one sentence that says where, what is wrong and what is allowed."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

LONGEST_ECHO = 60  # characters of the user's own text that a message repeats
LONGEST_INTEGER = 10**15  # larger ones are not written out


class InputError(ValueError):
    """An input file or value that cannot be used; the message is one sentence for the person who wrote it."""


class Fault(NamedTuple):
    """One thing that is wrong.

    Parameters
    ----------
    where : str
        Key path, such as "from.2016.grant_factor"; empty for the whole file.
    what : str
        What is wrong, in words.
    allowed : str, optional
        What would be right.
    nearest : str, optional
        The allowed name that was probably meant.
    """

    where: str
    what: str
    allowed: str = ""
    nearest: str = ""


def refuse(source: str | Path, faults: Sequence[Fault], count: int | None = None) -> InputError:
    """Return the error, to be raised, that states the first fault and how many more there are.

    Parameters
    ----------
    source : str or Path
        The file, or what the value is called.
    faults : sequence of Fault
        At least one.
    count : int, optional
        How many faults there are, if more than `faults` lists.

    Returns
    -------
    InputError
    """
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
    """Return the one of `names` that `name` was probably meant to be; an empty string if none is close.

    Numbers are compared by size, other names by their letters.
    """
    candidates = list(names)
    if all(candidate.isdecimal() for candidate in (name, *candidates)):
        return min(candidates, key=lambda candidate: abs(int(candidate) - int(name[:9])), default="")
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.casefold()[:80], by_folded, n=1, cutoff=0.5)
    return by_folded[matches[0]] if matches else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return the names in one line, cut after `most`: "DK, SE and 4 more"."""
    items = list(names)
    tail = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + tail


def echo(text: str, most: int = LONGEST_ECHO) -> str:
    """Return the user's text fit for one line: no control characters, at most `most` characters."""
    clean = "".join("?" if unicodedata.category(letter)[0] == "C" else letter for letter in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def describe(value: object) -> str:
    """Return a value in the words of TOML: "text '5'", "true", "a table"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text '{echo(value)}'"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) > LONGEST_INTEGER:  # Python refuses to write out 4,300 digits
        return "a number that is far too large"
    return echo(str(value))
