"""The register and its priors."""

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import scenarios
from scenarios.entries import drawn, levers
from scenarios.priors import quantile, uniforms
from simulator.parameters import DECISION_DATES, FUNDING_RULES, CallRules, Parameters, Terms

EVIDENCE = Path(__file__).parents[2] / "calibration" / "evidence"
BORROWED = {  # entry: name in the evidence
    "followon_gain": "p_return",
    "lag_first_months": "lag_sync_m",
    "lag_spread_months": "lag_spread_m",
    "hazard_leave": "h_drop_partner",
    "setup_months": "setup_m",
    "trust_months": "tau_trust_m",
    "tie_decay": "decay_tie",
    "h_knowledge": "h_know",
    "own_h_partnership": "h0_contact",
    "p_milestone_seen": "p_milestone_obs",
    "phase_two_effect": "phase2_effect",
    "associate_effort": "unfunded_effort",
}
CLASSES = {
    "survey": "survey",
    "programme statistics": "programme",
    "literature": "literature",
    "expert assumption": "assumption",
}


def entries(kind):
    return {name: entry for name, entry in scenarios.register().items() if entry.kind == kind}


def test_every_parameter_has_an_entry_and_every_behaviour_is_a_parameter():
    assert set(entries("behaviour")) == set(Parameters._fields)


def test_every_lever_reaches_the_rules():
    factors = {"budget_factor", "grant_factor", "event_size_factor", "openness_floor", "takes_part"}
    by_call, by_funder = set(levers("call")), set(levers("funder"))
    assert (by_call | by_funder) - factors <= {*CallRules._fields, *Terms._fields}
    calendar = {"year", "event_month", "open_month", "close_month", "event_clusters", "counted_months"}
    assert {*CallRules._fields, *Terms._fields} - calendar - {"grant_min_eur", "grant_max_eur"} <= by_call | by_funder


def test_choices_are_those_of_the_simulator():
    register = scenarios.register()
    assert tuple(register["funding_rule"].choices) == FUNDING_RULES
    assert tuple(register["decision_dates"].choices) == DECISION_DATES


@pytest.mark.parametrize("name", scenarios.register())
def test_every_entry_says_what_it_is_and_where_it_comes_from(name):
    entry = scenarios.register()[name]
    assert entry.label and entry.unit and len(entry.description) > 15 and len(entry.source) > 8
    assert not any(mark in entry.source for mark in ("http", "www.", "expert"))
    if entry.prior == "fixed":
        assert entry.low == entry.high == entry.value


@pytest.mark.parametrize("name", sorted(levers("call") | levers("funder")))
def test_every_lever_says_how_well_its_effect_is_known(name):
    entry = scenarios.register()[name]
    if entry.kind == "lever":
        assert entry.effect_evidence in ("data-informed", "literature-informed", "assumed")
        assert len(entry.effect_why) > 20


def test_what_the_data_cannot_say_is_labelled_so():
    register = scenarios.register()
    for name in ("project_months", "decision_dates", "lag_spread_factor", "funding_rule", "grant_factor"):
        assert register[name].effect_evidence == "assumed", name
    assert register["phase_two_share"].effect_evidence == "literature-informed"


def test_priors_are_those_of_the_evidence():
    rows = {row["parameter"]: row for row in csv.DictReader((EVIDENCE / "priors.csv").open(encoding="utf-8"))}
    shared = {name: rows[BORROWED.get(name, name)] for name in drawn() if BORROWED.get(name, name) in rows}
    assert len(shared) > 25
    for name, row in shared.items():
        entry = drawn()[name]
        told = (float(row["low"]), float(row["high"]), CLASSES[row["evidence_class"]])
        assert (entry.low, entry.high, entry.evidence) == told, name
        assert entry.value == float(row["mode"]) or "central value" in entry.source, name


def test_shares_of_kinds_cannot_exceed_one():
    register = scenarios.register()
    assert register["share_small"].limits[1] + register["share_medium"].limits[1] <= 1
    assert register["kind_share_network"].limits[1] + register["kind_share_broadcast"].limits[1] <= 1


# draws


