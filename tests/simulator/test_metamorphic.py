"""What a user expects of two runs: changes that must change nothing, and changes with one possible sign."""

import numpy as np
import pytest

import scenarios
from simulator.instruments.calls.tables import FUNDED
from simulator.records import NEVER
from tests.small_worlds import KIND, columns, differing, events_of, log_of, never_held, shipped, simulate

SEEDS = (1, 2, 3)

# Columns that hold EUR; the log holds EUR in `amount` for some kinds of event.
EUR = {
    "ledger.offered", "ledger.granted", "ledger.outlay", "ledger.taken_up", "ledger.spent",
    "ledger.phase_two_left", "ledger.phase_two_granted", "spent_by_month", "partners.request_eur",
    "partners.grant_eur", "partners.short_eur", "partners.paid_eur_month", "partners.activity_eur",
    "partners.phase_two_eur", "log.amount", "funders.carried", "funders.debt",
}  # fmt: skip


def first_call(**draw):
    """The shipped world with its first call only."""
    return scenarios.load("baseline").resolve(draw, last_call=2013)


def in_use(state):
    """Partners, participations and ties of a run."""
    return (
        state.rows("partners"),
        state.rows("participations"),
        state.rows("ties"),
    )


def no_later(month, than):
    """True where something happens here no later than there (NEVER is last)."""
    last = 10**6
    return np.where(month == NEVER, last, month) <= np.where(than == NEVER, last, than)


# Changes that change nothing


def test_euros_are_only_a_unit(scenario_file):
    """All prices and budgets doubled: the same world to the bit, with every amount doubled."""
    in_eur = ["setup_cost_eur", "overhead_eur_month", "half_saturation_eur", "grant_midpoint_eur"]
    in_eur += ["grant_response_eur", "grant_reference_eur"]
    draw = {name: 2.0 * scenarios.register()[name].value for name in in_eur}
    for rule in ("independent", "all_or_none", "common_pot"):
        held = f'funding_rule = "{rule}"\nphase_two_share = 0.3\nphase_two_from_next_call = 0.5\n'
        held += "carry_over_share = 0.5\n"
        one = scenario_file(f"[from.2013]\n{held}").resolve()
        two = scenario_file(f"[from.2013]\n{held}grant_factor = 2\nbudget_factor = 2\n").resolve(draw)
        before, after = simulate(one), simulate(two)
        assert set(differing(before, after)) == EUR
        for name in EUR - {"log.amount"}:
            assert np.array_equal(2.0 * columns(before)[name], columns(after)[name]), name


def test_a_length_beyond_the_horizon_is_the_horizon(scenario_file):
    """Twice the length with twice the money, both ending after the last month: nobody can tell."""
    same = {
        "setup_cost_eur": 0.0, "overhead_eur_month": 0.0, "recruit_grant_elasticity": 0.0,
        "grant_midpoint_eur": 0.0, "grant_response_eur": 100.0,
    }  # fmt: skip
    long = scenario_file("[from.2013]\nproject_months = 120\n").resolve(same, last_call=2016)
    longer = scenario_file("[from.2013]\nproject_months = 240\ngrant_factor = 2\nbudget_factor = 2\n")
    longer = longer.resolve(same, last_call=2016)
    for seed in SEEDS:
        before, after = simulate(long, seed), simulate(longer, seed)
        assert before.used.projects > 50 and len(events_of(before, "contract")) > 10
        promised = {
            "ledger.offered",
            "ledger.granted",
            "ledger.outlay",
            "ledger.taken_up",
            "partners.request_eur",
        }
        promised |= {"partners.grant_eur", "partners.short_eur", "log.amount"}
        assert set(differing(before, after)) <= promised | {"partners.end_month", "projects.end_month"}


def test_what_smes_do_on_their_own_changes_nothing_in_the_programme():
    """Own paths decide what is additional, never what happens in projects."""
    other = {
        "own_h_knowledge": 0.02, "own_h_contract": 0.0, "displacement": 0.4, "own_need_overlap": 0.9,
        "own_effort_substitution": 0.5, "own_readiness_slope": 1.0,
    }  # fmt: skip
    for seed in SEEDS:
        logs = [log_of(simulate(resolved, seed)) for resolved in (shipped(), shipped("baseline", **other))]
        of_own_paths = [number for kind, number in KIND.items() if kind.startswith(("met_", "displaced"))]
        mine, theirs = (log[(log.project >= 0) & ~np.isin(log.kind, of_own_paths)] for log in logs)
        assert mine.tobytes() == theirs.tobytes() and len(mine) > 1000


