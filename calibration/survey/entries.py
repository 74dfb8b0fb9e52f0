"""The survey layer's entries: what determines how a survey sees a run.

`survey.toml` holds them in the form of `scenarios/parameters.toml`. They change no run, only what a survey would say
about it, so they are not in the simulator's register.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from scenarios.entries import Entry, read_register

FILE = Path(__file__).with_name("survey.toml")


@cache
def survey_entries() -> Mapping[str, Entry]:
    """Return the survey layer's entries by name, in the order of their file."""
    return MappingProxyType(read_register(FILE))


@cache
def central_survey() -> Mapping[str, float]:
    """Return the central value of every entry of the survey layer."""
    entries = survey_entries().items()
    return MappingProxyType({name: float(entry.value) for name, entry in entries if entry.value is not None})
