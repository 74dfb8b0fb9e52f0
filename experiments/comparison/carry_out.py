"""The main job: scenarios side by side, over draws of the parameters and seeds, as tables with their answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scenarios as library
from experiments.comparison.effects import (
    MAIN,
    effect_rows,
    reason_rows,
    values,
)
from experiments.comparison.frames import Frames
from experiments.comparison.mechanisms import MECHANISMS, Mechanism
from experiments.comparison.spending import TOLERANCE, equal_spending, most_runs, spent
from experiments.runs.ensemble import Ensemble, run_all
from experiments.runs.memory import check_measures, heaviest, threads_that_fit
from experiments.runs.parameter_draws import POSTERIOR, drawn
from scenarios import InputError, Resolved, Scenario
from simulator.parameters import F64

if TYPE_CHECKING:
    import pandas as pd

FIRST_POLICY_CALL = 2016
ENOUGH_MATCHED = 0.5  # share of draws whose spending must match for effects at equal spending to be told
CENTRAL = 0  # draws = 0: one run of the study at the register's central values

Asked = str | os.PathLike[str] | Scenario
First = Callable[[list[dict[str, object]]], None]  # hears of the effects of the main runs
Stage = Callable[[str, int], Callable[[int], None]]  # (what, runs to do) -> progress


@dataclass(frozen=True)
class Settings:
    """How much is asked: draws of the parameters, seeds per draw, and the parts that cost extra runs."""

    draws: int = 200
    runs: int = 2
    seed: int = 1
    horizon: int | None = None
    smes: int | None = None
    reasons: int = 12  # draws for the reasons; 0 leaves them out
    spending: int = 24  # draws for equal spending; 0 leaves it out
    threads: int | None = None
    draws_from: str = POSTERIOR  # or "prior", or a posterior's file
    clusters: int | None = None


class Comparison(Frames):
    """Scenarios side by side: the tables (see `Frames`), with what a user does with them."""

    @property
    def summary(self) -> pd.DataFrame:
        """The paired effects, one row per scenario, basis and measure."""
        return self.effects

    def save(self, folder: str | os.PathLike[str] = "results", *, report: bool = True) -> Path:
        """Write tables, manifest and report to a new folder below `folder`; return it. Raises InputError."""
        from experiments.comparison.folder import save

        return save(self, Path(folder), with_report=report)


@dataclass(frozen=True)
class Study:
    """A question made ready: what all runs of one comparison share."""

    chosen: tuple[Scenario, ...]
    settings: Settings
    drawn: dict[str, F64]
    first_year: int
    centre: tuple[Resolved, ...]
    drawn_from: str  # in words
    informed: tuple[str, ...]  # parameters about which the evidence has told something

    @property
    def first_counted(self) -> int:
        """Row of the first counted call."""
        return self.centre[0].call_years.index(self.first_year)

    def inputs(
        self, scenario: Scenario, draw: int, off: dict[str, float] | None = None, budget_scale: float = 1.0
    ) -> Resolved:
        """What one run needs: the scenario under one draw, with some mechanism switched off or budgets scaled."""
        values = {name: float(column[draw]) for name, column in self.drawn.items()}
        return scenario.resolve(
            values | (off or {}),
            budget_scale=budget_scale,
            scale_from=self.first_year,
            horizon_months=self.settings.horizon,
            smes=self.settings.smes,
            clusters=self.settings.clusters,
        )


def compare(
    *scenarios: Asked,
    draws: int = 200,
    runs: int = 2,
    seed: int = 1,
    horizon: int | None = None,
    smes: int | None = None,
    reasons: int = 12,
    spending: int = 24,
    threads: int | None = None,
    draws_from: str = POSTERIOR,
    clusters: int | None = None,
    stage: Stage | None = None,
) -> Comparison:
    """Compare scenarios (names or paths), the first being the base, and return tables and answers.

    draws: parameter draws (0: one, at the central values), from the shipped posterior unless `draws_from` is
    "prior" or the path of a posterior of one's own. runs: seeds per draw. horizon: months for which each call
    is counted. reasons, spending: draws on which the reasons and the comparison at equal spending are computed
    (0: left out). threads: all cores unless given; no number depends on it. Raises InputError for wrong input.

    >>> from experiments import compare
    >>> compare("baseline", "projects_24", draws=20).summary  # doctest: +SKIP
    """
    settings = Settings(draws, runs, seed, horizon, smes, reasons, spending, threads, draws_from, clusters)
    at_least_two(scenarios)
    return carry_out(prepare(scenarios, settings), stage or _quiet)


def run(
    scenario: Asked,
    *,
    draws: int = CENTRAL,
    runs: int = 20,
    seed: int = 1,
    horizon: int | None = None,
    smes: int | None = None,
    threads: int | None = None,
    draws_from: str = POSTERIOR,
    clusters: int | None = None,
    stage: Stage | None = None,
) -> Comparison:
    """Run one scenario (beside the world without the programme); arguments as for `compare`."""
    settings = Settings(draws, runs, seed, horizon, smes, 0, 0, threads, draws_from, clusters)
    return carry_out(prepare((scenario,), settings), stage or _quiet)


def at_least_two(scenarios: Sequence[Asked]) -> None:
    """Raise InputError if there is nothing to compare."""
    if len(scenarios) < 2:
        raise InputError("compare needs at least two scenarios: the base first, then what to hold against it.")


def _quiet(what: str, todo: int) -> Callable[[int], None]:
    """No progress: a library prints nothing."""
    return lambda _: None


def _check(settings: Settings) -> None:
    """Raise InputError for numbers that cannot be."""
    limits = {
        "draws": (0, 1_000_000), "runs": (1, 1_000_000), "seed": (0, 2**63 - 1), "horizon": (12, 240),
        "smes": (1, 1_000_000_000), "clusters": (1, 30_000), "reasons": (0, 1_000_000), "spending": (0, 1_000_000),
        "threads": (1, 1024),
    }  # fmt: skip
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if value is None and name in ("horizon", "smes", "clusters", "threads"):
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"--{name} is {value!r}: it takes a whole number from {low} to {high}.")


@dataclass
class Done:
    """What is finished of a study; `missing` names the parts that Ctrl-C left out."""

    main: Ensemble
    effects: list[dict[str, object]]
    spending: list[dict[str, object]] = field(default_factory=list)
    reasons: list[dict[str, object]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def carry_out(study: Study, stage: Stage, first: First | None = None) -> Comparison:
    """Run all parts of a study, in order. After Ctrl-C: what is finished; the manifest names what is missing.

    `first` hears of the effects at equal budget as soon as they are known, before there are tables.

    Raises KeyboardInterrupt only if not one draw is finished.
    """
    clock = time.monotonic()
    done = _main_runs(study, stage)
    done.seconds["scenarios"] = time.monotonic() - clock
    if first is not None:
        first(done.effects)
    from experiments.comparison.assemble import comparison_of  # here, since pandas would keep the first result waiting

    interrupted = done.main.interrupted
    for name, add in _further_parts(study).items():
        clock = time.monotonic()
        try:
            if not interrupted:
                add(study, done, stage)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            done.missing.append(name)
        done.seconds[name] = time.monotonic() - clock
    try:
        return comparison_of(study, done)
    except KeyboardInterrupt:  # what is finished is not lost to a Ctrl-C while the tables are made
        done.missing.append("report")
        return comparison_of(study, done)


def _further_parts(study: Study) -> dict[str, Callable[[Study, Done, Stage], None]]:
    """What comes after the runs of the scenarios, by name, as far as it was asked for."""
    settings = study.settings
    parts = {"equal spending": (settings.spending, _add_spending), "reasons": (settings.reasons, _add_reasons)}
    return {name: add for name, (draws, add) in parts.items() if draws > 0 and len(study.chosen) > 1}


def _main_runs(study: Study, stage: Stage) -> Done:
    """All scenarios under all draws and seeds."""
    settings = study.settings
    draws = list(range(max(1, settings.draws)))
    cases = [lambda draw, s=s: study.inputs(s, draw) for s in study.chosen]
    progress = stage("scenarios", len(cases) * len(draws) * settings.runs)
    main = run_all(cases, draws, settings.runs, settings.seed, study.first_counted, progress, settings.threads)
    missing = ["draws"] if len(main.draws) < len(draws) else []
    effects = _effects("equal budget", study, values(main))
    return Done(main, effects, missing=missing)


def prepare(chosen: Sequence[Asked], settings: Settings) -> Study:
    """Load and draw, and check that the scenarios can be compared. Raises InputError."""
    _check(settings)
    loaded = tuple(each if isinstance(each, Scenario) else library.load(each) for each in chosen)
    names = [scenario.name for scenario in loaded]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given more than once: scenarios to compare must have different names.")
    found = drawn(settings.draws_from, settings.draws, settings.seed)
    centre = tuple(
        scenario.resolve(horizon_months=settings.horizon, smes=settings.smes, clusters=settings.clusters)
        for scenario in loaded
    )
    for scenario, resolved in zip(loaded, centre, strict=True):
        check_same_calls(scenario, resolved, loaded[0], centre[0])
    fits = threads_that_fit(heaviest(centre, found.values), settings.threads)
    check_measures(centre[0], len(loaded) * max(1, settings.draws) * settings.runs, max(1, settings.draws))
    changed = [resolved.change_year for resolved in centre if resolved.change_year is not None]
    first = min(changed, default=min(FIRST_POLICY_CALL, centre[0].call_years[-1]))
    return Study(loaded, replace(settings, threads=fits), found.values, first, centre, found.words, found.informed)


def check_same_calls(scenario: Scenario, resolved: Resolved, base: Scenario, base_resolved: Resolved) -> None:
    """Raise InputError if a scenario holds other calls than the base, or counts them for longer or shorter."""
    last, base_last = resolved.call_years[-1], base_resolved.call_years[-1]
    if last != base_last:
        raise InputError(
            f"{scenario.path}, last_call: {last} is not the base's, so the two cannot be compared; "
            f"allowed: {base_last}, as in {base.name}"
        )
    months, base_months = int(resolved.rules.counted_months[0]), int(base_resolved.rules.counted_months[0])
    if months != base_months:
        raise InputError(
            f"{scenario.path}, horizon_months: {months} is not the base's, so the two cannot be compared; "
            f"allowed: {base_months}, as in {base.name}, or --horizon for both"
        )


def _effects(basis: str, study: Study, found: dict[str, F64]) -> list[dict[str, object]]:
    """Paired effects of every scenario against the base; of a single scenario against nothing, its own values."""
    base = {name: x[0] for name, x in found.items()}
    rows: list[dict[str, object]] = []
    for place, scenario in enumerate(study.chosen):
        if place > 0 or len(study.chosen) == 1:
            against = base if place else {name: np.zeros_like(x) for name, x in base.items()}
            rows += effect_rows(basis, scenario.name, {name: x[place] for name, x in found.items()}, against)
    return rows


def _add_spending(study: Study, done: Done, stage: Stage) -> None:
    """Every scenario with its budgets scaled until it spends what the base spends; and the effects then."""
    settings, main = study.settings, done.main
    draws = list(range(min(settings.spending, max(1, settings.draws))))
    money, base_values = spent(main)[:, : len(draws)], {n: x[0][: len(draws)] for n, x in values(main).items()}
    spends = [bool((money[place] > 0.0).all() and (money[0] > 0.0).all()) for place in range(len(study.chosen))]
    progress = stage("equal spending", most_runs(sum(spends[1:]), len(draws), settings.runs))
    rows, effects = [], []
    for place, scenario in enumerate(study.chosen):
        if place == 0 or not spends[place]:
            continue
        scale, gap, parts = equal_spending(
            lambda draw, factor, s=scenario: study.inputs(s, draw, budget_scale=factor),  # type: ignore[misc]
            draws, money[0], money[place], settings.runs, settings.seed, study.first_counted, progress,
            settings.threads,
        )  # fmt: skip
        stacked = [values(part) for part in parts]
        ours = {name: np.concatenate([part[name][0] for part in stacked]) for name in base_values}
        usable = gap <= TOLERANCE
        if usable.mean() >= ENOUGH_MATCHED:
            there = {name: x[usable] for name, x in base_values.items()}
            effects += effect_rows("equal spending", scenario.name, {n: x[usable] for n, x in ours.items()}, there)
        rows.append(_spending_row(scenario.name, scale, gap))
    done.spending = rows
    done.effects += effects


def _spending_row(name: str, scale: F64, gap: F64) -> dict[str, object]:
    """How well spending could be matched, and a sentence where it could not."""
    matched = float((gap <= TOLERANCE).mean())
    note = ""
    if matched < 1.0:
        note = (
            f"In {1 - matched:.0%} of draws spending could not be brought within {TOLERANCE:.0%} of the base's "
            f"(median gap there {np.median(gap[gap > TOLERANCE]):.1%}): grants are lumpy, or what is on offer is not "
            "taken up."
        )
    return {"scenario": name, "draws": len(gap), "matched": matched, "scale_mean": float(scale.mean()), "note": note}


def _add_reasons(study: Study, done: Done, stage: Stage) -> None:
    """Each mechanism switched off in all scenarios, on the first draws; whose effect goes with it?"""
    settings = study.settings
    draws = list(range(min(settings.reasons, max(1, settings.draws))))
    progress = stage("reasons", len(MECHANISMS) * len(study.chosen) * len(draws) * settings.runs)
    full = values(done.main)[MAIN][:, : len(draws)]
    without: dict[str, F64] = {}
    for mechanism in MECHANISMS:
        cases = [_switched_off(study, scenario, mechanism) for scenario in study.chosen]
        off = run_all(cases, draws, settings.runs, settings.seed, study.first_counted, progress, settings.threads)
        if off.interrupted:
            raise KeyboardInterrupt
        without[mechanism.name] = values(off)[MAIN]
    labels = {mechanism.name: mechanism.label for mechanism in MECHANISMS}
    for place, scenario in enumerate(study.chosen[1:], start=1):
        pairs = {name: (x[place], x[0]) for name, x in without.items()}
        done.reasons += reason_rows(scenario.name, labels, (full[place], full[0]), pairs)


def _switched_off(study: Study, scenario: Scenario, mechanism: Mechanism) -> Callable[[int], Resolved]:
    """The scenario with a mechanism switched off, by draw."""
    return lambda draw: study.inputs(scenario, draw, mechanism.off, mechanism.budget_scale)
