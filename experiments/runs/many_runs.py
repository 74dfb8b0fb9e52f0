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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import scenarios as library
from experiments.comparison.carry_out import check_same_calls
from experiments.runs.arguments import meant, several, target_file, whole, whole_or_none
from experiments.runs.ensemble import Case, _cell
from experiments.runs.memory import check_frame, heaviest, threads_that_fit
from experiments.runs.parameter_draws import POSTERIOR, Blocks, source
from scenarios import InputError, Resolved, Scenario
from scenarios.entries import check_values
from scenarios.errors import echo, listed, told
from scenarios.world import MOST_CLUSTERS, MOST_SMES
from simulator.observe import COLUMN, MEASURES, Observation
from simulator.parameters import F64
from simulator.state import OUTCOMES
from simulator.threads import Cancelled, each

if TYPE_CHECKING:
    import pandas as pd

Asked = str | os.PathLike[str] | Scenario
Progress = Callable[[int], None]

PLACE = {"run": "counted calls", "call": "call", "country": "country"}  # what a row stands for
MOST = 100_000_000
KEYS = 4  # columns that say what a row is: draw, run, scenario, place
PART_ROWS = 50_000  # of a table, about; a part holds whole draws

# Sums and differences of what is counted, so that they hold in any row.
SUMS = {
    "public_cost_eur": ("spent_eur", "admin_eur", 1.0),
    **{f"{outcome}_net": (f"{outcome}_additional", f"{outcome}_displaced", -1.0) for outcome in OUTCOMES},
}


@dataclass(frozen=True)
class ManyRuns:
    """A question to be put to many runs; nothing runs before `parts`, `frame` or `write` is called.

    scenarios: one or more names, paths or loaded scenarios; they share worlds, luck and the twin without the
        programme, draw by draw and seed by seed.
    draws: number of draws (0: one, the central values), or the draws themselves, parameter by
        parameter: `{"idea_rate": [0.8, 1.2], ...}`; parameters that are not named have their central value.
    runs: seeds per draw. The seed of a run follows from `seed`, the number of its draw and its own number.
    first_draw: number of the first draw, so that a large question can be cut by hand into parts with the same numbers.
    by: one row per "run" (counted calls together), "call" or "country" (counted calls together).
    measures: one or more names of `simulator.observe.MEASURES` and of SUMS, net outcomes among them; all unless given.
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
        ready = _Asked(self)
        runs = ready.asked.runs
        step = runs * max(1, PART_ROWS // ready.rows_per_draw)
        held: list[F64] = []
        first = 0
        for seen in each(ready.cell(progress or _quiet), ready.cells, ready.threads, cancelled):
            held.append(seen)
            if len(held) == step:
                yield ready.frame(first, held)
                first, held = first + len(held) // runs, []
        whole = len(held) // runs * runs
        if whole:
            yield ready.frame(first, held[:whole])

    def frame(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> "pd.DataFrame":
        """All rows as one frame. For one that memory cannot hold there is `write`."""
        import pandas as pd

        ready = _Asked(self)
        check_frame(ready.rows_per_draw, len(ready.measures) + KEYS, ready.draws)
        parts = list(self.parts(progress, cancelled))
        return pd.concat(parts, ignore_index=True) if parts else ready.frame(0, [])

    def write(
        self, path: str | os.PathLike[str], progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> Path:
        """All rows as one Parquet file with units, written part by part; returns its path.

        Cut short, by `cancelled` or Ctrl-C, the file holds the finished draws and says in its name how many there
        are: `first_draw` goes on from there.
        """
        import pyarrow.parquet as pq

        from experiments.comparison.table_files import as_table

        asked, done = _Asked(self), 0
        target = end = target_file(path)
        unfinished = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.unfinished")
        units = units_of_rows()
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
        drawn = _draws(_plain(self))
        return drawn.make(0, drawn.number)


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
        self.asked = asked = _plain(asked)
        self.scenarios = [each if isinstance(each, Scenario) else library.load(each) for each in asked.scenarios]
        _check_names(self.scenarios)
        self.drawn = _draws(asked)
        self.draws = self.drawn.number
        centre = [self.inputs(scenario, 0) for scenario in self.scenarios]
        _check_calls(asked, self.scenarios, centre)
        self.centre = centre[0]
        self.threads = threads_that_fit(heaviest(centre, self.drawn.block(0)), asked.threads)
        years = self.centre.call_years
        self.first = years.index(asked.first_year) if asked.first_year is not None else 0
        self.places: Sequence[Any] = {
            "run": ("all",), "call": years, "country": self.centre.country_codes,
        }[asked.by]  # fmt: skip
        self.measures = list(asked.measures or ())
        self.rows_per_draw = len(self.scenarios) * asked.runs * len(self.places)
        self.cells = ((draw, run) for draw in range(self.draws) for run in range(asked.runs))

    def inputs(self, scenario: Scenario, draw: int) -> Resolved:
        asked, values = self.asked, self.drawn[draw]
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


def _draws(asked: ManyRuns) -> Blocks:
    """The parameters of every draw of the question, by the draw's number in it."""
    if isinstance(asked.draws, Mapping):
        columns = _columns(asked.draws)
        number = len(next(iter(columns.values())))
        return Blocks(number, lambda first, last: {name: column[first:last] for name, column in columns.items()})
    taken = source(asked.draws_from)
    if not asked.draws:
        return Blocks(1, lambda first, last: taken.centre())
    return Blocks(asked.draws, lambda first, last: taken.draw(last - first, asked.seed, asked.first_draw + first))


