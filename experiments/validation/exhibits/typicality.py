"""The data set as a whole: does it look like one of the model's?"""

import pandas as pd

from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits.looks import share
from experiments.validation.study import Validation

BLOCKS = {"all": "All fitted numbers", "programme": "Statistics of the calls", "survey": "Survey"}


def data(validation: Validation) -> pd.DataFrame:
    """Return the table `typicality`: a row for each block of the data."""
    return validation.tables["typicality"]


def tables(shown: pd.DataFrame) -> list[Table]:
    """Return a row for each block."""
    heads = ("numbers", "distance", "usual distance", "replicates as far", "outside 90%", "verdict")
    rows = tuple(Row(BLOCKS.get(row["block"], row["block"]), _cells(row)) for _, row in shown.iterrows())
    return [Table("The data set as a whole", "block", heads, rows, (5,))]


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    return (
        Cell(f"{row['numbers']:.0f}"),
        Cell(f"{row['distance']:.1f}"),
        Cell(f"{row['usual_distance']:.1f}"),
        Cell(share(row["probability"])),
        Cell(share(row["outside"]), f"{share(row['usual_low'])} to {share(row['usual_high'])} is usual"),
        Cell("typical" if row["typical"] else "not typical"),
    )


EXHIBIT = Exhibit("typicality", data, tables=tables)
