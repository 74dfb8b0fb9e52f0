"""The plan of a sweep: which cells there are, how they are cut into chunks, and by what content each is known.

The design is drawn, written to a file and read in slices, so a plan of a million runs takes no more memory than one
of some ten thousand.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.runs.jobs import OtherCode
from experiments.runs.parameter_draws import draw_source
from experiments.sweeps.cases import cases_of, first_counted_year
from experiments.sweeps.factors import Factor, factors_of
from experiments.sweeps.form import Experiment, check_measures, experiment_of
from experiments.sweeps.methods import block_rows, sample
from experiments.sweeps.work import (
    Case,
    Evaluate,
    Rows,
    Work,
    check_code,
    code_here,
    function_at,
    measures_of_model,
    name_of,
    source_of,
)
from scenarios import InputError
from scenarios.settings import as_row, from_row
from simulator.parameters import F64

FORMAT = 1
VERSIONS = ("numpy", "numba", "llvmlite", "scipy", "SALib")  # that have a say in the numbers
FEWEST_CHUNK_ROWS, MOST_CHUNK_ROWS = 16, 128
CHUNKS = 1000  # rows of a large design are cut into about so many, within the limits
SLICE_ROWS = 16_384  # of the design that are drawn, written and read together
MOST_CELLS = 10_000_000
MEND = "asking the experiment's file again writes it anew and keeps all runs"


class Chunk(NamedTuple):
    """Rows `start` to `stop` under one run: what is done, kept and redone as one."""

    start: int
    stop: int
    run: int


@dataclass(frozen=True)
class Plan:
    """An experiment made ready. `base` identifies all that its cells share, `family` the question without its size."""

    name: str
    experiment: Experiment
    factors: tuple[Factor, ...]
    work: Work
    pairs: tuple[tuple[str, int | None, int], ...]  # of contrasts: label, place of the base (None) and of the option
    rows: int
    block: int
    chunk_rows: int
    base: str
    family: str

    @property
    def cells(self) -> int:
        """How many rows and runs there are."""
        return self.rows * self.experiment.runs

    @property
    def simulations(self) -> int:
        """How many results of a scenario there are; those that no lever reaches are run once for several rows."""
        return self.cells * len(self.work.cases)

    @property
    def folder_name(self) -> str:
        """The usual folder: the same for the same question, whatever its size."""
        return f"sweep-{self.name}-{self.family[:8]}"

    def unit(self, first: int = 0, last: int | None = None) -> F64:
        """Return the design in [0, 1], (rows, factors): all of it, or the blocks from `first` to before `last`."""
        return sample(self.experiment.design, len(self.factors), self.experiment.seed, first, last)

    def chunks(self) -> Iterator[Chunk]:
        """Return all chunks, in the order in which they are run: all runs of the first rows first."""
        for start in range(0, self.rows, self.chunk_rows):
            for run in range(self.experiment.runs):
                yield Chunk(start, min(start + self.chunk_rows, self.rows), run)

    def keys(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Return what identifies each cell: base, values, block and run, as 63 bits."""
        start = hashlib.blake2b(self.base.encode(), digest_size=8)
        keys = np.empty(len(rows.row), np.int64)
        tails = np.stack([rows.block, np.full_like(rows.block, rows.run)], axis=1)
        for place in range(len(keys)):
            digest = start.copy()
            digest.update(rows.values[place].tobytes() + tails[place].tobytes())
            keys[place] = int.from_bytes(digest.digest(), "big") >> 1
        return keys

    def address(self, chunk: Chunk, keys: npt.NDArray[np.int64]) -> str:
        """Return what identifies a chunk's part: its place and its cells."""
        content = f"{FORMAT}/{self.base}/{chunk.start}/{chunk.run}/".encode() + keys.tobytes()
        return hashlib.blake2b(content, digest_size=12).hexdigest()

    def with_size(self, n: int | None, runs: int | None) -> "Plan":
        """Return the same question with more or fewer blocks or runs."""
        content = as_content(self.experiment)
        content["method"] = content["method"] | ({"n": n} if n is not None else {})
        content |= {"runs": runs} if runs is not None else {}
        return _sized(replace(self, experiment=experiment_of(content, self.name)))


