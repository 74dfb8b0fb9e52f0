"""What holds in every run under all shipped scenarios: money, causes before effects, books that balance."""

from dataclasses import replace

import numpy as np
import pytest

import scenarios
from simulator.instruments.calls.tables import FUNDED, NO_FUNDER, NOT_APPLIED, NOT_STARTED, REFUSED
from simulator.records import NEVER, NOBODY
from tests.small_worlds import KIND, events_of, log_of, own_events_of, shipped, simulate

SEEDS = (1, 2)
EUR = 0.02  # rounding over a call

# Worlds at the edges of what can be asked for: everything at once, and hardly anything.
LIVELY = {
    "h_contact": 0.5, "h_rni": 0.2, "h_contract": 0.2, "smes_per_partner": 20.0, "hazard_leave": 0.05,
    "p_go_alone": 0.5, "lag_spread_months": 12.0, "displacement": 1.0, "top_down_share": 0.5,
}  # fmt: skip
QUIET = {
    "active_share": 0.01, "p_apply": 0.3, "p_nonstart": 0.9, "waiting_loss": 0.9, "p_leave_unfunded": 1.0,
    "unfunded_effort": 0.0,
}  # fmt: skip
RUNS = [(name, {}, seed) for name in scenarios.names() for seed in SEEDS]
RUNS += [(name, draw, 1) for name in scenarios.names() for draw in (LIVELY, QUIET)]
IDS = [f"{name}-{'lively' if draw is LIVELY else 'quiet' if draw is QUIET else seed}" for name, draw, seed in RUNS]
# The inner loop takes a run of each scenario; `make test` takes them all.
MARKS = [() if seed == 1 and not draw else pytest.mark.slow for _, draw, seed in RUNS]


class Run:
    """One finished run and its tables, rows in use only."""

    def __init__(self, name, draw, seed):
        self.resolved = shipped(name, **draw)
        self.seed, self.rules = seed, self.resolved.rules
        self.state = state = simulate(self.resolved, seed)
        self.projects = state.rows("projects")
        self.partners = state.rows("partners")
        self.participations = state.rows("participations")
        self.ties = state.rows("ties")
        self.call = self.projects.call[self.partners.project]
        self.nation = state.clusters.nation[self.partners.cluster]
        self.log = log_of(state)

    def nation_of_sme(self, rows):
        return self.state.clusters.nation[self.state.smes.cluster[rows]]


@pytest.fixture(
    scope="module", params=[pytest.param(run, marks=mark) for run, mark in zip(RUNS, MARKS, strict=True)], ids=IDS
)
def done(request):
    return Run(*request.param)


@pytest.mark.slow
def test_something_happens(done):
    is_held = done.rules.calls.held.max() == 1
    assert (len(done.projects) > 20) == is_held
    assert len(done.log) > 1000


# Money


@pytest.mark.slow
def test_no_funder_pays_more_than_it_offers(done):
    ledger = done.state.ledger
    assert (ledger.outlay <= ledger.offered + EUR).all()
    assert (ledger.outlay >= -EUR).all()
    assert (ledger.granted.sum(axis=1) <= ledger.offered.sum(axis=1) + EUR).all()
    np.testing.assert_allclose(ledger.granted.sum(axis=1), ledger.outlay.sum(axis=1), atol=EUR)


def test_the_ledger_is_the_sum_of_its_grants(done):
    ledger, partners = done.state.ledger, done.partners
    asked = np.isin(partners.money, (FUNDED, REFUSED, NOT_STARTED))
    given = np.isin(partners.money, (FUNDED, NOT_STARTED))
    for name, column, rows in (
        ("applications", np.ones(len(partners)), asked),
        ("approvals", np.ones(len(partners)), given),
        ("granted", partners.grant_eur, given),
        ("taken_up", partners.grant_eur, partners.money == FUNDED),
        ("phase_two_granted", partners.phase_two_eur, given),
    ):
        total = np.zeros(ledger.shape)
        np.add.at(total, (done.call[rows], partners.funder[rows]), column[rows])
        np.testing.assert_allclose(ledger[name], total, atol=EUR, err_msg=name)


