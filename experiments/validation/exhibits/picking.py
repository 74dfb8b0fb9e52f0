"""The survey, had coordinators picked other SMEs to answer."""

import pandas as pd

from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits.looks import number
from experiments.validation.study import Validation


def data(validation: Validation) -> pd.DataFrame:
    """Return answers by target and odds of picking: the table `picking`."""
    return validation.tables["picking"]


def tables(shown: pd.DataFrame) -> list[Table]:
    """Return a row for each answer and a column for each odds."""
    odds = sorted(shown["odds"].unique())
    rows = tuple(_row(part.sort_values("odds")) for _, part in shown.groupby("target", sort=False))
    heads = ("real", *(f"odds {value:g}" for value in odds))
    caption = "Had coordinators picked the successful at other odds (1: no picking), in the same worlds"
    return [Table(caption, "answer", heads, rows)]


def _row(rows: pd.DataFrame) -> Row:
    real = Cell(number(rows["real"].iloc[0], True))
    cells = (
        Cell(number(row["median"], True), f"{number(row['low90'], True)} to {number(row['high90'], True)}")
        for _, row in rows.iterrows()
    )
    return Row(rows["label"].iloc[0], (real, *cells))


EXHIBIT = Exhibit("picking", data, tables=tables)
