"""A sweep as it lies in its folder: run it, go on with it, read it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from experiments.runs.driver import Advance, Hear
from experiments.runs.engines import Where, engine_at
from experiments.runs.files import check_root, size_and_hash, write_json
from experiments.runs.parts import CLAIMS, Damaged, in_hand
from experiments.runs.parts import read_table as read_part
from experiments.sweeps import run as _run
from experiments.sweeps.factors import Factor
from experiments.sweeps.form import Experiment, experiment_of, read
from experiments.sweeps.methods import Method
from experiments.sweeps.plan import Design, Plan, check_same_code, from_data, plan_of
from experiments.sweeps.run import DESIGN, KEPT, MANIFEST, PARTS, PLAN, addresses
from experiments.sweeps.work import Evaluate, function_at, name_of
from scenarios import InputError
from scenarios.errors import describe, listed
from simulator.parameters import F64

FAILURES = "failures.parquet"
Question = str | os.PathLike[str] | Mapping[str, Any] | Experiment


@dataclass(frozen=True)
class Sweep:
    """A sweep in its folder, complete or as far as it has come.

    Attributes
    ----------
    folder : Path
        Where it is.
    plan : Plan
        What is to be run: factors, cases, rows and chunks.
    """

    folder: Path
    plan: Plan

    @property
    def experiment(self) -> Experiment:
        """What was asked."""
        return self.plan.experiment

    @property
    def method(self) -> Method:
        """By which method, with its settings."""
        return self.plan.experiment.design

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What is varied, in the order of the design's columns."""
        return self.plan.factors

    @property
    def contrasts(self) -> tuple[str, ...]:
        """The labels of the contrasts."""
        return tuple(label for label, _, _ in self.plan.pairs)

    @property
    def cases(self) -> tuple[str, ...]:
        """The scenarios that were run."""
        return tuple(case.name for case in self.plan.work.cases)

    @cached_property
    def unit(self) -> F64:
        """The design as numbers in [0, 1], (rows, factors)."""
        return self.plan.unit()

    @cached_property
    def design(self) -> pd.DataFrame:
        """The values of the factors, one row per row."""
        return pd.read_parquet(self.folder / DESIGN)

    @cached_property
    def results(self) -> pd.DataFrame:
        """All that was run, by row, run and case; every measure a column."""
        return self._table([]).to_pandas()

    @cached_property
    def failures(self) -> pd.DataFrame:
        """The runs that failed, with their cause and the values of their factors."""
        table = self._table(["row", "run", "failure"]).to_pandas()
        failed = table[table["failure"] != ""].drop_duplicates(["row", "run"])
        return failed.merge(self.design, on="row").sort_values(["row", "run"], ignore_index=True)

    @cached_property
    def finished(self) -> npt.NDArray[np.bool_]:
        """Which runs are done, those that failed too, (rows, runs)."""
        is_finished = np.zeros((self.plan.rows, self.experiment.runs), dtype=bool)
        table = self._table(["row", "run"])
        is_finished[table["row"].to_numpy(), table["run"].to_numpy()] = True
        return is_finished

    @property
    def complete(self) -> bool:
        """Whether every part is there."""
        return bool(np.isin(self._addresses, [path.stem for path in (self.folder / PARTS).glob("*.parquet")]).all())

    @property
    def damaged(self) -> list[Damaged]:
        """The parts that are there and cannot be used."""
        paths = [self.folder / PARTS / f"{address}.parquet" for address in self._addresses]
        tables = (read_part(path, self.plan.base) for path in paths if path.exists())
        return [table for table in tables if isinstance(table, Damaged)]

    def values(self, case: str, measure: str) -> F64:
        """Return one measure of one case.

        Parameters
        ----------
        case : str
            One of `cases`.
        measure : str
            Name of a measure.

        Returns
        -------
        array, shape (rows, runs)
            NaN where a run failed or is missing.
        """
        numbers = np.full((self.plan.rows, self.experiment.runs), np.nan)
        if case not in self.cases:
            raise InputError(f"{self.folder}: has no case {case!r}; allowed: {', '.join(self.cases)}")
        if measure not in self.plan.work.measures:
            known = listed(self.plan.work.measures)
            raise InputError(f"{self.folder}: has no measure {measure!r}; allowed: {known}")
        table = self._table(["row", "run", "case", measure])
        ours = table.filter(pa.compute.equal(table["case"], case))
        numbers[ours["row"].to_numpy(), ours["run"].to_numpy()] = ours[measure].to_numpy()
        return numbers

    def outcomes(self, contrast: str, measure: str) -> F64:
        """Return option less base in the same row and run; of a contrast without a base, the option's values.

        Parameters
        ----------
        contrast : str
            One of `contrasts`.
        measure : str
            Name of a measure.

        Returns
        -------
        array, shape (rows, runs)
            NaN where a run failed or is missing.
        """
        pairs = {label: (base, option) for label, base, option in self.plan.pairs}
        if contrast not in pairs:
            raise InputError(f"{self.folder}: has no contrast {contrast!r}; allowed: {', '.join(pairs)}")
        base, option = pairs[contrast]
        ours = self.values(self.cases[option], measure)
        return ours if base is None else ours - self.values(self.cases[base], measure)

    @cached_property
    def _addresses(self) -> list[str]:
        return list(addresses(self.plan, Design(self.plan, self.folder / DESIGN)))

    def _table(self, columns: list[str]) -> pa.Table:
        """Return the parts of the plan that are there and whole, as one table; all columns unless some are named."""
        parts = []
        for address in self._addresses:
            path = self.folder / PARTS / f"{address}.parquet"
            table = read_part(path, self.plan.base) if path.exists() else None
            if isinstance(table, pa.Table):
                table = table.replace_schema_metadata(None)
                parts.append(table.select(columns) if columns else table)
        if not parts:
            raise InputError(f"{self.folder}: nothing is finished yet")
        return pa.concat_tables(parts)


