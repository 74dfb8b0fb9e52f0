"""How the time of a run grows: with SMEs, clusters, months, projects and draws; what that comes to for large questions.

    python -m benchmarks.run scaling

Every point is a world of its own, the months alone (no measures), in processor time. What there is to do is counted
in each of its runs (`work_of`), and one sum is fitted to all runs of all points.
"""

import math
import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from benchmarks.figures import Figure, timed
from experiments.runs.cells import run_seed
from experiments.runs.memory import run_bytes
from scenarios import Resolved, load
from simulator.ensemble import measure, simulate
from simulator.parameters import F64
from simulator.schedule import run
from simulator.state import InputTables, State, clear, tabulate

TIMES = 9
CLUSTERS = 400  # where they are not what varies
MILLION = 1_000_000
EUROPE = 25 * MILLION  # every SME in Europe
HOUR = 3600.0
TERMS = {  # what there is to do, and the unit of what one of it costs
    "SME founded": "ns",
    "member asked to take part": "ns",
    "partner scored by a proposal": "ns",
    "pair of clusters, a year": "ns",
    "pair of guests at an event": "ns",
    "SME in a project, a month": "ns",
    "living tie, a month": "ns",
}


class Point(NamedTuple):
    """One world: along which axis it varies; milliseconds of its runs (R,); what there was to do in them (R, TERMS)."""

    axis: str
    value: float
    times: tuple[float, ...]
    work: F64
    months: int
    mib: float

    @property
    def ms(self) -> float:
        """Return the median."""
        return statistics.median(self.times)


