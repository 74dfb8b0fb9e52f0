"""How tables are made: one record array a table, one row an entity.

`partners.grant_eur[p]` reads the same compiled and in plain Python, and a kernel gets one address a table (with
separate columns, 150 arrays went through every call, and compiling took minutes). Fields have 4 or 8 bytes: some numba
versions miscompile conditional stores to one-byte columns on AVX-512. Months are whole numbers since January of the
first year; `NEVER` (-1) means that it has not happened.
"""

from typing import Any

import numpy as np

Table = Any  # a numpy.recarray

NEVER = -1
NOBODY = -1


def table(*fields: tuple[str, type] | tuple[str, type, float]) -> Table:
    """Declare a table by its empty row: what a row holds before anything is written to it.

    Parameters
    ----------
    *fields : (name, type) or (name, type, value)
        The columns in order; the value of the empty row is 0 where none is given.

    Returns
    -------
    numpy.recarray, shape (1,)
        The empty row, read-only; its `dtype` is that of the table. A kernel begins a row with `rows[n] = TABLE[0]`.
    """
    empty = np.zeros(1, np.dtype([field[:2] for field in fields], align=True)).view(np.recarray)
    for name, _, *value in fields:
        if value:
            empty[name] = value[0]
    empty.setflags(write=False)
    return empty


def new_table(kind: Table, shape: int | tuple[int, ...]) -> Table:
    """Return room for rows of a table, not yet filled.

    Parameters
    ----------
    kind : Table
        Its declaration, as `table` returns it.
    shape : int or tuple of int
        Number of rows, by axis.
    """
    return np.empty(shape, kind.dtype).view(np.recarray)


def columns_as_table(columns: dict[str, np.ndarray[Any, Any]]) -> Table:
    """Return columns as a table.

    Parameters
    ----------
    columns : dict of arrays
        By name, all of one shape, which is the table's.
    """
    shape = next(iter(columns.values())).shape
    whole = new_table(table(*((name, column.dtype.type) for name, column in columns.items())), shape)
    for name, column in columns.items():
        whole[name] = column
    return whole