def sweep(
    experiment: Question,
    out: str | os.PathLike[str] = "results",
    *,
    evaluate: Evaluate | None = None,
    engine: str = "threads",
    workers: int | None = None,
    dask: str | None = None,
    n: int | None = None,
    runs: int | None = None,
    resume: bool = False,
    redo_failed: bool = False,
    hear: Hear | None = None,
) -> Sweep:
    """Run an experiment, or what is missing of it, and return it from its folder below `out`.

    After a kill, Ctrl-C or a lost cluster, what is finished is kept, and the same call resumes.

    Parameters
    ----------
    experiment : str, path or mapping
        A shipped name, the path of a file, the folder of a sweep, or the content of a file.
    out : str or path
        Where the folder of the sweep is made.
    evaluate : callable, optional
        A function of (case, values by factor, seed) that returns measures, to be used instead of the model.
    engine : str
        "threads", "processes" or "dask". No number depends on it.
    workers : int, optional
        Threads or processes; by default one per core. No number depends on it.
    dask : str, optional
        Address of a Dask scheduler.
    n, runs : int, optional
        Blocks of the design and seeds per point, if others than the file's.
    resume : bool
        Whether there must be a sweep to resume.
    redo_failed : bool
        Whether to run failed runs again.
    hear : callable, optional
        Called with the progress.

    Returns
    -------
    Sweep
        The sweep in its folder.

    Raises
    ------
    InputError
        For wrong input, before anything runs.
    """
    if evaluate is not None and not callable(evaluate):
        raise InputError(f"evaluate: {describe(evaluate)} does not fit; allowed: a function of (case, values, seed)")
    where = Where(engine, workers, dask).check()
    plan, folder = prepared(experiment, out, evaluate, n, runs, resume)
    if resume and not (folder / PLAN).exists():
        raise InputError(f"{folder}: there is no sweep to go on with; leave --resume away to begin")
    check_root(folder)
    if evaluate is not None and where.engine != "threads":
        function_at(name_of(evaluate))  # another process finds it by name
    with engine_at(where) as place:
        design, aside = _run.lay_out(plan, folder)
        advance = _run.carry_out(plan, folder, place, design, hear or (lambda _: None), redo_failed, aside)
    result = Sweep(folder, plan)
    _finish(result, advance)
    return result


def prepared(
    experiment: Question, out: str | os.PathLike[str], evaluate: Evaluate | None = None, n: int | None = None,
    runs: int | None = None, resume: bool = False,
) -> tuple[Plan, Path]:  # fmt: skip
    """Plan what is asked and name its folder; to `resume`, in the size that the folder holds. Raises InputError."""
    if not isinstance(experiment, str | os.PathLike | Mapping | Experiment):
        allowed = "a name, a path, or a mapping with what a file would hold"
        raise InputError(f"experiment: {describe(experiment)} does not fit; allowed: {allowed}")
    if not isinstance(out, str | os.PathLike):
        raise InputError(f"out: {describe(out)} does not fit; allowed: a path")
    plan, folder = _planned(experiment, Path(out), evaluate)
    if resume and (folder / PLAN).exists():
        there = _run.size_there(folder, plan.family)
        n, runs = there[0] if n is None else n, there[1] if runs is None else runs
    return plan.with_size(n, runs), folder


