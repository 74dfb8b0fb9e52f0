"""What no program could leave out on this machine: the tables moved once each way, and the luck drawn.

python -m benchmarks.run roofline
"""

import statistics

import numba
import numpy as np

from benchmarks.figures import Figure, timed
from benchmarks.history_run import history
from benchmarks.scaling import guests_of, months
from scenarios import Resolved
from simulator import draws
from simulator.ensemble import simulate
from simulator.state import State, tabulate

TIMES = 9
LUCK_PER_SME = 5  # four traits and its first contract
MILLION = 1_000_000


@numba.njit
def _copy(there: np.ndarray, here: np.ndarray) -> None:
    for place in range(here.shape[0]):
        there[place] = here[place]


@numba.njit
def _thresholds(blocks: int, waits: np.ndarray) -> None:
    """Fill `waits` with waiting times, again and again: a loop that works on several at once."""
    start = draws.key(1, draws.KNOW, 0)
    for block in range(blocks):
        first = np.uint64(block * waits.shape[0])
        for i in range(waits.shape[0]):
            waits[i] = draws.exponential(draws.uniform(start, first + np.uint64(i), np.uint64(0)))


def figures(times: int = TIMES) -> list[Figure]:
    """Return the bytes that a history run has to move, its draws, and the time that both take here."""
    inputs = history()
    state, tables = simulate(inputs, 1), tabulate(inputs.parameters, inputs.rules, inputs.world)
    moved = _mib_moved(state)
    drawn = _luck_drawn(inputs, state)
    here, there, waits = np.ones(1 << 24), np.empty(1 << 24), np.empty(1024)
    _copy(there, here)
    _thresholds(1, waits)
    bandwidth = 2 * here.nbytes / 2**30 / min(each.cpu for each in timed(lambda _: _copy(there, here), times))
    blocks = 2_000
    spent = min(each.cpu for each in timed(lambda _: _thresholds(blocks, waits), times))
    each_ns = spent / (blocks * len(waits)) * 1e9

    runs = timed(lambda seed: months(seed, inputs, tables, state), times)
    taken = statistics.median(1000.0 * each.cpu for each in runs)
    floor = moved / 1024 / bandwidth * 1000 + drawn * each_ns / MILLION
    return [
        Figure("Memory that one core copies", "GiB/s", (bandwidth,), None, "processor", "read and written, 128 MiB"),
        Figure("One keyed draw, made a waiting time", "ns", (each_ns,), None, "processor", "in a loop of draws alone"),
        Figure("A history run moves at least", "MiB", (moved,), None, "", "every row in use written and read once"),
        Figure("A history run draws at least", "thousand draws", (drawn / 1000,), None, "", "counted from its tables"),
        Figure("Roofline of a history run", "ms", (floor,), None, "processor", "these two, one after the other"),
        Figure("A history run over its roofline", "times", (taken / floor,), None, "processor", f"{taken:.1f} ms"),
    ]


def _mib_moved(state: State) -> float:
    """Return the MiB of every row in use, written and read."""
    return 2 * sum(state.rows(name).nbytes for name in State._fields) / 2**20


def _own_steps(state: State) -> float:
    """Return how many needs were walked: every contract to come, and all needs of touched SMEs."""
    return float(state.used.calendar + state.own["number"][: state.used.paths].sum())


def _luck_drawn(inputs: Resolved, state: State) -> float:
    """Return the number of draws: traits and first needs of SMEs, later needs, pairs of clusters, recruits."""
    smes, clusters = len(state.smes), len(state.clusters)
    guests = guests_of(inputs)
    recruiting = state.rows("partners")
    invited = state.clusters["members"][recruiting["cluster"][recruiting["start_month"] >= 0]].sum()
    pairs = clusters * (clusters - 1) / 2 + float((guests * (guests - 1) / 2).sum())
    partners_sought = float(state.used.projects) * clusters
    return smes * LUCK_PER_SME + pairs + _own_steps(state) + float(invited) + partners_sought


def remarks(results: list[Figure]) -> list[str]:
    """Return what the floor leaves out."""
    over = next(each.median for each in results if each.what == "A history run over its roofline")
    return [
        f"A history run takes {over:.0f} times this floor. There luck is drawn several numbers at once, and nothing",
        "else is counted: not what each month does with each tie and each SME in a project. That is most of a run",
        "(see above), and it goes one by one, since what a tie does may change the next.",
    ]
