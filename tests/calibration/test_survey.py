"""The simulated survey against cases worked by hand."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from calibration import jobs
from calibration.checks.picking import picking_frame, picking_odds
from calibration.evidence.load import load_evidence
from calibration.evidence.responses import Response
from calibration.hindcast.past_calls import TargetValues, past_inputs, target_values
from calibration.hindcast.programme_statistics import programme_statistics
from calibration.jobs import compute_draws
from calibration.parameters import draw, split, survey_entries
from calibration.survey.expected_shares import (
    any_of_known,
    cluster_shares,
    country_shares,
    inclusion,
    picking_weights,
    sme_shares,
    survey_shares,
    would_not_have,
)
from calibration.survey.population import Population
from calibration.survey.sampled_answers import survey_answers
from calibration.survey.top_three import HELP_ITEMS, chances_by_profile, top_three_chances
from experiments.runs.engines import Where
from experiments.runs.runner import runner
from simulator import ensemble
from simulator.observe import COLUMN, observe
from simulator.state import tabulate

SURVEY = split({})[1]
PLAIN = {**SURVEY, "survey_pick_odds": 1.0, "survey_inactive_odds": 1.0, "survey_tick_share": 1.0}
NOBODY = Response("DK", 1, 1, 1)


def firms(groups, response=None, active=None):
    """Return a population: one list of firms with (knowledge, contact, R&I, contract) per partner."""
    rows = [row for group in groups for row in group]
    results = np.array([[*row, 0.0] for row in rows], float).reshape(len(rows), 5)
    partner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return Population(
        response=response or [NOBODY] * len(groups),
        cluster=np.arange(len(groups)),
        project=np.arange(len(groups)),
        partner=partner,
        sme=np.arange(len(rows)),
        active=np.ones(len(rows)) if active is None else np.array(active, float),
        results=results,
        own_chance=np.zeros(len(rows)),
    )


def test_any_of_two_out_of_ten():
    # none of two: 7/10 * 6/9
    assert any_of_known(np.array([10.0]), np.array([3.0]), 2.0)[0] == pytest.approx(1 - 7 / 10 * 6 / 9)


def test_a_cluster_that_knows_all_its_firms_knows_of_every_result():
    assert any_of_known(np.array([4.0]), np.array([1.0]), 6.0)[0] == 1.0
    assert any_of_known(np.array([4.0, 0.0]), np.array([0.0, 0.0]), 6.0).tolist() == [0.0, 0.0]


def test_any_of_six_with_correlation_inside_projects():
    """Shares of firms spread as Beta with correlation 0.2 between firms of one project: the mixture in closed form."""
    rng = np.random.default_rng(1)
    for mean, expected in ((0.71, 0.98), (0.65, 0.97), (0.13, 0.42)):
        a, b = 4 * mean, 4 * (1 - mean)  # correlation 1 / (1 + a + b)
        worked = 1 - math.prod((b + k) / (a + b + k) for k in range(6))
        assert worked == pytest.approx(expected, abs=0.01)
        having = rng.binomial(5000, rng.beta(a, b, 20_000)).astype(float)
        assert any_of_known(np.full(20_000, 5000.0), having, 6.0).mean() == pytest.approx(worked, abs=0.01)
        independent = any_of_known(np.full(1, 5000.0), np.full(1, 5000.0 * mean), 6.0)[0]
        assert independent > worked + 0.01  # correlation makes "any of them" rarer


def test_firms_are_picked_by_odds_one_after_the_other():
    weights = np.array([4.0, 2.0, 1.0, 1.0, 1.0, 1.0])
    exact = np.zeros(6)
    for order in itertools.permutations(range(6), 3):
        chance, left = 1.0, weights.sum()
        for firm in order:
            chance, left = chance * weights[firm] / left, left - weights[firm]
        exact[list(order)] += chance
    assert exact.sum() == pytest.approx(3.0)
    found = inclusion(weights, np.zeros(6, np.int64), np.array([3.0]))
    assert found.sum() == pytest.approx(3.0)
    assert found == pytest.approx(exact, abs=0.04)
    everybody = inclusion(np.array([2.0, 1.0, 0.0]), np.zeros(3, np.int64), np.array([3.0]))
    assert everybody.tolist() == [1.0, 1.0, 0.0]


def test_equal_odds_are_a_plain_sample():
    found = inclusion(np.ones(7), np.array([0, 0, 0, 0, 1, 1, 1]), np.array([2.0, 3.0]))
    assert found == pytest.approx([0.5] * 4 + [1.0] * 3)


def test_picking_prefers_the_successful_and_those_who_took_part():
    population = firms([[(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 1, 0), (0, 0, 0, 0)]], active=[1, 1, 1, 0])
    survey = {**SURVEY, "survey_pick_odds": 4.0, "survey_inactive_odds": 0.25}
    assert picking_weights(population, survey).tolist() == [1.0, 2.0, 4.0, 0.25]
    share = sme_shares(population, survey)["sme_rni"]
    assert share > sme_shares(population, {**survey, "survey_pick_odds": 1.0})["sme_rni"]


def test_answers_count_by_country_as_they_came_in():
    """Denmark: 23 partners, 107 answers; Norway: 5 partners, 2 answers. One partner each: 107/23 against 2/5."""
    danish, norwegian = Response("DK", 23, 21, 107), Response("NO", 5, 3, 2)
    with_result, without = [(1, 0, 0, 0)] * 40, [(0, 0, 0, 0)] * 40
    population = firms([with_result, without], [danish, norwegian])
    danish_share = (107 / 23) / (107 / 23 + 2 / 5)
    assert sme_shares(population, PLAIN)["sme_knowledge"] == pytest.approx(danish_share)
    shares = country_shares(population, PLAIN, ("DK", "NO", "SE"))
    assert shares["share_answers_DK"] == pytest.approx(danish_share)
    assert shares["share_answers_NO"] == pytest.approx(1 - danish_share) and shares["share_answers_SE"] == 0
    clusters = cluster_shares(population, PLAIN)
    assert clusters["cluster_knowledge"] == pytest.approx((21 / 23) / (21 / 23 + 3 / 5))


def test_a_partner_with_few_firms_cannot_answer_for_many():
    few, many = Response("DK", 1, 1, 10), Response("SE", 1, 1, 10)
    shares = sme_shares(firms([[(1, 0, 0, 0)] * 5, [(0, 0, 0, 0)] * 20], [few, many]), PLAIN)
    assert shares["sme_knowledge"] == pytest.approx(5 / 15)


def test_top_three_by_hand():
    # four items, one worth twice: it is left out if it comes last, 3/5 * 2/4 * 1/3
    chances = top_three_chances(np.array([[2.0, 1.0, 1.0, 1.0]]))[0]
    assert chances[0] == pytest.approx(1 - 3 / 5 * 2 / 4 * 1 / 3)
    assert chances.sum() == pytest.approx(3.0)
    assert top_three_chances(np.ones((1, 9)))[0] == pytest.approx(np.full(9, 1 / 3))


def test_what_firms_say_about_themselves_is_not_what_is_true():
    own = np.array([0.0, 1.0, 0.5])
    said = would_not_have(own, {"survey_says_never": 0.3, "survey_says_anyway": 0.1})
    assert said == pytest.approx([0.9, 0.3, 0.6])
    honest = would_not_have(own, {"survey_says_never": 0.0, "survey_says_anyway": 0.0})
    assert honest == pytest.approx(1 - own)


def test_plans_lift_what_clusters_report_of_collaborations_only():
    population = firms([[(0, 0, 0, 0)] * 6])
    shares = cluster_shares(population, {**PLAIN, "survey_plans_share": 0.25})
    assert shares == {"cluster_knowledge": 0.0, "cluster_partners": 0.0, "cluster_rni": 0.25}


def test_nobody_asked_is_not_a_share_of_zero():
    nobody = firms([])
    shares = sme_shares(nobody, SURVEY) | country_shares(nobody, SURVEY, ("DK",)) | cluster_shares(nobody, SURVEY)
    assert len(shares) == 14
    assert all(math.isnan(share) for share in shares.values())


def test_a_call_without_projects_has_no_respondents():
    values = target_values({"idea_rate": 0.0}, 1, load_evidence())
    for target in load_evidence().targets:
        value = values[target.name]
        if target.measure == "meetings":
            assert value > 0
        elif target.family == "count":
            assert value == 0
        else:
            assert math.isnan(value)


GENERATOR_SCRIPT = """
import numpy as np
from calibration.evidence.load import load_evidence
from calibration.hindcast.past_calls import run_past_calls
from calibration.survey import draws as survey_draws
from calibration.survey.sampled_answers import survey_answers
from simulator import draws