def plan_of(
    experiment: Experiment, name: str, source: str | Path = "experiment", evaluate: Evaluate | None = None
) -> Plan:
    """Plan an experiment; `source` is named in messages and is where paths of scenarios start. Raises InputError."""
    factors = factors_of(experiment, source, free=evaluate is not None)
    if not factors:
        raise InputError(f"{source}, vary_all: no entry of the register fits, so nothing is varied")
    if evaluate is None:
        check_measures(experiment.measures, measures_of_model(), source)
    cases, pairs = cases_of(experiment, factors, source, free=evaluate is not None)
    work = Work(
        cases, factors, experiment.seed, experiment.others, experiment.draws_from,
        tuple(experiment.measures) if evaluate else measures_of_model(),
        0 if evaluate else first_counted_year(cases, factors, experiment, source),
        experiment.horizon_months, experiment.smes, evaluate, code_here(),
        "" if evaluate else draw_source(experiment.draws_from).identity,
    )  # fmt: skip
    base = _hash(_identity(work))
    method = [experiment.method.name, experiment.method.model_extra or {}]
    contents = [[factor.name, factor.low, factor.high, factor.by, factor.choices] for factor in factors]
    return _sized(Plan(name, experiment, factors, work, pairs, 0, 0, 0, base, _hash([base, contents, method])))


def _sized(plan: Plan) -> Plan:
    method, factors = plan.experiment.design, len(plan.factors)
    block = block_rows(method, factors)
    rows = method.n * block
    if rows * plan.experiment.runs > MOST_CELLS:
        most = MOST_CELLS // (block * plan.experiment.runs)
        raise InputError(
            f"{plan.name}, method.n: {method.n:,} blocks of {block:,} rows, each run {plan.experiment.runs:,} times, "
            f"are {rows * plan.experiment.runs:,} runs; allowed: up to {MOST_CELLS:,}, here n = {most:,}"
        )
    return replace(plan, rows=rows, block=block, chunk_rows=_chunk_rows(rows, block))


