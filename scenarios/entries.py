"""The register: every value with a meaning, with unit, range, prior, evidence class and source.

`parameters.toml` holds it. Behaviours fill `simulator.parameters.Parameters`; funder entries are drawn like
behaviours and resolved into `Rules`; levers are what a scenario changes.
"""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from scenarios.errors import Fault, describe, listed, nearest, refuse
from scenarios.files import read_toml
from scenarios.form import STRICT, Guide, check, number_in_words

FILE = Path(__file__).with_name("parameters.toml")

Evidence = Literal["survey", "programme", "literature", "assumption"]
EffectEvidence = Literal["data-informed", "literature-informed", "assumed"]
Kind = Literal["behaviour", "funder", "lever", "survey"]
Prior = Literal["triangular", "beta", "lognormal", "fixed"]
Scope = Literal["call", "funder"]
Value = float | bool | str


class Entry(BaseModel):
    """An entry of the register.

    Parameters
    ----------
    name : str
        As in code and files.
    label, description, unit : str
        In words, for people.
    kind : {"behaviour", "funder", "lever", "survey"}
        What the value belongs to.
    evidence : {"survey", "programme", "literature", "assumption"}
        How well the value is known.
    source : str
        Where the value comes from.
    value : float, bool or str, optional
        The central value; None for levers whose values are set by funder in `programme.toml`.
    low, high : float, optional
        The ends of the prior.
    minimum, maximum : float, optional
        The hard limits of what may be set; `low` and `high` if left out.
    prior : {"triangular", "beta", "lognormal", "fixed"}, optional
        None for levers, which are not drawn.
    shape : list of two floats, optional
        The two parameters of a beta prior.
    choices : list of str, optional
        What a lever may be set to, if not a number.
    scope : list of {"call", "funder"}
        What a lever is set for.
    acts_with : dict of str to list of str
        Choices of other levers by call: this one acts only in calls that have one of them.
    acts_where : str, optional
        Another lever: this one acts only in calls where that is above zero.
    whole : {"down", "up"}, optional
        How the model takes a number that is not whole.
    effect_evidence : {"data-informed", "literature-informed", "assumed"}, optional
    effect_why : str
        How well a lever's effect is known, and why.
    """

    model_config = STRICT

    name: str
    label: str = Field(min_length=1)
    description: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    kind: Kind
    evidence: Evidence
    source: str = Field(min_length=1)
    value: Value | None = None
    low: float | None = None
    high: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    prior: Prior | None = None
    shape: list[float] | None = Field(default=None, min_length=2, max_length=2)
    choices: list[str] | None = None
    scope: list[Scope] = []
    acts_with: dict[str, list[str]] = {}
    acts_where: str | None = None
    whole: Literal["down", "up"] | None = None
    effect_evidence: EffectEvidence | None = None
    effect_why: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.kind == "lever":
            if not (self.scope and self.effect_evidence and self.effect_why):
                raise ValueError("a lever needs scope, effect_evidence and effect_why")
            if "call" in self.scope and self.value is None:
                raise ValueError("a lever by call needs a value")
            return self
        numbers = [self.limits[0], self.low, self.value, self.high, self.limits[1]]
        steps = [number for number in numbers if isinstance(number, float | int)]
        if self.prior is None or len(steps) < len(numbers):
            raise ValueError("a drawn entry needs value, low, high and prior")
        if sorted(steps) != steps:
            raise ValueError("minimum <= low <= value <= high <= maximum must hold")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest number that may be set."""
        smallest = self.low if self.minimum is None else self.minimum
        largest = self.high if self.maximum is None else self.maximum
        return (float("-inf") if smallest is None else smallest, float("inf") if largest is None else largest)

    def taken(self, value: float) -> float:
        """Return the number that the model takes for a value.

        Parameters
        ----------
        value : float
            In the entry's unit.
        """
        if self.whole is None:
            return value
        return float(math.floor(value) if self.whole == "down" else math.ceil(value))

    @property
    def is_switch(self) -> bool:
        """Whether the entry is a lever that is on or off."""
        return self.unit == "yes or no"

    @property
    def allowed(self) -> str:
        """What may be set, in words, with the unit."""
        if self.choices:
            return ", ".join(self.choices)
        if self.is_switch:
            return "true or false"
        smallest, largest = self.limits
        return f"{number_in_words(smallest)} to {number_in_words(largest)} ({self.unit})"


@cache
def _entries() -> Mapping[str, Entry]:
    return read_register(FILE)


def register() -> dict[str, Entry]:
    """Return the register by name, in the order of its file."""
    return dict(_entries())


def read_register(path: Path) -> dict[str, Entry]:
    """Return the register in a TOML file, by name in the order of the file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        For a file that cannot be read or an entry that is not complete.
    """
    return {name: _entry(path, name, content) for name, content in read_toml(path).items()}


def _entry(path: Path, name: str, content: object) -> Entry:
    if not isinstance(content, dict):
        raise refuse(path, [Fault(name, f"{describe(content)} does not fit", "a table")])
    return check(Entry, {**content, "name": name}, f"{path}, {name}", Guide(lambda _: Entry.model_fields))


@cache
def drawn() -> Mapping[str, Entry]:
    """Return the entries that have a prior: behaviours and funder entries."""
    return MappingProxyType({name: entry for name, entry in _entries().items() if entry.prior is not None})


@cache
def levers(scope: Scope) -> Mapping[str, Entry]:
    """Return the entries that a scenario may set by call ("call"), or by call and funder ("funder")."""
    return MappingProxyType({name: entry for name, entry in _entries().items() if scope in entry.scope})


@cache
def central() -> Mapping[str, float]:
    """Return the central value of every drawn entry."""
    return MappingProxyType({name: float(entry.value) for name, entry in drawn().items() if entry.value is not None})


def check_values(
    values: Mapping[str, object], source: str, entries: Mapping[str, Entry] | None = None
) -> dict[str, float]:
    """Return values of drawn entries as floats.

    Parameters
    ----------
    values : mapping of str to number
        By name, in the units of the register.
    source : str
        What the values are called in a message.
    entries : mapping of str to Entry, optional
        The entries that may have a value; all that have a prior unless given.

    Raises
    ------
    InputError
        For an unknown name, and for a value that is not a number (true is none), not finite or out of limits.
    """
    if not isinstance(values, Mapping):
        raise refuse(source, [Fault("", f"{describe(values)} does not fit", "values by name")])
    entries = drawn() if entries is None else entries
    faults = [fault for name, value in values.items() if (fault := _value_fault(name, value, entries))]
    if faults:
        raise refuse(source, faults)
    return {name: float(value) for name, value in values.items()}  # type: ignore[arg-type]


def _value_fault(name: str, value: object, entries: Mapping[str, Entry]) -> Fault | None:
    entry = entries.get(name)
    if entry is None:
        return Fault(str(name), "this name is not known here", listed(entries, 4), nearest(str(name), entries))
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return Fault(name, f"{describe(value)} does not fit", "a number")
    smallest, largest = entry.limits
    if not smallest <= float(value) <= largest:  # NaN fails too
        return Fault(name, f"{describe(float(value))} is out of range", entry.allowed)
    return None
