"""The programme as it was: countries and their clusters, sectors, funders and calls."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from scenarios.entries import drawn
from scenarios.errors import Fault, listed, nearest, refuse
from scenarios.files import read_toml
from scenarios.form import STRICT, Guide, check

FILE = Path(__file__).with_name("programme.toml")

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{2,8}$")]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Members(BaseModel):
    """How members are spread over a country's clusters: sd of the logarithm, and the smallest number of members."""

    model_config = STRICT
    log_sd: float = Field(ge=0, le=3)
    minimum: int = Field(ge=1)


class Europe(BaseModel):
    """The size of all Europe, the largest world intended: member SMEs and clusters."""

    model_config = STRICT
    smes: int = Field(ge=1)
    clusters: int = Field(ge=1)


class Country(BaseModel):
    """A country or region, and its clusters that may take part (number, mean members)."""

    model_config = STRICT
    name: Name
    language: Name
    bsr: bool
    nation: Code
    clusters: int = Field(ge=0, le=100_000)
    members_mean: float = Field(gt=0, le=1e6)
    attends: bool


class Sector(BaseModel):
    """A sector: its family of related sectors, and its share of clusters (on any scale)."""

    model_config = STRICT
    name: Name
    family: Name
    share: float = Field(gt=0)
    mentions: list[str] = []


class Funder(BaseModel):
    """A funder of one country or region, and its rules in EUR and months."""

    model_config = STRICT
    country: Code
    grant_ratio: float = Field(gt=0, le=10)
    grant_min_eur: float = Field(ge=0)
    grant_max_eur: float = Field(gt=0)
    cofinance_rate: float = Field(ge=0, le=0.95)
    openness: Share
    lag_position: Share
    deadline_months: float = Field(ge=0, le=12)
    pass_: str = Field(alias="pass")


class Call(BaseModel):
    """A yearly call: dates as ISO year-months, clusters at the event, budget in EUR, and each funder's weight in it."""

    model_config = STRICT
    event: Month
    open: Month
    close: Month
    event_clusters: int = Field(ge=0)
    total_budget_eur: float = Field(ge=0)
    funders: list[Code]
    budget_weights: dict[Code, Annotated[float, Field(ge=0)]]


class Continuation(BaseModel):
    """Later years whose calls repeat the inputs of one year."""

    model_config = STRICT
    years: list[int]
    repeats: int


class _Content(BaseModel):
    model_config = STRICT
    first_year: int = Field(ge=1900, le=2200)
    members: Members
    europe: Europe
    countries: dict[Code, Country]
    sectors: dict[str, Sector]
    funders: dict[Code, Funder]
    calls: dict[str, Call]
    continuation: Continuation


@dataclass(frozen=True, eq=False)
class Programme:
    """The programme as it was, in canonical order.

    Parameters
    ----------
    first_year : int
        Month 0 is January of this year.
    members : Members
    europe : Europe
    countries, sectors, funders : dict of str to Country, Sector or Funder
        By code, in order of the code.
    calls : dict of int to Call
        By year, the continuation included.
    """

    first_year: int
    members: Members
    europe: Europe
    countries: dict[str, Country]
    sectors: dict[str, Sector]
    funders: dict[str, Funder]
    calls: dict[int, Call]

    @property
    def call_years(self) -> tuple[int, ...]:
        """The years of all calls, the continuation included."""
        return tuple(self.calls)

    def month(self, iso: str) -> int:
        """Return the number of months from January of the first year to a month.

        Parameters
        ----------
        iso : str
            The month, as in "2016-09".
        """
        return (int(iso[:4]) - self.first_year) * 12 + int(iso[5:]) - 1

    def budget_eur(self, year: int, funder: str) -> float:
        """Return a funder's budget in a call as it was, in EUR; 0 if it took no part.

        Parameters
        ----------
        year : int
            The call.
        funder : str
            The funder's code.
        """
        call = self.calls[year]
        if funder not in call.funders:
            return 0.0
        weights = {code: call.budget_weights[code] * self.funders[code].grant_ratio for code in sorted(call.funders)}
        return call.total_budget_eur * weights[funder] / math.fsum(weights.values())


