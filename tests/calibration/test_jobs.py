"""Jobs: any runner gives the same results, what is stored is not computed again, and addresses change with the code."""

import pickle
import shutil
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

import calibration
from calibration.checks.forecast import CallOutcomes
from calibration.checks.picking import SharesByOdds, picking_odds
from calibration.checks.predictive import DataSet
from calibration.checks.settings import forecast_calls
from calibration.evidence.load import load_evidence
from calibration.fit import shipped_problem
from calibration.hindcast.past_calls import TargetValues
from calibration.jobs import DrawsJob, compute_draws
from experiments.runs.engines import Where
from experiments.runs.runner import runner
from simulator import sources
from simulator.jobs import code_of

COMPUTED = (
    "calibration.hindcast.past_calls",
    "calibration.checks.predictive",
    "calibration.checks.picking",
    "calibration.checks.forecast",
    "calibration.checks.coverage",
    "calibration.fit.sampler",
    "calibration.fit.pipeline",
)
SHIPPED = (
    "calibration/posterior.parquet",
    "calibration/posterior.json",
    "calibration/checks/forecast_2016_2017.csv",
    "calibration/evidence/targets.csv",
    "calibration/evidence/responses.csv",
    "calibration/fit/fit.toml",
)


def of_draws():
    evidence = load_evidence()
    return (
        TargetValues(evidence),
        DataSet(evidence),
        SharesByOdds(evidence, picking_odds()),
        CallOutcomes(forecast_calls(), 12),
    )


def draws(n):
    return {name: column[:n] for name, column in calibration.draw(n, 1).items()}


@pytest.mark.parametrize("of_draw", of_draws(), ids=lambda of_draw: type(of_draw).__name__)
def test_what_is_computed_of_a_draw_can_be_sent_to_a_worker(of_draw):
    job = DrawsJob(of_draw, draws(2), np.array([5, 6]))
    sent = pickle.loads(pickle.dumps(job))
    assert sent.address == job.address and sent.runs == 2
    here, there = (which.carry_out(lambda: False) for which in (job, sent))
    assert list(here) == list(there)
    for name, column in here.items():
        assert column.dtype == np.float64 and len(column) == 2
        assert np.array_equal(column, there[name], equal_nan=True)


def test_a_problem_can_be_sent_to_a_worker():
    problem = shipped_problem.problem()
    sent = pickle.loads(pickle.dumps(problem))
    assert sent.simulate.identity == problem.simulate.identity
    assert (sent.fitted, sent.used) == (problem.fitted, problem.used)


@pytest.mark.slow
def test_processes_and_threads_give_the_same_bits(tmp_path):
    of_draw, seeds = TargetValues(load_evidence()), np.array([5, 6])
    one, other = (
        compute_draws("", of_draw, draws(2), seeds, run)
        for run in (runner(tmp_path, Where("threads", 2)), runner(tmp_path / "processes", Where("processes", 2)))
    )
    assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def test_an_address_changes_with_values_seeds_evidence_and_generator(monkeypatch):
    values, seeds, evidence = draws(2), np.array([5, 6]), load_evidence()
    address = DrawsJob(TargetValues(evidence), values, seeds).address
    assert DrawsJob(TargetValues(load_evidence()), draws(2), np.array([5, 6])).address == address
    changed = values | {"h_rni": values["h_rni"] * (1 + 1e-15)}
    country, response = next(iter(evidence.responses[2015].items()))
    answers = evidence.responses[2015] | {country: response._replace(smes_received=1)}
    others = [
        DrawsJob(TargetValues(evidence), changed, seeds),
        DrawsJob(TargetValues(evidence), values, seeds + 1),
        DrawsJob(TargetValues(evidence._replace(responses={2015: answers})), values, seeds),
        DrawsJob(TargetValues(evidence._replace(targets=evidence.targets[1:])), values, seeds),
        DrawsJob(DataSet(evidence), values, seeds),
    ]
    addresses = {address, *(job.address for job in others)}
    monkeypatch.setenv("INNOVEX_GENERATOR", "philox")
    code_of.cache_clear()
    addresses.add(DrawsJob(TargetValues(evidence), values, seeds).address)
    code_of.cache_clear()
    assert len(addresses) == len(others) + 2


