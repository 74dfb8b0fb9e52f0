"""The runs of a comparison, part by part: the scenarios, equal spending, reasons.

All runs go through the store (`experiments.runs.store`), so what is finished is read and not run again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.comparison import spending
from experiments.comparison.effects import effect_rows, reason_rows
from experiments.comparison.mechanisms import MECHANISMS, Mechanism
from experiments.comparison.spending import TOLERANCE, Search, spent_eur
from experiments.comparison.study import Study
from experiments.runs import cells
from experiments.runs.cells import CELLS, EVERYTHING, Case, Draws, Runs, by_country, stacked
from experiments.runs.engines import Engine, Where
from experiments.runs.measures import MAIN, values_of
from experiments.runs.store import Store
from scenarios import Scenario
from simulator.jobs import Stage
from simulator.parameters import F64

ENOUGH_MATCHED = 0.5  # share of draws whose spending must match for effects at equal spending to be computed

First = Callable[[list[dict[str, object]]], None]  # called with the effects of the main runs
Values = dict[str, F64]  # by measure, (scenarios, draws, runs)


@dataclass
class Done:
    """What is finished of a study; `missing` names the parts that Ctrl-C left out.

    jobs: the main runs that are finished, as blocks of draws x scenarios x runs. values: every measure over the counted
    calls. spent: mean spending over runs, EUR (scenarios, draws).
    """

    jobs: list[list[list[Runs]]]
    values: Values
    spent: F64
    effects: list[dict[str, object]]
    spending: list[dict[str, object]] = field(default_factory=list)
    reasons: list[dict[str, object]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def draws(self) -> Draws:
        """The draws that are finished."""
        blocks = [scenario[0][0].draws for scenario in self.jobs]
        number, values = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("number", "values"))
        return Draws(number, blocks[0].names, values)


def carry_out(study: Study, store: Store, engine: Engine, stage: Stage, first: First | None = None) -> Done:
    """Carry out all runs of a study, part by part. After Ctrl-C: what is finished, and the names of what is missing.

    `first` is called with the effects at equal budget as soon as they are known. Raises KeyboardInterrupt only if not
    one block of draws is finished.
    """
    done = _main_runs(study, store, engine, stage)
    if first is not None:
        first(done.effects)
    interrupted = bool(done.missing)
    for name, add in _further_parts(study).items():
        try:
            if not interrupted:
                add(study, done, store, engine, stage)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            done.missing.append(name)
    return done


def where_of(study: Study, where: Where) -> Where:
    """Return where a study is carried out: with no more runs at a time than fit into memory, unless workers say."""
    return where if where.workers else where._replace(workers=study.settings.threads)


def _further_parts(study: Study) -> dict[str, Callable[[Study, Done, Store, Engine, Stage], None]]:
    """Return what comes after the runs of the scenarios, by name, as far as it is wanted."""
    settings = study.settings
    parts = {"equal spending": (settings.spending, _add_spending), "reasons": (settings.reasons, _add_reasons)}
    return {name: add for name, (draws, add) in parts.items() if draws > 0 and len(study.chosen) > 1}


def _jobs(study: Study, cases: Sequence[Case], draws: int, keep: str) -> list[list[list[Runs]]]:
    """Return the runs of some cases under the first draws, by block of draws, case and run."""
    code, settings = cells.code_here(), study.settings
    return [
        [[Runs(case, block, run, settings.seed, code, keep) for run in range(settings.runs)] for case in cases]
        for block in study.blocks(draws)
    ]


def _flat(blocks: Sequence[Sequence[Sequence[Runs]]]) -> list[Runs]:
    return [job for block in blocks for case in block for job in case]


def _main_runs(study: Study, store: Store, engine: Engine, stage: Stage) -> Done:
    """Carry out all scenarios under all draws and seeds."""
    draws = max(1, study.settings.draws)
    blocks = _jobs(study, study.cases, draws, EVERYTHING)
    jobs = _flat(blocks)
    finished = np.zeros(len(jobs), bool)
    interrupted = False
    try:
        for place in store.finish(jobs, engine, stage("scenarios", sum(job.runs for job in jobs))):
            finished[place] = True
        store.tidy(jobs)
    except KeyboardInterrupt:
        interrupted = True
    whole = np.asarray(finished.reshape(len(blocks), -1).all(axis=1))
    complete = [block for block, is_whole in zip(blocks, whole, strict=True) if is_whole]
    if not complete:
        raise KeyboardInterrupt
    values, spent = _read(study, store, complete)
    effects = _effects("equal budget", study, values)
    return Done(complete, values, spent, effects, missing=["draws"] if interrupted and not whole.all() else [])


def _read(study: Study, store: Store, blocks: Sequence[Sequence[Sequence[Runs]]]) -> tuple[Values, F64]:
    """Return every measure over the counted calls, (cases, draws, runs), and mean spending, (cases, draws)."""
    values: dict[str, list[F64]] = {}
    spent = []
    for block in blocks:
        measures = np.stack([_by_country(study, store, jobs) for jobs in block])
        for name, x in values_of(measures).items():
            values.setdefault(name, []).append(x)
        spent.append(spent_eur(measures))
    return {name: np.concatenate(parts, axis=1) for name, parts in values.items()}, np.concatenate(spent, axis=1)


def _by_country(study: Study, store: Store, jobs: Sequence[Runs]) -> F64:
    """Return measures by country of one case and block of draws, (draws, runs, N, measures)."""
    parts = [store.read(job, (CELLS,)) for job in jobs]
    return by_country(stacked(parts, CELLS), study.first_counted)


def _effects(basis: str, study: Study, values: Values) -> list[dict[str, object]]:
    """Return each scenario's paired effects against the base; of a single scenario against nothing, its own values."""
    base = {name: x[0] for name, x in values.items()}
    rows: list[dict[str, object]] = []
    for place, scenario in enumerate(study.chosen):
        if place > 0 or len(study.chosen) == 1:
            against = base if place else {name: np.zeros_like(x) for name, x in base.items()}
            rows += effect_rows(basis, scenario.name, {name: x[place] for name, x in values.items()}, against)
    return rows