@cache
def programme() -> Programme:
    """Return the shipped programme."""
    return read_programme(FILE)


def read_programme(path: str | Path) -> Programme:
    """Return the programme in a TOML file.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        For a file that cannot be read, or whose parts contradict each other.
    """
    path = Path(path)
    content = check(_Content, read_toml(path), path, Guide(_names_at))
    faults = list(_contradictions(content))
    if faults:
        raise refuse(path, faults)
    calls = {int(year): call for year, call in content.calls.items()}
    pattern = calls[content.continuation.repeats]
    for year in content.continuation.years:
        calls[year] = _repeated(pattern, year - content.continuation.repeats)
    return Programme(
        content.first_year,
        content.members,
        content.europe,
        _in_order(content.countries),
        _in_order(content.sectors),
        _in_order(content.funders),
        _in_order(calls),
    )


def _contradictions(content: _Content) -> Iterable[Fault]:
    """Yield the faults that a form cannot see: names without an entry, and things named twice."""
    funder_of: dict[str, str] = {}
    for code, funder in content.funders.items():
        where = f"funders.{code}"
        if funder.country not in content.countries:
            yield Fault(f"{where}.country", "there is no such country", "", nearest(funder.country, content.countries))
        if funder_of.setdefault(funder.country, code) != code:
            yield Fault(f"{where}.country", f"this country has the funder {funder_of[funder.country]} already")
        if funder.pass_ not in drawn():
            yield Fault(f"{where}.pass", "the register has no such entry", "", nearest(funder.pass_, drawn()))
        if funder.grant_min_eur > funder.grant_max_eur:
            yield Fault(f"{where}.grant_min_eur", "it is above grant_max_eur", f"up to {funder.grant_max_eur:.10g}")
    for year, call in content.calls.items():
        yield from _call_contradictions(year, call, content)
    years = {int(year) for year in content.calls if year.isdigit()}
    if content.continuation.repeats not in years:
        yield Fault("continuation.repeats", "it is not a call", listed(map(str, sorted(years))))
    if years.intersection(content.continuation.years):
        yield Fault("continuation.years", "one of them has a call already")


def _call_contradictions(year: str, call: Call, content: _Content) -> Iterable[Fault]:
    where = f"calls.{year}"
    if not re.fullmatch("[0-9]{4}", year):
        yield Fault(where, "it is not a year", "four digits")
    if len(set(call.funders)) < len(call.funders):
        yield Fault(f"{where}.funders", "a funder is named twice")
    if set(call.funders) != set(call.budget_weights):
        yield Fault(f"{where}.budget_weights", "they are not for the funders of the call", listed(call.funders))
    for code in call.funders:
        if code not in content.funders:
            yield Fault(f"{where}.funders", f"there is no funder {code}", "", nearest(code, content.funders))
    if not f"{content.first_year}-01" <= call.event <= call.open <= call.close:
        yield Fault(where, "event, open and close must come in this order, from first_year on")


def _names_at(path: tuple[int | str, ...]) -> Iterable[str]:
    forms: dict[str, type[BaseModel]] = {
        "countries": Country,
        "sectors": Sector,
        "funders": Funder,
        "calls": Call,
    }
    sections: dict[str, type[BaseModel]] = {"members": Members, "europe": Europe, "continuation": Continuation}
    if not path:
        return list(_Content.model_fields)
    form = forms.get(str(path[0])) or sections.get(str(path[0]))
    return [field.alias or name for name, field in form.model_fields.items()] if form else []


def _repeated(call: Call, years: int) -> Call:
    def later(iso: str) -> str:
        return f"{int(iso[:4]) + years}{iso[4:]}"

    shifted = {"event": later(call.event), "open": later(call.open), "close": later(call.close)}
    return call.model_copy(update=shifted)


def _in_order(table: dict[Any, Any]) -> dict[Any, Any]:
    return {key: table[key] for key in sorted(table)}
