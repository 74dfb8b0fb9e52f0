"""The form of a scenario file, built from the register and the programme: a new lever needs no line here."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, create_model, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError

from scenarios.entries import Entry, drawn, levers, register
from scenarios.form import STRICT, TAGGED, Guide, KeyPath
from scenarios.history import programme
from scenarios.settings import (
    DEFAULT_HORIZON_MONTHS,
    LONGEST_HORIZON_MONTHS,
    SHORTEST_HORIZON_MONTHS,
    UNDATED,
    Setting,
    in_order,
    set_value,
)


class ChangeForm(BaseModel):
    """A number relative to what each world has without it: `times` that number, plus `add`."""

    model_config = STRICT

    times: float = Field(1.0, ge=0.0, le=1000.0, description="Factor on the number that each world has")
    add: float = Field(0.0, description="What is added to it then, in the unit of the number; below zero to take away")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty_change", "it holds neither times nor add")
        return self


class Content(NamedTuple):
    """The content of a scenario file, checked.

    Parameters
    ----------
    title, question : str
        In words.
    extends : str or None
        The name or path of the parent; None if the file names none.
    settings : tuple of Setting
        What this file sets, without its parents' settings.
    """

    title: str
    question: str
    extends: str | None
    settings: tuple[Setting, ...]


@cache
def form() -> type[BaseModel]:
    """Return the pydantic form of a scenario file."""
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
            Annotated[int, Field(ge=SHORTEST_HORIZON_MONTHS, le=LONGEST_HORIZON_MONTHS)],
            Field(DEFAULT_HORIZON_MONTHS, description="Months after its close for which each call is counted"),
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
    """Return the names that are allowed in the table at a key path, such as ("from", "2016")."""
    if path and path[-1] in register():  # a change of a number
        return list(ChangeForm.model_fields)
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
    """Return the values that are allowed at a key path in the register's words; an empty string if it has none."""
    entry = register().get(str(path[-1])) if path[0] in ("from", "parameters") else None
    if entry is None:
        return ""
    is_number = not (entry.choices or entry.is_switch)
    return f"{entry.allowed}{', or a change such as { times = 0.8 }' if is_number else ''}"


def place_of(path: KeyPath, name: str) -> str:
    """Return where a name of the register belongs if not at `path`; an empty string for other names."""
    if name in levers("call"):
        return f"{name} under [from.<call year>]"
    if name in drawn() and not path:
        return f"{name} under [parameters]"
    if name in levers("funder"):
        return f"{name} under [from.<call year>.funders.<code>]"
    return ""


GUIDE = Guide(names_at, allowed_at, place_of)


def content_of(checked: BaseModel) -> Content:
    """Return the content of a checked file, without what it leaves to its parent.

    Parameters
    ----------
    checked : BaseModel
        An instance of `form()`.
    """
    fields = checked.model_dump(by_alias=True, exclude_unset=True)
    settings = [Setting(None, None, name, fields[name]) for name in UNDATED if name in fields]
    for name, value in fields.get("parameters", {}).items():
        settings.append(Setting(None, None, name, set_value(value if isinstance(value, dict) else float(value))))
    for year, call in fields.get("from", {}).items():
        for funder, rules in call.pop("funders", {}).items():
            settings += [Setting(int(year), funder, name, set_value(value)) for name, value in rules.items()]
        settings += [Setting(int(year), None, name, set_value(value)) for name, value in call.items()]
    return Content(fields["title"], fields["question"], fields.get("extends"), in_order(settings))


def schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, with the ranges and choices of all levers."""
    fields = form().model_json_schema(by_alias=True, schema_generator=_Untitled)
    return {"$schema": GenerateJsonSchema.schema_dialect, **fields, "title": "A scenario of innovex"}


class _Untitled(GenerateJsonSchema):
    """A schema without pydantic's own titles, which repeat every name in other letters."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:  # a lever left out keeps its parent's value
        return self.generate_inner(schema["schema"])


def _table(name: str, types: dict[str, Any]) -> type[BaseModel]:
    """Return a form of optional keys; keys that are not Python names (2016, ES-CT) are aliases."""
    fields: dict[str, Any] = {}
    for key, kind in types.items():
        is_table = isinstance(kind, type) and issubclass(kind, BaseModel)
        default: dict[str, Any] = {"default_factory": kind} if is_table else {"default": None}
        fields["key_" + re.sub(r"\W", "_", key)] = (kind, Field(alias=key, **default))
    return create_model(name, __config__=STRICT, **fields)


def _type(entry: Entry) -> Any:
    """Return the type of an entry's value, with its limits and its description."""
    description = f"{entry.label}: {entry.description}. Unit: {entry.unit}."
    if entry.choices:
        return Annotated[Literal[tuple(entry.choices)], Field(description=description)]
    if entry.is_switch:
        return Annotated[bool, Field(description=description)]
    smallest, largest = entry.limits
    number = Annotated[float, Field(ge=smallest, le=largest), Tag(f"{TAGGED}number")]
    change = Annotated[ChangeForm, Tag(f"{TAGGED}change")]
    return Annotated[number | change, Discriminator(_kind_of_value), Field(description=description)]


def _kind_of_value(value: Any) -> str:
    """Tell a change, which is a table, from a number."""
    return f"{TAGGED}{'change' if isinstance(value, dict | ChangeForm) else 'number'}"