who, whom = np.array([3, 2**63 + 5], np.uint64), np.array([7, 11], np.uint64)
numbers = survey_draws.uniforms(12, survey_draws.PICKED, 2015 * 4096, who, whom).tolist()
start = draws.key(12, survey_draws.PICKED, 2015 * 4096)
assert numbers == [draws.uniform(start, one, other) for one, other in zip(who, whom)]
run = run_past_calls({}, 3, load_evidence())
responses = load_evidence().responses[2015]
answers = survey_answers(run.state, run.inputs, 2, run.survey, responses, 3)
print(draws.generator(), numbers, {name: tuple(count) for name, count in sorted(answers.items())})
"""


@pytest.mark.slow
def test_survey_answers_follow_the_generator():
    """Under each generator the draws for many firms are those of the simulator; under another they are others."""
    printed = {}
    for generator in ("splitmix", "philox"):
        environment = os.environ | {"INNOVEX_GENERATOR": generator}
        script = subprocess.run(
            [sys.executable, "-c", GENERATOR_SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        name, printed[generator] = script.stdout.split(" ", 1)
        assert name == generator
    assert printed["splitmix"].startswith("[0.06145148372428666, 0.8339238099134744]")  # as before there was a choice
    assert printed["splitmix"] != printed["philox"]


@pytest.fixture(scope="module")
def run():
    inputs = past_inputs({"h_knowledge": 0.1}, load_evidence())
    return ensemble.simulate(inputs, 3), inputs


def test_single_answers_come_out_as_expected_shares(run):
    state, inputs = run
    responses = load_evidence().responses[2015]
    surveys = [survey_answers(state, inputs, 2, SURVEY, responses, seed) for seed in range(150)]
    expected = survey_shares(state, inputs, 2, SURVEY, responses)
    assert set(surveys[0]) == set(expected)
    for name in expected:
        said, of = (sum(getattr(answers[name], field) for answers in surveys) for field in ("said", "of"))
        assert said / of == pytest.approx(expected[name], abs=0.025), name
    clusters = np.mean([answers["cluster_rni"].of for answers in surveys])
    smes = np.mean([answers["sme_rni"].of for answers in surveys])
    assert 20 < clusters < 40 and 80 < smes < 150  # 31 and 124 answered


def test_sampled_answers_hang_on_the_seed_alone(run):
    state, inputs = run
    responses = load_evidence().responses[2015]
    one, again, other = (survey_answers(state, inputs, 2, SURVEY, responses, seed) for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_everybody_chooses_three_kinds_of_support():
    """Of nine; so the chances of all of them sum to three whatever a firm has."""
    assert len(HELP_ITEMS) == 9
    assert chances_by_profile(SURVEY["survey_support_match"]).sum(axis=1) == pytest.approx(np.full(32, 3.0))


def test_statistics_are_those_that_the_simulator_counts(run):
    state, inputs = run
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)
    cells = observe(3, tables, state).cells.sum(axis=1)
    for call in range(3):
        found = programme_statistics(state, inputs, call)
        counted = {name: cells[call, column] for name, column in COLUMN.items()}
        for name in ("applications", "approvals", "projects"):
            assert found[name] == counted[name]
        assert found["smes_engaged"] <= counted["smes_engaged"]  # consortia without a grant are no projects
        assert found["projects_one_grant"] + found["projects_two_grants"] == found["projects"]
        assert sum(found[f"projects_{n}_countries"] for n in (2, 3, 4, 5)) == found["projects"]
        by_country = sum(value for name, value in found.items() if name.startswith("grants_"))
        assert by_country == found["approvals"]


def test_more_knowledge_in_the_model_is_more_knowledge_in_the_survey():
    little, much = (
        [target_values({"h_knowledge": hazard, "survey_known_firms": 6.0}, seed, load_evidence()) for seed in (1, 2, 3)]
        for hazard in (0.03, 0.12)
    )
    for name in ("sme_knowledge_2015", "cluster_knowledge_2015"):
        assert all(more[name] > less[name] for less, more in zip(little, much, strict=True))


def test_the_survey_layer_changes_no_statistic_of_the_programme():
    evidence = load_evidence()
    entries = {name: entry for name, entry in survey_entries().items() if "close" not in name}
    low, high = (
        target_values({name: entry.limits[end] for name, entry in entries.items()}, 4, evidence) for end in (0, 1)
    )
    for target in evidence.targets:
        assert (low[target.name] == high[target.name]) == (target.block == "programme"), target.name
    assert list(low) == [target.name for target in evidence.targets]


def test_many_runs_are_the_same_on_any_number_of_threads(monkeypatch, tmp_path):
    values = {"h_rni": np.array([0.01, 0.02, 0.03]), "idea_rate": np.array([0.5, 0.7, 0.9])}
    seeds, of_draw = np.array([7, 8, 9]), TargetValues(load_evidence())
    monkeypatch.setattr(jobs, "DRAWS_A_JOB", 1)
    one, three = (
        compute_draws("", of_draw, values, seeds, runner(tmp_path / str(threads), Where("threads", threads)))
        for threads in (1, 3)
    )
    assert all(np.array_equal(one[name], three[name], equal_nan=True) for name in one)
    second = target_values({"h_rni": 0.02, "idea_rate": 0.7}, 8, load_evidence())
    assert {name: column[1] for name, column in one.items()} == pytest.approx(second, nan_ok=True)


def test_picking_the_successful_makes_answers_look_better_in_the_same_worlds(tmp_path):
    """Hard outcomes are reported more the harder they are picked for; what is not picked on hardly moves."""
    frame = picking_frame(draw(3, 5), 7, load_evidence(), runner(tmp_path, Where("threads", 2)))
    assert sorted(frame["odds"].unique()) == sorted(picking_odds())
    for target in ("sme_rni_2015", "sme_partners_2015"):
        medians = frame[frame["target"] == target].sort_values("odds")["median"].to_numpy()
        assert (np.diff(medians) > 0).all(), target
    real = {target.name: target.value for target in load_evidence().targets}
    assert all(real[row.target] == row.real for row in frame.itertuples())
