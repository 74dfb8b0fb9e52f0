"""The work of a sweep: what one row and run comes to, in any thread, process or cluster, to the same bits.

A *cell* is one row of the design and one run (seed): all cases, which are the scenarios of the contrasts, with the
levers of the row where they apply, in the same world with the same luck. The rows of a block share their luck, so
that the differences between them are due to the factors, and a base that no lever reaches is run once for all rows
that differ in levers alone.
"""

import hashlib
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.runs.cells import by_country, observe_run, run_seed
from experiments.runs.jobs import OtherCode
from experiments.runs.measures import all_measures, may_be_missing, values_of
from experiments.runs.parameter_draws import draw_source
from experiments.sweeps.factors import Factor, with_levers
from experiments.sweeps.form import CENTRAL
from scenarios import InputError, Resolved, Scenario
from scenarios.settings import Setting
from simulator.jobs import Columns, Stopped, code_of
from simulator.parameters import F64

# (case, values of the factors by name, seed) -> measures by name: a function in the place of the model
Evaluate = Callable[[str, Mapping[str, Any], int], Mapping[str, float]]

# (place of a case, values that reach it) -> its measures, (measures,)
Known = dict[tuple[int, bytes], F64]

LONGEST_CAUSE = 300


@dataclass(frozen=True)
class Case:
    """One side of a contrast: a scenario's settings, and whether the row's levers apply to it."""

    name: str
    settings: tuple[Setting, ...]
    levered: bool


@dataclass(frozen=True)
class Work:
    """All that a cell needs beside its values; small, and the same on every machine."""

    cases: tuple[Case, ...]
    factors: tuple[Factor, ...]
    seed: int
    others: str
    draws_from: str
    measures: tuple[str, ...]
    first_year: int
    horizon_months: int | None = None
    smes: int | None = None
    evaluate: Evaluate | None = field(default=None, compare=False)
    code: str = ""
    posterior: str = ""


class Rows(NamedTuple):
    """Some rows under one run: their numbers, blocks and values (rows, factors)."""

    row: npt.NDArray[np.int64]
    block: npt.NDArray[np.int64]
    values: F64
    run: int