def _columns(given: Mapping[str, Any]) -> dict[str, F64]:
    """The draws themselves, parameter by parameter, all of them within their limits."""
    columns = {name: _column(name, values) for name, values in given.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if not columns or len(set(lengths.values())) != 1 or 0 in lengths.values():
        has = listed(f"{echo(str(name))} {length}" for name, length in lengths.items()) or "no column"
        raise InputError(f"draws: there are values of {has}; allowed: one column or more, all with as many values")
    for end in (np.min, np.max):  # NaN is both
        check_values({name: float(end(column)) for name, column in columns.items()}, "draws")
    return columns


def _column(name: str, values: Any) -> F64:
    try:
        column = np.atleast_1d(np.asarray(values, float))
    except (TypeError, ValueError):
        column = np.empty((0, 0))
    if column.ndim != 1:
        raise InputError(f"draws, {echo(str(name))}: this is no list of numbers; allowed: a number for each draw")
    return column


def _plain(asked: ManyRuns) -> ManyRuns:
    """The question with what can be checked before anything is loaded or drawn, in plain numbers and names."""
    if not isinstance(asked.by, str) or asked.by not in PLACE:
        raise InputError(f"by is {told(asked.by)}; allowed: {listed(PLACE)}" + meant(asked.by, PLACE))
    draws = asked.draws
    return replace(
        asked,
        scenarios=several("scenarios", asked.scenarios, "a name, a path, or a list of them"),
        draws=draws if isinstance(draws, Mapping) else whole("draws", draws, 0, MOST, ", or values by parameter"),
        runs=whole("runs", asked.runs, 1, MOST),
        seed=whole("seed", asked.seed, 0, 2**63 - 1),
        first_draw=whole("first_draw", asked.first_draw, 0, MOST),
        smes=whole_or_none("smes", asked.smes, 1, MOST_SMES),
        clusters=whole_or_none("clusters", asked.clusters, 1, MOST_CLUSTERS),
        threads=whole_or_none("threads", asked.threads, 1, 1024),
        measures=_measures(asked.measures),
    )


def _measures(asked: Any) -> list[str]:
    """Names of measures, all unless given, each known and there once."""
    known = [*COLUMN, *SUMS]
    if asked is None:
        return known
    names = several("measures", asked, "names of measures, or None for all")
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise InputError(f"measures: there is no {told(name)}; allowed: {listed(known, 4)}" + meant(name, known))
        if names.count(name) > 1:
            raise InputError(f"measures: {name} is given more than once; allowed: each name once")
    return names


def _check_names(scenarios: Sequence[Scenario]) -> None:
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"scenarios: {name} is given more than once; allowed: scenarios with different names")


def _check_calls(asked: ManyRuns, scenarios: Sequence[Scenario], centre: Sequence[Resolved]) -> None:
    """Raise InputError for scenarios that do not go together, and for a first year that is no call's."""
    for scenario, resolved in zip(scenarios, centre):
        check_same_calls(scenario, resolved, scenarios[0], centre[0])
    years = centre[0].call_years
    if asked.first_year is not None and (np.ndim(asked.first_year) or asked.first_year not in years):
        raise InputError(f"first_year is {told(asked.first_year)}; allowed: {listed(map(str, years))}")
