"""The posterior as a file: it fits the register, is drawn from by default, and is refused where it does not fit."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import scenarios
from calibration import posterior
from calibration.parameters import draw as prior_draw
from calibration.parameters import register
from experiments import compare
from experiments.comparison.manifest import content_of
from experiments.comparison.rerun import study_of
from experiments.comparison.study import Settings, prepare
from scenarios import InputError

SMES = 2_000


@pytest.fixture
def own(tmp_path):
    """A copy of the shipped posterior, to be changed."""
    path = tmp_path / "mine.parquet"
    shutil.copy(posterior.SHIPPED, path)
    shutil.copy(posterior.manifest_of(posterior.SHIPPED), posterior.manifest_of(path))
    return path


def changed(path, change):
    """The file with its table changed."""
    pq.write_table(pa.table(change({name: column for name, column in pq.read_table(path).to_pydict().items()})), path)
    return path


def test_the_shipped_posterior_belongs_to_the_present_register():
    found = posterior.read()
    assert set(found.fitted) <= set(register())
    assert found.manifest["largest_rhat"] < 1.02
    assert found.manifest["smallest_ess"] > 1000
    assert posterior.SHIPPED.stat().st_size < 1_000_000


def test_fitted_parameters_are_drawn_together_and_the_others_as_the_prior_draws_them():
    found = posterior.read()
    drawn, prior = found.draw(300, 5), prior_draw(300, 5)
    assert set(drawn) == set(prior)
    for name in set(prior) - set(found.fitted):
        assert np.array_equal(drawn[name], prior[name])
    rows = found.rows(300, 5)
    for name in found.fitted:
        assert np.array_equal(drawn[name], found.values[name][rows])


def test_a_longer_sequence_begins_with_the_shorter_and_each_row_comes_once():
    found = posterior.read()
    n = len(found.weight)
    assert np.array_equal(found.rows(50, 3), found.rows(n, 3)[:50])
    assert sorted(found.rows(n, 3)) == list(range(n))
    assert np.array_equal(found.rows(n + 7, 3)[n:], found.rows(7, 3))
    assert np.array_equal(found.rows(n + 7, 3)[n - 5 :], found.rows(12, 3, n - 5))
    assert not np.array_equal(found.rows(50, 3), found.rows(50, 4))


def test_heavier_rows_come_sooner_and_those_without_weight_last(own):
    def weigh(columns):
        n = len(columns["weight"])
        return columns | {"weight": [0.0] * (n // 2) + [1.0] * (n - n // 2)}

    found = posterior.read(changed(own, weigh))
    half = len(found.weight) // 2
    assert (found.rows(half, 1) >= half).all()


def test_the_centre_is_the_weighted_median():
    assert posterior.weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.ones(3), 0.5) == 2.0
    assert posterior.weighted_quantiles(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 98.0]), 0.5) > 8.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: {("idea_rat" if k == "idea_rate" else k): v for k, v in c.items()}, "did you mean idea_rate?"),
        (lambda c: c | {"idea_rate": [99.0] * len(c["weight"])}, "idea_rate: a draw is out of range"),
        (lambda c: c | {"weight": [-1.0] * len(c["weight"])}, "weight: a weight does not fit"),
        (lambda c: {k: v for k, v in c.items() if k != "weight"}, "no draws with a column 'weight'"),
    ],
)
def test_a_posterior_that_does_not_fit_the_register_is_refused_with_a_remedy(own, change, says):
    with pytest.raises(InputError, match="innovex calibrate") as told:
        posterior.read(changed(own, change))
    assert says in str(told.value)


def test_a_posterior_of_another_prior_is_refused(own):
    path = posterior.manifest_of(own)
    manifest = json.loads(path.read_text())
    row = next(row for row in manifest["parameters"] if row["parameter"] == "idea_rate")
    row["prior"] = "triangular 0.1, 0.2, 0.3"
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"idea_rate: it was fitted with another prior .*innovex calibrate"):
        posterior.read(own)


@pytest.mark.parametrize("damage", ["gone", "text", "no manifest"])
def test_a_file_that_is_no_posterior_is_refused(own, damage):
    if damage == "gone":
        own.unlink()
    elif damage == "text":
        own.write_text("not parquet")
    else:
        posterior.manifest_of(own).unlink()
    with pytest.raises(InputError, match="mine"):
        posterior.read(own)


def grants(study):
    return study.draws.values[:, study.draws.names.index("grant_eur")]


def test_a_study_draws_from_the_posterior_unless_told_otherwise(own):
    fitted = prepare(("baseline",), Settings(draws=40, runs=1, smes=SMES))
    prior = prepare(("baseline",), Settings(draws=40, runs=1, smes=SMES, draws_from="prior"))
    mine = prepare(("baseline",), Settings(draws=40, runs=1, smes=SMES, draws_from=str(own)))
    assert np.array_equal(grants(prior), scenarios.draw(40, 1)["grant_eur"])
    assert grants(fitted).std() < 0.6 * grants(prior).std()
    assert np.array_equal(grants(mine), grants(fitted))
    assert content_of(fitted)["draws_from"] == "posterior"
    assert posterior.read().identity in content_of(fitted)["parameters_from"]
    assert "not calibrated" in content_of(prior)["parameters_from"]
    assert set(fitted.draws.names) == {name for name, entry in scenarios.register().items() if entry.kind != "lever"}


def test_no_draws_means_the_posterior_medians():
    study = prepare(("baseline",), Settings(draws=0, runs=1, smes=SMES))
    assert len(study.draws) == 1
    assert study.draws.of_row(0)["grant_eur"] == posterior.read().centre()["grant_eur"]
    assert study.draws.of_row(0)["rivalry"] == scenarios.register()["rivalry"].value


def test_a_study_is_repeated_from_where_its_draws_came(tmp_path):
    study = prepare(("baseline",), Settings(draws=3, runs=1, smes=SMES, draws_from="prior"))
    assert study_of(content_of(study), tmp_path).settings.draws_from == "prior"
    with pytest.raises(InputError, match="draws_from: does not fit"):
        study_of(content_of(study) | {"draws_from": 3}, tmp_path)


def test_a_wrong_source_of_draws_gets_a_sentence():
    with pytest.raises(InputError, match="it takes posterior, prior or the path"):
        prepare(("baseline",), Settings(draws_from="posteriors"))


@pytest.mark.slow
def test_what_the_evidence_has_informed_is_told_where_an_answer_hangs_on_it():
    asked_for = {"draws": 24, "runs": 1, "smes": SMES, "reasons": 0, "spending": 0}
    study = compare("baseline", "projects_24", **asked_for)
    informed = set(posterior.read().informed)
    told = study.hangs_on.set_index("parameter")["evidence"]
    assert all((evidence == "fitted") == (name in informed) for name, evidence in told.items())
