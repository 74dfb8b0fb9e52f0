"""The fit on a model whose posterior is known; what a killed fit leaves on disk; the checks of a fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from threadpoolctl import threadpool_info, threadpool_limits

from calibration.checks.coverage import coverage, emulator_frame, recovery, replicates
from calibration.checks.leave_out import crps, leave_out, predict, totals
from calibration.fit.likelihood import Copula, log_likelihood, log_marginals, rounding_intervals
from calibration.fit.one_thread import one_thread
from calibration.fit.pipeline import fit, simulate_worlds
from calibration.fit.problem import prior_scores, run_seeds, values_of
from calibration.fit.sampler import Effort
from calibration.fit.write_posterior import contraction, parameter_frame
from calibration.jobs import DRAWS_A_JOB
from experiments.runs.engines import Where
from experiments.runs.runner import runner
from tests.toy_fit import ENTRIES, RATE, SMALL, TARGETS, Known, Toy, stored

pytestmark = pytest.mark.slow  # fits take seconds

AT = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return fit(Toy().problem(), SMALL, stored(tmp_path_factory.mktemp("fit")))


def drawn(found, name):
    scores = found.chains.scores[..., found.chains.parameters.index(name)].reshape(-1, 1)
    return values_of(ENTRIES, (name,), scores)[name]


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("share", stats.beta(1 + 0.7 * 80, 1 + 0.3 * 80)),
        ("few", stats.beta(1 + 29, 1 + 2)),
        ("rate", stats.gamma(8, scale=1 / RATE)),  # cut off at 1, which takes less than a thousandth
    ],
)
def test_the_posterior_is_the_one_that_is_known(found, name, truth):
    """Quantiles within a quarter of the posterior's own standard deviation."""
    assert np.abs(np.quantile(drawn(found, name), AT) - truth.ppf(AT)).max() < 0.25 * truth.std()


def test_ensembles_that_know_nothing_of_one_another_agree(found):
    assert found.chains.rhat.max() < 1.02
    assert found.chains.ess.min() > 400


def test_contraction_tells_what_was_learned():
    told = np.random.default_rng(1).standard_normal(20_000)
    assert contraction(told) == pytest.approx(0.0, abs=0.02)
    assert contraction(0.1 * told) > 0.97


def test_each_parameter_has_a_row_with_its_interval(found):
    frame = parameter_frame(found).set_index("parameter")
    assert list(frame.index) == ["share", "rate", "few"]
    assert (frame["low"] < frame["median"]).all() and (frame["median"] < frame["high"]).all()
    assert (frame["contraction"] > 0.3).all()
    assert frame.loc["share", "prior_low"] == pytest.approx(0.05)


def test_the_same_settings_give_the_same_bits(found, tmp_path):
    again = fit(Toy().problem(), SMALL, stored(tmp_path))
    assert np.array_equal(again.chains.scores, found.chains.scores)
    brief = replace(SMALL, near=0)
    first, other = (fit(Toy().problem(), settings, stored(tmp_path)) for settings in (brief, replace(brief, seed=2)))
    assert not np.array_equal(other.chains.scores, first.chains.scores)


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_no_number_hangs_on_the_threads_of_numpy(tmp_path):
    """Sums of matrices go in another order on more threads, and chains that lie there would not be known again."""
    threads = set()

    class Watched(Toy):
        def __call__(self, values, seed):
            if self.worlds % 100 == 0:
                threads.update(blas_threads())
            return super().__call__(values, seed)

    with threadpool_limits(2):
        fit(Watched().problem(), replace(SMALL, near=0), stored(tmp_path))
        assert threads == {1} and blas_threads() == {2}


def test_numpy_has_one_thread_until_the_last_job_is_done():
    with threadpool_limits(2):
        with one_thread():
            with one_thread():
                pass
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def test_a_killed_fit_goes_on_where_it_was(found, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(Toy(breaks_after=1000).problem(), SMALL, stored(tmp_path))
    rest = Toy()
    again = fit(rest.problem(), SMALL, stored(tmp_path))
    assert rest.worlds == SMALL.bank + SMALL.held_out + SMALL.near - 1000
    assert np.array_equal(again.chains.scores, found.chains.scores)
    third = Toy()
    fit(third.problem(), SMALL, stored(tmp_path))
    assert third.worlds == 0


def test_a_stored_result_that_is_damaged_or_of_other_code_is_computed_again(tmp_path):
    n = 5 * DRAWS_A_JOB
    scores, seeds = prior_scores(Toy().problem().drawn, n, 1), run_seeds(1, n)
    worlds = simulate_worlds(Toy().problem(), scores, seeds, stored(tmp_path), "")
    first = sorted(tmp_path.rglob("*.parquet"))[0]
    first.write_bytes(first.read_bytes()[:100])
    again = Toy()
    repeated = simulate_worlds(again.problem(), scores, seeds, stored(tmp_path), "")
    assert np.array_equal(repeated.simulated, worlds.simulated)
    assert again.worlds == DRAWS_A_JOB
    newer = Toy()
    newer.identity = "toy 2"
    simulate_worlds(newer.problem(), scores, seeds, stored(tmp_path), "")
    assert newer.worlds == n
    assert all(path.suffix == ".parquet" for path in tmp_path.rglob("*") if path.is_file())


def test_worlds_of_another_prior_are_other_worlds(tmp_path):
    scores, seeds = prior_scores(Toy().problem().drawn, 200, 1), run_seeds(1, 200)
    simulate_worlds(Toy().problem(), scores, seeds, stored(tmp_path), "")
    narrower = Toy()
    entries = {**ENTRIES, "rate": ENTRIES["rate"].model_copy(update={"shape": [2.0, 2.0]})}
    simulate_worlds(narrower.problem(entries=entries), scores, seeds, stored(tmp_path), "")
    assert narrower.worlds == 200


# ---------- the likelihood


@pytest.mark.parametrize("target", [Known("s", "share", 0.0, 31.0), Known("c", "count", 0.0)])
def test_probabilities_of_all_that_can_be_seen_sum_to_one(target):
    values = np.arange(32) / 31 if target.family == "share" else np.arange(400.0)
    mean, sd = np.array([1.2 if target.family == "share" else 4.0]), np.array([0.3])
    logs = [log_marginals(mean, sd, rounding_intervals([target], np.array([value])))[0] for value in values]
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-9)


