"""Projects at work: starts, recruitment, monthly activities, partners that leave."""

import numpy as np

from simulator import draws
from simulator.instruments.calls.events import CallEvent, note_in_project
from simulator.instruments.calls.tables import FUNDED, NO_FUNDER, NOT_APPLIED, PARTICIPATION
from simulator.jit import inline, kernel, paste
from simulator.ordering import bar_for
from simulator.records import NEVER, NOBODY
from simulator.rules.projects import (
    effort_left,
    excellence_factor,
    interest_left,
    kind_factor,
    leave_hazard,
    monthly_activity_eur,
    recruitment_score,
    service_dose,
    smes_sought,
)

_NONE = np.uint64(0)


@kernel
def start_partners(month, seed, parameters, rules, state):
    """Partners whose start has come set up their activities and engage their SMEs."""
    projects, partners = state.projects, state.partners
    for project in range(state.used.projects):
        if projects[project].alive == 0 or projects[project].decided_month == NEVER:
            continue
        first = projects[project].first_partner
        for p in range(first, first + projects[project].partners):
            if partners[p].start_month == month:
                projects[project].phase = max(1, projects[project].phase)
                _equip(p, project, seed, parameters, rules, state)
                grant = partners[p].grant_eur
                note_in_project(
                    month, CallEvent.STARTED, partners[p].cluster, partners[p].funder, project, grant, state
                )
                _recruit(month, p, project, seed, parameters, rules, state)


@kernel
def _equip(p, project, seed, parameters, rules, state):
    """Set the money and effort of one partner for phase one. Without a grant it works at lower effort on own money."""
    partners, projects, clusters = state.partners, state.projects, state.clusters
    call = projects[project].call
    months = float(partners[p].end_month - partners[p].start_month)
    grant, rate, effort = partners[p].grant_eur, 0.0, 1.0
    if partners[p].money == FUNDED:
        rate = rules.terms[call, partners[p].funder].cofinance_rate
        partners[p].paid_eur_month = grant / months
    else:
        associate = partners[p].money == NO_FUNDER or partners[p].money == NOT_APPLIED
        effort = parameters.associate_effort if associate else parameters.unfunded_effort
        grant, rate = _typical_grant(project, call, rules, state)
    partners[p].effort = effort
    partners[p].activity_eur = monthly_activity_eur(
        grant, rate, parameters.setup_cost_eur, parameters.overhead_eur_month, months
    )
    time = draws.since(rules.calls[call].key, 0)
    partners[p].leave_threshold = draws.exponential(
        draws.uniform(
            draws.key(seed, draws.LEAVE, time), clusters[partners[p].cluster].identity, projects[project].identity
        )
    )


@inline
def _typical_grant(project, call, rules, state):
    """Return what a grant of this project would be (EUR), and its co-financing rate: the lead's funder's."""
    first = state.projects[project].first_partner
    f = state.partners[first].funder
    return rules.terms[call, f].grant_eur, rules.terms[call, f].cofinance_rate


@kernel
def _recruit(month, p, project, seed, parameters, rules, state):
    """Engage a partner's members: the most ready first; some who said yes before the decision have lost interest."""
    partners, projects, clusters, smes = state.partners, state.projects, state.clusters, state.smes
    used, t = state.used, state.participations
    call, cluster = projects[project].call, partners[p].cluster
    time = draws.since(rules.calls[call].key, 0)
    what = projects[project].identity
    members, first = clusters[cluster].members, clusters[cluster].first_sme
    funded = partners[p].money == FUNDED
    sought = min(members, _target(p, project, call, funded, parameters, rules, state))
    noise = draws.key(seed, draws.RECRUIT, time)
    score = _scores(noise, what, first, members, parameters.recruit_readiness_weight, smes)
    bar = bar_for(score[:members], sought)
    before, lose = draws.key(seed, draws.RECRUITED_BEFORE, time), draws.key(seed, draws.LOSE_INTEREST, time)
    keep = interest_left(parameters.waiting_loss, month - rules.calls[call].close_month)
    least = min(sought, int(parameters.smes_minimum)) if funded else 1
    partners[p].first_participation = used.participations
    left = sought
    for m in range(members):
        if score[m] < bar:
            continue
        who = smes[first + m].identity
        waited = draws.uniform(before, who, what) < parameters.recruited_before_share
        if waited and left > least and draws.uniform(lose, who, what) >= keep:
            left -= 1
            partners[p].lost_waiting += 1
            continue
        _engage(first + m, p, project, time, what, seed, parameters, used, projects, partners, t, smes)
    note_in_project(month, CallEvent.ENGAGED, cluster, NOBODY, project, float(partners[p].engaged), state)


@kernel
def _scores(noise, what, first, members, weight, smes):
    """Return how likely each member of a cluster is to be engaged in a project (log-odds); beyond them, padding."""
    score = np.empty(draws.roomy(members))
    for m in range(score.shape[0]):
        score[m] = draws.uniform(noise, smes[first + min(m, members - 1)].identity, what)
    draws.gumbels(score)
    for m in range(members):
        i = first + m
        score[m] = recruitment_score(weight, smes[i].readiness, smes[i].spare_time, score[m])
    return score


