"""What a call from Python is given, checked by kind before anything is loaded: each fault gets one sentence."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from scenarios import InputError, Resolved, Scenario
from scenarios.errors import describe, echo, nearest


def several(name: str, value: Any, allowed: str) -> list[Any]:
    """Return what was given, one or several, as a list."""
    one = isinstance(value, str | os.PathLike | Scenario)
    values = [value] if one else list(value) if isinstance(value, Collection) else []
    if not values:
        what = "empty" if isinstance(value, Collection) else describe(value)
        raise InputError(f"{name} is {what}; allowed: {allowed}")
    return values


def whole(name: str, value: object, low: int, high: int, more: str = "") -> int:
    """Return a whole number, numpy's too, as Python's own."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{name} is {describe(value)}; allowed: a whole number from {low} to {high}{more}")
    return int(value)


def whole_or_none(name: str, value: object, low: int, high: int) -> int | None:
    """Return a whole number, or None for what is taken by itself."""
    return None if value is None else whole(name, value, low, high)


def meant(name: object, known: Iterable[str]) -> str:
    """End a sentence with the nearest right name, where there is one."""
    near = nearest(name, known) if isinstance(name, str) else ""
    return f"; did you mean {near}?" if near else ""


def target_file(path: str | os.PathLike[str]) -> Path:
    """Return the file to be written; raises InputError, before hours of runs, where none can be."""
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"the path is {describe(path)}; allowed: the path of a file")
    file = Path(path)
    try:
        fault = _fault(file)
    except (OSError, ValueError) as error:  # ValueError: a zero character
        fault = f"nothing can be written there ({getattr(error, 'strerror', None) or error}); choose another file"
    if fault:
        raise InputError(f"{echo(str(path), 200)}: {fault}")
    return file


def _fault(file: Path) -> str:
    """Say what keeps a file from being written, or nothing; raises what a trial raises."""
    if file.is_dir():
        return "it is a folder; allowed: the path of a file"
    if not file.parent.is_dir():
        return "its folder does not exist; allowed: a file in a folder that exists"
    NamedTemporaryFile(prefix=f"{file.name}.", suffix=".unfinished", dir=file.parent).close()
    return ""


def check_same_calls(scenario: Scenario, resolved: Resolved, base: Scenario, base_resolved: Resolved) -> None:
    """Raise InputError if a scenario holds other calls than the base, or counts them for longer or shorter."""
    last, base_last = resolved.call_years[-1], base_resolved.call_years[-1]
    if last != base_last:
        raise InputError(
            f"{scenario.path}, last_call: {last} is not the base's, so the two cannot be compared; "
            f"allowed: {base_last}, as in {base.name}"
        )
    months, base_months = int(resolved.rules.calls.counted_months[0]), int(base_resolved.rules.calls.counted_months[0])
    if months != base_months:
        raise InputError(
            f"{scenario.path}, horizon_months: {months} is not the base's, so the two cannot be compared; "
            f"allowed: {base_months}, as in {base.name}, or --horizon for both"
        )
