"""An experiment as a file: what is compared, what is varied, by which method, how often, and what is told of it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from experiments.runs.parameter_draws import POSTERIOR, PRIOR
from experiments.sweeps.methods import METHODS, Method
from scenarios.entries import Evidence
from scenarios.errors import Fault, describe, echo, listed, nearest, refuse
from scenarios.files import read_toml
from scenarios.form import STRICT, Guide, KeyPath, check
from scenarios.settings import LONGEST_HORIZON_MONTHS

CENTRAL, DRAWN = "central", "drawn"
LIBRARY = Path(__file__).with_name("library")
MOST_RUNS = 100_000_000
DISTRIBUTIONS = ("prior", "posterior")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Choice = bool | float | str


class Contrast(BaseModel):
    """One comparison: `option` less `base`; without a base, the option's own values."""

    model_config = STRICT

    option: Words
    base: Words | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None

    @property
    def label(self) -> str:
        """What the contrast is called."""
        return self.name or (self.option if self.base is None else f"{self.option} - {self.base}")


class Vary(BaseModel):
    """How one factor is varied: by the register's prior or the posterior, over a range, or over choices.

    For a lever: in the calls `from` to `to`, in the option alone or in the base too.
    """

    model_config = STRICT

    by: Literal["prior", "posterior"] | None = None
    low: float | None = None
    high: float | None = None
    choices: list[Choice] | None = Field(default=None, min_length=2)
    from_: int | None = Field(default=None, alias="from")
    to: int | None = None
    applies_to: Literal["option", "both"] | None = None

    @property
    def fault(self) -> str:
        """What does not hold together, in words; empty if all does."""
        if self.by is not None and not (self.low is None and self.high is None and self.choices is None):
            return "either by prior or posterior, or over a range or choices"
        if (self.low is None) != (self.high is None):
            return "a range needs low and high"
        if self.low is not None and self.choices is not None:
            return "either a range or choices, not both"
        if self.low is not None and self.high is not None and not self.low < self.high:
            return "low must lie below high"
        twice = [choice for place, choice in enumerate(self.choices or ()) if choice in (self.choices or ())[:place]]
        return f"the choices hold {_short(twice[0])} twice" if twice else ""


def _short(choice: Choice) -> str:
    return f"{choice:g}" if isinstance(choice, float) else describe(choice)


class MethodTable(BaseModel):
    """The table [method]: name, number of blocks and the method's own settings."""

    model_config = STRICT | {"extra": "allow"}

    name: str
    n: int = Field(ge=2, le=MOST_RUNS)


class Experiment(BaseModel):
    """A whole experiment. `others`: what is not varied, at central values or drawn anew for each block and run.

    `draws_from`: whether central values and draws are the posterior's or the priors'; for `vary_all` too.
    """

    model_config = STRICT

    title: Words
    question: Words
    contrast: list[Contrast] = Field(min_length=1)
    vary: dict[str, Vary] = {}
    vary_all: list[Evidence] = []
    method: MethodTable
    measures: list[str] = Field(default=["contracts_net"], min_length=1)
    runs: int = Field(default=2, ge=1, le=10_000)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    tolerance: float = Field(default=0.1, ge=0.001, le=1.0)  # width of intervals up to which indices are settled
    others: Literal["central", "drawn"] = "central"
    draws_from: Literal["posterior", "prior"] = "posterior"
    horizon_months: int | None = Field(default=None, ge=12, le=LONGEST_HORIZON_MONTHS)
    smes: int | None = Field(default=None, ge=1)

    @property
    def design(self) -> Method:
        """The method with its settings. Raises ValueError where they do not fit."""
        return Method(self.method.name, self.method.n, self.method.model_extra or {})

    @property
    def others_in_words(self) -> str:
        """Where the values come from that are not varied."""
        words = {
            (CENTRAL, PRIOR): "at the central values of the register, not calibrated",
            (CENTRAL, POSTERIOR): "at the posterior's median where it is fitted, else at the register's central value",
            (DRAWN, PRIOR): "drawn from the priors, block by block, not calibrated",
            (DRAWN, POSTERIOR): "drawn, block by block, from the posterior where it is fitted, else from its prior",
        }
        return words[self.others, self.draws_from]


def names_at(path: KeyPath) -> Iterable[str]:
    """Return the names that may stand in the table at `path`."""
    place = path[0] if path else ""
    forms: dict[str, type[BaseModel]] = {"contrast": Contrast, "vary": Vary, "method": MethodTable}
    form = forms.get(str(place), Experiment)
    return [field.alias or name for name, field in form.model_fields.items()]


# What is asked for in each table, in words for whoever left it out.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "": {
        "title": "text", "question": "text", "contrast": "[[contrast]] with option and, as a rule, base",
        "method": "[method] with name and n",
    },
    "contrast": {"option": "the name of a shipped scenario, or the path of a file"},
    "method": {"name": listed(METHODS), "n": "a whole number, 2 or more"},
}  # fmt: skip


def allowed_at(path: KeyPath) -> str:
    """Return what may stand at `path`, in words, where the form alone does not say it."""
    if path[:1] == ("vary",) and path[-1] in ("low", "high"):
        return "a finite number"
    return NEEDED[""]["contrast"] if path == ("contrast",) else ""