@cache
def many_draws():
    return scenarios.draw(2_001, seed=11)


def test_draws_hold_every_drawn_entry_and_fit_its_limits():
    draws = scenarios.draw(2_000, seed=7)
    assert set(draws) == set(Parameters._fields) | set(entries("funder"))
    for name, values in draws.items():
        entry = drawn()[name]
        assert values.dtype == np.float64 and values.shape == (2_000,)
        assert entry.limits[0] <= values.min() and values.max() <= entry.limits[1], name
        if entry.prior in ("triangular", "beta"):
            assert entry.low <= values.min() and values.max() <= entry.high, name


@pytest.mark.parametrize("name", sorted(drawn()))
def test_the_median_of_draws_is_the_priors(name):
    """The median of 2,001 draws lies within 4 standard errors of the prior's, on the scale of probability."""
    values, entry = many_draws()[name], drawn()[name]
    if entry.prior == "fixed":
        assert set(values) == {entry.value}
        return
    tolerance = 4 * 0.5 / math.sqrt(2_001)
    low, high = quantile(entry, [0.5 - tolerance, 0.5 + tolerance])
    assert low < np.median(values) < high
    if entry.prior == "lognormal":
        assert quantile(entry, 0.5) == pytest.approx(entry.value, rel=0.04)  # cut off at its limits


def test_quantiles_are_those_of_the_named_distributions():
    from scipy import stats

    u = np.linspace(0.001, 0.999, 97)
    register = scenarios.register()
    triangle = register["trust_months"]
    expected = stats.triang.ppf(u, (9 - 4) / 14, loc=4, scale=14)
    np.testing.assert_allclose(quantile(triangle, u), expected)
    skewed = register["p_fund_DK"]
    expected = stats.beta.ppf(u, 1 + 4 * 0.7, 1 + 4 * 0.3, loc=0.9, scale=0.1)
    np.testing.assert_allclose(quantile(skewed, u), expected)
    cut = stats.beta(3.5, 37.5)
    expected = cut.ppf(cut.cdf(0.02) + u * (cut.cdf(0.17) - cut.cdf(0.02)))
    np.testing.assert_allclose(quantile(register["p_nonstart"], u), expected)
    expected = stats.lognorm.ppf(u, math.log(6) / (2 * 1.645), scale=0.06)
    np.testing.assert_allclose(quantile(register["h_contact"], u), expected, rtol=1e-3)


def test_a_longer_sequence_of_draws_begins_with_the_shorter():
    short, long = scenarios.draw(37, seed=3), scenarios.draw(400, seed=3)
    for name in short:
        np.testing.assert_array_equal(short[name], long[name][:37])


def test_draws_depend_on_seed_and_name_and_nothing_else():
    assert not np.array_equal(uniforms(50, 1, "a"), uniforms(50, 2, "a"))
    assert not np.array_equal(uniforms(50, 1, "a"), uniforms(50, 1, "b"))
    np.testing.assert_array_equal(uniforms(50, 1, "a"), uniforms(50, 1, "a"))
    assert not np.array_equal(uniforms(50, 1, "1:a"), uniforms(50, 11, "a"))


def test_draws_are_the_published_generators():
    """Numbers once computed; a change of them changes every result and belongs in the changelog."""
    pinned = [0.4616139133903453, 0.4350491441547232, 0.9807475082351546]
    np.testing.assert_array_equal(uniforms(3, 42, "trust_months"), pinned)


def test_draws_of_two_entries_are_unrelated():
    pairs = np.corrcoef([uniforms(4_000, 5, name) for name in ("h_rni", "h_contract", "fatigue", "rivalry")])
    assert np.abs(pairs - np.eye(4)).max() < 4 / math.sqrt(4_000)


def test_a_draw_can_be_resolved():
    draws = scenarios.draw(5, seed=1)
    one = {name: values[4] for name, values in draws.items()}
    parameters = scenarios.load("baseline").resolve(one).parameters
    assert parameters.h_rni == one["h_rni"]


def test_fewer_than_no_draws_are_refused():
    with pytest.raises(ValueError, match="0 or more"):
        scenarios.draw(-1, seed=1)