def test_what_was_observed_does_not_change_the_address_of_a_world():
    """So other values of the same targets are fitted to the same worlds."""
    evidence = load_evidence()
    moved = evidence._replace(targets=tuple(target._replace(value=0.5, note="new") for target in evidence.targets))
    assert TargetValues(moved).identity == TargetValues(evidence).identity


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy")
    for package in sources.PACKAGES:
        shutil.copytree(sources.ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.parametrize("module", COMPUTED)
def test_shipping_a_posterior_a_forecast_or_evidence_changes_no_address(copy, module):
    before = sources.digest(module, root=copy)
    for path in SHIPPED:
        (copy / path).write_bytes((copy / path).read_bytes() + b"\n")
    assert sources.digest(module, root=copy) == before


@pytest.mark.parametrize("module", COMPUTED[:4])
def test_all_that_determines_a_world_is_hashed(module):
    reached = {path.as_posix() for path in sources.reached(module)}
    assert {
        "calibration/parameters.py",
        "calibration/survey/survey.toml",
        "scenarios/parameters.toml",
        "scenarios/programme.toml",
        "scenarios/resolve.py",
        "simulator/ensemble.py",
        "simulator/draws.py",
        "calibration/hindcast/programme_statistics.py",
    } <= reached
    survey = {"calibration/survey/expected_shares.py", "calibration/survey/population.py"}
    assert survey <= reached or module.endswith("forecast")


def test_the_scenario_of_the_past_is_part_of_the_address(monkeypatch):
    """Its file is found by name, not by an import."""
    from calibration.hindcast import past_calls

    before = [of_draw.identity for of_draw in of_draws()]
    other = past_calls.load("projects_24")
    for module in ("calibration.hindcast.past_calls.load", "calibration.checks.forecast.load"):
        monkeypatch.setattr(module, lambda name: other)
    assert all(old != of_draw.identity for old, of_draw in zip(before, of_draws(), strict=True))


@dataclass(eq=False)
class Slow:
    """A job that waits until it is stopped, or adds up its number."""

    number: int
    breaks: bool = False
    carried_out: list = field(default_factory=list)

    @property
    def address(self):
        return f"slow-{self.number}"

    @property
    def runs(self):
        return 3

    def carry_out(self, stopped):
        self.carried_out.append(threading.current_thread().name)
        if self.breaks:
            raise KeyboardInterrupt
        return {"number": np.array([self.number, np.nan])}


class Endless(Slow):
    def carry_out(self, stopped):
        while not stopped():
            time.sleep(0.01)
        self.carried_out.append("stopped")
        return None


def test_results_come_in_the_order_of_the_jobs_and_progress_counts_runs(tmp_path):
    done, stages = [], []

    def stage(what, runs):
        stages.append((what, runs))
        return done.append

    for threads in (3, 1):
        run = runner(tmp_path / str(threads), Where("threads", threads), stage)
        results = run("work", [Slow(number) for number in range(10)])
        assert [columns["number"][0] for columns in results] == list(range(10))
    assert stages == [("work", 30)] * 2 and sum(done) == 60


def test_ctrl_c_stops_the_jobs_that_run(tmp_path):
    endless = Endless(0)
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, Where("threads", 2))("work", [Slow(1, breaks=True), endless])
    assert time.perf_counter() - start < 5
    assert endless.carried_out in ([], ["stopped"])


def test_what_is_stored_is_not_computed_again(tmp_path):
    jobs = [Slow(number) for number in range(4)]
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, Where("threads", 1))("work", [*jobs[:3], Slow(3, breaks=True)])
    again = [Slow(number) for number in range(4)]
    results = runner(tmp_path, Where("threads", 1))("work", again)
    assert [len(job.carried_out) for job in again] == [0, 0, 0, 1]
    assert all(np.array_equal(c["number"], [n, np.nan], equal_nan=True) for n, c in enumerate(results))
    assert {path.name for path in (tmp_path / "jobs").iterdir()} == {f"slow-{number}.parquet" for number in range(4)}