@dataclass(frozen=True, eq=False)
class Cells:
    """A job: some rows of the design under one run. `keys` identify its cells, `address` all of it."""

    work: Work
    rows: Rows
    keys: npt.NDArray[np.int64]
    address: str

    @property
    def runs(self) -> int:
        """How many cells it stands for."""
        return len(self.rows.row)

    @property
    def index(self) -> Columns:
        """Row, run, case and key of each row of the results: one for each cell and case."""
        cases, rows = len(self.work.cases), len(self.rows.row)
        return {
            "row": np.repeat(self.rows.row, cases),
            "run": np.full(rows * cases, self.rows.run, np.int32),
            "case": np.array([case.name for case in self.work.cases] * rows, dtype=object),
            "cell": np.repeat(self.keys, cases),
        }

    def only(self, cells: npt.NDArray[np.int64]) -> "Cells":
        """Return the job for some of its rows, by their places."""
        row, block, values, run = self.rows
        return replace(self, rows=Rows(row[cells], block[cells], values[cells], run), keys=self.keys[cells])

    def check_code(self) -> None:
        """Raise OtherCode where the code, or the posterior, is not what the sweep was planned with."""
        check_code(self.work, "this worker runs")

    def lost(self, why: str) -> Columns:
        """Return rows that have failed."""
        measures = np.full((len(self.rows.row), len(self.work.cases), len(self.work.measures)), math.nan)
        return self._columns(measures, [why] * len(self.rows.row))

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Run all rows, one after the other; None if stopped before the end. One that fails does not stop the rest."""
        work, rows = self.work, self.rows
        others = others_of(work, rows)
        measures = np.full((len(rows.row), len(work.cases), len(work.measures)), math.nan)
        failures = []
        known: Known = {}
        for place, block in enumerate(rows.block):
            if stopped():
                return None
            if place and block != rows.block[place - 1]:
                known.clear()
            drawn = {name: float(column[int(block) - int(rows.block[0])]) for name, column in others.items()}
            cause = ""
            try:
                measures[place] = _one(work, rows.values[place], drawn, int(block), rows.run, known)
                cause = _not_numbers(work, measures[place])
            except Exception as error:  # whatever it is, it is this row's alone
                cause = _on_one_line(error)
            if cause:
                measures[place] = math.nan
            failures.append(cause)
        return self._columns(measures, failures)

    def _columns(self, measures: F64, failures: list[str]) -> Columns:
        cases = len(self.work.cases)
        flat = measures.reshape(-1, len(self.work.measures))
        causes = np.array([cause for cause in failures for _ in range(cases)], dtype=object)
        return {"failure": causes} | {name: flat[:, place].copy() for place, name in enumerate(self.work.measures)}


def others_of(work: Work, rows: Rows) -> dict[str, F64]:
    """Draw what is not varied, by block from the first row's to the last row's.

    A draw belongs to a block and a run. So the rows of a block differ in the factors alone, and what the draws add to
    the spread of the outcome is part of the noise.
    """
    if work.evaluate is not None or len(rows.block) == 0:
        return {}
    first, count = int(rows.block[0]), int(rows.block[-1]) - int(rows.block[0]) + 1
    if work.others == CENTRAL:
        return {name: np.repeat(column, count) for name, column in draw_source(work.draws_from).centre().items()}
    return draw_source(work.draws_from).draw(count, run_seed(work.seed, -1, rows.run), first)


def _one(work: Work, numbers: F64, drawn: dict[str, float], block: int, run: int, known: Known) -> F64:
    """Measure one cell, (cases, measures); `known`: of earlier rows of the block."""
    if work.evaluate is not None:
        return _evaluated(work, numbers, run_seed(work.seed, block, run))
    measures = []
    for place, case in enumerate(work.cases):
        reaches = [factor.reaches(case.levered) for factor in work.factors]
        key = place, numbers[reaches].tobytes()
        if key not in known:
            known[key] = _measured(work, inputs_of(work, case, numbers, drawn), block, run)
        measures.append(known[key])
    return np.stack(measures)


def _measured(work: Work, inputs: Resolved, block: int, run: int) -> F64:
    """Measure one run, (measures,)."""
    first = inputs.call_years.index(work.first_year)
    values = values_of(by_country(observe_run(inputs, work.seed, block, run).cells, first))
    return np.array([values[name] for name in work.measures])


def inputs_of(work: Work, case: Case, numbers: F64, drawn: Mapping[str, float]) -> Resolved:
    """Return what one run needs: a case with the values of a row, and what else was drawn."""
    pairs = list(zip(work.factors, numbers))
    levers = {factor: factor.value(x) for factor, x in pairs if factor.lever and factor.reaches(case.levered)}
    varied = {factor.name: float(x) for factor, x in pairs if not factor.lever}
    settings = with_levers(case.settings, levers)
    scenario = Scenario(case.name, case.name, case.name, Path(f"{case.name}.toml"), None, settings)
    return scenario.resolve({**drawn, **varied}, horizon_months=work.horizon_months, smes=work.smes)


def _evaluated(work: Work, numbers: F64, seed: int) -> F64:
    assert work.evaluate is not None
    values = {factor.name: factor.value(x) for factor, x in zip(work.factors, numbers)}
    rows = [work.evaluate(case.name, values, seed) for case in work.cases]
    return np.array([[float(row[name]) for name in work.measures] for row in rows])


def _not_numbers(work: Work, measures: F64) -> str:
    """Name the cause, if a measure that always exists is no finite number."""
    there = np.atleast_1d(np.isfinite(measures).all(axis=0))
    if there.all():
        return ""
    free = work.evaluate is None
    bad = [
        name for name, is_there in zip(work.measures, there) if not (is_there or (free and name in may_be_missing()))
    ]
    return f"not a finite number: {', '.join(bad[:3])}" if bad else ""


def _on_one_line(error: Exception) -> str:
    """Put an error on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST_CAUSE] if text else type(error).__name__


# ---------- what identifies a cell


def code_here() -> str:
    """Return a hash of the sources that determine the numbers of a sweep, as they lie on this machine."""
    return code_of(__name__)


def check_code(work: Work, who: str) -> None:
    """Raise OtherCode where the code, or the posterior, is not what the work was planned with."""
    if work.code and work.code != code_here():
        raise OtherCode(f"{who} code {code_here()}, the sweep was planned with {work.code}")
    if work.posterior and work.posterior != (here := draw_source(work.draws_from).identity):
        raise OtherCode(f"{who} another posterior ({here}) than planned ({work.posterior})")


def name_of(evaluate: Evaluate) -> str:
    """Name a function as `module:name`, by which another process finds it."""
    return f"{evaluate.__module__}:{getattr(evaluate, '__qualname__', type(evaluate).__name__)}"


def source_of(evaluate: Evaluate) -> str:
    """Hash of a function's text, as far as it can be read."""
    try:
        text = inspect.getsource(evaluate)
    except (OSError, TypeError):
        text = ""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def function_at(name: str) -> Evaluate:
    """Return the function that `module:name` names. Raises InputError."""
    module, _, path = name.partition(":")
    try:
        module_at: Any = importlib.import_module(module)
        for part in path.split("."):
            module_at = getattr(module_at, part)
    except (ImportError, AttributeError, ValueError):
        raise InputError(
            f"the function {name} of this sweep cannot be found; give it again with sweep(..., evaluate=)"
        ) from None
    evaluate: Evaluate = module_at
    return evaluate


def measures_of_model() -> tuple[str, ...]:
    """Return all measures of a run; all are kept, so that another question needs no new run."""
    return tuple(all_measures())
