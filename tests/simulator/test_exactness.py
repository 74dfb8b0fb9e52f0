"""An ensemble is nothing but its runs: each done alone, a month at a time under Mesa's face, gives the same bits."""

from functools import cache

import pytest

import scenarios
from experiments.runs.cells import run_all, run_seed
from simulator import ensemble
from simulator.model import InnovexModel
from simulator.observe import counted_from, observe
from simulator.state import InputTables

CASES = ("baseline", "clusters_package", "virtual_common_pot")
DRAWS, RUNS, SEED, FIRST = (0, 3, 4), 2, 11, 1
SMALL = {"smes": 2_000, "last_call": 2014, "horizon_months": 24}
TABLES = ("by_call", "by_country", "monthly", "lost", "short", "network", "groups")


@cache
def inputs(case, draw):
    """A small world under one draw of the priors."""
    drawn = scenarios.draw(max(DRAWS) + 1, SEED)
    return scenarios.load(case).resolve({name: values[draw] for name, values in drawn.items()}, **SMALL)


@cache
def together(threads, draws=DRAWS):
    """All of them in one call."""
    cases = [lambda draw, case=case: inputs(case, draw) for case in CASES]
    return run_all(cases, draws, RUNS, SEED, FIRST, threads=threads)


@cache
def alone(case, draw, run):
    """One run under Mesa's face: the model when it is over, and what is counted of it."""
    luck = run_seed(SEED, draw, run)
    model = InnovexModel(inputs(case, draw), rng=luck)
    model.run_model()
    seen = observe(luck, InputTables(model.parameters, model.rules, model.world), model.state)
    return model, counted_from(seen, FIRST)


def cells():
    return [(s, d, r) for s in range(len(CASES)) for d in range(len(DRAWS)) for r in range(RUNS)]


@pytest.mark.parametrize("threads", [1, 2])
def test_every_measure_is_that_of_the_run_done_alone(threads):
    found = together(threads)
    for s, d, r in cells():
        _, seen = alone(CASES[s], DRAWS[d], r)
        ours = {
            "by_call": seen.cells.sum(axis=1),
            "by_country": seen.cells[FIRST:].sum(axis=0),
            "monthly": seen.monthly,
            "lost": seen.lost[FIRST:].sum(axis=0),
            "short": seen.short[FIRST:].sum(axis=0),
            "groups": seen.groups,
        }
        for name, table in ours.items():
            assert getattr(found, name)[s, d, r].tobytes() == table.tobytes(), (name, s, d, r)
    assert found.by_call.any(axis=(0, 1, 2, 3)).sum() > 40  # most measures are not nought


def test_every_event_is_that_of_the_run_done_alone():
    total = 0
    for s, d, r in cells():
        model, _ = alone(CASES[s], DRAWS[d], r)
        state = ensemble.simulate(inputs(CASES[s], DRAWS[d]), run_seed(SEED, DRAWS[d], r))
        events = state.used.log
        assert state.log[:events].tobytes() == model.state.log[: model.state.used.log].tobytes()
        total += int(events)
    assert total > 5_000


def test_neither_threads_nor_cuts_change_a_bit():
    """Two threads against one; all draws in one call against one call for each."""
    one, two = together(1), together(2)
    for name in TABLES:
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name
    for place, draw in enumerate(DRAWS):
        piece = together(2, (draw,))
        for name in TABLES[:-2]:
            assert getattr(piece, name)[:, 0].tobytes() == getattr(one, name)[:, place].tobytes(), name