def _planned(experiment: Question, out: Path, evaluate: Evaluate | None) -> tuple[Plan, Path]:
    """Return the plan in the size that the file or folder says, and its folder."""
    if isinstance(experiment, str | os.PathLike) and (Path(experiment) / PLAN).exists():
        folder = Path(experiment)
        plan = _plan_in(folder, evaluate)
        check_same_code(plan, folder)
        return plan, folder
    if isinstance(experiment, str | os.PathLike):
        if Path(experiment).is_dir():
            raise InputError(f"{experiment}: is not the folder of a sweep (it holds no {PLAN})")
        question, path = read(experiment)
        plan = plan_of(question, path.stem, path, evaluate)
    else:
        question = experiment if isinstance(experiment, Experiment) else experiment_of(experiment, "experiment")
        plan = plan_of(question, "of_your_own", "experiment", evaluate)
    return plan, out / plan.folder_name


def _plan_in(folder: Path, evaluate: Evaluate | None) -> Plan:
    return from_data(_run.read_plan(folder / PLAN), folder / PLAN, evaluate)


def load(folder: str | os.PathLike[str], evaluate: Evaluate | None = None) -> Sweep:
    """Read a sweep from its folder, complete or not.

    Parameters
    ----------
    folder : str or path
        The folder of a sweep.
    evaluate : callable, optional
        The function that was used instead of the model.

    Returns
    -------
    Sweep
        As far as it has come.

    Raises
    ------
    InputError
        If this is not the folder of a sweep.
    """
    place = Path(folder)
    return Sweep(place, _plan_in(place, evaluate))


def _finish(result: Sweep, advance: Advance) -> None:
    """Write the failures and the manifest, which says that all is there; nothing if the plan is another by now."""
    folder, plan = result.folder, result.plan
    with _run.locked(folder):
        plan_there = _run.read_json(folder / PLAN)
        if (plan_there["family"], plan_there["rows"], plan_there["experiment"]["runs"]) != (
            plan.family, plan.rows, plan.experiment.runs,
        ):  # fmt: skip
            raise InputError(f"{folder}: another process has asked for another size meanwhile; all runs are kept there")
        parts = {address: size_and_hash(folder / PARTS / f"{address}.parquet") for address in result._addresses}
        manifest = plan_there | {"failed": advance.failed, "parts": parts, "complete": True}
        if _run.json_there(folder / MANIFEST) != manifest:
            _run.forget_report(folder)
        write_json(manifest, folder / MANIFEST)
        if advance.failed:
            result.failures.to_parquet(folder / FAILURES)
        else:
            (folder / FAILURES).unlink(missing_ok=True)


def status(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Report how far a sweep is, from its folder alone.

    Parameters
    ----------
    folder : str or path
        The folder of a sweep.

    Returns
    -------
    dict
        Runs to do, done and failed, damaged parts, whether it is complete, and whether a process is at work on it.
    """
    result = load(folder)
    plan, per_case = result.plan, len(result.cases)
    done = failed = 0
    damaged: list[Damaged] = []
    times: list[tuple[float, int]] = []
    for address in result._addresses:
        path = result.folder / PARTS / f"{address}.parquet"
        if not path.exists():
            continue
        table = read_part(path, plan.base)
        if isinstance(table, Damaged):
            damaged.append(table)
            continue
        done += len(table) // per_case
        failed += sum(1 for cause in table.column("failure").to_pylist()[::per_case] if cause)
        times.append((path.stat().st_mtime, len(table) // per_case))
    return {
        "folder": str(result.folder), "title": plan.experiment.title, "method": result.method.name,
        "cells": plan.cells, "done": done, "failed": failed, "simulations": plan.simulations,
        "damaged": [list(each) for each in damaged], "complete": done == plan.cells,
        "at_work": in_hand(result.folder / CLAIMS), "per_second": _pace(times),
        "earlier_parts": len([*(result.folder / KEPT).glob("*.parquet")]),
    }  # fmt: skip


def _pace(times: list[tuple[float, int]]) -> float | None:
    """Return the cells per second over the last parts that were written."""
    last = sorted(times)[-20:]
    span = last[-1][0] - last[0][0] if len(last) > 2 else 0.0
    return sum(cells for _, cells in last[1:]) / span if span > 0.0 else None
