"""One call, many runs: scenarios x draws x seeds in, measures out, as pandas or Parquet.

    from experiments import ManyRuns

    asked = ManyRuns(("baseline", "projects_24"), draws=1_000, runs=2)
    frame = asked.frame()  # one row per scenario, draw, run and call
    asked.write("runs.parquet")  # the same, part by part: memory stays flat
    for part in asked.parts():  # the same, as it comes
        ...

Runs go on all cores as threads of this process, with no start-up of processes and no agents made.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import scenarios as library
from experiments.comparison import check_same_calls
from experiments.drawing import POSTERIOR, drawn
from experiments.ensemble import Case, _cell
from experiments.memory import threads_that_fit
from scenarios import InputError, Resolved, Scenario
from scenarios.errors import echo, listed, nearest
from simulator.many import Cancelled, each
from simulator.observe import COLUMN, MEASURES, Observation
from simulator.parameters import F64
from simulator.state import OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

Asked = str | os.PathLike[str] | Scenario
Progress = Callable[[int], None]

PLACE = {"run": "counted calls", "call": "call", "country": "country"}  # what a row stands for
MOST = 100_000_000
PART_ROWS = 50_000  # of a table, about; a part holds whole draws

# Sums and differences of what is counted, so that they hold in any row.
SUMS = {
    "public_cost_eur": ("spent_eur", "admin_eur", 1.0),
    **{f"{outcome}_net": (f"{outcome}_additional", f"{outcome}_displaced", -1.0) for outcome in OUTCOMES},
}


@dataclass(frozen=True)
class ManyRuns:
    """A question to be put to many runs; nothing runs before `parts`, `frame` or `write` is called.

    scenarios: names, paths or loaded scenarios; they share worlds, luck and the twin without the programme, draw
        by draw and seed by seed.
    draws: number of draws (0: one, the central values), or the draws themselves, parameter by
        parameter: `{"idea_rate": [0.8, 1.2], ...}`; parameters that are not named have their central value.
    runs: seeds per draw. The seed of a run follows from `seed`, the number of its draw and its own number.
    first_draw: number of the first draw, so that a large question can be cut by hand into parts with the same numbers.
    by: one row per "run" (counted calls together), "call" or "country" (counted calls together).
    measures: names of `simulator.observe.MEASURES` and of SUMS, net outcomes among them; all unless given.
    first_year: first call that is counted in rows by run and country; the first of all unless given.
    horizon: months for which each call is counted. smes, clusters: member SMEs, and clusters, of all countries
        together.
    threads: all cores unless given; no number depends on it.
    draws_from: "posterior", the shipped one, "prior", or a posterior's file.

    Wrong input raises InputError when the question is put, before anything runs.
    """

    scenarios: Sequence[Asked]
    draws: int | Mapping[str, Sequence[float] | npt.NDArray[np.float64]] = 200
    runs: int = 2
    seed: int = 1
    first_draw: int = 0
    by: str = "call"
    measures: Sequence[str] | None = None
    first_year: int | None = None
    horizon: int | None = None
    smes: int | None = None
    clusters: int | None = None
    threads: int | None = None
    draws_from: str = POSTERIOR

    def parts(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> "Iterator[pd.DataFrame]":
        """The rows in order of draw, run and scenario, in frames of whole draws, as they come.

        `progress` hears of the runs done since it was last called, from any thread. When `cancelled()` says so the
        iterator ends after the draws that are finished in full; after Ctrl-C it raises KeyboardInterrupt, and what
        it gave before holds.
        """
        told = _Asked(self)
        per_draw = len(told.scenarios) * self.runs * len(told.places)
        step = self.runs * max(1, PART_ROWS // per_draw)
        held: list[F64] = []
        first = 0
        for seen in each(told.cell(progress or _quiet), told.cells, told.threads, cancelled):
            held.append(seen)
            if len(held) == step:
                yield told.frame(first, held)
                first, held = first + len(held) // self.runs, []
        whole = len(held) // self.runs * self.runs
        if whole:
            yield told.frame(first, held[:whole])

    def frame(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> "pd.DataFrame":
        """All rows as one frame. For one that memory cannot hold there is `write`."""
        import pandas as pd

        parts = list(self.parts(progress, cancelled))
        return pd.concat(parts, ignore_index=True) if parts else _Asked(self).frame(0, [])

    def write(
        self, path: str | os.PathLike[str], progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> Path:
        """All rows as one Parquet file with units, written part by part; returns its path.

        Cut short, by `cancelled` or Ctrl-C, the file holds the finished draws and says in its name how many there
        are: `first_draw` goes on from there.
        """
        import pyarrow.parquet as pq

        from experiments.table_files import as_table

        target = end = Path(path)
        unfinished = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.unfinished")
        units = units_of_rows()
        asked, done = _Asked(self), 0
        try:
            with pq.ParquetWriter(unfinished, as_table(asked.frame(0, []), units).schema, compression="zstd") as file:
                for part in self.parts(progress, cancelled):
                    file.write_table(as_table(part, units))
                    done += part["draw"].nunique()
        finally:
            if done:
                whole = done == asked.draws
                end = target if whole else target.with_name(f"{target.stem}-first-{done}-draws{target.suffix}")
                unfinished.replace(end)
            with suppress(OSError):
                unfinished.unlink()
        return end

    @property
    def parameters(self) -> dict[str, F64]:
        """The values drawn, parameter by parameter, shape (draws,)."""
        return _Asked(self).drawn


def units_of_rows() -> dict[str, str]:
    """The unit of each column that has one."""
    units = {measure.name: measure.unit for measure in MEASURES}
    units |= {name: units[of] for name, (of, _, _) in SUMS.items()}
    return units | {"draw": "number", "run": "number", "call": "year"}


def _quiet(runs: int) -> None:
    """No progress: a library prints nothing."""


class _Asked:
    """A question checked and made ready."""

    def __init__(self, asked: ManyRuns) -> None:
        chosen = [asked.scenarios] if isinstance(asked.scenarios, str | os.PathLike | Scenario) else asked.scenarios
        self.asked = asked
        self.scenarios = [each if isinstance(each, Scenario) else library.load(each) for each in chosen]
        self.drawn = _drawn(asked)
        self.draws = len(next(iter(self.drawn.values())))
        centre = [self.inputs(scenario, 0) for scenario in self.scenarios]
        _check(asked, self.scenarios, centre)
        self.centre = centre[0]
        self.threads = threads_that_fit(self.centre, asked.threads)
        years = self.centre.call_years
        self.first = years.index(asked.first_year) if asked.first_year is not None else 0
        self.places: Sequence[Any] = {
            "run": ("all",), "call": years, "country": self.centre.country_codes,
        }[asked.by]  # fmt: skip
        self.measures = list(asked.measures or [*COLUMN, *SUMS])
        self.cells = ((draw, run) for draw in range(self.draws) for run in range(asked.runs))

    def inputs(self, scenario: Scenario, draw: int) -> Resolved:
        values = {name: float(column[draw]) for name, column in self.drawn.items()}
        asked = self.asked
        return scenario.resolve(values, horizon_months=asked.horizon, smes=asked.smes, clusters=asked.clusters)

    def _numbered(self, scenario: Scenario, draw: int) -> Resolved:
        """The inputs by the number that the draw has in the whole question."""
        return self.inputs(scenario, draw - self.asked.first_draw)

    def cell(self, tell: Progress) -> Callable[[tuple[int, int]], F64]:
        """What is done for one draw and run: measures by scenario and place, (S, places, measures)."""
        first_draw = self.asked.first_draw
        cases: list[Case] = [partial(self._numbered, scenario) for scenario in self.scenarios]

        def work(cell: tuple[int, int]) -> F64:
            draw, run = cell
            seen = _cell(cases, first_draw + draw, run, self.asked.seed, self.first, tell)
            return np.stack([self._rows(each) for each in seen])

        return work

    def _rows(self, seen: Observation) -> F64:
        """One run's rows; its cells are calls, then countries over the counted calls."""
        calls = len(self.centre.call_years)
        by = self.asked.by
        cells = seen.cells[:calls] if by == "call" else seen.cells[calls:]
        rows = cells.sum(axis=0)[None] if by == "run" else cells
        columns = [
            rows[:, COLUMN[name]]
            if name in COLUMN
            else rows[:, COLUMN[SUMS[name][0]]] + SUMS[name][2] * rows[:, COLUMN[SUMS[name][1]]]
            for name in self.measures
        ]
        return np.stack(columns, axis=1)

    def frame(self, first: int, held: list[F64]) -> "pd.DataFrame":
        """The rows of whole draws, of which `first` is the first."""
        import pandas as pd

        draws = self.asked.first_draw + first + np.arange(len(held) // self.asked.runs)
        names = [scenario.name for scenario in self.scenarios]
        index = pd.MultiIndex.from_product(
            [draws, range(self.asked.runs), names, self.places], names=["draw", "run", "scenario", PLACE[self.asked.by]]
        )
        cube = np.stack(held) if held else np.empty((0, len(self.measures)))
        frame = pd.DataFrame(cube.reshape(-1, len(self.measures)), index, self.measures).reset_index()
        return frame.drop(columns=PLACE["run"], errors="ignore")


def _drawn(asked: ManyRuns) -> dict[str, F64]:
    """The parameters of every draw of the question."""
    if not isinstance(asked.draws, Mapping):
        if isinstance(asked.draws, bool) or not isinstance(asked.draws, int) or not 0 <= asked.draws <= MOST:
            allowed = f"a whole number from 0 to {MOST}, or values by parameter"
            raise InputError(f"draws is {asked.draws!r}; allowed: {allowed}")
        first = asked.first_draw if asked.draws else 0
        found = drawn(asked.draws_from, first + asked.draws, asked.seed).values
        return {name: column[first:] for name, column in found.items()}
    columns = {name: np.atleast_1d(np.asarray(values, float)) for name, values in asked.draws.items()}
    lengths = {name: len(column) for name, column in columns.items() if column.ndim == 1}
    if not columns or len(lengths) < len(columns) or len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise InputError(f"draws: columns have {lengths} values; allowed: one column or more, all with as many values")
    return columns


def _check(asked: ManyRuns, scenarios: Sequence[Scenario], centre: Sequence[Resolved]) -> None:
    """Raise InputError for a question that cannot be put."""
    for name, low, high in (("runs", 1, MOST), ("seed", 0, 2**63 - 1), ("first_draw", 0, MOST), ("threads", 1, 1024)):
        value = getattr(asked, name)
        if name == "threads" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name} is {value!r}; allowed: a whole number from {low} to {high}")
    if asked.by not in PLACE:
        raise InputError(f"by is {asked.by!r}; allowed: {listed(PLACE)}")
    years = centre[0].call_years
    if asked.first_year is not None and asked.first_year not in years:
        raise InputError(f"first_year is {asked.first_year!r}; allowed: {listed(map(str, years))}")
    known = [*COLUMN, *SUMS]
    for name in asked.measures or ():
        if name not in known:
            near = nearest(str(name), known)
            raise InputError(f"measures: there is no {echo(str(name))!r}" + (f"; did you mean {near}?" if near else ""))
    for scenario, resolved in zip(scenarios, centre):
        check_same_calls(scenario, resolved, scenarios[0], centre[0])
    names = [scenario.name for scenario in scenarios]
    if not names or len(set(names)) < len(names):
        raise InputError(f"scenarios are {listed(names) or 'none'}; allowed: one or more with different names")
