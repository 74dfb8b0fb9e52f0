"""The evidence as targets: each number that is known, how sure it is, and the measure of the model that answers it.

`evidence/targets.csv` is the shipped table; a folder of one's own with a `targets.csv`, and a `responses.csv` where it
holds a survey, gets the same checks. What the columns mean is told in docs/evidence.md.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from calibration.evidence.files import Row, read_table
from calibration.evidence.measures import Block, CallMeasure, Family, measures
from calibration.evidence.responses import Response
from scenarios import programme
from scenarios.errors import Fault, listed, nearest, refuse, told

FOLDER = Path(__file__).parent
TARGETS_FILE, RESPONSES_FILE = "targets.csv", "responses.csv"

_TARGET_COLUMNS = ("measure", "call", "value", "n", "effective_n", "fitted", "source")
_RESPONSE_COLUMNS = ("call", "country", "clusters_targeted", "clusters_received", "smes_received")
_RESPONSE_NOTES = ("smes_targeted", "grants_at_approval_derived", "source")


class Target(NamedTuple):
    """One known number of one call.

    n: people or clusters that were asked (None where nobody was asked); effective_n: answers that it is worth, given
    that several come from one project; fitted: False for what is only checked; group: targets that are shown
    together; families are those of `calibration.evidence.measures.CallMeasure`.
    """

    name: str
    block: Block
    family: Family
    measure: str
    call: int
    value: float
    n: int | None
    effective_n: float | None
    fitted: bool
    group: str
    source: str
    note: str

    @property
    def label(self) -> str:
        """The measure in words, with its call."""
        return f"{measures()[self.measure].label}, {self.call}"


class Evidence(NamedTuple):
    """What a calibration is held against: targets in the order of their file, and who answered by call and country."""

    targets: tuple[Target, ...]
    responses: dict[int, dict[str, Response]]


def targets(folder: str | Path | None = None) -> list[Target]:
    """The targets of a folder, the shipped ones without one; raises InputError."""
    return list(evidence(folder).targets)


def evidence(folder: str | Path | None = None) -> Evidence:
    """Targets and responses of a folder, the shipped ones without one; raises InputError naming file and row."""
    return _shipped() if folder is None else read_evidence(Path(folder))


@cache
def _shipped() -> Evidence:
    return read_evidence(FOLDER)


def read_evidence(folder: Path) -> Evidence:
    """The evidence of a folder, checked; raises InputError."""
    found = _targets(folder / TARGETS_FILE)
    surveyed = {target.call for target in found if target.block == "survey"}
    responses = _responses(folder / RESPONSES_FILE) if surveyed else {}
    for year in sorted(surveyed - set(responses)):
        what = f"nobody answered for the call of {year}, and {TARGETS_FILE} holds shares of it"
        allowed = f"a row per country that was asked, or no survey shares of {year}"
        raise refuse(folder / RESPONSES_FILE, [Fault("", what, allowed)])
    return Evidence(tuple(found), responses)


def _targets(path: Path) -> list[Target]:
    rows = read_table(path, _TARGET_COLUMNS, optional=("group", "note"))
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        target = _target(row)
        if target.name in seen:
            what = f"{target.measure} of {target.call} stands in row {seen[target.name]} already"
            raise row.fault("measure", what, "one row per measure and call; give each reading a measure of its own")
        seen[target.name] = row.number
        found.append(target)
    if not any(target.fitted for target in found):
        raise refuse(path, [Fault("fitted", "no row says yes", "yes in one row or more: there is nothing to fit to")])
    return found


def _target(row: Row) -> Target:
    name = row.text("measure")
    measure = measures().get(name)
    if measure is None:
        what = f"there is no measure {told(name)}"
        raise row.fault("measure", what, listed(measures(), 5), nearest(name, measures()))
    call = _call(row)
    n, effective_n = _numbers_asked(row, measure)
    return Target(
        name=f"{name}_{call}",
        block=measure.block,
        family=measure.family,
        measure=name,
        call=call,
        value=_value(row, measure),
        n=n,
        effective_n=effective_n,
        fitted=_yes_or_no(row, "fitted"),
        group=row.text("group"),
        source=_source(row),
        note=row.text("note"),
    )


def _call(row: Row) -> int:
    years = programme().calls
    held = listed(f"{year}" for year, call in years.items() if call.funders)
    year = row.whole("call", f"a call of the programme: {held}")
    if year not in years:
        raise row.fault("call", f"there is no call of {year}", held, nearest(f"{year}", map(str, years)))
    if not years[year].funders:
        raise row.fault("call", f"the call of {year} is empty: nobody funds in it", held)
    return year


def _value(row: Row, measure: CallMeasure) -> float:
    allowed = {
        "share": "a share from 0 to 1 (61% is 0.61)",
        "count": "a whole number of 0 or more",
        "level": "a number above 0",
    }[measure.family]
    value = row.number_in("value", allowed)
    if value is None:
        raise row.fault("value", "it is missing", f"{allowed}; leave the row out where nothing is known")
    fits = {
        "share": 0.0 <= value <= 1.0,
        "count": value >= 0.0 and value == int(value),
        "level": value > 0.0,
    }[measure.family]
    if not fits:
        raise row.fault("value", f"{told(row.text('value'))} does not fit", allowed)
    return value


def _numbers_asked(row: Row, measure: CallMeasure) -> tuple[int | None, float | None]:
    """n and effective n of a share; neither belongs to a count or a level."""
    if measure.family != "share":
        for column in ("n", "effective_n"):
            if row.text(column):
                what = f"{measure.name} is a {measure.family}, which nobody was asked about"
                raise row.fault(column, what, "nothing")
        return None, None
    n = row.whole("n", "the number of those who answered, 1 or more: a share without it says nothing", least=1)
    allowed = f"a number above 0 and up to n ({n}); n itself where answers are independent"
    effective = row.number_in("effective_n", allowed)
    if effective is None:
        raise row.fault("effective_n", "it is missing", allowed)
    if not 0.0 < effective <= n:
        raise row.fault("effective_n", f"{told(row.text('effective_n'))} does not fit", allowed)
    return n, effective


def _yes_or_no(row: Row, column: str) -> bool:
    text = row.text(column).casefold()
    if text not in ("yes", "no"):
        raise row.fault(column, f"{told(row.text(column))} does not fit", "yes, or no for what is only checked")
    return text == "yes"


def _source(row: Row) -> str:
    if not row.text("source"):
        raise row.fault("source", "it is missing", "where the number stands: author, year, table or page")
    return row.text("source")


def _responses(path: Path) -> dict[int, dict[str, Response]]:
    """Who answered, by call and country."""
    found: dict[int, dict[str, Response]] = {}
    codes = [funder.country for funder in programme().funders.values()]
    for row in read_table(path, _RESPONSE_COLUMNS, optional=_RESPONSE_NOTES):
        call, country = _call(row), row.text("country")
        if country not in codes:
            raise row.fault("country", f"no funder is of {told(country)}", listed(codes), nearest(country, codes))
        if country in found.setdefault(call, {}):
            raise row.fault("country", f"{country} stands twice for the call of {call}", "one row per call and country")
        found[call][country] = _response(row, country)
    for call, countries in found.items():
        if not any(response.smes_received or response.clusters_received for response in countries.values()):
            raise refuse(path, [Fault(f"call {call}", "nobody answered", "a call with answers, or no rows of it")])
    return found


def _response(row: Row, country: str) -> Response:
    targeted = row.whole("clusters_targeted", "a whole number of 1 or more; no row where nobody was asked", least=1)
    received = row.whole("clusters_received", "a whole number of 0 or more")
    if received > targeted:
        raise row.fault("clusters_received", f"{received} answered of {targeted}", f"0 to {targeted}")
    smes = row.whole("smes_received", "a whole number of 0 or more")
    if smes and not received:
        raise row.fault("smes_received", f"{smes} SMEs of no cluster answered", "0, or a cluster that passed them on")
    return Response(country, targeted, received, smes)
