"""How the programme itself runs: applications, projects, waiting, money left over."""

import math

from experiments.comparison.exhibits.changes import Changes, Column, changes, table_of
from experiments.comparison.frames import Frames
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Table


def _months(value: float) -> str:
    return f"{value:.1f} months" if math.isfinite(value) else words.MISSING


def _index(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else words.MISSING


COLUMNS = (
    Column("applications", "Appli­cations", words.count),
    Column("approvals", "Approvals", words.count),
    Column("projects", "Projects", words.count),
    Column("partners_unfunded", "Partners without a grant", words.count),
    Column("waiting_months_mean", "Wait from close to start", _months),
    Column("overlap_share", "Time in which all partners work", words.share),
    Column("smes_lost_waiting", "SMEs lost while waiting", words.count),
    Column("offered_eur", "On offer (first phase)", words.eur),
    Column("spent_eur", "Paid out", words.eur),
    Column("admin_eur", "Adminis­tration", words.eur),
    Column("country_concentration", "Concen­tration between countries (0-1)", _index),
)


def data(frames: Frames) -> Changes:
    """Return the measures of the programme."""
    return changes(frames, [column.measure for column in COLUMNS])


def tables(shown: Changes) -> list[Table]:
    """Return a row for each scenario."""
    return [table_of(shown, f"Means per run at {shown.basis}, with the change below", COLUMNS)]


EXHIBIT = Exhibit("workings", data, tables=tables)
