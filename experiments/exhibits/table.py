"""Tables as pages show them: rows of text, every number with its unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cell:
    """A value and, below it in small, its change or interval."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Row:
    """A row with its header.

    base: whether the row is set off.
    span: the number of rows that the header stands for; 0 if the header of a row above stands for this one.
    """

    head: str
    cells: tuple[Cell, ...]
    base: bool = False
    span: int = 1


@dataclass(frozen=True)
class Table:
    """A table with its caption, the head of its headers (`corner`), the heads of its columns, and its rows.

    prose: places of the columns that hold text and not numbers.
    """

    caption: str
    corner: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    prose: tuple[int, ...] = ()


def spanned(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Let neighbouring rows with the same header share it.

    Parameters
    ----------
    rows : sequence of Row
        Rows in order.

    Returns
    -------
    tuple of Row
        The rows; the first of those that share a header spans them, the others have span 0.
    """
    shared: list[Row] = []
    for place, row in enumerate(rows):
        if place > 0 and rows[place - 1].head == row.head:
            shared.append(replace(row, span=0))
        else:
            same = 1
            while place + same < len(rows) and rows[place + same].head == row.head:
                same += 1
            shared.append(replace(row, span=same))
    return tuple(shared)
