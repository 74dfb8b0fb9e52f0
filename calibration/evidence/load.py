"""Load evidence from a folder: `targets.csv`, and `responses.csv` where there are shares of a survey.

The shipped evidence is the folder of this file; a folder of the user's gets the same checks. docs/evidence.md explains
the columns.
"""

from functools import cache
from pathlib import Path

from calibration.evidence.csv_table import Row, read_table
from calibration.evidence.measures import CallMeasure, measures
from calibration.evidence.responses import Response
from calibration.evidence.targets import Evidence, Target
from scenarios import programme
from scenarios.errors import Fault, describe, listed, nearest, refuse

FOLDER = Path(__file__).parent
TARGETS_FILE, RESPONSES_FILE = "targets.csv", "responses.csv"

_TARGET_COLUMNS = ("measure", "call", "value", "n", "effective_n", "fitted", "source")
_RESPONSE_COLUMNS = ("call", "country", "clusters_targeted", "clusters_received", "smes_received")
_RESPONSE_NOTES = ("smes_targeted", "grants_at_approval_derived", "source")


def load_evidence(folder: str | Path | None = None) -> Evidence:
    """Return the targets and responses in a folder.

    Parameters
    ----------
    folder : str or Path, optional
        The shipped evidence unless given.

    Raises
    ------
    InputError
        For a file that cannot be read, and for a wrong row, with file, row and column.
    """
    return _shipped() if folder is None else _load(Path(folder))


@cache
def _shipped() -> Evidence:
    return _load(FOLDER)


def _load(folder: Path) -> Evidence:
    targets = _targets(folder / TARGETS_FILE)
    surveyed = {target.call for target in targets if target.block == "survey"}
    responses = _responses(folder / RESPONSES_FILE) if surveyed else {}
    for year in sorted(surveyed - set(responses)):
        what = f"nobody answered for the call of {year}, but {TARGETS_FILE} has survey shares of it"
        allowed = f"a row per country that was asked, or no survey shares of {year}"
        raise refuse(folder / RESPONSES_FILE, [Fault("", what, allowed)])
    return Evidence(tuple(targets), responses)


def _targets(path: Path) -> list[Target]:
    row_of: dict[str, int] = {}
    targets = []
    for row in read_table(path, _TARGET_COLUMNS, optional=("group", "note")):
        target = _target(row)
        if target.name in row_of:
            what = f"{target.measure} of {target.call} is in row {row_of[target.name]} already"
            raise row.fault("measure", what, "one row per measure and call; give each reading a measure of its own")
        row_of[target.name] = row.number
        targets.append(target)
    if not any(target.fitted for target in targets):
        what, allowed = "no row says yes, so there is nothing to fit to", "yes in one row or more"
        raise refuse(path, [Fault("fitted", what, allowed)])
    return targets


def _target(row: Row) -> Target:
    name = row.text("measure")
    measure = measures().get(name)
    if measure is None:
        what = f"there is no measure {describe(name)}"
        raise row.fault("measure", what, listed(measures(), 5), nearest(name, measures()))
    call = _call(row)
    n, effective_n = _answers(row, measure)
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
    funded = listed(f"{year}" for year, call in years.items() if call.funders)
    year = row.whole("call", f"a call of the programme: {funded}")
    if year not in years:
        raise row.fault("call", f"there is no call of {year}", funded, nearest(f"{year}", map(str, years)))
    if not years[year].funders:
        raise row.fault("call", f"the call of {year} has no funder", funded)
    return year


def _value(row: Row, measure: CallMeasure) -> float:
    allowed = {
        "share": "a share from 0 to 1 (61% is 0.61)",
        "count": "a whole number of 0 or more",
        "level": "a number above 0",
    }[measure.family]
    value = row.number_in("value", allowed)
    if value is None:
        raise row.fault("value", "it is missing", f"{allowed}; leave the row out if the number is not known")
    fits = {
        "share": 0.0 <= value <= 1.0,
        "count": value >= 0.0 and value == int(value),
        "level": value > 0.0,
    }[measure.family]
    if not fits:
        raise row.fault("value", f"{describe(row.text('value'))} does not fit", allowed)
    return value


def _answers(row: Row, measure: CallMeasure) -> tuple[int | None, float | None]:
    """Return n and effective n of a share; None for counts and levels, which have neither."""
    if measure.family != "share":
        for column in ("n", "effective_n"):
            if row.text(column):
                raise row.fault(column, f"{measure.name} is a {measure.family}, not a share of answers", "nothing")
        return None, None
    n = row.whole("n", "the number of those who answered, 1 or more", least=1)
    allowed = f"a number above 0 and up to n ({n}); n itself where answers are independent"
    effective_n = row.number_in("effective_n", allowed)
    if effective_n is None:
        raise row.fault("effective_n", "it is missing", allowed)
    if not 0.0 < effective_n <= n:
        raise row.fault("effective_n", f"{describe(row.text('effective_n'))} does not fit", allowed)
    return n, effective_n


def _yes_or_no(row: Row, column: str) -> bool:
    text = row.text(column).casefold()
    if text not in ("yes", "no"):
        allowed = "yes, or no for what is shown beside the model only"
        raise row.fault(column, f"{describe(row.text(column))} does not fit", allowed)
    return text == "yes"


def _source(row: Row) -> str:
    if not row.text("source"):
        raise row.fault("source", "it is missing", "where the number is from: author, year, table or page")
    return row.text("source")


def _responses(path: Path) -> dict[int, dict[str, Response]]:
    """Return who answered, by call and country."""
    responses: dict[int, dict[str, Response]] = {}
    codes = [funder.country for funder in programme().funders.values()]
    for row in read_table(path, _RESPONSE_COLUMNS, optional=_RESPONSE_NOTES):
        call, country = _call(row), row.text("country")
        if country not in codes:
            what = f"no funder is from {describe(country)}"
            raise row.fault("country", what, listed(codes), nearest(country, codes))
        if country in responses.setdefault(call, {}):
            raise row.fault(
                "country", f"{country} is there twice for the call of {call}", "one row per call and country"
            )
        responses[call][country] = _response(row, country)
    for call, countries in responses.items():
        if not any(response.smes_received or response.clusters_received for response in countries.values()):
            raise refuse(path, [Fault(f"call {call}", "nobody answered", "a call with answers, or no rows of it")])
    return responses


def _response(row: Row, country: str) -> Response:
    targeted = row.whole("clusters_targeted", "a whole number of 1 or more; no row where nobody was asked", least=1)
    received = row.whole("clusters_received", "a whole number of 0 or more")
    if received > targeted:
        raise row.fault("clusters_received", f"{received} of {targeted} answered", f"0 to {targeted}")
    smes = row.whole("smes_received", "a whole number of 0 or more")
    if smes and not received:
        raise row.fault("smes_received", f"{smes} SMEs of no cluster answered", "0, or a cluster that forwarded them")
    return Response(country, targeted, received, smes)