def test_to_stay_away_is_to_have_no_money(scenario_file):
    """A funder that takes no part and one that offers nothing are the same."""
    away = scenario_file("[from.2016.funders.NO]\ntakes_part = false\n").resolve()
    broke = scenario_file("[from.2016.funders.NO]\nbudget_eur = 0\n").resolve()
    assert differing(simulate(away), simulate(broke)) == []


def test_without_ideas_there_is_no_programme():
    """If nobody proposes anything, every SME goes the way that it goes without the programme, to the bit."""
    with_calls, without = shipped("baseline", idea_rate=0.0), never_held(shipped("baseline"))
    for seed in SEEDS:
        programme, twin = simulate(with_calls, seed), simulate(without, seed)
        assert programme.used.projects == twin.used.projects == 0
        assert set(differing(programme, twin)) & {"paths.sme", "calendar.month", "smes.path", "smes.readiness"} == set()
        assert len(events_of(programme, "meeting")) > 100 and len(events_of(twin, "meeting")) == 0


# Changes that take something away altogether


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw, absent, present",
    [
        (
            {"h_contact": 0.0},
            ["contact", "partnership", "rni_collaboration", "contract", "displaced"],
            "knowledge",
        ),
        ({"h_knowledge": 0.0}, ["knowledge"], "contact"),
        ({"h_rni": 0.0}, ["rni_collaboration"], "contract"),
        ({"h_contract": 0.0}, ["contract", "displaced"], "rni_collaboration"),
        ({"displacement": 0.0}, ["displaced"], "contract"),
        (
            {"p_apply": 0.0, "p_go_alone": 0.0},
            ["applied", "granted", "refused", "started", "contact"],
            "given_up",
        ),
        ({"p_apply": 0.0, "p_go_alone": 1.0}, ["applied", "granted", "refused", "given_up"], "went_alone"),
        (
            {"p_nonstart": 1.0, "p_go_alone": 0.0},
            ["started", "knowledge", "contact", "contract"],
            "not_started",
        ),
        ({"p_nonstart": 0.0}, ["not_started"], "started"),
        ({"hazard_leave": 0.0}, ["partner_left"], "closed"),
        ({"acceptance": 0.0, "acceptance_no_funder": 0.0}, ["proposal", "started"], "meeting"),
        (
            {"own_h_contract": 0.0, "own_need_overlap": 0.0},
            ["own_contract", "met_contract", "displaced"],
            "contract",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_has_no_cause_does_not_happen(draw, absent, present):
    for seed in SEEDS:
        state = simulate(shipped("baseline", **draw), seed)
        assert [kind for kind in absent if len(events_of(state, kind))] == []
        assert len(events_of(state, present)) > 0
        assert state.used.ties == len({*zip(events_of(state, "contact").who, events_of(state, "contact").whom)})


def test_without_an_event_nobody_meets_and_nobody_came(scenario_file):
    state = simulate(scenario_file("[from.2013]\nevent_size_factor = 0\n").resolve())
    assert len(events_of(state, "meeting")) == 0 and (state.clusters.attended_call == -1).all()
    assert state.used.projects > 0


def test_grants_that_are_never_taken_up_are_never_paid():
    state = simulate(shipped("baseline", p_nonstart=1.0))
    assert state.ledger.granted.sum() > 0
    assert state.ledger.taken_up.sum() == state.ledger.spent.sum() == state.spent_by_month.sum() == 0


def test_if_waiting_costs_all_interest_only_the_minimum_is_left():
    """Everybody was asked before the decision and nobody waits: each grant keeps the 3 SMEs it must have."""
    for seed in SEEDS:
        state = simulate(shipped("baseline", waiting_loss=1.0, recruited_before_share=1.0), seed)
        partners, _, _ = in_use(state)
        at_work = (partners.start_month != NEVER) & (partners.engaged > 0)
        funded = partners.money == FUNDED
        assert (partners.engaged[at_work & funded] == 3).all() and (at_work & funded).sum() > 50
        assert (partners.engaged[at_work & ~funded] == 1).all()
        assert partners.lost_waiting.sum() > 0


# Changes with one possible sign; in the first call, before anything can feed back


def test_twice_the_budget_never_lowers_a_grant_where_no_threshold_binds(scenario_file):
    """Each funder decides alone and finds nearly all good enough: more money is less for nobody."""
    passing = {name: 1.0 for name in ("p_fund_DK", "p_fund_NO", "p_fund_SE", "p_fund_other")}
    once = first_call(**passing)
    twice = scenario_file("[from.2013]\nbudget_factor = 2\n").resolve(passing, last_call=2013)
    rises = 0
    for seed in range(1, 11):
        (before, _, _), (after, _, _) = (in_use(simulate(resolved, seed)) for resolved in (once, twice))
        np.testing.assert_array_equal(before.cluster, after.cluster)
        assert (after.grant_eur >= before.grant_eur).all()
        rises += (after.grant_eur > before.grant_eur).sum()
    assert rises > 0


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("h_knowledge", 0.05, 0.1),
        ("fatigue", 0.08, 0.0),
        ("setup_months", 4.0, 1.0),
        ("overhead_eur_month", 1500.0, 100.0),
        ("half_saturation_eur", 1000.0, 100.0),
        ("rivalry", 1.0, 0.3),
    ],
)
def test_more_of_a_good_thing_comes_no_later(name, low, high):
    """The same SMEs with the same luck: more hazard or service or less fatigue, and nobody learns later."""
    sooner = 0
    for seed in SEEDS:
        (_, before, _), (_, after, _) = (in_use(simulate(first_call(**{name: value}), seed)) for value in (low, high))
        np.testing.assert_array_equal(before.sme, after.sme)
        assert no_later(after.knowledge_month, before.knowledge_month).all()
        sooner += (~no_later(before.knowledge_month, after.knowledge_month)).sum()
    assert sooner > 0


