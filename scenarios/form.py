"""Check content against a pydantic form; the one place that turns pydantic's errors into sentences."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from scenarios.errors import Fault, describe, listed, nearest, refuse

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=False)

TAGGED = "="  # begins the name of one of several forms that a value may have; it is no key of the file

Form = TypeVar("Form", bound=BaseModel)
KeyPath = tuple[int | str, ...]

EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "list_type": "a list",
    "tuple_type": "a list",
}


class Guide(NamedTuple):
    """What a message can say beyond what is wrong.

    Parameters
    ----------
    names_at : callable of a key path
        Returns the names that are allowed in the table at this path.
    allowed_at : callable of a key path, optional
        Returns the allowed values in words; an empty string to leave them to the form.
    place_of : callable of a key path and a name, optional
        Returns where a name belongs that is known but not allowed at this path; an empty string if nowhere.
    """

    names_at: Callable[[KeyPath], Iterable[str]]
    allowed_at: Callable[[KeyPath], str] = lambda _: ""
    place_of: Callable[[KeyPath, str], str] = lambda _, __: ""


def check(form: type[Form], content: Any, source: str | Path, guide: Guide) -> Form:
    """Return `content` as an instance of `form`.

    Parameters
    ----------
    form : subclass of BaseModel
    content : dict
        What a file holds.
    source : str or Path
        The file, or what the content is called in a message.
    guide : Guide

    Raises
    ------
    InputError
        With the first fault, unknown names before all others, and the number of faults.
    """
    try:
        return form.model_validate(content)
    except ValidationError as error:
        faults = sorted(error.errors(), key=lambda details: details["type"] != "extra_forbidden")  # typos first
        raise refuse(source, [_fault(details, guide) for details in faults[:1]], len(faults)) from None


def _fault(details: ErrorDetails, guide: Guide) -> Fault:
    """Return one of pydantic's errors in plain words."""
    kind, value = details["type"], details["input"]
    path = tuple(key for key in details["loc"] if not str(key).startswith(TAGGED))
    where = ".".join(str(key) or '""' for key in path)
    context: Mapping[str, Any] = details.get("ctx", {})
    if kind == "extra_forbidden":
        names, name = list(guide.names_at(path[:-1])), str(path[-1])
        meant = guide.place_of(path[:-1], name) or nearest(name, names)
        return Fault(where, "this name is not known here", listed(names), meant)
    if kind == "missing":
        return Fault(where, "it is missing")
    if kind == "literal_error":
        choices = context["expected"].replace("'", "").replace(" or ", ", ")
        meant = nearest(value, choices.split(", ")) if isinstance(value, str) else ""
        return Fault(where, f"{describe(value)} is not a choice", choices, meant)
    if kind in EXPECTED:
        return Fault(where, f"{describe(value)} does not fit", guide.allowed_at(path) or EXPECTED[kind])
    what = _out_of_range(kind, value, context, details["msg"])
    return Fault(where, what, guide.allowed_at(path) or _range(context))


def _out_of_range(kind: str, value: Any, context: Mapping[str, Any], message: str) -> str:
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        return f"{describe(value)} is out of range"
    if kind == "finite_number":
        return f"{describe(value)} is not a finite number"
    if kind == "string_pattern_mismatch":
        return f"{describe(value)} does not fit"
    if kind == "string_too_short":
        return "it is empty"
    if kind == "string_too_long":
        return f"it is longer than {context['max_length']} characters"
    return message[:1].lower() + message[1:]


def _range(context: Mapping[str, Any]) -> str:
    words = {"ge": "at least", "le": "at most", "gt": "above", "lt": "below", "pattern": "text like"}
    return " and ".join(f"{words[key]} {limit}" for key, limit in context.items() if key in words)


def number_in_words(value: float) -> str:
    """Return a number as a person writes it: 240, 0.5."""
    return f"{value:.10g}"
