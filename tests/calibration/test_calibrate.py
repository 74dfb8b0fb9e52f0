"""`innovex calibrate`, from the command to the posterior, on a model that takes no time."""

from dataclasses import replace

import numpy as np
import pytest

from calibration import posterior
from calibration.fit import shipped_problem as shipped
from calibration.fit.pipeline import Settings
from calibration.fit.sampler import Effort
from calibration.parameters import register
from experiments.cli import calibrate as cli_calibrate
from experiments.cli import main as cli
from scenarios import InputError
from tests.toy_fit import Known, Toy

TRUTH = 0.9  # ideas per call
BRIEF = Settings(bank=600, near=200, held_out=40, draws=300, seed=1, effort=Effort(2, 4, 100, 300))


class Ideas(Toy):
    """Calls in which applications come by ideas alone; seen 200 times, so that the truth comes out."""

    def __call__(self, values, seed):
        rate = values["idea_rate"]
        super().__call__({"rate": rate, "share": rate, "few": rate}, seed)
        return {"applications": np.random.default_rng(seed).poisson(200 * rate)}

    def problem(self, **changes):
        entries = {name: register()[name] for name in ("idea_rate", "rivalry")}
        target = Known("applications", "count", 200 * TRUTH, block="programme")
        blocks = {"programme": ("idea_rate", "rivalry")}
        return replace(super().problem(), entries=entries, targets=[target], used=(0,), blocks=blocks, **changes)


@pytest.fixture
def ideas(monkeypatch):
    model = Ideas()
    monkeypatch.setattr(shipped, "problem", lambda evidence: model.problem())
    monkeypatch.setattr(shipped, "settings", lambda bank, seed: BRIEF)
    return model


@pytest.mark.slow
def test_the_truth_comes_back_and_what_tells_nothing_is_named(ideas, tmp_path, capsys):
    cli_calibrate.calibrate(out=tmp_path)
    found = posterior.read(tmp_path / "posterior.parquet")
    assert found.centre()["idea_rate"] == pytest.approx(TRUTH, abs=0.07)
    assert found.informed == ("idea_rate",)
    told = capsys.readouterr().out
    assert "Not told apart by the evidence, as good as at their priors: rivalry of services." in told
    assert f"--draws-from {tmp_path / 'posterior.parquet'}" in told
    assert len((tmp_path / "parameters.csv").read_text().splitlines()) == 3
    drawn = found.draw(100, 1)
    assert drawn["idea_rate"].std() < 0.1 < drawn["trust_months"].std()


@pytest.mark.slow
def test_a_stopped_fit_keeps_what_is_finished_and_says_how_to_go_on(ideas, tmp_path, capsys):
    ideas.breaks_after = 300
    with pytest.raises(SystemExit) as stopped:
        cli_calibrate.calibrate(out=tmp_path)
    assert stopped.value.code == 130
    assert f"kept in {tmp_path}, and the same command goes on from there" in capsys.readouterr().err
    assert not (tmp_path / "posterior.parquet").exists()
    before, ideas.breaks_after = ideas.worlds, None
    cli_calibrate.calibrate(out=tmp_path)
    assert ideas.worlds == BRIEF.bank + BRIEF.near + BRIEF.held_out
    assert before > 0


@pytest.mark.parametrize("wrong", [{"bank": 10}, {"seed": -1}, {"threads": 0}])
def test_numbers_that_cannot_be_get_a_sentence_and_nothing_is_written(ideas, tmp_path, wrong):
    with pytest.raises(InputError, match=f"--{next(iter(wrong))} is"):
        cli_calibrate.calibrate(out=tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_evidence_that_is_not_there_gets_a_sentence(tmp_path, monkeypatch, capsys):
    asked = ["innovex", "calibrate", "--evidence", str(tmp_path / "mine"), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", asked)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "targets.csv" in capsys.readouterr().err


def test_what_is_fitted_stands_in_the_register_and_what_is_seen_in_the_evidence():
    problem = shipped.problem()
    assert set(problem.fitted) <= set(problem.drawn)
    assert {problem.targets[index].block for index in problem.used} == set(problem.blocks)
    assert all(problem.targets[index].fitted and problem.targets[index].call <= 2015 for index in problem.used)
