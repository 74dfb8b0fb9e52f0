"""Who gets money: one call worked by hand under five rules, and what no call may break."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.instruments.calls.allocation import allocate
from simulator.instruments.calls.tables import CAUSES, NO_CAUSE, PARTNER_REFUSED, PURSE_EMPTY
from simulator.parameters import (
    ALL_OR_NONE,
    COMMON_POT,
    FUNDING_RULES,
    INDEPENDENT,
    NEGOTIATED,
    VIRTUAL_COMMON_POT,
)
from simulator.records import NOBODY

SMALL_CALL = tomllib.loads((Path(__file__).parent / "cases" / "small_call.toml").read_text("utf-8"))
EUR = {"abs": 0.005}  # half a cent


class Call(NamedTuple):
    """The applications of one call and the purses they are paid from."""

    project: np.ndarray
    funder: np.ndarray
    request: np.ndarray
    score: np.ndarray
    purse: np.ndarray
    threshold: np.ndarray
    smallest: np.ndarray
    central: float = 0.0
    partial: bool = True
    fill_share: float = 1.0

    @property
    def joint(self):
        """Mean score of each project."""
        projects = range(int(self.project.max(initial=-1)) + 1)
        return np.array([self.score[self.project == p].mean() for p in projects], np.float64)


class Outcome(NamedTuple):
    """What became of each application, and of the purses."""

    grant: np.ndarray
    own_share: np.ndarray
    cause: np.ndarray
    blocking: np.ndarray
    short: np.ndarray
    left: np.ndarray
    central_left: float


def decided(rule, call, by=allocate):
    """The outcome of a call under a rule."""
    n = len(call.project)
    grant, own_share, short = np.empty(n), np.empty(n), np.empty(n)
    cause, blocking = np.empty(n, np.int64), np.empty(n, np.int64)
    left, central = call.purse.copy(), np.array([call.central])
    by(
        rule, call.project, call.funder, call.request, call.score, call.joint, left, call.threshold,
        call.smallest, call.partial, central, call.fill_share, grant, own_share, cause, blocking, short,
    )  # fmt: skip
    return Outcome(grant, own_share, cause, blocking, short, left, float(central[0]))


# The small call


def small_call(rule):
    """The call of `small_call.toml` as `allocate` takes it, and the names of its applications."""
    funders, projects = list(SMALL_CALL["funders"].values()), list(SMALL_CALL["projects"])
    codes = list(SMALL_CALL["funders"])
    names = [(project, code) for project in projects for code in codes if code in SMALL_CALL["projects"][project]]
    offers = np.array([funder["offers"] for funder in funders], np.float64)
    top_up = SMALL_CALL["top_up_share"] if rule == VIRTUAL_COMMON_POT else 0.0
    funder = np.array([codes.index(code) for _, code in names])
    call = Call(
        project=np.array([projects.index(project) for project, _ in names]),
        funder=funder,
        request=np.array([float(funders[f]["grant"]) for f in funder]),
        score=np.array([SMALL_CALL["projects"][project][code] for project, code in names]),
        purse=offers * (1.0 - top_up),
        threshold=np.array([each["threshold"] for each in funders]),
        smallest=np.array([float(each["smallest"]) for each in funders]),
        central=float(top_up * offers.sum()),
        partial=SMALL_CALL["partial_awards"],
        fill_share=SMALL_CALL["fill_share"],
    )
    return call, names, codes


@pytest.mark.parametrize("rule", range(len(FUNDING_RULES)), ids=FUNDING_RULES)
def test_the_small_call_is_decided_as_by_hand(rule):
    worked = SMALL_CALL[FUNDING_RULES[rule]]
    call, names, codes = small_call(rule)
    found = decided(rule, call)
    for a, (project, code) in enumerate(names):
        where = f"{project} in the {code}"
        granted = worked["granted"].get(project, {}).get(code, 0)
        from_others = worked.get("paid_by_others", {}).get(project, {}).get(code, 0)
        cause, blocking, short = worked["refused"].get(project, {}).get(code, ("none", "", 0))
        assert found.grant[a] == pytest.approx(granted, **EUR), where
        assert found.grant[a] * (1.0 - found.own_share[a]) == pytest.approx(from_others, **EUR), where
        assert CAUSES[found.cause[a]] == cause, where
        assert found.blocking[a] == (codes.index(blocking) if blocking else NOBODY), where
        assert found.short[a] == pytest.approx(short, **EUR), where
    assert dict(zip(codes, found.left)) == pytest.approx(worked["left"], **EUR)
    assert found.central_left == pytest.approx(worked.get("left_for_gaps", 0), **EUR)


def test_no_two_rules_fund_the_same_set_of_the_small_call():
    sets = {tuple(decided(rule, small_call(rule)[0]).grant > 0) for rule in range(len(FUNDING_RULES))}
    amounts = {tuple(decided(rule, small_call(rule)[0]).grant) for rule in range(len(FUNDING_RULES))}
    assert len(sets) == len(amounts) == len(FUNDING_RULES)


# Any call. Money is in hundreds of EUR, scores are distinct.


@st.composite
def calls(draw, funders=4):
    """A call of up to 7 projects; as nations have one partner, a funder has one application in a project."""
    n_funders = draw(st.integers(1, funders))
    parties = st.lists(st.integers(0, n_funders - 1), min_size=1, max_size=n_funders, unique=True)
    projects = draw(st.lists(parties, min_size=1, max_size=7))
    pairs = [(p, f) for p, project in enumerate(projects) for f in project]
    hundreds = st.integers(1, 300)
    grant = np.array(draw(st.lists(hundreds, min_size=n_funders, max_size=n_funders)), np.float64) * 100
    part = st.lists(st.integers(0, 100), min_size=n_funders, max_size=n_funders)
    rank = draw(st.permutations(range(len(pairs))))
    call = Call(
        project=np.array([p for p, _ in pairs]),
        funder=np.array([f for _, f in pairs]),
        request=np.array([grant[f] for _, f in pairs]),
        score=np.array([score_at(place) for place in rank]),
        purse=np.array(draw(st.lists(st.integers(0, 900), min_size=n_funders, max_size=n_funders))) * 100.0,
        threshold=np.array(draw(part)) / 100.0 - 0.5,
        smallest=np.floor(grant * np.array(draw(part)) / 100.0),
        central=draw(st.sampled_from([0.0, 5_000.0, 40_000.0])),
        partial=draw(st.booleans()),
        fill_share=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    assume(len(set(call.joint)) == len(call.joint))
    return call


def score_at(place):
    """A score for a place in a list: distinct, and so are most means of two."""
    return ((place * 37 + 11) % 101) / 101.0 - 0.3 + 1e-6 * place * place


every_rule = st.sampled_from(range(len(FUNDING_RULES)))


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(), every_rule)
def test_no_purse_gives_more_than_it_has(call, rule):
    found = decided(rule, call)
    spent = call.purse.sum() + call.central - found.left.sum() - found.central_left
    assert (found.grant >= 0).all() and (found.grant <= call.request + 1e-6).all()
    assert (found.left >= -1e-6).all() and found.central_left >= 0
    assert (found.left <= call.purse + 1e-6).all() and found.central_left <= call.central
    # a gap up to half a cent above the central purse counts as filled
    assert found.grant.sum() == pytest.approx(spent, abs=1e-6 + 0.005 * len(call.joint) * (call.central > 0))
    if rule in (INDEPENDENT, ALL_OR_NONE, VIRTUAL_COMMON_POT):
        own = np.bincount(call.funder, found.grant * found.own_share, minlength=len(call.purse))
        np.testing.assert_allclose(own, call.purse - found.left, atol=1e-6)


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(), every_rule)
def test_every_refusal_has_a_cause_and_no_grant_has_one(call, rule):
    found = decided(rule, call)
    refused = found.grant == 0
    assert (found.cause[refused] != NO_CAUSE).all()
    assert (found.cause[~refused] == NO_CAUSE).all() and (found.blocking[~refused] == NOBODY).all()
    assert (found.short[~refused] == 0).all()
    assert (found.short[found.cause == PURSE_EMPTY] > 0).all()
    for a in np.flatnonzero(refused):
        partners = call.funder[call.project == call.project[a]]
        if rule != COMMON_POT:
            assert found.blocking[a] in partners
        if found.cause[a] == PARTNER_REFUSED:
            assert found.blocking[a] != call.funder[a]


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(), st.sampled_from([ALL_OR_NONE, VIRTUAL_COMMON_POT, COMMON_POT]))
def test_no_project_is_left_half_funded(call, rule):
    granted = decided(rule, call).grant > 0
    for p in range(len(call.joint)):
        assert granted[call.project == p].all() or not granted[call.project == p].any()


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(), every_rule, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_means_nothing(call, rule, random):
    order = list(range(len(call.project)))
    random.shuffle(order)
    rows = {name: getattr(call, name)[order] for name in ("project", "funder", "request", "score")}
    straight, shuffled = decided(rule, call), decided(rule, call._replace(**rows))
    for name in ("cause", "blocking"):
        np.testing.assert_array_equal(getattr(straight, name)[order], getattr(shuffled, name), name)
    for name in ("grant", "own_share", "short"):
        np.testing.assert_allclose(
            getattr(straight, name)[order], getattr(shuffled, name), rtol=1e-9, atol=1e-6, err_msg=name
        )


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(funders=1), st.sampled_from([INDEPENDENT, ALL_OR_NONE, VIRTUAL_COMMON_POT]), st.integers(0, 500))
def test_down_one_list_more_money_never_funds_fewer_eur(call, rule, hundreds):
    more = call._replace(purse=call.purse + 100.0 * hundreds)
    assert decided(rule, more).grant.sum() >= decided(rule, call).grant.sum() - 1e-6


@pytest.mark.slow
@settings(max_examples=300)
@given(calls(), st.integers(0, 500))
def test_one_purse_for_all_more_money_never_funds_fewer_eur(call, hundreds):
    """Same thresholds for all, so that the list stays the same whoever pays the difference in."""
    call = call._replace(threshold=np.full_like(call.threshold, 0.013))
    assume(call.purse.sum() > 0)
    more = call.purse.copy()
    more[0] += 100.0 * hundreds
    after = decided(COMMON_POT, call._replace(purse=more)).grant.sum()
    assert after >= decided(COMMON_POT, call).grant.sum() - 1e-6


@pytest.mark.slow
@settings(max_examples=200)
@given(calls())
def test_negotiation_only_adds(call):
    """It begins where independent decisions end, and nobody loses by it."""
    alone, together = decided(INDEPENDENT, call), decided(NEGOTIATED, call)
    assert (together.grant >= alone.grant).all()
    assert (together.left >= (1.0 - call.fill_share) * alone.left - 1e-6).all()


@pytest.mark.slow
@settings(max_examples=200)
@given(calls())
def test_with_money_for_all_the_first_three_rules_differ_only_by_thresholds(call):
    rich = call._replace(purse=np.full_like(call.purse, 1e9))
    above = rich.score >= rich.threshold[rich.funder]
    complete = np.array([above[rich.project == p].all() for p in rich.project])
    np.testing.assert_array_equal(decided(INDEPENDENT, rich).grant > 0, above)
    np.testing.assert_array_equal(decided(ALL_OR_NONE, rich).grant > 0, complete)


def test_a_call_without_applications_is_decided_too():
    nothing = np.empty(0, np.int64)
    call = Call(nothing, nothing, np.empty(0), np.empty(0), np.array([1e5]), np.zeros(1), np.zeros(1), central=1e4)
    for rule in range(len(FUNDING_RULES)):
        assert decided(rule, call).left.tolist() == [1e5]


def test_two_gaps_in_a_project_are_filled_best_score_first():
    """The order of a project's partners is nobody's merit: 10,000 are left for gaps of 10,000 each."""
    call = Call(
        project=np.array([0, 0, 0]),
        funder=np.array([0, 1, 2]),
        request=np.full(3, 10_000.0),
        score=np.array([0.9, 0.4, 0.6]),
        purse=np.array([20_000.0, 0.0, 0.0]),
        threshold=np.zeros(3),
        smallest=np.full(3, 5_000.0),
    )
    assert decided(NEGOTIATED, call).grant.tolist() == [10_000.0, 0.0, 10_000.0]


def test_no_gap_is_filled_in_a_project_below_the_common_threshold():
    """The first funder asks for little, the second for 0.5; with as much money each, 0.25 is asked of all."""
    call = Call(
        project=np.array([0, 0]),
        funder=np.array([0, 1]),
        request=np.full(2, 10_000.0),
        score=np.array([0.1, 0.3]),
        purse=np.full(2, 100_000.0),
        threshold=np.array([0.0, 0.5]),
        smallest=np.full(2, 5_000.0),
    )
    assert decided(NEGOTIATED, call).grant.tolist() == [10_000.0, 0.0]
    better = call._replace(score=np.array([0.3, 0.3]))
    assert decided(NEGOTIATED, better).grant.tolist() == [10_000.0, 10_000.0]


def test_the_remainder_of_the_common_pot_must_do_for_all_partners():
    """11,999 left for two partners who need at least 6,000 each."""
    call = Call(
        project=np.array([0, 0]),
        funder=np.array([0, 1]),
        request=np.full(2, 10_000.0),
        score=np.array([0.9, 0.8]),
        purse=np.array([11_999.0, 0.0]),
        threshold=np.zeros(2),
        smallest=np.full(2, 6_000.0),
    )
    assert decided(COMMON_POT, call).grant.tolist() == [0.0, 0.0]
    enough = call._replace(purse=np.array([12_000.0, 0.0]))
    assert decided(COMMON_POT, enough).grant.tolist() == [6_000.0, 6_000.0]


def test_each_partner_below_a_threshold_is_told_so():
    """Under all or none, who is refused for its own score is not refused for its partner's."""
    call = Call(
        project=np.array([0, 0, 0]),
        funder=np.array([0, 1, 2]),
        request=np.full(3, 10_000.0),
        score=np.array([-0.1, -0.4, 0.6]),
        purse=np.full(3, 20_000.0),
        threshold=np.zeros(3),
        smallest=np.zeros(3),
    )
    found = decided(ALL_OR_NONE, call)
    assert [CAUSES[cause] for cause in found.cause] == [
        "below_threshold",
        "below_threshold",
        "partner_refused",
    ]
    assert found.blocking.tolist() == [0, 1, 1]
