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
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import scenarios as library
from experiments.runs.arguments import check_same_calls, meant, several, target_file, whole, whole_or_none
from experiments.runs.cells import Case, Draws, block_rows, by_call, by_country, observe_run
from experiments.runs.driver import Task, finish, in_order
from experiments.runs.engines import Where, engine_at
from experiments.runs.jobs import hash_of, same_code
from experiments.runs.measures import all_measures, columns_of, sums
from experiments.runs.memory import check_frame, heaviest, threads_that_fit
from experiments.runs.parameter_draws import POSTERIOR, Blocks, draw_source
from experiments.runs.parts import Damaged, Parts, remove
from experiments.runs.store import Store, progress_of
from scenarios import InputError, Resolved, Scenario
from scenarios.entries import check_values
from scenarios.errors import describe, echo, listed
from scenarios.files import UNFINISHED
from scenarios.world import MOST_CLUSTERS, MOST_SMES
from simulator.jobs import Columns, Progress, Runner, Stopped, code_of
from simulator.observe import COLUMN
from simulator.parameters import F64

if TYPE_CHECKING:
    import pandas as pd

Named = str | os.PathLike[str] | Scenario
Cancelled = Callable[[], bool]

PLACE = {"run": "counted calls", "call": "call", "country": "country"}  # what a row stands for
MOST = 100_000_000
KEYS = 4  # columns that say what a row is: draw, run, scenario, place
PART_ROWS = 50_000  # of a table, about; a part holds whole draws


