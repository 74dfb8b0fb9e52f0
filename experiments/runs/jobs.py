"""Jobs that are kept: made of cells that are known by what determines them, and checked against the code at hand."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from scenarios import InputError
from simulator.jobs import I64, Columns, Job, Stopped, code_of


@runtime_checkable
class Divisible(Protocol):
    """A job made of cells that can be carried out, and were perhaps carried out before, one by one.

    `index` holds one row for each row of the results and says what it is; its column `cell` identifies the cell by a
    hash of all that determines it. The rows of a cell stand together.
    """

    @property
    def index(self) -> Columns: ...
    @property
    def runs(self) -> int: ...
    @property
    def address(self) -> str: ...
    def only(self, cells: I64) -> Job:
        """Return the job for some of its cells, by their places."""

    def carry_out(self, stopped: Stopped) -> Columns | None: ...
    def lost(self, why: str) -> Columns | None:
        """Return what is kept for cells whose workers die again and again; None where that is an error."""


class OtherCode(InputError):
    """A worker whose code is not the one that the job was made by."""


def hash_of(content: Any, *arrays: npt.NDArray[Any]) -> str:
    """Return a hash (24 hex digits) of plain values and of the bytes of arrays."""
    digest = hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=12)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def keys_of(base: str, *columns: npt.NDArray[Any]) -> I64:
    """Return a 63-bit key for each row of the columns, (rows,): a hash of `base` and of the row's bytes."""
    start = hashlib.blake2b(base.encode(), digest_size=8)
    keys = np.empty(len(columns[0]), np.int64)
    for row in range(len(keys)):
        digest = start.copy()
        for column in columns:
            digest.update(column[row].tobytes())
        keys[row] = int.from_bytes(digest.digest(), "big") >> 1
    return keys


def carry_out(job: Job, stopped: Stopped = lambda: False) -> Columns | None:
    """Carry out a job in this thread, process or worker; raise OtherCode where its code is not the one here."""
    check: Callable[[], None] | None = getattr(job, "check_code", None)
    if check is not None:
        check()
    return job.carry_out(stopped)


def same_code(code: str, modules: tuple[str, ...], who: str = "this worker runs") -> None:
    """Raise OtherCode where `modules` are not those that a job was made by."""
    here = code_of(*modules)
    if code != here:
        raise OtherCode(f"{who} code {here}, the question was prepared with {code}")
