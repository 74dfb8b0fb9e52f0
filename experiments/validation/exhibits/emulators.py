"""How well emulators tell the model's numbers in worlds that they have not seen."""

import pandas as pd

from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.study import Validation

COLUMNS = {
    "r2": ("explained", ".2f"),
    "score_mean": ("mean score", ".2f"),
    "score_sd": ("sd of scores", ".2f"),
    "posterior_score": ("real, in sd", "+.1f"),
}


def data(validation: Validation) -> pd.DataFrame | None:
    """Return the table `emulators`; None if the checks of the fit were left out."""
    return validation.table("emulators")


def tables(shown: pd.DataFrame) -> list[Table]:
    """Return a row for each number that is emulated."""
    rows = tuple(
        Row(row["target"], tuple(Cell(f"{row[name]:{form}}") for name, (_, form) in COLUMNS.items()))
        for _, row in shown.iterrows()
    )
    heads = tuple(head for head, _ in COLUMNS.values())
    return [Table("Emulators on worlds they have not seen (mean 0 and sd 1 where right)", "number", heads, rows)]


EXHIBIT = Exhibit("emulators", data, tables=tables)
