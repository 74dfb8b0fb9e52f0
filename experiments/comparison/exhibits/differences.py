"""What each scenario brings and costs, at equal budget and at equal spending."""

from collections.abc import Sequence

from experiments.comparison.exhibits.changes import Changes, Column, by_basis, table_of
from experiments.comparison.frames import Frames
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.runs.measures import MAIN

COLUMNS = (
    Column(MAIN, interval=True),
    Column("contracts", "Gross contracts"),
    Column("partnerships_net"),
    Column("rni_collaborations_net"),
    Column("public_cost_eur"),
    Column("cost_per_contract_eur"),
)


def data(frames: Frames) -> tuple[Changes, ...]:
    """Return outcomes and costs at each basis."""
    return by_basis(frames, [column.measure for column in COLUMNS])


def tables(shown: Sequence[Changes]) -> list[Table]:
    """Return a table for each basis, with the share of draws in which a scenario is better."""
    return [_table(part) for part in shown]


def _table(shown: Changes) -> Table:
    what = "means per run over the counted calls, with the change against the base below"
    table = table_of(shown, f"{shown.heading}: {what}", COLUMNS)
    if not shown.lineup.ranked:
        return table
    better = shown.effects[MAIN]["p_better"]
    shares = ["", *(words.share(better[scenario]) for scenario in shown.lineup.ranked)]
    rows = tuple(
        Row(row.head, (row.cells[0], Cell(share), *row.cells[1:]), row.base) for row, share in zip(table.rows, shares)
    )
    heads = (f"{table.heads[0]} (90% interval)", "Better in … of draws", *table.heads[1:])
    return Table(table.caption, table.corner, heads, rows)


EXHIBIT = Exhibit("differences", data, tables=tables)