@dataclass(frozen=True)
class ManyRuns:
    """A question to be put to many runs; nothing runs before `parts`, `frame` or `write` is called.

    Parameters
    ----------
    scenarios : str, path, Scenario or a sequence of these
        They share worlds, luck and the twin without the programme, draw by draw and seed by seed.
    draws : int or mapping of str to array, shape (draws,)
        Number of draws (0 takes the central values, once), or your own values by parameter, such as
        `{"idea_rate": [0.8, 1.2]}`. Parameters that are not named have their central value.
    runs : int
        Seeds per draw.
    seed : int
        The seed of a run follows from it, the number of the draw and the number of the run.
    first_draw : int
        Number of the first draw: a large question can be cut into parts with the same numbers.
    by : str
        "run", "call" or "country": one row for each. Rows by run and by country hold the counted calls together.
    measures : str or sequence of str, optional
        Measures that a run counts, or sums of them such as net outcomes; by default all.
    first_year : int, optional
        First call that is counted in rows by run and by country; by default the first of all.
    horizon : int, optional
        Months for which each call is counted.
    smes, clusters : int, optional
        Member SMEs and clusters of all countries together.
    threads : int, optional
        Runs at a time on this machine; by default one per core. No number depends on it.
    draws_from : str
        "posterior" (the shipped one), "prior", or the path of a posterior.
    engine : str
        "threads", "processes" or "dask". No number depends on it.
    dask : str, optional
        Address of a Dask scheduler.

    Raises
    ------
    InputError
        For wrong input, before anything runs.
    """

    scenarios: Sequence[Named]
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
    engine: str = "threads"
    dask: str | None = None

    def parts(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> "Iterator[pd.DataFrame]":
        """Yield the rows in order of draw, run and scenario, in frames of whole draws, as they come.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of runs done since its last call.
        cancelled : callable, optional
            When it returns true, the iterator ends after the draws that are complete.

        Yields
        ------
        pandas.DataFrame
            One row per draw, run, scenario and what `by` says. After Ctrl-C the frames that came before remain valid.
        """
        ready = _Ready(self)
        with Store.temporary() as store:
            yield from ready.frames(Parts(store.root / "parts"), progress, cancelled, keep=False)

    def frame(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> "pd.DataFrame":
        """Return all rows as one frame; use `write` if memory cannot hold it.

        Parameters
        ----------
        progress, cancelled : callable, optional
            As for `parts`.

        Returns
        -------
        pandas.DataFrame
            One row per draw, run, scenario and what `by` says.
        """
        import pandas as pd

        ready = _Ready(self)
        check_frame(ready.rows_per_draw, len(ready.measures) + KEYS, ready.draws)
        parts = list(self.parts(progress, cancelled))
        return pd.concat(parts, ignore_index=True) if parts else ready.frame(0, [])

    def write(
        self, path: str | os.PathLike[str], progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> Path:
        """Write all rows as one Parquet file with units, part by part.

        Until the file is complete, finished parts are in a folder beside it that ends in `.parts`: if the process is
        killed, the same call resumes. After `cancelled` or Ctrl-C the file holds the finished draws, and its name says
        how many they are.

        Parameters
        ----------
        path : str or path
            The file to write.
        progress, cancelled : callable, optional
            As for `parts`.

        Returns
        -------
        Path
            The file.
        """
        import pyarrow.parquet as pq

        from experiments.runs.files import as_table

        ready, units = _Ready(self), units_of_rows()
        target = target_file(path)
        beside = target.with_name(f"{target.name}.parts")
        parts = Parts(beside / "parts", ready.base)
        end, done = target, 0
        parts.make()
        working = beside / f"{uuid.uuid4().hex[:8]}{UNFINISHED}"
        try:
            with pq.ParquetWriter(working, as_table(ready.frame(0, []), units).schema, compression="zstd") as file:
                for part in ready.frames(parts, progress, cancelled, keep=True):
                    file.write_table(as_table(part, units))
                    done += part["draw"].nunique()
        finally:
            if done:
                whole = done == ready.draws
                end = target if whole else target.with_name(f"{target.stem}-first-{done}-draws{target.suffix}")
                working.replace(end)
            remove(working)
            if done == ready.draws:
                shutil.rmtree(beside, ignore_errors=True)
        return end

    @property
    def parameters(self) -> dict[str, F64]:
        """Values that were drawn, by parameter, each of shape (draws,)."""
        drawn = _draws(_plain(self))
        return drawn.make(0, drawn.number)


def units_of_rows() -> dict[str, str]:
    """Return the unit of each column that has one."""
    units = {name: measure.unit for name, measure in all_measures().items()}
    return units | {"draw": "number", "run": "number", "call": "year"}


@dataclass(frozen=True, eq=False)
class Rows:
    """A job: the measures of some scenarios under some draws and seeds, by run, call or country.

    Its result is `measures`, (draws, runs, scenarios, places, measures).
    """

    cases: tuple[Case, ...]
    draws: Draws
    runs_each: int
    seed: int
    by: str
    measures: tuple[str, ...]
    first: int
    code: str

    @cached_property
    def address(self) -> str:
        """A hash of all that determines the result."""
        cases = [case.identity for case in self.cases]
        content = [self.code, cases, self.runs_each, self.seed, self.by, self.measures, self.first, self.draws.names]
        return hash_of(content, self.draws.number, self.draws.values)

    @property
    def runs(self) -> int:
        """How many runs it stands for."""
        return len(self.draws) * self.runs_each * len(self.cases)

    def check_code(self) -> None:
        """Raise OtherCode where the code here is not the one that the job was made by."""
        same_code(self.code, MODULES)

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Run all of it; None if stopped before the end."""
        rows = []
        for row in range(len(self.draws)):
            draw, values = int(self.draws.number[row]), self.draws.of_row(row)
            for run in range(self.runs_each):
                for case in self.cases:
                    if stopped():
                        return None
                    rows.append(self._rows(observe_run(case.inputs(values), self.seed, draw, run).cells))
        shape = (len(self.draws), self.runs_each, len(self.cases), *rows[0].shape)
        return {"measures": np.stack(rows).reshape(shape)}

    def _rows(self, cells: F64) -> F64:
        """Return the measures of one run by place, (places, measures)."""
        rows = by_call(cells) if self.by == "call" else by_country(cells, self.first)
        return columns_of(rows.sum(axis=0)[None] if self.by == "run" else rows, self.measures)


MODULES = (__name__,)


class _Ready:
    """A question checked and made ready."""

    def __init__(self, question: ManyRuns) -> None:
        self.question = question = _plain(question)
        self.scenarios = [each if isinstance(each, Scenario) else library.load(each) for each in question.scenarios]
        _check_names(self.scenarios)
        self.drawn = _draws(question)
        self.draws = self.drawn.number
        centre = [self._inputs(scenario) for scenario in self.scenarios]
        _check_calls(question, self.scenarios, centre)
        self.centre = centre[0]
        threads = threads_that_fit(heaviest(centre, self.drawn.block(0)), question.threads)
        self.where = Where(question.engine, threads, question.dask).check()
        years = self.centre.call_years
        self.first = years.index(question.first_year) if question.first_year is not None else 0
        self.places: Sequence[Any] = {
            "run": ("all",), "call": years, "country": self.centre.country_codes,
        }[question.by]  # fmt: skip
        self.measures = list(question.measures or ())
        self.rows_per_draw = len(self.scenarios) * question.runs * len(self.places)
        self.base = hash_of([[case.identity for case in self._cases], question.seed, question.by, self.measures])

    @property
    def _cases(self) -> tuple[Case, ...]:
        question = self.question
        world = {"horizon_months": question.horizon, "smes": question.smes, "clusters": question.clusters}
        return tuple(Case.of(scenario, 0, **world) for scenario in self.scenarios)

    def _inputs(self, scenario: Scenario) -> Resolved:
        question = self.question
        return scenario.resolve(
            self.drawn[0], horizon_months=question.horizon, smes=question.smes, clusters=question.clusters
        )

    def jobs(self) -> Iterator[Rows]:
        """Yield the jobs, in the order of the draws."""
        question, cases, code = self.question, self._cases, code_of(*MODULES)
        rows = max(1, 2 * block_rows(self.centre) // (len(cases) * question.runs))
        for start in range(0, self.draws, rows):
            draws = self.drawn.rows(start, min(start + rows, self.draws), question.first_draw)
            yield Rows(cases, draws, question.runs, question.seed, question.by, tuple(self.measures), self.first, code)

    def frames(
        self, parts: Parts, progress: Progress | None, cancelled: Cancelled | None, keep: bool
    ) -> "Iterator[pd.DataFrame]":
        """Carry out the question; yield its rows as they come. Parts that are read go, unless they are to `keep`."""
        runs = self.draws * self.question.runs * len(self.scenarios)
        advance, hear = progress_of(runs, progress or _quiet)
        size = max(1, PART_ROWS // self.rows_per_draw)  # draws
        first, waiting = 0, list[F64]()
        if cancelled is not None and cancelled():
            return
        with engine_at(self.where) as engine:
            jobs, again = tee(self.jobs())
            finished = in_order(finish((Task(job, parts) for job in jobs), engine, advance, hear))
            for _, job in zip(finished, again, strict=False):
                waiting.append(_measures_in(parts, job))
                if not keep:
                    remove(parts.path(job.address))
                if sum(map(len, waiting)) >= size:
                    yield self.frame(first, waiting)
                    first, waiting = first + sum(map(len, waiting)), []
                if cancelled is not None and cancelled():
                    break
        if waiting:
            yield self.frame(first, waiting)

    def frame(self, first: int, cubes: Sequence[F64]) -> "pd.DataFrame":
        """Return the rows of whole draws from `first` on; cubes are (draws, runs, scenarios, places, measures)."""
        import pandas as pd

        count = sum(map(len, cubes))
        draws = self.question.first_draw + first + np.arange(count)
        names = [scenario.name for scenario in self.scenarios]
        place = PLACE[self.question.by]
        index = pd.MultiIndex.from_product(
            [draws, range(self.question.runs), names, self.places], names=["draw", "run", "scenario", place]
        )
        cube = np.concatenate(cubes) if cubes else np.empty((0, len(self.measures)))
        frame = pd.DataFrame(cube.reshape(-1, len(self.measures)), index, self.measures).reset_index()
        return frame.drop(columns=PLACE["run"], errors="ignore")


def frame_by(question: ManyRuns, run: Runner, what: str) -> "pd.DataFrame":
    """Return all rows of a question as one frame, its jobs carried out by a runner as `what`."""
    ready = _Ready(question)
    return ready.frame(0, [columns["measures"] for columns in run(what, list(ready.jobs()))])


def _measures_in(parts: Parts, job: Rows) -> F64:
    """Return a finished job's measures. Raises InputError where its part is damaged or gone."""
    columns = parts.read(job.address)
    if columns is None or isinstance(columns, Damaged):
        raise InputError(f"{parts.path(job.address)}: is gone or damaged; the same call makes it again")
    return columns["measures"]


def _quiet(runs: int) -> None:
    """Report no progress: a library prints nothing."""


def _draws(question: ManyRuns) -> Blocks:
    """Return the parameters of every draw of the question, by the draw's number in it."""
    if isinstance(question.draws, Mapping):
        columns = _columns(question.draws)
        number = len(next(iter(columns.values())))
        return Blocks(number, lambda first, last: {name: column[first:last] for name, column in columns.items()})
    taken = draw_source(question.draws_from)
    if not question.draws:
        return Blocks(1, lambda first, last: taken.centre())
    start = question.first_draw
    return Blocks(question.draws, lambda first, last: taken.draw(last - first, question.seed, start + first))


def _columns(draws: Mapping[str, Any]) -> dict[str, F64]:
    """Return the draws themselves, parameter by parameter, all of them within their limits."""
    columns = {name: _column(name, values) for name, values in draws.items()}
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


def _plain(question: ManyRuns) -> ManyRuns:
    """Return the question with what can be checked before anything is loaded or drawn, in plain numbers and names."""
    if not isinstance(question.by, str) or question.by not in PLACE:
        raise InputError(f"by is {describe(question.by)}; allowed: {listed(PLACE)}" + meant(question.by, PLACE))
    draws = question.draws
    return replace(
        question,
        scenarios=several("scenarios", question.scenarios, "a name, a path, or a list of them"),
        draws=draws if isinstance(draws, Mapping) else whole("draws", draws, 0, MOST, ", or values by parameter"),
        runs=whole("runs", question.runs, 1, MOST),
        seed=whole("seed", question.seed, 0, 2**63 - 1),
        first_draw=whole("first_draw", question.first_draw, 0, MOST),
        smes=whole_or_none("smes", question.smes, 1, MOST_SMES),
        clusters=whole_or_none("clusters", question.clusters, 1, MOST_CLUSTERS),
        threads=whole_or_none("threads", question.threads, 1, 1024),
        measures=_measures(question.measures),
    )


def _measures(names: Any) -> list[str]:
    """Return the names of measures, all unless given, each known and there once."""
    known = [*COLUMN, *sums()]
    if names is None:
        return known
    chosen: list[str] = several("measures", names, "names of measures, or None for all")
    for name in chosen:
        if not isinstance(name, str) or name not in known:
            raise InputError(
                f"measures: there is no {describe(name)}; allowed: {listed(known, 4)}" + meant(name, known)
            )
        if chosen.count(name) > 1:
            raise InputError(f"measures: {name} is given more than once; allowed: each name once")
    return chosen


def _check_names(scenarios: Sequence[Scenario]) -> None:
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"scenarios: {name} is given more than once; allowed: scenarios with different names")


def _check_calls(question: ManyRuns, scenarios: Sequence[Scenario], centre: Sequence[Resolved]) -> None:
    """Raise InputError for scenarios that do not go together, and for a first year that is no call's."""
    for scenario, resolved in zip(scenarios, centre):
        check_same_calls(scenario, resolved, scenarios[0], centre[0])
    years = centre[0].call_years
    if question.first_year is not None and (np.ndim(question.first_year) or question.first_year not in years):
        raise InputError(f"first_year is {describe(question.first_year)}; allowed: {listed(map(str, years))}")