# ---------- equal spending


def _add_spending(study: Study, done: Done, store: Store, engine: Engine, stage: Stage) -> None:
    """Add the effects of every scenario with its budgets scaled until it spends what the base spends."""
    draws = min(study.settings.spending, max(1, study.settings.draws))
    searches = [jobs for place in range(1, len(study.chosen)) if (jobs := _searches(study, done, place, draws))]
    flat = [job for jobs in searches for job in jobs]
    for _ in store.finish(flat, engine, stage("equal spending", sum(job.runs for job in flat))):
        pass
    store.tidy(flat)
    for jobs in searches:
        _add_matched(study, done, store, jobs)


def _searches(study: Study, done: Done, place: int, draws: int) -> list[Search]:
    """Return the jobs that match a scenario's spending; none where it or the base spends nothing in a draw."""
    target, start = done.spent[0, :draws], done.spent[place, :draws]
    if not ((target > 0.0).all() and (start > 0.0).all()):
        return []
    code, settings, case = spending.code_here(), study.settings, study.case(study.chosen[place])
    return [
        Search(
            case, study.draws[rows], settings.runs, settings.seed, study.first_counted, target[rows], start[rows], code
        )
        for rows in _slices(draws, spending.DRAWS_AT_A_TIME)
    ]


def _slices(stop: int, rows: int) -> list[slice]:
    return [slice(start, min(start + rows, stop)) for start in range(0, stop, rows)]


def _add_matched(study: Study, done: Done, store: Store, jobs: Sequence[Search]) -> None:
    """Add what came of matching one scenario's spending."""
    parts = [store.read(job) for job in jobs]
    scale, gap, unscaled, measures = (
        np.concatenate([part[name] for part in parts]) for name in ("scale", "gap", "unscaled", "by_country")
    )
    name = jobs[0].case.name
    place, usable = study.names.index(name), gap <= TOLERANCE
    if usable.mean() >= ENOUGH_MATCHED:
        ours = {key: np.where(unscaled[:, None] == 1, done.values[key][place, : len(gap)], x)
                for key, x in values_of(measures).items()}  # fmt: skip
        base = {key: x[0, : len(gap)][usable] for key, x in done.values.items()}
        done.effects += effect_rows("equal spending", name, {key: x[usable] for key, x in ours.items()}, base)
    done.spending.append(_spending_row(name, scale, gap))


def _spending_row(name: str, scale: F64, gap: F64) -> dict[str, object]:
    """Return how well spending could be matched, and a sentence where it could not."""
    matched = float((gap <= TOLERANCE).mean())
    note = ""
    if matched < 1.0:
        note = (
            f"In {1 - matched:.0%} of draws spending could not be brought within {TOLERANCE:.0%} of the base's "
            f"(median gap there {np.median(gap[gap > TOLERANCE]):.1%}): grants are lumpy, or what is on offer is not "
            "taken up."
        )
    return {"scenario": name, "draws": len(gap), "matched": matched, "scale_mean": float(scale.mean()), "note": note}


# ---------- reasons


def _add_reasons(study: Study, done: Done, store: Store, engine: Engine, stage: Stage) -> None:
    """Add what goes with each mechanism: it is switched off in all scenarios, on the first draws."""
    draws = min(study.settings.reasons, max(1, study.settings.draws))
    by_mechanism = [
        _jobs(study, [_switched_off(study, scenario, mechanism) for scenario in study.chosen], draws, CELLS)
        for mechanism in MECHANISMS
    ]
    jobs = [job for blocks in by_mechanism for job in _flat(blocks)]
    for _ in store.finish(jobs, engine, stage("reasons", sum(job.runs for job in jobs))):
        pass
    store.tidy(jobs)
    full = done.values[MAIN][:, :draws]
    without = {
        mechanism.name: _read(study, store, blocks)[0][MAIN]
        for mechanism, blocks in zip(MECHANISMS, by_mechanism, strict=True)
    }
    labels = {mechanism.name: mechanism.label for mechanism in MECHANISMS}
    for place, scenario in enumerate(study.chosen[1:], start=1):
        pairs = {name: (x[place], x[0]) for name, x in without.items()}
        done.reasons += reason_rows(scenario.name, labels, (full[place], full[0]), pairs)


def _switched_off(study: Study, scenario: Scenario, mechanism: Mechanism) -> Case:
    """Return the scenario with a mechanism switched off."""
    return study.case(scenario, tuple(mechanism.off.items()), mechanism.budget_scale)
