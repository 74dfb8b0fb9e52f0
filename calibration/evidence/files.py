"""Reading evidence tables that anybody may have written: CSV files of a documented form."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.errors import Fault, InputError, listed, nearest, refuse, told

LARGEST_FILE_BYTES = 1_000_000


class Row:
    """One row of a table, by column; every error names file, row and column. Row 1 is the line of column names."""

    def __init__(self, path: Path, number: int, content: Mapping[str, str]) -> None:
        self.path, self.number, self.content = path, number, content

    def fault(self, column: str, what: str, allowed: str = "", meant: str = "") -> InputError:
        """The sentence for what is wrong in one column, for raising."""
        return refuse(self.path, [Fault(f"row {self.number}, {column}", what, allowed, meant)])

    def text(self, column: str) -> str:
        """What stands in a column, without spaces around it; empty where nothing does."""
        return self.content[column].strip()

    def number_in(self, column: str, allowed: str) -> float | None:
        """The number in a column, None where nothing stands."""
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.fault(column, f"{told(text)} does not fit", allowed) from None
        if not math.isfinite(value):
            raise self.fault(column, f"{told(text)} does not fit", allowed)
        return value

    def whole(self, column: str, allowed: str, least: int = 0) -> int:
        """The whole number of at least `least` in a column, which may not be empty."""
        value = self.number_in(column, allowed)
        if value is None:
            raise self.fault(column, "it is missing", allowed)
        if value != int(value) or value < least:
            raise self.fault(column, f"{told(self.text(column))} does not fit", allowed)
        return int(value)


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """The rows of a table that has all of `columns` and none but these and `optional`; raises InputError."""
    reader = csv.reader(io.StringIO(_text(path)), strict=True)
    try:
        lines = [line for line in reader]
    except csv.Error as error:
        raise refuse(path, [Fault(f"row {reader.line_num}", f"it is not CSV: {error}")]) from None
    header = [name.strip() for name in lines[0]] if lines else []
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
        raise refuse(path, [Fault("", "it holds no rows", "one row per item below the line of column names")])
    return rows


def _text(path: Path) -> str:
    if not path.is_file():
        what = "there is no such file" if not path.exists() else "it is not a plain file"
        raise refuse(path, [Fault("", what, "a CSV file of the form of the shipped one")])
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise refuse(path, [Fault("", "it is too large", f"up to {LARGEST_FILE_BYTES / 1e6:.0f} MB")])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse(path, [Fault("", "it is not UTF-8 text", "text saved as UTF-8")]) from None
    except OSError as error:
        raise refuse(path, [Fault("", f"it cannot be read ({(error.strerror or 'unknown').lower()})")]) from None


def _check_header(path: Path, header: list[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    known = (*columns, *optional)
    for name in header:
        if name not in known:
            what = f"there is no column {told(name)}"
            raise refuse(path, [Fault("row 1", what, listed(known), nearest(name, known))])
        if header.count(name) > 1:
            raise refuse(path, [Fault("row 1", f"the column {told(name)} stands twice", "once")])
    missing = [name for name in columns if name not in header]
    if missing:
        raise refuse(path, [Fault("row 1", f"the column {missing[0]} is missing", listed(columns))])
