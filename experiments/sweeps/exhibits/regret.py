"""Which option is regretted least over plausible worlds."""

import pandas as pd

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.sweeps.findings import Turning


def data(turning: Turning) -> Turning:
    """Return the regret of all options."""
    return turning


def sentence(turning: Turning) -> str:
    """Return which option is regretted least, and which are not told apart from it."""
    table = turning.table
    best, second = table.iloc[0], table.iloc[1]
    alike = table.iloc[1:][~(table["behind_low"].iloc[1:] > 0.0)]
    text = f"{words.capital(turning.label)}: "
    if len(alike):
        names = words.listed([str(best["option"]), *(str(name) for name in alike["option"])])
        text += f"{names} are not told apart. Mean regret of {best['option']}: "
    else:
        text += f"{best['option']} is regretted least: on average "
    luck = "" if turning.runs > 1 else " (with the luck of single runs)"
    text += f"{_mean(best['mean_regret'])} {turning.unit}; in one world in twenty its regret is above "
    text += f"{words.count(best['regret_95'])}{luck}. It is best in {words.share(best['best_in'])} of "
    text += f"{int(best['worlds']):,} worlds. Next: {second['option']}, regretted on average {_more(best, second)} "
    return f"{text}more.".replace(" ;", ";")


def _mean(mean_regret: float) -> str:
    """Return a mean regret in words; by luck it may lie below zero, which is nothing lost."""
    return "about 0" if mean_regret < 0.0 else words.count(mean_regret)


def _more(best: pd.Series, other: pd.Series) -> str:
    """Return how much more an option is regretted than the first, with its interval."""
    interval = words.between(other["behind_low"], other["behind_high"], words.count)
    return f"{words.count(other['mean_regret'] - best['mean_regret'])} (90% interval {interval})"


def tables(turning: Turning) -> list[Table]:
    """Return a row for each option, the one of least regret first."""
    rows = tuple(_row(row, first=place == 0) for place, (_, row) in enumerate(turning.table.iterrows()))
    heads = ("mean", "mean regret", "in one world in twenty above", "largest regret", "best in")
    return [Table(f"Regret: {words.capital(turning.label)} ({turning.unit})", "Option", heads, rows)]


def _row(row: pd.Series, first: bool) -> Row:
    interval = words.between(row["behind_low"], row["behind_high"], words.count)
    more = interval if interval == words.MISSING else f"{interval} more than the first"
    cells = (
        Cell(words.count(row["mean"])),
        Cell(_mean(row["mean_regret"]), "" if first else more),
        Cell(words.count(row["regret_95"])),
        Cell(words.count(row["max_regret"])),
        Cell(words.share(row["best_in"])),
    )
    return Row(str(row["option"]), cells)


EXHIBIT = Exhibit("regret", data, tables=tables)