def test_an_sme_that_looks_around_twice_as_hard_meets_no_fewer():
    """By its own doing; whether it is met by others depends on whom they have met before."""
    for seed in SEEDS:
        (_, before, _), (_, after, _) = (in_use(simulate(first_call(h_contact=value), seed)) for value in (0.05, 0.1))
        assert (after.contacts >= before.contacts).all() and after.contacts.sum() > before.contacts.sum()


@pytest.mark.parametrize("name, kind", [("h_rni", "rni_collaboration"), ("h_contract", "contract")])
def test_twice_the_hazard_brings_every_tie_its_first_outcome_no_later(name, kind):
    for seed in SEEDS:
        first = []
        for value in (0.02, 0.04):
            happened = events_of(simulate(first_call(**{name: value}), seed), kind)
            first.append({})
            for row in happened:
                first[-1].setdefault((int(row.who), int(row.whom)), int(row.month))
        before, after = first
        assert all(after[pair] <= month for pair, month in before.items())
        assert sum(after.values()) > 0 and after != before


def test_a_stricter_word_for_partnership_only_loses_partnerships():
    """A word changes nothing else: the same ties, fewer of them called partnerships, and none earlier."""
    for seed in SEEDS:
        (_, _, loose), (_, _, strict) = (
            in_use(simulate(first_call(partnership_trust=value), seed)) for value in (0.2, 0.4)
        )
        np.testing.assert_array_equal(loose.trust, strict.trust)
        assert no_later(loose.partnership_month, strict.partnership_month).all()
        assert (loose.partnership_month != NEVER).sum() > (strict.partnership_month != NEVER).sum() > 0


def test_who_leaves_sooner_is_paid_less():
    for seed in SEEDS:
        stays, leaves = (simulate(first_call(hazard_leave=value), seed) for value in (0.002, 0.05))
        np.testing.assert_array_equal(stays.ledger.taken_up, leaves.ledger.taken_up)
        assert (leaves.ledger.spent <= stays.ledger.spent + 0.01).all()
        assert leaves.ledger.spent.sum() < stays.ledger.spent.sum()


def test_a_later_common_date_starts_everybody_later_and_nobody_else():
    """Two committed dates, three months apart: each start moves by three months, and luck stays."""
    same = {"waiting_loss": 0.0}
    runs = {}
    for months in (3, 6):
        resolved = scenarios.load("fast_and_synchronised").resolve(same, last_call=2016)
        resolved.rules.calls.committed_months[:] = months
        resolved.rules.calls.decision_dates[:] = 2
        resolved.rules.calls.held[:-1] = 0  # one call only
        runs[months] = in_use(simulate(resolved, 1))
    (early, _, _), (late, _, _) = runs[3], runs[6]
    np.testing.assert_array_equal(early.grant_eur, late.grant_eur)
    starts = early.start_month != NEVER
    assert starts.sum() > 20
    np.testing.assert_array_equal(early.start_month[starts] + 3, late.start_month[starts])
    for column in ("knowledge_month", "contact_month"):
        before, after = runs[3][1][column], runs[6][1][column]
        np.testing.assert_array_equal(np.where(before == NEVER, NEVER, before + 3), after)


def test_kinds_of_events_have_the_names_that_are_told():
    """The names stand in this file as words; a renamed event would pass unseen."""
    assert {"contact", "partnership", "rni_collaboration", "contract", "displaced", "given_up"} <= set(KIND)