def test_money_is_spent_only_once_it_is_granted_and_taken_up(done):
    ledger = done.state.ledger
    assert (ledger.taken_up <= ledger.granted + EUR).all()
    assert (ledger.spent <= ledger.taken_up + ledger.phase_two_granted + EUR).all()
    assert (ledger.phase_two_left >= -EUR).all()
    np.testing.assert_allclose(done.state.spent_by_month.sum(axis=0), ledger.spent.sum(axis=0), atol=EUR)


@pytest.mark.slow
def test_a_partner_is_paid_from_its_start_to_its_end_and_no_more_than_it_was_granted(done):
    """Month by month, what all partners of a country are due is what its funder pays."""
    partners, months = done.partners, len(done.state.spent_by_month)
    works = (partners.start_month != NEVER) & (partners.money == FUNDED)
    due = np.zeros(done.state.spent_by_month.shape)
    left = {(int(row.who), int(row.project)): int(row.month) for row in events_of(done.state, "partner_left")}
    second = {(int(row.who), int(row.project)): int(row.month) for row in events_of(done.state, "extended")}
    for p in np.flatnonzero(works):
        partner = partners[p]
        who = (int(partner.cluster), int(partner.project))
        first = int(done.rules.terms.project_months[done.call[p], partner.funder])
        end = int(partner.start_month) + first
        gone = left.get(who, months)  # paid for the month in which it left
        for month in range(partner.start_month, min(end, gone + 1, months)):
            due[month, partner.funder] += partner.grant_eur / first
        if partner.phase_two_eur > 0:
            start, length = second[who] + 1, int(done.rules.calls.phase_two_months[done.call[p]])
            for month in range(start, min(start + length, gone + 1, months)):
                due[month, partner.funder] += partner.phase_two_eur / length
    np.testing.assert_allclose(done.state.spent_by_month, due, atol=EUR)


def test_a_grant_has_no_cause_of_refusal_and_a_refusal_has_one(done):
    partners = done.partners
    refused = partners.money == REFUSED
    assert (partners.cause[refused] != 0).all() and (partners.cause[~refused] == 0).all()
    assert ((partners.grant_eur > 0) == np.isin(partners.money, (FUNDED, NOT_STARTED))).all()
    assert (partners.grant_eur <= partners.request_eur + EUR).all()
    assert ((partners.funder == NOBODY) == (partners.money == NO_FUNDER)).all()
    assert (partners.request_eur[np.isin(partners.money, (NO_FUNDER, NOT_APPLIED))] == 0).all()


# Consortia


def test_every_project_has_partners_of_at_least_two_nations_and_one_of_each(done):
    for project in done.projects:
        nations = done.nation[project.first_partner : project.first_partner + project.partners].tolist()
        assert 2 <= len(nations) == len(set(nations))


def test_partners_are_contiguous_and_the_lead_comes_first(done):
    ends = done.projects.first_partner + done.projects.partners
    assert done.projects.first_partner.tolist() == [0, *ends[:-1].tolist()][: len(ends)]
    assert (done.partners.project == np.repeat(np.arange(len(done.projects)), done.projects.partners)).all()
    assert (done.partners.cluster[done.projects.first_partner] == done.projects.lead).all()


@pytest.mark.slow
def test_participations_of_a_partner_are_contiguous_and_its_own_members(done):
    t, partners = done.participations, done.partners
    engaged = np.flatnonzero(partners.engaged > 0)
    covered = np.concatenate(
        [np.arange(p.first_participation, p.first_participation + p.engaged) for p in partners[engaged]]
        or [np.empty(0, int)]
    )
    assert sorted(covered.tolist()) == list(range(len(t)))
    by_partner = [t.partner[p.first_participation : p.first_participation + p.engaged] for p in partners]
    assert all((rows == number).all() for number, rows in enumerate(by_partner))
    assert (done.state.smes.cluster[t.sme] == partners.cluster[t.partner]).all()
    assert len({*zip(t.sme.tolist(), t.partner.tolist())}) == len(t)  # nobody is engaged twice by one partner
    np.testing.assert_array_equal(np.bincount(t.partner, t.is_active, len(partners)), partners.active)


# Causes before effects


def months_of(done, kind):
    """The months of a kind of event by (who, project)."""
    rows = events_of(done.state, kind)
    return {(int(row.who), int(row.project)): int(row.month) for row in rows}


def test_the_log_runs_forward(done):
    assert (np.diff(done.log.month) >= 0).all()
    assert done.log.month.min() >= 0 and done.log.month.max() < done.resolved.months