def _chunk_rows(rows: int, block: int) -> int:
    """Return the rows of a chunk: whole blocks where blocks are small, since rows of a block may share runs."""
    power = 1 << max(0, (rows // CHUNKS).bit_length())
    about = min(max(power, FEWEST_CHUNK_ROWS), MOST_CHUNK_ROWS)
    return block * max(1, round(about / block)) if block <= about else about


def _identity(work: Work) -> dict[str, Any]:
    """Return all that the numbers of a cell hang on, beside its values, block and run."""
    names = [[each.name, each.lever, each.first, each.last, each.in_base, each.choices] for each in work.factors]
    if work.evaluate is not None:
        return {
            "function": name_of(work.evaluate), "source": source_of(work.evaluate), "seed": work.seed,
            "cases": [case.name for case in work.cases], "factors": names, "measures": work.measures,
        }  # fmt: skip
    return {
        "code": work.code, "versions": {name: metadata.version(name) for name in VERSIONS}, "seed": work.seed,
        "cases": [[case.settings, case.levered] for case in work.cases], "factors": names, "others": work.others,
        "draws_from": work.draws_from, "posterior": work.posterior,
        "first_year": work.first_year, "horizon": work.horizon_months, "smes": work.smes, "measures": work.measures,
    }  # fmt: skip


def _hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


# ---------- on disk


def as_content(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as its file would hold it, in full."""
    return experiment.model_dump(by_alias=True, exclude_none=True)


def as_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values: whole enough to go on without the experiment's and the scenarios' files."""
    evaluate = plan.work.evaluate
    return {
        "format": FORMAT,
        "name": plan.name,
        "experiment": as_content(plan.experiment),
        "cases": [
            {"name": case.name, "levered": case.levered, "settings": [as_row(each) for each in case.settings]}
            for case in plan.work.cases
        ],
        "contrasts": [list(pair) for pair in plan.pairs],
        "first_year": plan.work.first_year,
        "evaluate": name_of(evaluate) if evaluate else None,
        "code": plan.work.code,
        "posterior": plan.work.posterior,
        "versions": {name: metadata.version(name) for name in VERSIONS},
        "rows": plan.rows, "block_rows": plan.block, "chunk_rows": plan.chunk_rows, "simulations": plan.simulations,
        "base": plan.base, "family": plan.family,
    }  # fmt: skip


def from_data(content: Mapping[str, Any], source: Path, evaluate: Evaluate | None = None) -> Plan:
    """Read the plan that a sweep's folder holds, with the code it was made by; raises InputError."""
    try:
        if content["format"] != FORMAT:
            raise InputError(f"{source}: is of another version of innovex (format {content['format']}, not {FORMAT})")
        if evaluate is None and content["evaluate"]:
            evaluate = function_at(content["evaluate"])
        experiment = experiment_of(content["experiment"], source)
        factors = factors_of(experiment, source, free=evaluate is not None)
        cases = tuple(
            Case(
                each["name"],
                tuple(map(from_row, each["settings"])),
                each["levered"],
            )
            for each in content["cases"]
        )
        work = Work(
            cases, factors, experiment.seed, experiment.others, experiment.draws_from,
            tuple(experiment.measures) if evaluate else measures_of_model(), content["first_year"],
            experiment.horizon_months, experiment.smes, evaluate, content["code"], content["posterior"],
        )  # fmt: skip
        pairs = tuple((label, base, option) for label, base, option in content["contrasts"])
        return _sized(
            Plan(content["name"], experiment, factors, work, pairs, 0, 0, 0, content["base"], content["family"])
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source}: is not the plan of a sweep, or is damaged; {MEND}") from None


def check_same_code(plan: Plan, source: Path) -> None:
    """Raise InputError where another version of the code would go on with a sweep."""
    try:
        check_code(plan.work, "this is")
    except OtherCode as error:
        raise InputError(
            f"{source}: its numbers cannot be gone on with ({error}); ask the experiment's file again for a sweep of "
            f"its own, or go back to that version"
        ) from None


def write_design(plan: Plan, path: Path) -> None:
    """Write the design with its values, one row per row; choices by name; a group of rows at a time."""
    with pq.ParquetWriter(path, _table(plan, 0, 1).schema, compression="zstd", write_page_checksum=True) as file:
        for start in range(0, plan.rows, SLICE_ROWS):
            stop = min(start + SLICE_ROWS, plan.rows)
            file.write_table(_table(plan, start, stop), row_group_size=SLICE_ROWS)


def _table(plan: Plan, start: int, stop: int) -> pa.Table:
    """Return rows `start` to before `stop` of the design."""
    first, last = start // plan.block, -(-stop // plan.block)
    unit = plan.unit(first, last)[start - first * plan.block : stop - first * plan.block]
    row = np.arange(start, stop)
    columns: dict[str, pa.Array] = {"row": pa.array(row), "block": pa.array(row // plan.block)}
    for place, factor in enumerate(plan.factors):
        numbers = factor.numbers(unit[:, place])
        if factor.choices:
            names = pa.array([str(choice) for choice in factor.choices])
            columns[factor.name] = pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), names)
        else:
            columns[factor.name] = pa.array(numbers)
    return pa.table(columns)


class Design:
    """The design file of a plan, read in slices."""

    def __init__(self, plan: Plan, path: Path) -> None:
        self.plan, self._path = plan, path
        with self._in_one_sentence():
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            self._group_rows = self._file.metadata.row_group(0).num_rows  # of all groups but the last
        self._slice = lru_cache(maxsize=2)(self._read)

    def _read(self, group: int) -> F64:
        with self._in_one_sentence():
            table = self._file.read_row_group(group)
        columns = []
        for factor in self.plan.factors:
            column = table.column(factor.name)
            if factor.choices:
                place = {str(choice): float(n) for n, choice in enumerate(factor.choices)}
                columns.append(np.array([place[name] for name in column.to_pylist()]))
            else:
                columns.append(column.to_numpy())
        return np.ascontiguousarray(np.stack(columns, axis=1))

    @contextlib.contextmanager
    def _in_one_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, pa.ArrowException):
            way = f"innovex sweep {self._path.parent} --resume writes it again"
            raise InputError(f"{self._path}: is damaged, or cannot be read; {way}") from None

    def rows(self, chunk: Chunk) -> Rows:
        """Return the rows of a chunk with their numbers, blocks and values."""
        row = np.arange(chunk.start, chunk.stop)
        groups = range(chunk.start // self._group_rows, (chunk.stop - 1) // self._group_rows + 1)
        values = np.concatenate([self._slice(group) for group in groups])
        first = groups[0] * self._group_rows
        return Rows(row, row // self.plan.block, values[chunk.start - first : chunk.stop - first], chunk.run)
