"""The theory on paper: every rule against cases worked by hand, and what must hold for any values."""

import importlib
import math
import pkgutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator.rules
from simulator.rules.consortia import (
    acceptance_probability,
    application_response,
    ideas_expected,
    partners_wanted,
)
from simulator.rules.funding import award, belief_after, decision_lag, quality_threshold
from simulator.rules.matching import gap_closed
from simulator.rules.projects import interest_left, monthly_activity_eur, service_dose, sme_dose, smes_sought
from simulator.rules.trust import joint_dose, trust_after_contact, trust_after_silence

CASES = Path(__file__).with_name("cases")


def plain(rule):
    """The rule as it is written, uncompiled."""
    return getattr(rule, "py_func", rule)


def rules_in(module):
    """The rules of a module by name."""
    return {
        name: rule
        for name, rule in vars(module).items()
        if callable(rule) and getattr(plain(rule), "__module__", "") == module.__name__
    }


MODULES = {
    module.name: importlib.import_module(f"simulator.rules.{module.name}")
    for module in pkgutil.iter_modules(simulator.rules.__path__)
}
RULES = {(name, rule): found for name, module in MODULES.items() for rule, found in rules_in(module).items()}


def worked_cases():
    """All cases of all files: module, rule, and the case."""
    for module in MODULES:
        path = CASES / f"rules_{module}.toml"
        content = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
        for rule, cases in content.items():
            for case in cases:
                yield pytest.param(module, rule, case, id=f"{rule}: {case['case']}")


@pytest.mark.parametrize("module, rule, case", worked_cases())
def test_a_case_worked_by_hand(module, rule, case):
    assert case["working"]
    found = plain(RULES[module, rule])(**case["given"])
    assert found == pytest.approx(case["expected"], rel=1e-9, abs=1e-12)


def test_every_rule_has_a_case():
    worked = {param.values[:2] for param in worked_cases()}
    assert worked == set(RULES)


# What must hold for any values. Plain text, no compiler.

share = st.floats(0.0, 1.0)
eur = st.floats(0.0, 1e6)
positive = st.floats(1e-3, 1e3)


@given(share, share)
def test_a_gap_is_closed_towards_one(level, part):
    assert level <= plain(gap_closed)(level, part) <= 1.0


@given(request=eur, purse=eur, minimum=eur, partial=st.booleans())
def test_a_purse_gives_what_it_has_and_what_was_asked(request, purse, minimum, partial):
    granted = plain(award)(request, purse, minimum, partial)
    assert 0.0 <= granted <= min(request, purse)
    assert granted in (0.0, request) or (partial and granted == purse >= minimum)


@given(request=eur, purse=eur, more=eur, minimum=eur, partial=st.booleans())
def test_a_fuller_purse_never_gives_less(request, purse, more, minimum, partial):
    assert plain(award)(request, purse, minimum, partial) <= plain(award)(request, purse + more, minimum, partial)


@given(share, share, positive)
def test_a_threshold_falls_as_more_shall_pass(few, many, spread):
    few, many = sorted((few, many))
    assert plain(quality_threshold)(few, spread) >= plain(quality_threshold)(many, spread)


@given(share, share, share)
def test_belief_moves_towards_the_last_result_and_not_beyond(belief, result, learning):
    low, high = sorted((belief, result))
    assert low - 1e-12 <= plain(belief_after)(belief, result, learning) <= high + 1e-12


@given(st.floats(0, 24), st.floats(0, 36), st.floats(0, 4), share, st.floats(0, 12), st.floats(-40, 40))
def test_no_decision_comes_with_the_close(first, spread, factor, position, noise_months, noise):
    assert plain(decision_lag)(first, spread, factor, position, noise_months, noise) >= 0.5


@given(st.floats(0, 10), share, positive, st.booleans(), st.floats(1, 10), share, share)
def test_the_event_never_takes_ideas_away(rate, focus, size, attended, factor, response, followon):
    ideas = plain(ideas_expected)(rate, focus, size, attended, factor, response, followon)
    assert 0.0 <= plain(ideas_expected)(rate, focus, size, False, factor, response, followon) <= ideas


