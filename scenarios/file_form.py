"""What a scenario file may hold: the form is built from the register, so a new lever needs no line here."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, StringConstraints, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from scenarios.entries import Entry, drawn, levers, register
from scenarios.form import STRICT, Guide, KeyPath
from scenarios.history import programme
from scenarios.settings import Setting, in_order

LONGEST_HORIZON_MONTHS = 240


class Content(NamedTuple):
    """A checked scenario file."""

    title: str
    question: str
    extends: str | None
    settings: tuple[Setting, ...]


@cache
def form() -> type[BaseModel]:
    """Return the form of a scenario file."""
    years, funders = programme().call_years, programme().funders
    by_funder = _table("Funder", {name: _type(entry) for name, entry in levers("funder").items()})
    all_funders = _table("Funders", dict.fromkeys(funders, by_funder))
    by_call = {name: _type(entry) for name, entry in levers("call").items()}
    call = _table("Call", {**by_call, "funders": all_funders})
    calls = _table("Calls", {str(year): call for year in years})
    parameters = _table("Parameters", {name: _type(entry) for name, entry in drawn().items()})
    words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    fields: dict[str, Any] = {
        "title": (words, Field(description="Name of the scenario, for figures and tables", max_length=200)),
        "question": (words, Field(description="The question in a policymaker's words", max_length=2000)),
        "extends": (
            str,
            Field("baseline", description="Parent: a shipped name or a path from this file", min_length=1),
        ),
        "horizon_months": (
            Annotated[int, Field(ge=12, le=LONGEST_HORIZON_MONTHS)],
            Field(60, description="Months after its close for which each call is counted"),
        ),
        "last_call": (Literal[years], Field(years[-1], description="Year of the last call")),
        "from_": (
            calls,
            Field(calls(), alias="from", description="Levers by call year; they hold until changed"),
        ),
        "parameters": (
            parameters,
            Field(parameters(), description="Behaviours to hold at a value, in every draw"),
        ),
    }
    return create_model("Scenario", __config__=STRICT, **fields)


def names_at(path: KeyPath) -> Iterable[str]:
    """Return the names that may stand in the table at `path`."""
    if not path:
        return [field.alias or name for name, field in form().model_fields.items()]
    if path[0] == "parameters":
        return list(drawn())
    if len(path) == 1:
        return map(str, programme().call_years)
    if len(path) == 2:
        return [*levers("call"), "funders"]
    return list(programme().funders) if len(path) == 3 else list(levers("funder"))


def allowed_at(path: KeyPath) -> str:
    """Return what may be set at `path` in words, as the register has it."""
    entry = register().get(str(path[-1])) if path[0] in ("from", "parameters") else None
    return entry.allowed if entry else ""


def place_of(path: KeyPath, name: str) -> str:
    """Return where a name that the register knows belongs, if it does not belong at `path`."""
    if name in levers("call"):
        return f"{name} under [from.<call year>]"
    if name in drawn() and not path:
        return f"{name} under [parameters]"
    if name in levers("funder"):
        return f"{name} under [from.<call year>.funders.<code>]"
    return ""


GUIDE = Guide(names_at, allowed_at, place_of)


def content_of(checked: BaseModel) -> Content:
    """Return what a checked file sets, and nothing that it leaves to its parent."""
    given = checked.model_dump(by_alias=True, exclude_unset=True)
    settings = [Setting(None, None, name, given[name]) for name in ("horizon_months", "last_call") if name in given]
    settings += [Setting(None, None, name, float(value)) for name, value in given.get("parameters", {}).items()]
    for year, call in given.get("from", {}).items():
        for funder, rules in call.pop("funders", {}).items():
            settings += [Setting(int(year), funder, name, value) for name, value in rules.items()]
        settings += [Setting(int(year), None, name, value) for name, value in call.items()]
    return Content(given["title"], given["question"], given.get("extends"), in_order(settings))


def schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, with the levers' ranges and choices."""
    written = form().model_json_schema(by_alias=True, schema_generator=_Untitled)
    written = {"$schema": GenerateJsonSchema.schema_dialect, **written}
    written["title"] = "A scenario of innovex"
    return written


class _Untitled(GenerateJsonSchema):
    """Without pydantic's own titles, which would repeat every name in other letters."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:  # a lever left out keeps its parent's value
        return self.generate_inner(schema["schema"])


def _table(name: str, types: dict[str, Any]) -> type[BaseModel]:
    """Return a form of optional keys; keys that are no Python names (2016, ES-CT) stand as aliases."""
    fields: dict[str, Any] = {}
    for key, kind in types.items():
        own = isinstance(kind, type) and issubclass(kind, BaseModel)
        default: dict[str, Any] = {"default_factory": kind} if own else {"default": None}
        fields["key_" + re.sub(r"\W", "_", key)] = (kind, Field(alias=key, **default))
    return create_model(name, __config__=STRICT, **fields)


def _type(entry: Entry) -> Any:
    said = f"{entry.label}: {entry.description}. Unit: {entry.unit}."
    if entry.choices:
        return Annotated[Literal[tuple(entry.choices)], Field(description=said)]
    if entry.is_switch:
        return Annotated[bool, Field(description=said)]
    smallest, largest = entry.limits
    return Annotated[float, Field(ge=smallest, le=largest, description=said)]
