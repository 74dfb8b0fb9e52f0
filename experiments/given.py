"""What a call from Python is given, checked by kind before anything is loaded: each fault gets one sentence."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from scenarios import InputError, Scenario
from scenarios.errors import echo, nearest, told


def several(name: str, given: Any, allowed: str) -> list[Any]:
    """What was given, one or several, as a list."""
    one = isinstance(given, str | os.PathLike | Scenario)
    found = [given] if one else list(given) if isinstance(given, Collection) else []
    if not found:
        what = "empty" if isinstance(given, Collection) else told(given)
        raise InputError(f"{name} is {what}; allowed: {allowed}")
    return found


def whole(name: str, value: object, low: int, high: int, more: str = "") -> int:
    """A whole number, numpy's too, as Python's own."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{name} is {told(value)}; allowed: a whole number from {low} to {high}{more}")
    return int(value)


def meant(name: object, known: Iterable[str]) -> str:
    """The end of a sentence: the nearest right name, where there is one."""
    near = nearest(name, known) if isinstance(name, str) else ""
    return f"; did you mean {near}?" if near else ""


def target_file(path: str | os.PathLike[str]) -> Path:
    """The file to be written, where one can be: so much is made sure of before hours of runs."""
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"the path is {told(path)}; allowed: the path of a file")
    file = Path(path)
    shown, folder = echo(str(path), 200), file.parent
    if file.is_dir():
        raise InputError(f"{shown}: it is a folder; allowed: the path of a file")
    if not folder.is_dir():
        raise InputError(f"{shown}: its folder does not exist; allowed: a file in a folder that exists")
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(f"{shown}: nothing can be written there ({why}); choose another folder") from None
    return file
