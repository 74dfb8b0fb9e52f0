"""Read tables that anybody may have written: CSV files with a row of column names."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.errors import Fault, InputError, describe, listed, nearest, refuse
from scenarios.files import read_text


class Row:
    """A row of a table, by column; every error names file, row and column.

    Parameters
    ----------
    path : Path
        The file.
    number : int
        Of the line in the file; the column names are line 1.
    content : mapping of str to str
        By column.
    """

    def __init__(self, path: Path, number: int, content: Mapping[str, str]) -> None:
        self.path, self.number, self.content = path, number, content

    def fault(self, column: str, what: str, allowed: str = "", meant: str = "") -> InputError:
        """Return the error, to be raised, for what is wrong in a column."""
        return refuse(self.path, [Fault(f"row {self.number}, {column}", what, allowed, meant)])

    def text(self, column: str) -> str:
        """Return the text in a column without spaces around it; an empty string for an empty cell."""
        return self.content[column].strip()

    def number_in(self, column: str, allowed: str) -> float | None:
        """Return the number in a column, None for an empty cell.

        Parameters
        ----------
        column : str
        allowed : str
            The allowed values in words.

        Raises
        ------
        InputError
            If it is not a finite number.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.fault(column, f"{describe(text)} does not fit", allowed) from None
        if not math.isfinite(value):
            raise self.fault(column, f"{describe(text)} does not fit", allowed)
        return value

    def whole(self, column: str, allowed: str, least: int = 0) -> int:
        """Return the whole number in a column.

        Parameters
        ----------
        column : str
        allowed : str
            The allowed values in words.
        least : int, optional
            The smallest number that is allowed.

        Raises
        ------
        InputError
            If the cell is empty, or not a whole number of at least `least`.
        """
        value = self.number_in(column, allowed)
        if value is None:
            raise self.fault(column, "it is missing", allowed)
        if value != int(value) or value < least:
            raise self.fault(column, f"{describe(self.text(column))} does not fit", allowed)
        return int(value)


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Return the rows of a CSV file; empty lines are left out.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        The columns that the table must have.
    optional : sequence of str, optional
        The columns that it may have besides; an empty string stands in for them in each row.

    Raises
    ------
    InputError
        For a file that cannot be read, an unknown or missing column, and a row of another length.
    """
    text = read_text(path, "a CSV file with the columns of the shipped one", f"a first row with {listed(columns)}")
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise refuse(path, [Fault(f"row {reader.line_num}", f"it is not CSV: {error}")]) from None
    header = [name.strip() for name in lines[0]]
    _check_header(path, header, columns, optional)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(header):
            allowed = f"{len(header)}, as in row 1; text with a comma in quotes"
            raise refuse(path, [Fault(f"row {number}", f"it has {len(line)} cells", allowed)])
        rows.append(Row(path, number, {**dict.fromkeys(optional, ""), **dict(zip(header, line, strict=True))}))
    if not rows:
        raise refuse(path, [Fault("", "it has no rows", "one row per item below the row of column names")])
    return rows


def _check_header(path: Path, header: list[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    names = (*columns, *optional)
    for name in header:
        if name not in names:
            what = f"there is no column {describe(name)}"
            raise refuse(path, [Fault("row 1", what, listed(names), nearest(name, names))])
        if header.count(name) > 1:
            raise refuse(path, [Fault("row 1", f"the column {describe(name)} is there twice", "once")])
    missing = [name for name in columns if name not in header]
    if missing:
        raise refuse(path, [Fault("row 1", f"the column {missing[0]} is missing", listed(columns))])
