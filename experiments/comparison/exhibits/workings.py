"""How the programme itself runs: applications, projects, waiting, money left over."""

from experiments.comparison.exhibits.changes import Changes, Column, changes, table_of
from experiments.comparison.frames import Frames
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Table

COLUMNS = (
    Column("applications"),
    Column("approvals"),
    Column("projects"),
    Column("partners_unfunded"),
    Column("waiting_months_mean"),
    Column("overlap_share"),
    Column("smes_lost_waiting"),
    Column("offered_eur"),
    Column("spent_eur"),
    Column("admin_eur"),
    Column("country_concentration"),
)


def data(frames: Frames) -> Changes:
    """Return the measures of the programme."""
    return changes(frames, [column.measure for column in COLUMNS])


def tables(shown: Changes) -> list[Table]:
    """Return a row for each scenario."""
    return [table_of(shown, f"Means per run at {shown.basis}, with the change below", COLUMNS)]


EXHIBIT = Exhibit("workings", data, tables=tables)
