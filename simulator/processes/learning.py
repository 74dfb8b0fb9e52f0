"""At the end of a project: the review, a phase two or the close, and what clusters keep."""

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.processes.calendar import note
from simulator.processes.projects import has_left, release_smes
from simulator.rules.learning import is_success, phase_two_grant, review_verdict
from simulator.rules.matching import gap_closed
from simulator.rules.projects import monthly_activity_eur
from simulator.state import (
    E_CLOSED,
    E_EXTENDED,
    E_REVIEWED,
    FUNDED,
    N_PROJECTS,
    NEVER,
    NOBODY,
)

_NONE = np.uint64(0)


@jit
def review_and_close(month, seed, parameters, rules, state):
    """In its last month a project is reviewed where its funders offer a phase two; it goes on, or closes."""
    projects = state.projects
    for project in range(state.count[N_PROJECTS]):
        if projects.alive[project] == 0 or projects.phase[project] == 0 or projects.end_month[project] != month + 1:
            continue
        success = is_success(
            float(projects.partnerships[project]),
            projects.active_smes[project],
            parameters.milestone_partnerships,
        )
        if projects.phase[project] == 1 and _is_offered(project, rules, state):
            u = draws.uniform(draws.key(seed, draws.MILESTONE, 0), projects.identity[project], _NONE)
            passed = review_verdict(success, u, parameters.p_milestone_seen)
            note(state.count, state.log, month, E_REVIEWED, projects.lead[project], NOBODY, project,
                 1.0 if passed else 0.0)  # fmt: skip
            if passed and _extend(month, project, parameters, rules, state):
                continue
        _close(month, project, success, parameters, state)


@rule
def _is_offered(project, rules, state):
    """Whether any funder that pays in the project has a phase two for its call."""
    call, first = state.projects.call[project], state.projects.first_partner[project]
    for p in range(first, first + state.projects.partners[project]):
        if state.partners.money[p] == FUNDED and rules.terms.phase_two_share[call, state.partners.funder[p]] > 0.0:
            return True
    return False


@jit
def _extend(month, project, parameters, rules, state):
    """Phase two for the funded partners still there, as far as their funders' phase-two purses reach.

    Money that comes out of the next call is a debt of the funder. True if at least one goes on;
    partners without a grant go on beside them on their own money.
    """
    projects, partners, funders, ledger = state.projects, state.partners, state.funders, state.ledger
    call, first = projects.call[project], projects.first_partner[project]
    months = rules.calls.phase_two_months[call]
    extended = False
    for p in range(first, first + projects.partners[project]):
        if partners.money[p] != FUNDED or partners.start_month[p] == NEVER or has_left(partners, p):
            continue
        f = partners.funder[p]
        grant = phase_two_grant(
            partners.grant_eur[p], rules.terms.project_months[call, f], months, rules.calls.phase_two_grant_factor[call]
        )
        if grant <= 0.0 or grant > ledger.phase_two_left[call, f]:
            continue
        ledger.phase_two_left[call, f] -= grant
        ledger.phase_two_granted[call, f] += grant
        funders.debt[f] += rules.calls.phase_two_from_next_call[call] * grant
        partners.phase_two_eur[p] = grant
        partners.paid_eur_month[p] = grant / months
        partners.activity_eur[p] = monthly_activity_eur(
            grant, rules.terms.cofinance_rate[call, f], 0.0, parameters.overhead_eur_month, months
        )
        _go_on(month, p, int(months), state)
        extended = True
        note(state.count, state.log, month, E_EXTENDED, partners.cluster[p], f, project, grant)
    if not extended:
        return False
    for p in range(first, first + projects.partners[project]):
        if partners.money[p] != FUNDED and partners.start_month[p] != NEVER and not has_left(partners, p):
            _go_on(month, p, int(months), state)
    projects.phase[project] = 2
    projects.end_month[project] = month + 1 + int(months)
    return True


@rule
def _go_on(month, p, months, state):
    """One partner works on; if it had ended before the others, its SMEs are busy again."""
    partners, t = state.partners, state.participations
    if partners.end_month[p] <= month:
        for row in range(partners.first_participation[p], partners.first_participation[p] + partners.engaged[p]):
            if t.is_active[row] == 1:
                state.smes.projects[t.sme[row]] += 1
    partners.end_month[p] = month + 1 + months


@jit
def _close(month, project, success, parameters, state):
    """The end: hands and SMEs are free, clusters trust one another more, good projects breed new ideas."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    first = projects.first_partner[project]
    last = first + projects.partners[project]
    projects.alive[project] = 0
    note(state.count, state.log, month, E_CLOSED, projects.lead[project], NOBODY, project, 1.0 if success else 0.0)
    for p in range(first, last):
        a = partners.cluster[p]
        partners.dose[p] = 0.0
        if partners.start_month[p] == NEVER or has_left(partners, p):
            continue
        if partners.end_month[p] > month:  # earlier ends were released in their own month
            release_smes(p, partners, state.participations, state.smes)
        clusters.busy[a] -= 1
        clusters.experience[a] += 1.0
        if success:
            clusters.followon[a] = max(clusters.followon[a], parameters.followon_gain)
        for q in range(first, p):
            b = partners.cluster[q]
            if partners.start_month[q] == NEVER:
                continue
            share = _share_together(partners, p, q)
            trust = gap_closed(state.trust[a, b], parameters.cluster_trust_gain * share)
            known = gap_closed(state.familiarity[a, b], share)
            state.trust[a, b], state.trust[b, a] = trust, trust
            state.familiarity[a, b], state.familiarity[b, a] = known, known


@rule
def _share_together(partners, p, q):
    """Share (0-1) of the longer of two partners' time during which both were running."""
    start, end = max(partners.start_month[p], partners.start_month[q]), min(partners.end_month[p], partners.end_month[q])
    longer = max(
        partners.end_month[p] - partners.start_month[p], partners.end_month[q] - partners.start_month[q]
    )
    return max(0, end - start) / longer if longer > 0 else 0.0
