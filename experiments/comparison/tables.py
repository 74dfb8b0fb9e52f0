"""The tables of a comparison, each declared once: its columns with unit and meaning, and whether it is large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from experiments.runs.measures import all_measures
from scenarios import programme, register
from simulator.measures import Measure
from simulator.observe import GROUP_MEASURES, MEASURES, MONTHLY

if TYPE_CHECKING:
    import pandas as pd

TEXT, WHOLE, NUMBER = "str", "int64", "float64"


class Column(NamedTuple):
    """A column. `unit` is empty where it holds text; `kind` is its type in pandas."""

    name: str
    unit: str
    meaning: str
    kind: str = NUMBER


class Declared(NamedTuple):
    """A table. A `large` one has a row per scenario, draw and run, and so grows with the draws."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    large: bool = False

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column that has one, by name."""
        return {column.name: column.unit for column in self.columns if column.unit}

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        import pandas as pd  # here: pandas is slow to import, and a run can tell its first result without it

        return pd.DataFrame({column.name: pd.Series(dtype=column.kind) for column in self.columns})


def _of(measures: Iterable[Measure]) -> tuple[Column, ...]:
    """Return a column for each measure."""
    return tuple(Column(measure.name, measure.unit, measure.label) for measure in measures)


def _interval(name: str, unit: str) -> tuple[Column, ...]:
    """Return columns for both ends of an interval."""
    return tuple(
        Column(f"{name}_{end}", unit, f"{side} end of its 90% interval over draws")
        for end, side in (("low", "Lower"), ("high", "Upper"))
    )


_SCENARIO = Column("scenario", "", "Name of the scenario", TEXT)
_DRAW = Column("draw", "number", "Number of the draw of the parameters", WHOLE)
_RUN = Column("run", "number", "Number of the seed within the draw", WHOLE)
_EACH_RUN = (_SCENARIO, _DRAW, _RUN)
_MONTH = Column("month", f"months since January {programme().first_year}", "Month", WHOLE)
_FUNDER = Column("funder", "", "Code of the funder's country", TEXT)
_COUNTRY = Column("country", "", "Code of the country or region", TEXT)
_MEASURE = Column("measure", "", "Name of the measure", TEXT)
_LABEL = Column("label", "", "The same in words", TEXT)
_DRAWS = Column("draws", "draws", "Number of draws that the row rests on", WHOLE)
_OWN, _SHARE, _SQUARED = "in column unit", "share of the base", "SME contracts, squared"

TABLES: tuple[Declared, ...] = (
    Declared(
        "parameters",
        "The parameters of each draw",
        (_DRAW, *(Column(e.name, e.unit, e.label) for e in register().values() if e.kind != "lever")),
    ),
    Declared(
        "by_call",
        "Measures of each run by call",
        (*_EACH_RUN, Column("call", "year", "Year of the call", WHOLE), *_of(MEASURES)),
        large=True,
    ),
    Declared(
        "by_country",
        "Measures of each run by country, over the counted calls",
        (*_EACH_RUN, _COUNTRY, *_of(MEASURES)),
        large=True,
    ),
    Declared("by_month", "Measures of each run by month", (*_EACH_RUN, _MONTH, *_of(MONTHLY)), large=True),
    Declared(
        "by_group",
        "Measures of each run by sector and by size class of SMEs, over the counted calls",
        (
            *_EACH_RUN,
            Column("kind", "", "Sector or size", TEXT),
            Column("group", "", "Name of the sector or size class", TEXT),
            *_of(all_measures()[name] for name in GROUP_MEASURES),
        ),
        large=True,
    ),
    Declared(
        "lost",
        "Applications refused in good proposals, by run, funder and cause",
        (
            *_EACH_RUN,
            _FUNDER,
            Column("cause", "", "Why the applications were refused", TEXT),
            Column("applications", "applications", "Applications refused"),
        ),
        large=True,
    ),
    Declared(
        "short",
        "Money that these applications were short of, by run and funder",
        (*_EACH_RUN, _FUNDER, Column("short_eur", "EUR", "Money that was short")),
        large=True,
    ),
    Declared(
        "network",
        "Partners of two countries in one project, mean over runs",
        (
            _SCENARIO,
            _COUNTRY,
            Column("other", "", "Code of the other country or region", TEXT),
            Column("links", "pairs of partners per run", "Pairs of partners"),
        ),
    ),
    Declared(
        "effects",
        "Paired differences between each scenario and the base",
        (
            _SCENARIO,
            Column("basis", "", "Equal budget or equal spending", TEXT),
            _MEASURE,
            Column("unit", "", "Unit of the measure", TEXT),
            Column("base", _OWN, "Mean of the base over draws"),
            Column("value", _OWN, "Mean of the scenario over draws"),
            Column("difference", _OWN, "Mean of the differences between scenario and base"),
            *_interval("difference", _OWN),
            Column("relative", _SHARE, "Difference over base"),
            *_interval("relative", _SHARE),
            Column(
                "p_better",
                "share of draws",
                "Share of draws in which it is better than the base; none if neither more nor less is better",
            ),
            _DRAWS,
        ),
    ),
    Declared(
        "spending",
        "How well spending could be matched with the base's",
        (
            _SCENARIO,
            _DRAWS,
            Column("matched", "share of draws", "Share of draws in which spending was matched"),
            Column("scale_mean", "ratio", "Mean factor on budgets"),
            Column("note", "", "What stood in the way", TEXT),
        ),
    ),
    Declared(
        "reasons",
        "Effects on net contracts with each mechanism switched off",
        (
            _SCENARIO,
            Column("mechanism", "", "Name of the mechanism", TEXT),
            _LABEL,
            Column("effect", _SHARE, "Effect with all mechanisms"),
            Column("effect_without", _SHARE, "Effect with the mechanism switched off"),
            Column("contribution", _SHARE, "Difference between the two"),
            Column("share", "share of the effect", "Contribution over effect"),
            Column("standard_error", _SHARE, "Standard error of the contribution"),
            _DRAWS,
        ),
    ),
    Declared(
        "variance",
        "What comparing the same worlds and luck saves",
        (
            _SCENARIO,
            _MEASURE,
            Column("paired", _SQUARED, "Variance over seeds of paired differences"),
            Column("independent", _SQUARED, "Variance over seeds of independent differences"),
            Column("ratio", "ratio", "Independent over paired"),
        ),
    ),
    Declared(
        "hangs_on",
        "Parameters that go with the effect on net contracts over draws",
        (
            _SCENARIO,
            Column("parameter", "", "Name of the parameter", TEXT),
            _LABEL,
            Column("correlation", "rank correlation, -1 to 1", "Correlation of parameter and effect"),
            Column("evidence", "", "What stands behind the parameter's value", TEXT),
        ),
    ),
)


def table(name: str) -> Declared:
    """Return a table by name."""
    return next(declared for declared in TABLES if declared.name == name)


LARGE = tuple(declared.name for declared in TABLES if declared.large)
SMALL = tuple(declared.name for declared in TABLES if not declared.large)
