"""Jobs are nothing but their runs: each done alone, a month at a time under Mesa's face, gives the same bits."""

from functools import cache

import pytest

import scenarios
from experiments.runs.cells import Case, Draws, Runs, code_here, run_seed
from simulator import ensemble
from simulator.model import InnovexModel
from simulator.observe import observe
from simulator.state import InputTables
from simulator.threads import run_jobs

CASES = ("baseline", "clusters_package", "virtual_common_pot")
DRAWS, RUNS, SEED = 3, 2, 11
SMALL = {"smes": 2_000, "horizon_months": 24}
NEITHER = lambda: False  # noqa: E731


@cache
def drawn():
    """Some draws of the priors."""
    return Draws.of(scenarios.draw(DRAWS, SEED))


def case(name):
    """A scenario in a small world."""
    return Case.of(scenarios.load(name), scale_from=2013, **SMALL)


@cache
def inputs(name, draw):
    """What a run of it needs under one draw."""
    return case(name).inputs(drawn().of_row(draw))


def results(threads, draws):
    """Results of all scenarios and runs under some draws, by scenario and run."""
    jobs = [Runs(case(name), draws, run, SEED, code_here()) for name in CASES for run in range(RUNS)]
    found = run_jobs(lambda job: job.carry_out(NEITHER), jobs, threads)
    return dict(zip([(name, run) for name in CASES for run in range(RUNS)], found))


@cache
def alone(name, draw, run):
    """One run under Mesa's face: the model when it is over, and what is counted of it."""
    luck = run_seed(SEED, draw, run)
    model = InnovexModel(inputs(name, draw), rng=luck)
    model.run_model()
    return model, observe(luck, InputTables(model.parameters, model.rules, model.world), model.state)


def cells():
    return [(name, draw, run) for name in CASES for draw in range(DRAWS) for run in range(RUNS)]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_every_measure_is_that_of_the_run_done_alone(threads):
    by_job = results(threads, drawn())
    measured = 0
    for name, draw, run in cells():
        _, seen = alone(name, draw, run)
        assert set(by_job[name, run]) == set(seen._fields)
        for table, rows in by_job[name, run].items():
            assert rows[draw].tobytes() == getattr(seen, table).tobytes(), (table, name, draw, run)
        measured = max(measured, seen.cells.any(axis=(0, 1)).sum())
    assert measured > 40  # most measures are not nought


@pytest.mark.slow
def test_every_event_is_that_of_the_run_done_alone():
    total = 0
    for name, draw, run in cells():
        model, _ = alone(name, draw, run)
        state = ensemble.simulate(inputs(name, draw), run_seed(SEED, draw, run))
        assert state.rows("log").tobytes() == model.state.rows("log").tobytes()
        total += len(state.rows("log"))
    assert total > 5_000


@pytest.mark.slow
def test_neither_threads_nor_cuts_change_a_bit():
    """Two threads against one; all draws in one job against one job for each."""
    one, two = results(1, drawn()), results(2, drawn())
    for key, tables in one.items():
        for table, rows in tables.items():
            assert rows.tobytes() == two[key][table].tobytes(), (table, key)
    for draw in range(DRAWS):
        for key, tables in results(2, drawn()[draw : draw + 1]).items():
            for table, rows in tables.items():
                assert rows[0].tobytes() == one[key][table][draw].tobytes(), (table, key)