GUIDE = Guide(names_at, allowed_at)


def experiment_of(content: Mapping[str, Any], source: str | Path) -> Experiment:
    """Check what a file holds and return its experiment; raises InputError."""
    _check_tables(content, source)
    experiment = check(Experiment, _spelled_out(dict(content), source), source, GUIDE)
    faults = [*_method_faults(experiment.method)]
    faults += [Fault(f"vary.{name}", vary.fault) for name, vary in experiment.vary.items() if vary.fault]
    if faults:
        raise refuse(source, faults)
    labels = [contrast.label for contrast in experiment.contrast]
    for label in labels:
        if labels.count(label) > 1:
            raise refuse(source, [Fault("contrast", f"{echo(label)!r} stands twice", "names that differ")])
    if not experiment.vary and not experiment.vary_all:
        raise refuse(source, [Fault("vary", "nothing is varied", "one factor or more under [vary], or vary_all")])
    return experiment


def _check_tables(content: Mapping[str, Any], source: str | Path) -> None:
    """Raise InputError for what is missing, and for a contrast that is wrong; contrasts are counted from 1."""
    method, contrasts = content.get("method"), content.get("contrast")
    _check_whole(content, "", source)
    if isinstance(method, dict):
        _check_whole(method, "method", source)
    for number, contrast in enumerate(contrasts if isinstance(contrasts, list) else [], 1):
        if isinstance(contrast, dict):
            _check_whole(contrast, "contrast", f"{source}, contrast {number}")
        check(Contrast, contrast, f"{source}, contrast {number}", Guide(lambda _: names_at(("contrast",))))


def _check_whole(table: Mapping[str, Any], place: str, source: str | Path) -> None:
    """Raise InputError for what is missing; not beside a name that is unknown, which may be it misspelt."""
    lacks = [key for key in NEEDED[place] if key not in table]
    if lacks and (place == "method" or set(table) <= set(names_at((place,)))):
        where = f"{place}.{lacks[0]}" if place == "method" else lacks[0]
        raise refuse(source, [Fault(where, "it is missing", NEEDED[place][lacks[0]])], len(lacks))


def _method_faults(table: MethodTable) -> Iterable[Fault]:
    """Yield what does not fit in the table [method]: its name, or its settings."""
    if table.name not in METHODS:
        what = f"there is no method {echo(table.name)!r}"
        yield Fault("method.name", what, listed(METHODS), nearest(table.name, METHODS))
        return
    known = METHODS[table.name].settings
    for name, value in (table.model_extra or {}).items():
        if name not in known:
            names = [*known, "name", "n"]
            what = f"{table.name} has no setting of this name"
            yield Fault(f"method.{name}", what, listed(names), nearest(name, names))
        elif not known[name].fits(value):
            allowed = known[name].in_words
            meant = nearest(value, allowed.split(", ")) if isinstance(value, str) else ""
            yield Fault(f"method.{name}", f"{describe(value)} does not fit", allowed, meant)


def read(name_or_path: str | os.PathLike[str]) -> tuple[Experiment, Path]:
    """Read a shipped experiment by name, or one from a file, and say where it lies; raises InputError."""
    text = os.fspath(name_or_path)
    path = Path(text)
    if not (text.endswith(".toml") or os.sep in text or path.exists()):
        if text not in shipped():
            meant = nearest(text, shipped())
            raise refuse(
                f"experiment {echo(text)!r}",
                [Fault("", "there is no such experiment", f"a path or one of {listed(shipped(), 30)}", meant)],
            )
        path = LIBRARY / f"{text}.toml"
    return experiment_of(read_toml(path), path), path


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped experiments."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.toml")))


def check_measures(measures: Iterable[str], known: Iterable[str], source: str | Path) -> None:
    """Raise InputError for a measure that is not known."""
    names = list(known)
    for name in measures:
        if name not in names:
            fault = Fault("measures", f"there is no measure {describe(name)}", listed(names, 6), nearest(name, names))
            raise refuse(source, [fault])


def _spelled_out(content: dict[str, Any], source: str | Path) -> dict[str, Any]:
    """Put "prior" as the table that it stands for; whole numbers where ranges and choices are numbers."""
    vary = content.get("vary")
    if not isinstance(vary, dict):
        return content
    for name, how in vary.items():
        if not isinstance(how, dict) and how not in DISTRIBUTIONS:
            allowed = '"prior", "posterior", or a table with low and high, or with choices'
            meant = nearest(how, DISTRIBUTIONS) if isinstance(how, str) else ""
            raise refuse(source, [Fault(f"vary.{name}", f"{describe(how)} does not fit", allowed, meant)])
    spelled = {name: _range_as_floats(how) if isinstance(how, dict) else {"by": how} for name, how in vary.items()}
    return content | {"vary": spelled}


def _range_as_floats(how: dict[str, Any]) -> dict[str, Any]:
    """Turn a range or choices into floats, where a whole number was written."""

    def as_float(value: Any) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    changed = {key: as_float(value) if key in ("low", "high") else value for key, value in how.items()}
    if isinstance(how.get("choices"), list):
        changed["choices"] = [as_float(value) for value in how["choices"]]
    return changed
