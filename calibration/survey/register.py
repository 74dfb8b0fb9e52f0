"""The register with the survey layer: what is drawn for a calibration, and how one draw is split.

`survey.toml` holds the survey layer in the form of `scenarios/parameters.toml`. Its values change no run, only
what a survey would say about it, so they stand apart from the simulator's.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

import scenarios
from scenarios.entries import Entry, central, drawn, read_register
from scenarios.errors import Fault, listed, nearest, refuse, told

FILE = Path(__file__).with_name("survey.toml")
F64 = npt.NDArray[np.float64]


@cache
def survey_entries() -> Mapping[str, Entry]:
    """The survey layer's entries by name, in the order of their file."""
    return MappingProxyType(read_register(FILE))


def register() -> dict[str, Entry]:
    """Every entry with a prior: behaviours and funder entries, then the survey layer's."""
    return {**drawn(), **survey_entries()}


def draw(n: int, seed: int, first: int = 0) -> dict[str, F64]:
    """`n` draws of every entry of `register()`, from number `first` on, float64 (n,) each; the simulator's are those
    of `scenarios.draw`."""
    survey = {
        name: scenarios.quantile(entry, scenarios.uniforms(n, seed, name, first))
        for name, entry in survey_entries().items()
    }
    return {**scenarios.draw(n, seed, first), **survey}


def split(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """One draw, in part or whole, as (the simulator's given values, the survey layer's complete values).

    Raises InputError for an unknown name or a survey value out of limits.
    """
    survey = {name: float(entry.value) for name, entry in survey_entries().items() if entry.value is not None}
    simulator = {}
    for name, value in values.items():
        if name in survey:
            survey[name] = _checked(name, value)
        elif name in central():
            simulator[name] = float(value)
        else:
            fault = Fault(name, "this name is not known here", listed(register(), 4), nearest(name, register()))
            raise refuse("values given", [fault])
    return simulator, survey


def _checked(name: str, value: float) -> float:
    entry = survey_entries()[name]
    smallest, largest = entry.limits
    if not smallest <= float(value) <= largest:  # NaN fails too
        raise refuse("values given", [Fault(name, f"{told(float(value))} is out of range", entry.allowed)])
    return float(value)
