"""The model beside studies that it was not fitted to."""

import math

import pandas as pd

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.study import Validation

AGREES_IF = {"positive": "above 0", "zero": "0 inside", "none": ""}  # by kind of check; of others: a range


def data(validation: Validation) -> pd.DataFrame:
    """Return the table `outside`: a row for each study."""
    return validation.tables["outside"]


def tables(shown: pd.DataFrame) -> list[Table]:
    """Return a row for each study."""
    heads = ("what it found", "the model’s quantity", "the model", "agrees if", "verdict")
    rows = tuple(Row(row["study"], _cells(row)) for _, row in shown.iterrows())
    return [Table("Studies that the model was not fitted to", "study", heads, rows, (0, 1, 4))]


def _cells(row: pd.Series) -> tuple[Cell, ...]:
    known = not math.isnan(row["median"])
    model = Cell(f"{row['median']:.2f}", f"{row['low90']:.2f} to {row['high90']:.2f}") if known else Cell(words.MISSING)
    needed = AGREES_IF.get(row["kind"], f"{row['low']:.3g} to {row['high']:.3g}")
    verdict = row["verdict"] + ("" if row["independent"] == "yes" else " (not independent)")
    return Cell(row["finding"]), Cell(row["quantity"]), model, Cell(needed), Cell(verdict, row["note"])


EXHIBIT = Exhibit("outside", data, tables=tables)