@inline
def _target(p, project, call, funded, parameters, rules, state):
    """Return the number of SMEs that a partner sets out to engage, at least the minimum where there is a grant."""
    projects, partners = state.projects, state.partners
    typical, _ = _typical_grant(project, call, rules, state)
    ratio = partners[p].grant_eur / typical if funded else partners[p].effort
    sought = smes_sought(
        parameters.smes_per_partner,
        kind_factor(projects[project].kind, parameters.kind_factor_network, parameters.kind_factor_broadcast),
        parameters.smes_spread,
        projects[project].size_deviate,
        max(ratio * typical / parameters.grant_reference_eur, 0.01),
        parameters.recruit_grant_elasticity,
        float(rules.calls[call].close_month - projects[project].idea_month),
        parameters.preparation_half_months,
    )
    least = int(parameters.smes_minimum) if funded else 1
    return max(least, int(sought + 0.5))


@paste
def _engage(i, p, project, time, what, seed, parameters, used, projects, partners, t, smes):
    """One SME is engaged; whether it really takes part is its own draw."""
    row = used.participations
    if row >= t.shape[0]:
        used.too_small = 1
        return
    used.participations = row + 1
    who = smes[i].identity
    active = draws.uniform(draws.key(seed, draws.ACTIVE, time), who, what) < parameters.active_share
    t[row] = PARTICIPATION[0]
    t[row].sme, t[row].partner = i, p
    t[row].is_active = 1 if active else 0
    t[row].know_threshold = draws.exponential(draws.uniform(draws.key(seed, draws.KNOW, time), who, what))
    t[row].contact_threshold = draws.exponential(draws.uniform(draws.key(seed, draws.CONTACT, time), who, what))
    partners[p].engaged += 1
    if active:
        partners[p].active += 1
        projects[project].active_smes += 1
        smes[i].projects += 1


@kernel
def work(month, parameters, state):
    """Partners work for a month: each is paid, may leave, and after set-up has a dose, with what fatigue leaves."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    ledger, spent_by_month = state.ledger, state.spent_by_month
    for project in range(state.used.projects):
        if projects[project].alive == 0 or projects[project].phase == 0:
            continue
        first = projects[project].first_partner
        for p in range(first, first + projects[project].partners):
            partners[p].dose = 0.0
            if month == partners[p].end_month and not has_left(partners, p):
                release_smes(p, partners, state.participations, state.smes)
            if not is_running(partners, p, month):
                continue
            age = float(month - partners[p].start_month)
            _pay(month, p, projects[project].call, partners, ledger, spent_by_month)
            partners[p].leave_hazard += _leave_hazard(p, project, parameters, partners, projects)
            if has_left(partners, p):
                _leave(month, p, project, state)
                continue
            if age < parameters.setup_months:
                continue
            effort = effort_left(partners[p].effort, parameters.fatigue, age - parameters.setup_months)
            factor = excellence_factor(clusters[partners[p].cluster].excellence, parameters.quality_spread)
            partners[p].dose = service_dose(
                partners[p].activity_eur * effort,
                factor,
                partners[p].active,
                parameters.rivalry,
                parameters.half_saturation_eur,
            )


@inline
def is_running(partners, p, month):
    """Return whether a partner has started and not ended."""
    return partners[p].start_month != NEVER and partners[p].start_month <= month < partners[p].end_month


@inline
def _pay(month, p, call, partners, ledger, spent_by_month):
    """Pay this month's part of the grant, booked at the funder of the partner's country."""
    f = partners[p].funder
    if f != NOBODY and partners[p].paid_eur_month > 0.0:
        ledger[call, f].spent += partners[p].paid_eur_month
        spent_by_month[month, f] += partners[p].paid_eur_month


@inline
def _leave_hazard(p, project, parameters, partners, projects):
    """Return this month's hazard that the partner leaves."""
    return leave_hazard(
        parameters.hazard_leave,
        partners[p].money != FUNDED,
        projects[project].top_down == 1,
        parameters.leave_factor_unfunded,
        parameters.leave_factor_misfit,
    )


@kernel
def _leave(month, p, project, state):
    """Let a partner leave: it ends now, with its SMEs and its hands free."""
    partners = state.partners
    note_in_project(month, CallEvent.PARTNER_LEFT, partners[p].cluster, NOBODY, project, 0.0, state)
    partners[p].end_month = month
    release_smes(p, partners, state.participations, state.smes)
    state.clusters[partners[p].cluster].busy -= 1


@inline
def has_left(partners, p):
    """Return whether a partner left before its end."""
    return partners[p].leave_hazard >= partners[p].leave_threshold


@inline
def release_smes(p, partners, t, smes):
    """Take one project off the hands of a partner's active SMEs."""
    for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
        if t[row].is_active == 1:
            smes[t[row].sme].projects -= 1