@pytest.mark.slow
@given(st.booleans(), share, share, share)
def test_acceptance_has_a_probability(has_funder, rate, rate_without, focus):
    assert 0.0 <= plain(acceptance_probability)(has_funder, rate, rate_without, focus) <= 1.0


@given(eur, eur, st.floats(0, 2e5), st.floats(500, 1e5))
def test_a_larger_grant_draws_no_fewer_applications(one, other, midpoint, response):
    small, large = sorted((one, other))
    smaller, larger = (plain(application_response)(each, midpoint, response) for each in (small, large))
    assert 0.0 <= smaller <= larger <= 1.0


@given(st.floats(1e-16, 1.0, exclude_max=True), st.floats(0.0, 5.0))
def test_a_lead_always_wants_somebody(u, mean):
    assert plain(partners_wanted)(u, mean) >= 1


def test_partners_wanted_have_the_mean_that_was_asked_for():
    """Over an even grid of luck the mean is 1 + the extra mean."""
    grid = [(n + 0.5) / 20_000 for n in range(20_000)]
    for mean in (0.3, 0.67, 1.0, 2.0):
        wanted = [plain(partners_wanted)(u, mean) for u in grid]
        assert sum(wanted) / len(wanted) == pytest.approx(1.0 + mean, rel=0.005)


@given(eur, st.floats(0.0, 0.95), eur, eur, st.floats(1, 240), st.floats(1, 240))
def test_a_longer_project_with_the_same_grant_is_never_richer_by_the_month(grant, rate, setup, overhead, one, other):
    short, long = sorted((one, other))
    in_short = plain(monthly_activity_eur)(grant, rate, setup, overhead, short)
    in_long = plain(monthly_activity_eur)(grant, rate, setup, overhead, long)
    assert in_short >= in_long >= 0.0


@given(eur, st.floats(0.5, 2.0), st.integers(1, 500), st.integers(1, 500), share, st.floats(1, 1e4))
def test_services_are_rivals(activity, excellence, one, other, rivalry, half):
    few, many = sorted((one, other))
    for_few, for_many = (plain(service_dose)(activity, excellence, n, rivalry, half) for n in (few, many))
    assert 0.0 <= for_many <= for_few < 1.0


@given(share, share, st.integers(0, 20))
def test_an_sme_takes_no_more_than_is_offered(dose, spare_time, projects):
    assert 0.0 <= plain(sme_dose)(dose, spare_time, projects) <= dose


@given(share, st.integers(0, 60), st.integers(0, 60))
def test_interest_only_falls(loss, one, other):
    soon, late = sorted((one, other))
    assert 0.0 <= plain(interest_left)(loss, late) <= plain(interest_left)(loss, soon) <= 1.0


@given(positive, positive, st.floats(0, 2), st.floats(-3, 3), positive, share, st.floats(0, 12), st.floats(0, 12))
def test_more_time_to_prepare_never_loses_smes(median, factor, spread, deviate, ratio, elasticity, one, other):
    hasty, prepared = sorted((one, other))
    sought = [
        plain(smes_sought)(median, factor, spread, deviate, ratio, elasticity, months, 0.5)
        for months in (hasty, prepared)
    ]
    assert 0.0 <= sought[0] <= sought[1]


@given(share, share, share, positive, st.floats(0.5, 120), st.floats(0.05, 20))
def test_trust_stays_between_none_and_full(trust, one, other, reference, months, half):
    after = plain(trust_after_contact)(trust, plain(joint_dose)(one, other), reference, months, half)
    assert trust <= after <= 1.0


@given(share, share)
def test_trust_wears_off_in_silence(trust, decay):
    assert 0.0 <= plain(trust_after_silence)(trust, decay) <= trust


def test_trust_reaches_63_percent_of_its_ceiling_in_the_months_that_were_said():
    trust = 0.0
    for _ in range(9):
        trust = plain(trust_after_contact)(trust, 0.3, 0.3, 9.0, 1.0)
    assert trust == pytest.approx(1.0 - math.exp(-1.0))