def figures(times: int = TIMES) -> list[Figure]:
    """Return a point per size, growth along each axis, cost by kind of work, and large questions."""
    measured = points(times)
    fit = cost(measured)
    return [
        *(_figure_of(each) for each in measured),
        *_exponents(measured),
        *_memory(),
        *_costs(measured, fit),
        *_draws(max(times // 3, 1)),
        *_large(fit),
    ]


# The points


def worlds() -> Iterator[tuple[str, float, Resolved]]:
    """Return axis, size along it and inputs of each world."""
    resolve, usual = load("baseline").resolve, {"smes": 16_000, "clusters": CLUSTERS, "last_call": 2017}
    for smes in (2_000, 4_000, 16_000, 64_000, 256_000, 1_024_000):
        yield "SMEs", smes, resolve(smes=smes, clusters=CLUSTERS, last_call=2017)
    for smes in (64_000, 256_000, 1_024_000):
        yield "SMEs and no project", smes, resolve({"idea_rate": 0.0}, smes=smes, clusters=CLUSTERS, last_call=2017)
    for clusters in (100, 200, 400, 800, 1_600):
        yield "clusters", clusters, resolve(**usual | {"clusters": clusters})  # type: ignore[arg-type]
    for last, horizon in ((2013, 24), (2015, 24), (2017, 24), (2017, 60), (2017, 108)):
        inputs = resolve(**usual | {"last_call": last}, horizon_months=horizon)  # type: ignore[arg-type]
        yield "months", inputs.months, inputs
    for rate in (0.0, 0.1, 0.2, 0.4, 0.75, 1.2):
        inputs = resolve({"idea_rate": rate}, **usual)  # type: ignore[arg-type]
        yield "projects", float(simulate(inputs, 1).used.projects), inputs


def points(times: int) -> list[Point]:
    """Return all of them, timed by turns, so that the machine's moods are shared."""
    prepared = [(*each, *_prepared(each[2])) for each in worlds()]
    spent: list[list[float]] = [[] for _ in prepared]
    done: list[list[list[float]]] = [[] for _ in prepared]
    for seed in range(1, times + 1):
        for place, (_, _, inputs, state, tables) in enumerate(prepared):
            spent[place].append(1000.0 * timed(lambda _: months(seed, inputs, tables, state), 1)[0].cpu)  # noqa: B023
            done[place].append(work_of(seed, inputs, tables, state))
    return [
        Point(axis, value, tuple(spent[place]), np.array(done[place]), inputs.months, _mib(state))
        for place, (axis, value, inputs, state, _) in enumerate(prepared)
    ]


def _prepared(inputs: Resolved) -> tuple[State, InputTables]:
    """Return tables large enough, touched once, and the inputs as kernels read them."""
    return simulate(inputs, 1), tabulate(inputs.parameters, inputs.rules, inputs.world)


def months(seed: int, inputs: Resolved, tables: InputTables, state: State) -> None:
    """Carry out the months of a run in tables that were used before."""
    clear(state)
    run(0, inputs.months, np.int64(seed), tables.parameters, tables.rules, tables.world, state)


def work_of(seed: int, inputs: Resolved, tables: InputTables, state: State) -> list[float]:
    """Return what there is to do in a run, in the order of TERMS; the run is repeated, month by month."""
    clear(state)
    ties = 0
    for month in range(inputs.months):
        run(month, month + 1, np.int64(seed), tables.parameters, tables.rules, tables.world, state)
        ties += int(state.ties["alive"][: state.used.ties].sum())
    partners, clusters = state.rows("partners"), len(state.clusters)
    began = partners[partners["start_month"] >= 0]
    in_projects = ((began["end_month"] - began["start_month"]) * began["active"]).sum()
    guests = guests_of(inputs)
    return [
        float(len(state.smes)),
        float(state.clusters["members"][began["cluster"]].sum()),
        float(state.used.projects) * clusters,
        clusters**2 / 2 * inputs.months / 12,
        float((guests**2 / 2).sum()),
        float(in_projects),
        float(ties),
    ]


def guests_of(inputs: Resolved) -> np.ndarray:
    """Return the number of clusters at the event of each call."""
    return np.minimum(inputs.rules.calls.event_clusters * inputs.rules.calls.held, len(inputs.world.cluster_country))


def _mib(state: Any) -> float:
    return float(sum(table.nbytes for table in state)) / 2**20


# What is said of them


def _figure_of(point: Point) -> Figure:
    note = f"{point.work[0][0]:,.0f} SMEs, {point.months} months; tables of {point.mib:,.0f} MiB"
    return Figure(f"Run with {point.value:,.0f} {point.axis}", "ms", point.times, None, "processor", note)


def _exponents(measured: list[Point]) -> list[Figure]:
    """Return the power with which time grows, over the upper half of each axis."""
    figures = []
    for axis in ("SMEs", "clusters", "months", "projects"):
        along = sorted((each for each in measured if each.axis == axis and each.value > 0), key=lambda each: each.value)
        upper = along[(len(along) - 1) // 2 :]
        x, y = np.log([each.value for each in upper]), np.log([each.ms for each in upper])
        slope = float(np.polyfit(x, y, 1)[0])
        note = f"from {upper[0].value:,.0f} to {upper[-1].value:,.0f}"
        note += "; the months added come after the last call" if axis == "months" else ""
        figures.append(Figure(f"Time grows with {axis} to the power", "", (slope,), None, "processor", note))
    return figures


def _memory() -> list[Figure]:
    """Return the memory that an ensemble keeps of a run; `benchmarks.large` has what a run itself takes."""
    kib = sum(table.nbytes for table in measure(load("baseline").resolve(last_call=2017), 1)) / 2**10
    return [Figure("Memory that is kept of a run", "KiB", (kib,), None, "", "its measures, before they are summed")]


def cost(measured: list[Point]) -> np.ndarray:
    """Return milliseconds per run (first) and per unit of each kind of work; none below zero, relative errors even."""
    work = np.concatenate([each.work for each in measured])
    terms = np.column_stack([np.ones(len(work)), work])
    weight = 1.0 / np.concatenate([each.times for each in measured])
    scale = terms.max(axis=0)
    fit, _ = nnls(terms / scale * weight[:, None], np.ones(len(terms)))
    return fit / scale


def _costs(measured: list[Point], fit: np.ndarray) -> list[Figure]:
    """Return the fit, and how far it is off."""
    figures = [Figure("Cost of a run, fixed", "ms", (float(fit[0]),), None, "processor", "fitted")]
    usual = next(each for each in measured if each.axis == "SMEs" and each.value == 16_000)
    parts = fit[1:] * usual.work.mean(axis=0)
    for (name, unit), value, part in zip(TERMS.items(), fit[1:], parts):
        note = f"fitted; {part:.2f} ms of a history run"
        figures.append(Figure(f"Cost of one {name}", unit, (float(value * MILLION),), None, "processor", note))
    off = tuple(100.0 * abs(predicted(fit, each.work.mean(axis=0)) / np.mean(each.times) - 1.0) for each in measured)
    figures.append(Figure("The fit is off by", "%", off, None, "processor", "point by point"))
    return figures


def predicted(fit: np.ndarray, work: F64) -> float:
    """Return the milliseconds of a run."""
    return float(fit[0] + np.dot(fit[1:], work))


def _draws(times: int) -> list[Figure]:
    """Return the time of an ensemble with its twins and measures, by number of draws, on one thread."""
    inputs = load("baseline").resolve(last_call=2017)
    counts, spent = (2, 8, 32), {}
    for count in counts:

        def ensemble(_: int, count: int = count) -> None:
            for draw in range(count):
                measure(inputs, run_seed(1, draw, 0))

        spent[count] = [each.cpu for each in timed(ensemble, times)]
    slope = np.polyfit(np.log(counts), np.log([min(spent[count]) for count in counts]), 1)[0]
    per_run = tuple(1000.0 * value / counts[-1] for value in spent[counts[-1]])
    return [
        Figure("Time grows with draws to the power", "", (float(slope),), None, "processor", "2 to 32, one thread"),
        Figure("Run, twin and measures in an ensemble", "ms", per_run, None, "processor", "of 32 draws, one thread"),
    ]


# Large questions


def _large(fit: np.ndarray) -> list[Figure]:
    """Return the time of a million runs and of 1,000 draws of every SME in Europe, and how far the fit reaches."""
    inputs = load("baseline").resolve(last_call=2017)
    simulate(inputs, 1)
    one = statistics.median(each.cpu for each in timed(lambda n: measure(inputs, n), 20))
    million = MILLION * one / HOUR
    europe = load("baseline").resolve(last_call=2014, horizon_months=36, smes=EUROPE)
    state, tables = _prepared(europe)
    taken = 1000.0 * timed(lambda _: months(1, europe, tables, state), 1)[0].cpu
    by_fit = predicted(fit, np.array(work_of(1, europe, tables, state)))
    size = f"{EUROPE:,} SMEs, {len(europe.world.cluster_country):,} clusters, {europe.months} months"
    return [
        Figure("A million history runs, each against its twin", "core-hours", (million,), None, "processor",
               "machines with 16 cores and an hour: " + str(math.ceil(million / 16))),
        Figure("Every SME in Europe, the months alone", "s", (taken / 1000.0,), None, "processor", size),
        Figure("The same by the fit, which has not seen it", "s", (by_fit / 1000.0,), None, "processor", size),
        Figure("The same with 1,000 draws, the months alone", "core-hours", (taken / HOUR,), None, "processor",
               f"as measured; a core that takes part needs {run_bytes(europe) / 2**30:.1f} GiB"),
    ]  # fmt: skip


def remarks(measured: list[Figure]) -> list[str]:
    """Return the fitted sum in words."""
    value = {each.what: each.median for each in measured}
    costs = "; ".join(f"{value[f'Cost of one {name}']:.3g} {unit} for each {name}" for name, unit in TERMS.items())
    off = value["The fit is off by"]
    return [
        f"In words: a run costs {value['Cost of a run, fixed']:.2g} ms; {costs}.",
        f"The fit is off by {off:.1f}% at the median of the points. Where two parts always come together, their sum is",
        "estimated better than each: what SMEs do on their own paths goes with the SMEs founded and those in projects.",
    ]
