"""The same rules as a plain Mesa model in objects (`benchmarks.peer`), against innovex: results first, then time.

    python -m benchmarks.run peers

Both run in this process, by turns, on the same inputs and seeds; a ratio is taken turn by turn, in processor
time. The results are compared before anything is timed: the same events, or there is no figure.
"""

import statistics
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from benchmarks.figures import Figure, timed
from benchmarks.peer.model import PeerModel
from benchmarks.peer.model import run as in_objects
from scenarios import Resolved, load
from simulator.ensemble import measure, own_events, simulate

TARGET = 100.0  # times at 16,000 SMEs
PEERS = {"plain Mesa": False, "Mesa calling the compiled rules": True}
OFTEN = 5  # runs of innovex to one of the peer: it is so short that the clock would tell


def ours(inputs: Resolved, seed: int) -> object:
    """Carry out a run of innovex with all its measures: every SME's own path is followed, as in the peer."""
    return measure(inputs, seed)


class Case(NamedTuple):
    """One size, how often, and by which of the sizes it is told."""

    axis: str
    value: float
    inputs: Resolved
    turns: int = 3
    compiled: bool = False


def figures(turns: int = 3) -> list[Figure]:
    """Return ratios by number of SMEs, months and projects; at 16,000 SMEs also with compiled rules."""
    results = []
    for case in cases(turns):
        times = [Turn(case.inputs, seed, case.compiled) for seed in range(1, case.turns + 1)]
        ratios = tuple(each.peer / each.innovex for each in times)
        is_goal = case.axis == "SMEs" and case.value == 16_000 and not case.compiled
        name = next(name for name, compiled in PEERS.items() if compiled == case.compiled)
        seconds, ours = (statistics.median(getattr(each, who) for each in times) for who in ("peer", "innovex"))
        note = f"{seconds:.2f} s against {1000 * ours:.1f} ms; {times[0].projects} projects, {times[0].events:,} events"
        what = f"{name} against innovex, {case.value:,.0f} {case.axis}"
        target = TARGET if is_goal else None
        results.append(Figure(what, "times the cost", ratios, target, "processor", note, at_least=True))
    return results


def cases(turns: int) -> list[Case]:
    """Return the cases: by SMEs over the history; by months and by projects with 4,000 SMEs."""
    baseline, small = load("baseline"), {"smes": 4_000}
    sized: Callable[..., Resolved] = partial(baseline.resolve, last_call=2017, clusters=400)
    by_smes = [Case("SMEs", smes, sized(smes=smes), turns) for smes in (1_600, 4_000, 16_000)]
    by_smes.append(Case("SMEs", 100_000, sized(smes=100_000), 1))
    by_months = []
    for last, horizon in ((2013, 24), (2015, 36)):
        inputs = baseline.resolve(last_call=last, horizon_months=horizon, **small)
        by_months.append(Case("months (4,000 SMEs)", inputs.months, inputs, turns))
    by_projects = []
    for rate in (0.1, 1.2):
        inputs = baseline.resolve({"idea_rate": rate}, last_call=2017, **small)
        projects = int(simulate(inputs, 1).used.projects)
        by_projects.append(Case("proposals (4,000 SMEs)", projects, inputs, turns))
    compiled = Case("SMEs", 16_000, sized(smes=16_000), turns, True)
    return [*by_smes, compiled, *by_months, *by_projects]


class Turn:
    """One run of the peer between runs of innovex: seconds of processor for one run of each."""

    def __init__(self, inputs: Resolved, seed: int, compiled: bool) -> None:
        ours(inputs, seed)
        state = simulate(inputs, seed)
        spent = timed(lambda _: ours(inputs, seed), OFTEN)
        peers: list[PeerModel] = []
        (peer,) = timed(lambda _: peers.append(in_objects(inputs, seed, compiled)), 1)
        spent += timed(lambda _: ours(inputs, seed), OFTEN)
        self.peer, self.innovex = peer.cpu, statistics.median(each.cpu for each in spent)
        log = [*state.rows("log").tolist(), *own_events(inputs, seed, state).tolist()]
        self.projects, self.events = int(state.used.projects), len(log)
        if sorted(row[:5] for row in log) != sorted(event[:5] for event in peers[0].log):
            raise ValueError("the peer did other things than the simulator: tests/benchmarks/test_peer.py says which")


def remarks(results: list[Figure]) -> list[str]:
    """Return what the table says, in a sentence or two."""
    by_smes = [each for each in results if each.what.endswith(" SMEs") and each.what.startswith("plain")]
    ratios = ", ".join(f"{each.median:,.0f} times at {each.what.split()[-2]}" for each in by_smes)
    return [
        f"By number of SMEs: {ratios}. Before it is timed, each run of the peer is compared with innovex's: the same",
        "events, in the same months, between the same two (`tests/benchmarks/test_peer.py` holds every amount to",
        "1e-12). Innovex is timed with all its measures against the twin, the peer without any. The peer is no straw",
        "man: luck in Python's own whole numbers, pairs of clusters in dictionaries, one pass a month over the SMEs.",
        "Compiled rules do not help it: each call from an object costs more than what it computes.",
    ]
