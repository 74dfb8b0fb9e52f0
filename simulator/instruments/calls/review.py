"""At the end of a project: the review, a phase two or the close, and what clusters keep."""

import numpy as np

from simulator import draws
from simulator.instruments.calls.events import CallEvent, note_in_project
from simulator.instruments.calls.projects import has_left, release_smes
from simulator.instruments.calls.tables import FUNDED
from simulator.jit import inline, kernel
from simulator.records import NEVER, NOBODY
from simulator.rules.learning import is_success, phase_two_grant, review_verdict, share_together
from simulator.rules.matching import gap_closed
from simulator.rules.projects import monthly_activity_eur

_NONE = np.uint64(0)


@kernel
def review_and_close(month, seed, parameters, rules, state):
    """In its last month a project is reviewed where its funders offer a phase two; it goes on, or closes."""
    projects = state.projects
    for project in range(state.used.projects):
        if projects[project].alive == 0 or projects[project].phase == 0 or projects[project].end_month != month + 1:
            continue
        success = is_success(
            float(projects[project].partnerships),
            projects[project].active_smes,
            parameters.milestone_partnerships,
        )
        if projects[project].phase == 1 and _is_offered(project, rules, state):
            u = draws.uniform(draws.key(seed, draws.MILESTONE, 0), projects[project].identity, _NONE)
            passed = review_verdict(success, u, parameters.p_milestone_seen)
            verdict = 1.0 if passed else 0.0
            note_in_project(month, CallEvent.REVIEWED, projects[project].lead, NOBODY, project, verdict, state)
            if passed and _extend(month, project, parameters, rules, state):
                continue
        _close(month, project, success, parameters, state)


@inline
def _is_offered(project, rules, state):
    """Return whether any funder that pays in the project has a phase two for its call."""
    call, first = state.projects[project].call, state.projects[project].first_partner
    for p in range(first, first + state.projects[project].partners):
        if state.partners[p].money == FUNDED and rules.terms[call, state.partners[p].funder].phase_two_share > 0.0:
            return True
    return False


@kernel
def _extend(month, project, parameters, rules, state):
    """Give a phase two to the funded partners still there, as far as their funders' phase-two purses reach.

    Money that comes out of the next call is a debt of the funder. Partners without a grant go on beside them on their
    own money. Return whether at least one with a grant goes on.
    """
    projects, partners, funders, ledger = state.projects, state.partners, state.funders, state.ledger
    call, first = projects[project].call, projects[project].first_partner
    months = float(int(rules.calls[call].phase_two_months))  # a project lasts whole months
    extended = False
    for p in range(first, first + projects[project].partners):
        if partners[p].money != FUNDED or partners[p].start_month == NEVER or has_left(partners, p):
            continue
        f = partners[p].funder
        grant = phase_two_grant(
            partners[p].grant_eur,
            float(int(rules.terms[call, f].project_months)),
            months,
            rules.calls[call].phase_two_grant_factor,
        )
        if grant <= 0.0 or grant > ledger[call, f].phase_two_left:
            continue
        ledger[call, f].phase_two_left -= grant
        ledger[call, f].phase_two_granted += grant
        funders[f].debt += rules.calls[call].phase_two_from_next_call * grant
        partners[p].phase_two_eur = grant
        partners[p].paid_eur_month = grant / months
        partners[p].activity_eur = monthly_activity_eur(
            grant, rules.terms[call, f].cofinance_rate, 0.0, parameters.overhead_eur_month, months
        )
        _go_on(month, p, int(months), state)
        extended = True
        note_in_project(month, CallEvent.EXTENDED, partners[p].cluster, f, project, grant, state)
    if not extended:
        return False
    for p in range(first, first + projects[project].partners):
        if partners[p].money != FUNDED and partners[p].start_month != NEVER and not has_left(partners, p):
            _go_on(month, p, int(months), state)
    projects[project].phase = 2
    projects[project].end_month = month + 1 + int(months)
    return True


@inline
def _go_on(month, p, months, state):
    """One partner works on; if it had ended before the others, its SMEs are busy again."""
    partners, t = state.partners, state.participations
    if partners[p].end_month <= month:
        for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
            if t[row].is_active == 1:
                state.smes[t[row].sme].projects += 1
    partners[p].end_month = month + 1 + months


@kernel
def _close(month, project, success, parameters, state):
    """End a project: hands and SMEs are free, clusters trust one another more, good projects breed new ideas."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    first = projects[project].first_partner
    last = first + projects[project].partners
    projects[project].alive = 0
    note_in_project(month, CallEvent.CLOSED, projects[project].lead, NOBODY, project, 1.0 if success else 0.0, state)
    for p in range(first, last):
        a = partners[p].cluster
        partners[p].dose = 0.0
        if partners[p].start_month == NEVER or has_left(partners, p):
            continue
        if partners[p].end_month > month:  # earlier ends were released in their own month
            release_smes(p, partners, state.participations, state.smes)
        clusters[a].busy -= 1
        clusters[a].experience += 1.0
        if success:
            clusters[a].followon = max(clusters[a].followon, parameters.followon_gain)
    for p in range(first, last):
        for q in range(first, p):
            _trust_each_other(p, q, parameters, state)


@inline
def _trust_each_other(p, q, parameters, state):
    """Two clusters know and trust each other for the time that they worked together, even if one of them left."""
    partners = state.partners
    if partners[p].start_month == NEVER or partners[q].start_month == NEVER:
        return
    a, b = partners[p].cluster, partners[q].cluster
    share = share_together(
        partners[p].start_month, partners[p].end_month, partners[q].start_month, partners[q].end_month
    )
    trust = gap_closed(state.trust[a, b], parameters.cluster_trust_gain * share)
    known = gap_closed(state.familiarity[a, b], share)
    state.trust[a, b], state.trust[b, a] = trust, trust
    state.familiarity[a, b], state.familiarity[b, a] = known, known