def test_application_comes_after_proposal_and_decision_after_close(done):
    partners, close = done.partners, done.rules.calls.close_month[done.call]
    assert (done.projects.idea_month[partners.project] <= close).all()
    assert (done.projects.idea_month >= done.rules.calls.open_month[done.projects.call]).all()
    proposed = {int(row.project): int(row.month) for row in events_of(done.state, "proposal")}
    for row in events_of(done.state, "applied"):
        call = done.projects.call[row.project]
        assert proposed[int(row.project)] <= row.month == done.rules.calls.close_month[call]
    asked = np.isin(partners.money, (FUNDED, REFUSED, NOT_STARTED))
    assert (partners.decision_month[asked] > close[asked]).all()
    assert (partners.decision_month[~asked] == NEVER).all()


def test_a_start_comes_after_the_decision_and_an_end_after_the_start(done):
    partners = done.partners
    starts = partners.start_month != NEVER
    assert (partners.start_month[starts] >= partners.decision_month[starts]).all()
    assert (partners.start_month[starts] > done.rules.calls.close_month[done.call[starts]]).all()
    left = partners.leave_hazard >= partners.leave_threshold
    assert (partners.end_month[starts & ~left] > partners.start_month[starts & ~left]).all()
    assert (partners.end_month[starts] >= partners.start_month[starts]).all()
    assert (partners.end_month[~starts] == NEVER).all() and (partners.engaged[~starts] == 0).all()
    assert not np.isin(partners.money[starts], (NOT_STARTED,)).any()
    np.testing.assert_array_equal(partners.start_month[starts] < done.resolved.months, partners.engaged[starts] > 0)


def test_every_outcome_in_a_project_comes_after_the_start_of_both_partners(done):
    t, starts = done.participations, done.partners.start_month[done.participations.partner]
    ends = done.partners.end_month[t.partner]
    for name in ("knowledge_month", "contact_month"):
        months = t[name]
        happened = months != NEVER
        assert (months[happened] >= starts[happened]).all() and (months[happened] < ends[happened]).all(), name
        assert (t.is_active[happened] == 1).all(), name
    for name in ("partnership_month", "rni_month", "contract_month"):
        months = t[name]
        happened = months != NEVER
        assert (t.contact_month[happened] != NEVER).all(), name
        assert (months[happened] >= t.contact_month[happened]).all(), name


@pytest.mark.slow
def test_no_outcome_between_smes_without_a_contact_and_a_tie_across_borders(done):
    ties = {(int(tie.one), int(tie.other)) for tie in done.ties}
    assert len(ties) == len(done.ties)
    assert (done.ties.one < done.ties.other).all()
    assert (done.nation_of_sme(done.ties.one) != done.nation_of_sme(done.ties.other)).all()
    met = {}
    of_ties = [KIND[kind] for kind in ("contact", "partnership", "rni_collaboration", "contract")]
    for row in done.log[np.isin(done.log.kind, of_ties)]:
        pair = (int(row.who), int(row.whom))
        assert pair in ties
        if row.kind == KIND["contact"]:
            met.setdefault(pair, int(row.month))
        else:
            assert met[pair] <= row.month
    assert set(met) == ties


@pytest.mark.slow
def test_a_contact_is_between_two_at_work_in_the_same_project(done):
    t, partners = done.participations, done.partners
    place = {(int(row.sme), int(partners.project[row.partner])): n for n, row in enumerate(t)}
    for row in events_of(done.state, "contact"):
        one, other = place[int(row.who), int(row.project)], place[int(row.whom), int(row.project)]
        assert t.is_active[one] == t.is_active[other] == 1
        for p in (t.partner[one], t.partner[other]):
            assert partners.start_month[p] <= row.month < partners.end_month[p]


def test_a_project_ends_once(done):
    over = [*months_of(done, "closed"), *months_of(done, "given_up")]
    assert len({project for _, project in over}) == len(over) == len(done.projects)
    assert (done.projects.alive == 0).all()


def test_a_project_is_extended_only_after_a_review_that_it_passed(done):
    reviews = {int(row.project): (int(row.month), row.amount) for row in events_of(done.state, "reviewed")}
    for row in events_of(done.state, "extended"):
        month, passed = reviews[int(row.project)]
        assert month == row.month and passed == 1.0
    assert len(reviews) == len(events_of(done.state, "reviewed"))