def test_far_out_numbers_are_unlikely_but_not_impossible():
    mean, sd = np.full(3, 0.5), np.full(3, 0.05)
    logs = log_marginals(mean, sd, rounding_intervals([TARGETS[0]] * 3, np.array([0.23, 0.6, 0.95])))
    assert np.isfinite(logs).all()
    assert logs[0] > logs[1] > logs[2]


def test_correlated_luck_makes_two_agreeing_surprises_one():
    """Two targets both one standard deviation off: less surprising if their luck is shared, more if it is not."""
    targets = [Known("a", "count", 0.0), Known("b", "count", 0.0)]
    mean, sd = np.array([20.0, 20.0]), np.array([1.0, 1.0])
    both = rounding_intervals(targets, np.array([110.0, 110.0]))
    apart = rounding_intervals(targets, np.array([110.0, 91.0]))
    shared, alone = Copula.of(np.array([[1.0, 0.8], [0.8, 1.0]])), Copula.of(np.eye(2))
    assert log_likelihood(mean, sd, both, shared) > log_likelihood(mean, sd, both, alone)
    assert log_likelihood(mean, sd, apart, shared) < log_likelihood(mean, sd, apart, alone)


# ---------- the checks


def test_intervals_are_as_wide_as_they_claim_on_the_toy(found, tmp_path):
    ranks = replicates(found, 60, runner(tmp_path / "processes", Where("processes", 1)), Effort(1, 4, 40, 60))
    frame = coverage(ranks)
    assert set(frame["level"]) == {0.5, 0.9}
    assert frame["fits"].mean() >= 0.6
    assert frame["uniform_p"].min() > 1e-4
    assert (recovery(ranks)["error"] < 0.75).all()


def test_intervals_that_are_too_narrow_are_found():
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(300)
    sample = 0.5 * rng.standard_normal((300, 99))  # the prior's mean, but half its width
    low50, high50, low90, high90 = (np.quantile(sample, q, axis=1) for q in (0.25, 0.75, 0.05, 0.95))
    ranks = pd.DataFrame(
        {"replicate": range(300), "parameter": "a", "truth": truth, "mean": 0.0, "sd": 0.5,
         "rank": (sample < truth[:, None]).sum(axis=1), "of": 99, "low50": low50, "high50": high50, "low90": low90,
         "high90": high90}
    )  # fmt: skip
    frame = coverage(ranks)
    assert not frame["fits"].any()
    assert (frame["uniform_p"] < 0.001).all()


def test_more_replicates_than_worlds_held_out_are_refused(found, tmp_path):
    with pytest.raises(ValueError, match="only 160 worlds"):
        replicates(found, 161, runner(tmp_path, Where("threads", 1)))


def test_the_emulator_is_right_on_worlds_that_it_has_not_seen(found):
    frame = emulator_frame(found).set_index("target")
    assert frame["r2"]["asked"] > 0.98
    assert frame["score_mean"].abs().max() < 0.2
    assert frame["score_sd"].between(0.8, 1.2).all()


def test_the_score_of_a_forecast():
    assert crps(np.array([5.0]), 8.0) == 3.0
    normal = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    assert crps(normal, 0.0) == pytest.approx(2 * stats.norm.pdf(0) - 1 / np.sqrt(np.pi), abs=1e-3)


def test_a_call_is_forecast_from_those_before_it_alone(tmp_path):
    """The forecast does not change with what happened in the call that is forecast."""
    values = ((8.0, 2013), (6.0, 2014), (7.0, 2015))
    targets = [Known(f"counted_{call}", "count", value, call=call) for value, call in values]

    class Calls(Toy):
        def __call__(self, values, seed):
            counts = np.random.default_rng(seed).poisson(RATE * values["rate"], size=3)
            return {target.name: count for target, count in zip(targets, counts, strict=True)}

    problem = Calls().problem(targets=targets, blocks={"toy": ("rate",)})
    settings = replace(SMALL, bank=800, near=0)
    first = leave_out(problem, settings, 2015, stored(tmp_path), worlds=200)
    other = [*targets[:2], replace(targets[2], value=19.0)]
    second = leave_out(replace(problem, targets=other), settings, 2015, stored(tmp_path), worlds=200)
    columns = ["median", "low50", "high50", "low90", "high90"]
    assert first[columns].equals(second[columns])
    assert first["median"].item() == pytest.approx(7.0, abs=1.5)
    assert first["last"].item() == 6.0 and first["mean"].item() == 7.0
    assert first["inside90"].item() and not second["inside90"].item()
    assert totals(first).set_index("forecast")["relative_crps"]["last year's value"] == pytest.approx(1 / 7)


def test_predictions_come_from_the_model_itself(found, tmp_path):
    worlds = predict(found, 400, runner(tmp_path, Where("threads", 1)))
    assert worlds.shape == (400, 3)
    assert np.median(worlds[:, 1]) == pytest.approx(8.0, abs=1.5)
