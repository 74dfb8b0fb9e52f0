"""A call left out: forecast from those before it."""

from typing import NamedTuple

import pandas as pd

from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.exhibits.looks import in_words, known_calls, plain, share
from experiments.validation.study import LEFT_OUT, Validation


class LeftOut(NamedTuple):
    """The tables `left_out_totals` and `left_out`, the call, and those before it."""

    totals: pd.DataFrame
    numbers: pd.DataFrame
    call: int
    before: list[int]


def data(validation: Validation) -> LeftOut | None:
    """Return the forecasts of the call; None if that check was left out."""
    totals, numbers = validation.table("left_out_totals"), validation.table("left_out")
    if totals is None or numbers is None:
        return None
    return LeftOut(totals, numbers, LEFT_OUT, [call for call in known_calls(validation) if call < LEFT_OUT])


def tables(shown: LeftOut) -> list[Table]:
    """Return totals by forecast, then number by number."""
    totals = tuple(Row(row["forecast"], _totals(row)) for _, row in shown.totals.iterrows())
    heads = ("mean error (CRPS over value)", "50% intervals hold", "90% intervals hold")
    numbers = tuple(Row(row["target"], _numbers(row)) for _, row in shown.numbers.iterrows())
    columns = ("real", "forecast, 90%", "last year’s", "mean before", "CRPS")
    caption = f"The call of {shown.call}, forecast from {in_words(shown.before)}"
    return [
        Table(caption, "forecast", heads, totals),
        Table("The same, number by number", "number", columns, numbers),
    ]


def _totals(row: pd.Series) -> tuple[Cell, ...]:
    return Cell(f"{row['relative_crps']:.3f}"), Cell(share(row["covered50"])), Cell(share(row["covered90"]))


def _numbers(row: pd.Series) -> tuple[Cell, ...]:
    return (
        Cell(f"{row['value']:.4g}"),
        Cell(f"{row['median']:.4g}", f"{row['low90']:.4g} to {row['high90']:.4g}"),
        Cell(plain(row["last"])),
        Cell(plain(row["mean"])),
        Cell(f"{row['crps']:.1f}", f"naive {plain(row['crps_last'])}, {plain(row['crps_mean'])}"),
    )


EXHIBIT = Exhibit("left_out", data, tables=tables)