# Levels and books


def test_levels_stay_between_none_and_full(done):
    state = done.state
    for level in (
        done.ties.trust,
        state.trust,
        state.familiarity,
        state.smes.readiness,
        state.funders.belief,
    ):
        assert (level >= 0).all() and (level <= 1).all()
    assert (done.ties.trust < 1).all() or done.resolved.parameters.h_contact == 0.5
    assert (state.trust == state.trust.T).all() and (state.familiarity == state.familiarity.T).all()
    assert (done.partners.lost_waiting >= 0).all()
    assert (done.projects.effect > 0).all() and (done.ties.distance > 0).all()


def test_when_nothing_is_alive_all_hands_are_free(done):
    assert (done.projects.alive == 0).all()
    assert (done.state.clusters.busy == 0).all()
    assert (done.state.smes.projects == 0).all()


@pytest.mark.slow
def test_own_paths_are_told_need_by_need(done):
    """Each need is reached, met in the programme or lost to a rival, in order and none too early."""
    state, touched = done.state, done.state.used.paths
    paths, own = state.paths[:touched], state.own[:touched]
    assert sorted(paths.sme) == np.flatnonzero(state.smes.path != NOBODY).tolist()
    for outcome, name in enumerate(("knowledge", "partnership", "rni_collaboration", "contract")):
        ways = [KIND[f"met_{name}"]] + [KIND["displaced"]] * (name == "contract")
        reached = own_events_of(done.resolved, state, f"own_{name}", done.seed)
        passed = np.concatenate([reached, done.log[np.isin(done.log.kind, ways)]]).view(np.recarray)
        passed = passed[np.argsort(passed.month, kind="stable")]
        number = np.bincount(passed.who, minlength=len(state.smes))
        np.testing.assert_array_equal(number[paths.sme], own.number[:, outcome])
        assert (np.floor(passed.amount) >= passed.month).all()
        assert (np.floor(reached.amount) == reached.month).all()
        in_turn = np.lexsort((passed.amount, passed.who))
        month, same = passed.month[in_turn], np.diff(passed.who[in_turn]) == 0
        assert (np.diff(month)[same] >= 0).all()
        assert (np.diff(passed.amount[in_turn])[same] > 0).all()
        assert (own.month[:, outcome] >= done.resolved.months).all()  # nothing due is left behind


def test_an_outcome_meets_at_most_one_need_of_each_sme_or_displaces_one_rival(done):
    counted = {name: len(events_of(done.state, name)) for name in KIND}
    assert counted["met_knowledge"] <= counted["knowledge"]
    for name in ("partnership", "rni_collaboration", "contract"):
        assert counted[f"met_{name}"] <= 2 * counted[name]
    assert counted["met_contract"] + counted["displaced"] <= 2 * counted["contract"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["baseline", "all_or_none", "clusters_package", "projects_36", "phase_two_new_money"])
def test_in_every_month_hands_are_counted_right(name):
    """At a month's end a cluster is busy with its open proposals and projects, an SME with those at work."""
    resolved = shipped(name, **LIVELY)
    for month in range(3, 110, 7):
        state = simulate(replace(resolved), 4, last=month)
        partners = state.rows("partners")
        alive = state.projects.alive[partners.project] == 1
        gone = partners.leave_hazard >= partners.leave_threshold
        out = (partners.start_month == NEVER) & (state.projects.decided_month[partners.project] < month)
        out &= state.projects.decided_month[partners.project] != NEVER
        busy = np.bincount(partners.cluster[alive & ~gone & ~out], minlength=len(state.clusters))
        # who stays out of a project that is over already is freed when the last decision arrives
        waits = ~alive & (partners.start_month == NEVER) & (state.projects.decided_month[partners.project] >= month)
        busy += np.bincount(partners.cluster[waits], minlength=len(state.clusters))
        np.testing.assert_array_equal(state.clusters.busy, busy)
        t = state.rows("participations")
        p = partners[t.partner]
        at_work = (t.is_active == 1) & alive[t.partner] & (p.start_month < month) & (p.end_month >= month)
        at_work &= ~gone[t.partner]
        np.testing.assert_array_equal(state.smes.projects, np.bincount(t.sme[at_work], minlength=len(state.smes)))
