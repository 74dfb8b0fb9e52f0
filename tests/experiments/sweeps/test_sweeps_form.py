"""Experiment files: what they mean, and a sentence for each way in which one can be wrong."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import scenarios
import tests.sweep_functions as functions
from calibration import posterior
from experiments import compare
from experiments.runs.cells import run_seed
from experiments.sweeps import sweep
from experiments.sweeps.factors import Factor, with_levers
from experiments.sweeps.form import LIBRARY, experiment_of, read, shipped
from experiments.sweeps.plan import plan_of
from experiments.sweeps.result import prepared
from experiments.sweeps.work import Rows, others_of
from scenarios import InputError

INNOVEX = Path(sys.executable).with_name("innovex")
WHOLE = """
title = "T"
question = "Q?"
[[contrast]]
base = "baseline"
option = "projects_24"
[method]
name = "morris"
n = 4
[vary]
idea_rate = "prior"
"""


def factors(**vary):
    """The factors of a small experiment."""
    asked = experiment_of(tomllib.loads(WHOLE) | {"vary": vary}, "mine.toml")
    return plan_of(asked, "mine", "mine.toml").factors


@pytest.mark.parametrize(
    ("was", "is_", "sentence"),
    [
        ('title = "T"', "", "mine.toml, title: it is missing"),
        ("idea_rate", "idea_rat", "mine.toml, vary.idea_rat: this name is not known here; .* did you mean idea_rate?"),
        ('"prior"', '"postprior"', "idea_rate: text 'postprior' does not fit; allowed: \"prior\", \"posterior\", or"),
        ('"prior"', "{ low = 2, high = 1 }", "low must lie below high"),
        ('"prior"', "{ low = 0.5 }", "a range needs low and high"),
        ('"prior"', "{ low = -1, high = 1 }", "mine.toml, vary.idea_rate: -1.0 is out of range; allowed: .* to "),
        ('"prior"', '{ low = 0.1, high = 1, from = 2016 }', "it describes how the world behaves, in all calls"),
        ('idea_rate = "prior"', "budget_factor = { low = 0.5, high = 2 }", "from = one of 2013, 2014"),
        ('idea_rate = "prior"', 'budget_factor = "prior"', "a lever is varied from a call on"),
        ('idea_rate = "prior"', "budget_factor = { from = 2016 }", "a lever has no prior; allowed: low and high"),
        ('idea_rate = "prior"', "decision_dates = { low = 0, high = 1, from = 2016 }", "a range does not fit"),
        (
            'idea_rate = "prior"',
            'decision_dates = { choices = ["own", "late"], from = 2016 }',
            "text 'late' does not fit; allowed: own, slowest, committed",
        ),
        ('idea_rate = "prior"', "", "nothing is varied"),
        ('"morris"', '"moris"', "mine.toml, method.name: there is no method 'moris'; .* did you mean morris?"),
        ("n = 4", "n = 1", "mine.toml, method.n: 1 is out of range; allowed: at least 2"),
        ("n = 4", "n = 4\nlevels = 5", "mine.toml, method.levels: 5 does not fit; allowed: 4, 6, 8, 10$"),
        ("n = 4", "n = 4\nlevells = 4", "method.levells: morris has no .*: levels, name, n; did you mean levels?"),
        ('"morris"', '"sobol"\nsecond_order = "yes"', "second_order: text 'yes' does not fit; allowed: true, false$"),
        ("n = 4", "", "mine.toml, method.n: it is missing; allowed: a whole number, 2 or more"),
        ('[method]\nname = "morris"\nn = 4', "", r"toml, method: it is missing; allowed: \[method\] with"),
        ('"projects_24"', '"projects_25"', "contrast 1, option: there is no scenario 'projects_25'; .* projects_24?"),
        ('"projects_24"', '"no.toml"', "mine.toml, contrast 1, option: there is no file 'no.toml'; allowed: the"),
        ('base = "baseline"', 'bsae = "baseline"', "mine.toml, contrast 1, bsae: .* did you mean base?"),
        ('option = "projects_24"', "", "mine.toml, contrast 1, option: it is missing; allowed: the name of a shipped"),
        ('title = "T"', 'title = "T"\nsmes = 3', "mine.toml, smes: 3 is out of range; allowed: a whole number from"),
        ('"prior"', '"priorr"', "mine.toml, vary.idea_rate: text 'priorr' does not fit; .*; did you mean prior?"),
        ('"prior"', "{ low = 0.5, high = inf }", "rate.high: inf is not a finite number; allowed: a finite number"),
        (
            'idea_rate = "prior"', "budget_factor = { low = 0.5, high = 2, from = 1999 }",
            "mine.toml, vary.budget_factor.from: there is no call in 1999; allowed: 2013, .* did you mean 2013?",
        ),
        (
            'idea_rate = "prior"', "budget_factor = { low = 0.5, high = 2, from = 2017, to = 2016 }",
            "mine.toml, vary.budget_factor.to: 2016 lies before from = 2017; allowed: 2017, 2018, 2019",
        ),
        (
            'idea_rate = "prior"', "project_months = { choices = [12, 24, 12], from = 2016 }",
            "mine.toml, vary.project_months: the choices hold 12 twice",
        ),
        ('title = "T"', 'title = "T"\nmeasures = ["contract_net"]', "did you mean contracts_net?"),
        ('title = "T"', 'title = "T"\nmesures = []', "mine.toml, mesures: this name is not known here"),
        ('title = "T"', 'title = "T"\nruns = 0', "mine.toml, runs: 0 is out of range"),
        ("[[contrast]]", '[[contrast]]\noption = "no_programme"\n[[contrast]]\noption = "no_programme"\n[[contrast]]',
         "'no_programme' stands twice"),
    ],
)  # fmt: skip
def test_wrong_input_gets_one_sentence_and_nothing_is_written(tmp_path, was, is_, sentence):
    assert was in WHOLE
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE.replace(was, is_), encoding="utf-8")
    with pytest.raises(InputError, match=sentence) as caught:
        sweep(path, tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_scenario_that_holds_what_is_varied_is_refused(tmp_path):
    held = 'title = "H"\nquestion = "?"\n[parameters]\nidea_rate = 1.0\n'
    (tmp_path / "held.toml").write_text(held, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(WHOLE.replace("projects_24", "held.toml"), encoding="utf-8")
    with pytest.raises(InputError, match="the scenario held holds it at a value, so it cannot be varied"):
        prepared(tmp_path / "mine.toml", tmp_path)


def test_every_shipped_experiment_can_be_planned():
    names = shipped()
    assert {"sobol", "morris", "pawn", "dgsm", "discovery", "tornado"} <= {read(name)[0].method.name for name in names}
    for name in names:
        plan, folder = prepared(name, Path("results"))
        assert plan.rows > 0 and folder.name.startswith(f"sweep-{name}-")
        assert (LIBRARY / f"{name}.toml").exists()


def test_the_shipped_experiment_on_levers_varies_the_four_main_ones():
    plan, _ = prepared("levers_sobol", Path("results"))
    assert [factor.name for factor in plan.factors] == [
        "budget_factor", "decision_dates", "project_months", "phase_two_share",
    ]  # fmt: skip
    assert "contracts_net" in plan.experiment.measures and plan.experiment.runs >= 2


def test_a_lever_means_what_it_means_in_a_scenario():
    base = scenarios.load("baseline")
    for name, lever, value in (
        ("budget_less_30", "budget_factor", 0.7), ("projects_24", "project_months", 24.0),
        ("synchronised", "decision_dates", "slowest"),
    ):  # fmt: skip
        factor = Factor(name=lever, label="", unit="", low=0.0, high=1.0, lever=True, first=2016)
        assert with_levers(base.settings, {factor: value}) == scenarios.load(name).settings


def test_a_lever_holds_in_its_calls_and_then_as_before():
    base = scenarios.load("phase_two_same_money")
    factor = Factor(name="phase_two_share", label="", unit="", low=0.0, high=1.0, lever=True, first=2016, last=2017)
    other = Factor(name="grant_factor", label="", unit="", low=0.0, high=1.0, lever=True, first=2015, last=2015)
    settings = with_levers(base.settings, {factor: 0.1, other: 2.0})
    found = {(each.year, each.name): each.value for each in settings}
    assert found[2016, "phase_two_share"] == 0.1 and found[2018, "phase_two_share"] == 0
    assert found[2015, "grant_factor"] == 2.0 and found[2016, "grant_factor"] == 1


def test_numbers_become_values():
    idea, budget, dates, held = factors(
        idea_rate="prior",
        budget_factor={"low": 0.5, "high": 2, "from": 2016},
        decision_dates={"choices": ["own", "slowest", "committed"], "from": 2016},
        held={"from": 2016},
    )
    u = np.array([0.0, 0.34, 0.5, 1.0])
    assert budget.numbers(u).tolist() == [0.5, 1.01, 1.25, 2.0]
    assert [dates.value(x) for x in dates.numbers(u)] == ["own", "slowest", "slowest", "committed"]
    assert [held.value(x) for x in held.numbers(u)] == [False, False, True, True]
    entry = scenarios.register()["idea_rate"]
    assert idea.numbers(u).tolist() == scenarios.quantile(entry, u).tolist()


def test_all_assumptions_are_those_of_the_register():
    asked = experiment_of(tomllib.loads(WHOLE) | {"vary": {}, "vary_all": ["assumption"]}, "mine.toml")
    found = {factor.name for factor in plan_of(asked, "mine").factors}
    drawn = [entry for entry in scenarios.register().values() if entry.prior not in (None, "fixed")]
    assert found == {entry.name for entry in drawn if entry.evidence == "assumption" and entry.low != entry.high}


def test_what_is_fitted_is_varied_by_the_posterior():
    fitted = posterior.read()
    asked = experiment_of(tomllib.loads(WHOLE) | {"vary": {}, "vary_all": ["assumption", "survey"]}, "mine.toml")
    ways = {factor.name: factor.by for factor in plan_of(asked, "mine").factors}
    assert {name for name, way in ways.items() if way == "posterior"} == set(ways) & set(fitted.fitted) != set()
    prior = experiment_of({**tomllib.loads(WHOLE), "vary_all": ["survey"], "draws_from": "prior"}, "mine.toml")
    assert {factor.by for factor in plan_of(prior, "mine").factors} == {"prior"}
    (idea,) = factors(idea_rate="posterior")
    shares = np.array([0.1, 0.5, 0.9])
    assert idea.numbers(shares) == pytest.approx(fitted.quantiles("idea_rate", shares), rel=1e-12)
    with pytest.raises(InputError, match=r"vary.displacement: it is not fitted"):
        factors(displacement="posterior")


@pytest.mark.parametrize("draws_from", ["posterior", "prior"])
def test_what_is_not_varied_is_at_the_centre_or_drawn_by_block_and_run(tmp_path, draws_from):
    fitted, register = posterior.read(), scenarios.register()

    def values(others, first, last, seed=7, run=0):
        plan, _ = prepared(functions.levers(others=others, draws_from=draws_from, seed=seed), tmp_path)
        block = np.arange(first, last + 1)
        return others_of(plan.work, Rows(block, block, np.zeros((len(block), 0)), run))

    centre = fitted.centre() if draws_from == "posterior" else {}
    for name, column in values("central", 3, 5).items():
        assert set(column) == {centre.get(name, register[name].value)} and len(column) == 3
    drawn, longer = values("drawn", 3, 5), values("drawn", 0, 3000)
    assert all((column == longer[name][3:6]).all() for name, column in drawn.items())
    noise = run_seed(7, -1, 0)
    whole = fitted.draw(3001, noise) if draws_from == "posterior" else scenarios.draw(3001, noise)
    assert all((column == whole[name]).all() for name, column in longer.items())
    assert set(drawn) == {name for name, entry in register.items() if entry.kind != "lever"}
    for other in (values("drawn", 3, 5, seed=8), values("drawn", 3, 5, run=1)):
        assert not (other["idea_rate"] == drawn["idea_rate"]).any()


def test_draws_may_begin_anywhere():
    whole = scenarios.draw(40, 3)
    for first in (0, 1, 3, 4, 17):
        part = scenarios.draw(9, 3, first)
        assert all((part[name] == whole[name][first : first + 9]).all() for name in whole)


def test_a_contrast_of_nothing_has_no_effect(tmp_path):
    asked = functions.levers(contrast=[{"option": "baseline", "base": "baseline"}], vary={"idea_rate": "prior"})
    found = sweep(asked, tmp_path)
    assert (found.outcomes(found.contrasts[0], "contracts_net") == 0.0).all()
    assert np.ptp(found.values("baseline", "contracts_net")) > 0.0


@pytest.mark.slow
def test_a_row_is_what_a_comparison_finds(tmp_path):
    """The middle of a tornado with nothing moved is the comparison at central values, to the last bit."""
    value = scenarios.register()["idea_rate"].value
    asked = functions.levers(
        contrast=[{"option": "projects_24", "base": "baseline"}], method={"name": "tornado", "n": 2},
        vary={"idea_rate": {"low": value - 0.1, "high": value + 0.1}}, draws_from="prior",
    )  # fmt: skip
    found = sweep(asked, tmp_path)
    assert found.design["idea_rate"][0] == pytest.approx(value, abs=1e-12)
    with_it = compare(
        "baseline", "projects_24", draws=0, runs=2, smes=2000, horizon=12, reasons=0, spending=0, draws_from="prior"
    ).by_country.query("run == 0")
    columns = ["spent_eur", "applications", "contracts_additional"]
    for case in ("baseline", "projects_24"):
        ours = [found.values(case, name)[0, 0] for name in columns]
        assert ours == pytest.approx(with_it[with_it["scenario"] == case][columns].sum().tolist(), rel=1e-9)


def _innovex(*words, **more):
    return subprocess.run([INNOVEX, *map(str, words)], capture_output=True, text=True, timeout=300, **more)


@pytest.mark.slow
def test_the_command_line_stops_and_goes_on(tmp_path):
    path = tmp_path / "mine.toml"
    small = WHOLE.replace("[[contrast]]", "smes = 2000\nhorizon_months = 12\n[[contrast]]", 1)
    path.write_text(small, encoding="utf-8")
    words = ["sweep", path, "--out", tmp_path / "out", "--no-report", "--n", "40"]
    process = subprocess.Popen([INNOVEX, *map(str, words)], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 200
    while len([*tmp_path.glob("out/*/parts/*.parquet")]) < 2:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGTERM)  # what SLURM sends before the time is up
    _, told = process.communicate(timeout=60)
    (folder,) = (tmp_path / "out").iterdir()
    assert process.returncode == 130 and f"to go on: innovex sweep {folder} --resume" in told
    assert "nobody is at work on it" in _innovex("sweep", "status", folder).stdout
    done = _innovex("sweep", folder, "--resume", "--no-report")
    assert done.returncode == 0 and f"Tables: {folder}" in done.stdout and "of them there already" in done.stderr
    assert "160 of 160 runs finished (all), 0 of them failed" in _innovex("sweep", "status", folder).stdout


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"workers": "2"}, "workers: text '2' does not fit; allowed: a whole number from 1 to 1024"),
        ({"workers": True}, "workers: true does not fit"),
        ({"workers": 0}, "workers: 0 does not fit"),
        ({"evaluate": "fn"}, "evaluate: text 'fn' does not fit; allowed: a function of"),
        ({"experiment": 3}, "experiment: 3 does not fit; allowed: a name, a path, or a mapping"),
        ({"experiment": None}, "experiment: None does not fit"),
        ({"out": None}, "out: None does not fit; allowed: a path"),
        ({"n": "a"}, "method.n: text 'a' does not fit; allowed: a whole number"),
        ({"engine": "thread"}, "engine 'thread': there is no such engine; allowed: .*; did you mean threads?"),
        ({"engine": 3}, "engine '3': there is no such engine"),
        ({"dask": ""}, "the engine dask needs the address of a scheduler"),
        ({"dask": 8786}, "dask: 8786 does not fit; allowed: the address of a scheduler"),
        ({"dask": "tcp://x:1", "engine": "processes"}, "--dask tcp://x:1 and --engine processes exclude each other"),
    ],
)
def test_wrong_calls_from_python_get_one_sentence_too(tmp_path, wrong, sentence):
    call = {"experiment": functions.levers(), "out": tmp_path / "out"} | wrong
    with pytest.raises(InputError, match=sentence) as caught:
        sweep(**call)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_misspelt_command_gets_the_nearest_and_no_command_the_help(tmp_path):
    found = _innovex("sweep", "staus", tmp_path)
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr.startswith("innovex: sweep 'staus': there is no such command or experiment; allowed: run, ")
    assert found.stderr.endswith("did you mean status?\n")
    found = _innovex("sweep")
    assert found.returncode == 0 and found.stderr == "" and "\n  status " in found.stdout


@pytest.mark.slow
def test_the_command_line_tells_what_is_wrong(tmp_path):
    found = _innovex("sweep", "lever_sobol", "--out", tmp_path / "out")
    assert found.returncode == 2 and "did you mean levers_sobol?" in found.stderr and "Traceback" not in found.stderr
    found = _innovex("sweep", "levers_sobol", "--resume", "--out", tmp_path / "out")
    assert found.returncode == 2 and "there is no sweep to go on with" in found.stderr
    assert not (tmp_path / "out").exists()
    assert "Which of funding level" in _innovex("sweep", "list").stdout
