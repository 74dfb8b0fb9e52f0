"""How the time of a run grows: with SMEs, clusters, months, projects and draws; what that comes to for large questions.

    python -m benchmarks.run scaling

Every point is a world of its own, the months alone (no measures), in processor time. One sum is fitted to all
of them: what each SME that is founded, each step on an own path, each pair of clusters and of guests at an event, and
each month that a firm works in a project costs. Below it the roofline: what moving the tables and drawing the
luck would cost alone.
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numba
import numpy as np
from scipy.optimize import nnls

from benchmarks.figures import Figure, timed
from experiments.ensemble import run_all
from scenarios import Resolved, load, programme
from simulator import draws
from simulator.ensemble import measure, simulate
from simulator.schedule import run
from simulator.state import (
    N_DUE,
    N_EVENTS,
    N_PARTICIPATIONS,
    N_PARTNERS,
    N_PATHS,
    N_PROJECTS,
    N_TIES,
    TOO_SMALL,
    Capacity,
    State,
    given,
    new_state,
)

TIMES = 9
LUCK_PER_SME = 5  # four traits and its first contract
MILLION = 1_000_000
EUROPE = 25 * MILLION  # every SME in Europe
HOUR = 3600.0
TERMS = ("SMEs", "steps on own paths", "pairs of clusters", "pairs at events", "SMEs in projects x months")
UNITS = ("ns an SME", "ns a step", "ns a pair", "ns a pair", "ns a firm and month")


@dataclass(frozen=True)
class Point:
    """One world: along which axis it varies, how much there was to do, and the milliseconds that it took."""

    axis: str
    value: float
    work: tuple[float, ...]  # by TERMS
    times: tuple[float, ...]
    months: int
    mib: float

    @property
    def ms(self) -> float:
        """The median."""
        return statistics.median(self.times)


def figures(times: int = TIMES) -> list[Figure]:
    """A point per size; growth along each axis; cost by kind of work; the machine's limits; large questions."""
    found = points(times)
    fit = cost(found)
    return [
        *(_told(each) for each in found),
        *_exponents(found),
        *_memory(found),
        *_costs(found, fit),
        *_draws(max(times // 3, 1)),
        *_roofline(times),
        *_large(found, fit),
    ]


# The points


@cache
def _programme(clusters: int):  # type: ignore[no-untyped-def]
    """The programme as it was, with about so many clusters at risk, in the countries' proportions."""
    was = programme()
    all_of_them = sum(country.clusters for country in was.countries.values())
    countries = {
        code: country.model_copy(update={"clusters": max(1, round(country.clusters * clusters / all_of_them))})
        for code, country in was.countries.items()
    }
    return replace(was, countries=countries)


def worlds() -> Iterator[tuple[str, float, Resolved]]:
    """Axis, size along it, inputs."""
    baseline = load("baseline")
    for smes in (2_000, 4_000, 16_000, 64_000, 256_000, 1_024_000):
        yield "SMEs", smes, baseline.resolve(smes=smes, last_call=2017)
    for clusters in (100, 200, 400, 800, 1_600):
        world = _programme(clusters)
        inputs = baseline.resolve(smes=16_000, last_call=2017, programme_as_it_was=world)
        yield "clusters", len(inputs.world.cluster_country), inputs
    for last, horizon in ((2013, 24), (2015, 24), (2017, 24), (2017, 60), (2017, 108)):
        inputs = baseline.resolve(smes=16_000, last_call=last, horizon_months=horizon)
        yield "months", inputs.months, inputs
    for rate in (0.0, 0.2, 0.75, 1.2):
        inputs = baseline.resolve({"idea_rate": rate}, smes=16_000, last_call=2017)
        yield "projects", rate, inputs


def points(times: int) -> list[Point]:
    """All of them, timed by turns of all, so that the machine's moods are shared."""
    kept = [(axis, value, inputs, *_prepared(inputs)) for axis, value, inputs in worlds()]
    spent: list[list[float]] = [[] for _ in kept]
    for seed in range(1, times + 1):
        for place, (_, _, inputs, state, told) in enumerate(kept):

            def months(_: int, inputs: Resolved = inputs, state: State = state, told: object = told) -> None:
                state.count[:] = 0
                run(0, inputs.months, np.int64(seed), *told, state)  # type: ignore[misc] # noqa: B023

            spent[place].append(1000.0 * timed(months, 1)[0].cpu)
    return [
        _point(axis, value, inputs, state, tuple(spent[place]))
        for place, (axis, value, inputs, state, _) in enumerate(kept)
    ]


def _prepared(inputs: Resolved) -> tuple[State, object]:
    """Tables large enough, touched once, and the inputs as kernels read them."""
    capacity, told = Capacity(), given(inputs.parameters, inputs.rules, inputs.world)
    while True:
        state = new_state(inputs.world, inputs.rules, inputs.months, capacity)
        run(0, inputs.months, np.int64(1), told.parameters, told.rules, told.world, state)
        if not state.count[TOO_SMALL]:
            return state, tuple(told)
        capacity = capacity.doubled()


def _point(axis: str, value: float, inputs: Resolved, state: State, times: tuple[float, ...]) -> Point:
    """What there was to do, counted in the last of its runs."""
    smes, clusters = float(inputs.world.cluster_members.sum()), float(len(inputs.world.cluster_country))
    partners = state.partners[: state.count[N_PARTNERS]]
    worked = np.where(partners["start_month"] >= 0, partners["end_month"] - partners["start_month"], 0)
    in_projects = float((worked * partners["active"]).sum())
    guests = _guests(inputs)
    if axis == "projects":
        value = float(state.count[N_PROJECTS])
    work = (smes, _own_steps(state), clusters**2 / 2, float((guests**2 / 2).sum()), in_projects)
    return Point(axis, value, work, times, inputs.months, sum(table.nbytes for table in state) / 2**20)


def _guests(inputs: Resolved) -> np.ndarray:
    """Clusters at the event of each call."""
    return np.minimum(inputs.rules.event_clusters * inputs.rules.held, len(inputs.world.cluster_country))


def _own_steps(state: State) -> float:
    """Needs that were walked: every contract to come, and all needs of the SMEs that the programme touched."""
    return float(state.count[N_DUE] + state.own["number"][: state.count[N_PATHS]].sum())


# What is told of them


def _told(point: Point) -> Figure:
    note = f"{point.work[0]:,.0f} SMEs, {point.months} months; tables of {point.mib:,.0f} MiB"
    return Figure(f"Run with {point.value:,.0f} {point.axis}", "ms", point.times, None, "processor", note)


def _exponents(found: list[Point]) -> list[Figure]:
    """The power with which time grows, over the upper half of each axis."""
    figures = []
    for axis in ("SMEs", "clusters", "months", "projects"):
        along = sorted((each for each in found if each.axis == axis and each.value > 0), key=lambda each: each.value)
        upper = along[(len(along) - 1) // 2 :]
        x, y = np.log([each.value for each in upper]), np.log([each.ms for each in upper])
        slope = float(np.polyfit(x, y, 1)[0])
        note = f"from {upper[0].value:,.0f} to {upper[-1].value:,.0f}"
        figures.append(Figure(f"Time grows with {axis} to the power", "", (slope,), None, "processor", note))
    return figures


def _memory(found: list[Point]) -> list[Figure]:
    """Bytes of tables that one more SME takes, and what an ensemble keeps of a run."""
    smaller, larger = sorted((each for each in found if each.axis == "SMEs"), key=lambda each: each.value)[-2:]
    bytes_each = (larger.mib - smaller.mib) * 2**20 / (larger.work[0] - smaller.work[0])
    seen = measure(load("baseline").resolve(last_call=2017), 1, 0)
    kept = sum(table.nbytes for table in seen) / 2**10
    note = f"from {smaller.value:,.0f} to {larger.value:,.0f} SMEs"
    return [
        Figure("Memory of a run, per SME", "bytes", (bytes_each,), 100.0, "", note),
        Figure("Memory that is kept of a run", "KiB", (kept,), None, "", "its measures, before they are summed"),
    ]


def cost(found: list[Point]) -> np.ndarray:
    """Milliseconds per run (first) and per unit of each kind of work; none below zero, relative errors even."""
    told = np.array([[1.0, *point.work] for point in found])
    weight = 1.0 / np.array([point.ms for point in found])
    scale = told.max(axis=0)
    fit, _ = nnls(told / scale * weight[:, None], np.ones(len(found)))
    return fit / scale


def _costs(found: list[Point], fit: np.ndarray) -> list[Figure]:
    """The fit, and how far it is off."""
    figures = [Figure("Cost of a run, fixed", "ms", (float(fit[0]),), None, "processor", "fitted")]
    for name, unit, value in zip(TERMS, UNITS, fit[1:]):
        figures.append(Figure(f"Cost by {name}", unit, (float(value * MILLION),), None, "processor", "fitted"))
    off = tuple(100.0 * abs(predicted(fit, point.work) / point.ms - 1.0) for point in found)
    figures.append(Figure("The fit is off by", "%", off, None, "processor", "point by point"))
    return figures


def predicted(fit: np.ndarray, work: tuple[float, ...]) -> float:
    """Milliseconds of a run."""
    return float(fit[0] + np.dot(fit[1:], work))


def _draws(times: int) -> list[Figure]:
    """Time of an ensemble with its twins and measures, by number of draws, on one thread."""
    inputs = load("baseline").resolve(last_call=2017)
    counts, spent = (2, 8, 32), {}
    for count in counts:

        def ensemble(_: int, count: int = count) -> None:
            run_all([lambda _: inputs], range(count), 1, 1, 0, threads=1)

        spent[count] = [each.cpu for each in timed(ensemble, times)]
    slope = np.polyfit(np.log(counts), np.log([min(spent[count]) for count in counts]), 1)[0]
    per_run = tuple(1000.0 * value / counts[-1] for value in spent[counts[-1]])
    return [
        Figure("Time grows with draws to the power", "", (float(slope),), None, "processor", "2 to 32, one thread"),
        Figure("Run, twin and measures in an ensemble", "ms", per_run, None, "processor", "of 32 draws, one thread"),
    ]


# The roofline


@numba.njit
def _copy(there: np.ndarray, here: np.ndarray) -> None:
    for place in range(here.shape[0]):
        there[place] = here[place]


@numba.njit
def _thresholds(n: int, found: np.ndarray) -> None:
    start = draws.key(1, draws.KNOW, 0)
    for i in range(n):
        found[i & 1023] = draws.exponential(draws.uniform(start, np.uint64(i), np.uint64(0)))


def _roofline(times: int) -> list[Figure]:
    """Bytes that a history run has to move, and luck that it has to draw, over what this machine can do of each."""
    inputs = load("baseline").resolve(last_call=2017)
    state, told = _prepared(inputs)
    moved = _mib_moved(state)
    drawn = _luck_drawn(inputs, state)
    here, there, found = np.ones(1 << 24), np.empty(1 << 24), np.empty(1024)
    _copy(there, here)
    _thresholds(10, found)
    bandwidth = 2 * here.nbytes / 2**30 / min(each.cpu for each in timed(lambda _: _copy(there, here), times))
    count = 2_000_000
    each_ns = min(each.cpu for each in timed(lambda _: _thresholds(count, found), times)) / count * 1e9

    def months(seed: int) -> None:
        state.count[:] = 0
        run(0, inputs.months, np.int64(seed), *told, state)  # type: ignore[misc]

    taken = statistics.median(1000.0 * each.cpu for each in timed(months, times))
    floor = moved / 1024 / bandwidth * 1000 + drawn * each_ns / MILLION
    return [
        Figure("Memory that one core copies", "GiB/s", (bandwidth,), None, "processor", "read and written, 128 MiB"),
        Figure("One keyed draw, made a waiting time", "ns", (each_ns,), None, "processor", "in a loop of its own"),
        Figure("A history run moves at least", "MiB", (moved,), None, "", "every row in use written and read once"),
        Figure("A history run draws at least", "thousand draws", (drawn / 1000,), None, "", "counted from its tables"),
        Figure("Roofline of a history run", "ms", (floor,), None, "processor", "these two, one after the other"),
        Figure("A history run over its roofline", "times", (taken / floor,), None, "processor", f"{taken:.1f} ms"),
    ]


def _mib_moved(state: State) -> float:
    """Every row in use, written and read."""
    rows = {"projects": N_PROJECTS, "partners": N_PARTNERS, "participations": N_PARTICIPATIONS, "ties": N_TIES,
            "log": N_EVENTS}  # fmt: skip
    in_use = 0.0
    for name, table in state._asdict().items():
        used = int(state.count[rows[name]]) if name in rows else len(table)
        in_use += table.nbytes * used / max(1, len(table))
    return 2 * in_use / 2**20


def _luck_drawn(inputs: Resolved, state: State) -> float:
    """Traits and first needs of SMEs, needs that came, pairs of clusters that know or meet each other, recruits."""
    smes, clusters = len(state.smes), len(state.clusters)
    guests = _guests(inputs)
    recruiting = state.partners[: state.count[N_PARTNERS]]
    asked = state.clusters["members"][recruiting["cluster"][recruiting["start_month"] >= 0]].sum()
    pairs = clusters * (clusters - 1) / 2 + float((guests * (guests - 1) / 2).sum())
    partners_sought = float(state.count[N_PROJECTS]) * clusters
    return smes * LUCK_PER_SME + pairs + _own_steps(state) + float(asked) + partners_sought


# Large questions


def _large(found: list[Point], fit: np.ndarray) -> list[Figure]:
    """What a million runs, and a thousand draws of every SME in Europe, would take."""
    inputs = load("baseline").resolve(last_call=2017)
    simulate(inputs, 1)
    one = statistics.median(each.cpu for each in timed(lambda n: measure(inputs, n, 0), 20))
    million = MILLION * one / HOUR
    largest = [each for each in found if each.axis == "SMEs"][-1]
    months, clusters = 60, 3_000
    steps, at_work = (largest.work[place] / largest.work[0] / largest.months * months for place in (1, 4))
    work = (EUROPE, EUROPE * steps, clusters**2 / 2, largest.work[3], EUROPE * at_work)
    europe = predicted(fit, work) / 1000.0
    return [
        Figure("A million history runs, each against its twin", "core-hours", (million,), None, "processor",
               "machines with 16 cores and an hour: " + str(math.ceil(million / 16))),
        Figure("25 million SMEs, 3,000 clusters, 60 months", "s", (europe,), None, "processor",
               "by the fit, one run on one core; the runs themselves: `large`"),
        Figure("The same with 1,000 draws", "core-hours", (1000 * europe / HOUR,), None, "processor",
               "by the fit, months alone"),
    ]  # fmt: skip


def remarks(found: list[Figure]) -> list[str]:
    """The fitted sum in words, and where a run stands between its parts."""
    value = {each.what: each.median for each in found}
    fixed, firms, steps, pairs, guests, work = (
        value[what] for what in ("Cost of a run, fixed", *(f"Cost by {name}" for name in TERMS))
    )
    over, off = value["A history run over its roofline"], value["The fit is off by"]
    return [
        f"In words: a run costs {fixed:.2g} ms, {firms:.3g} ns for each SME that is founded, {steps:.3g} ns for each",
        f"step on an own path, {pairs:.3g} ns for each pair of clusters, {guests:.3g} ns for each pair of guests at an",
        f"event and {work:.3g} ns for each month that a firm works in a project, ties and contacts included. The fit",
        f"is off by {off:.0f}% at the median. The roofline counts what no program could leave out on this machine: the",
        f"tables moved once each way, the luck drawn. A history run takes {over:.1f} times that.",
    ]
