"""Projects at work: starts, recruitment, monthly activities, partners that leave."""

import numpy as np

from simulator import draws
from simulator.jit import jit, rule, service
from simulator.ordering import bar_for
from simulator.rules.projects import (
    effort_left,
    excellence_factor,
    interest_left,
    leave_hazard,
    monthly_activity_eur,
    recruitment_score,
    service_dose,
    smes_sought,
)
from simulator.state import (
    BROADCAST,
    E_ENGAGED,
    E_PARTNER_LEFT,
    E_STARTED,
    FUNDED,
    N_PARTICIPATIONS,
    N_PROJECTS,
    NETWORK,
    NEVER,
    NO_FUNDER,
    NOBODY,
    NOT_APPLIED,
    TOO_SMALL,
)
from simulator.world.calendar import note

_NONE = np.uint64(0)


@jit
def start_partners(month, seed, parameters, rules, state):
    """Partners whose start has come set up their activities and engage their SMEs."""
    projects, partners = state.projects, state.partners
    for project in range(state.count[N_PROJECTS]):
        if projects[project].alive == 0 or projects[project].decided_month == NEVER:
            continue
        first = projects[project].first_partner
        for p in range(first, first + projects[project].partners):
            if partners[p].start_month == month:
                projects[project].phase = max(1, projects[project].phase)
                _equip(p, project, seed, parameters, rules, state)
                note(state.count, state.log, month, E_STARTED, partners[p].cluster, partners[p].funder, project,
                     partners[p].grant_eur)  # fmt: skip
                _recruit(month, p, project, seed, parameters, rules, state)


@jit
def _equip(p, project, seed, parameters, rules, state):
    """Money and effort of one partner for phase one. Who has no grant works at lower effort on own money."""
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
    time = draws.since(rules.calls[call].year, 0)
    partners[p].leave_threshold = draws.exponential(
        draws.uniform(
            draws.key(seed, draws.LEAVE, time), clusters[partners[p].cluster].identity, projects[project].identity
        )
    )


@rule
def _typical_grant(project, call, rules, state):
    """What a grant of this project would be (EUR), and its co-financing rate: the lead's funder's."""
    first = state.projects[project].first_partner
    f = state.partners[first].funder
    return rules.terms[call, f].grant_eur, rules.terms[call, f].cofinance_rate


@jit
def _recruit(month, p, project, seed, parameters, rules, state):
    """A partner engages members: the most ready first; some who said yes before the decision have lost interest."""
    partners, projects, clusters, smes = state.partners, state.projects, state.clusters, state.smes
    count, t = state.count, state.participations
    call, cluster = projects[project].call, partners[p].cluster
    time = draws.since(rules.calls[call].year, 0)
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
    partners[p].first_participation = count[N_PARTICIPATIONS]
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
        _engage(first + m, p, project, time, what, seed, parameters, count, projects, partners, t, smes)
    note(state.count, state.log, month, E_ENGAGED, cluster, NOBODY, project, float(partners[p].engaged))


@jit
def _scores(noise, what, first, members, weight, smes):
    """How likely each member of a cluster is to be engaged in a project (log-odds); beyond `members`, nothing."""
    score = np.empty(draws.roomy(members))
    for m in range(score.shape[0]):
        score[m] = draws.uniform(noise, smes[first + min(m, members - 1)].identity, what)
    draws.gumbels(score)
    for m in range(members):
        i = first + m
        score[m] = recruitment_score(weight, smes[i].readiness, smes[i].spare_time, score[m])
    return score


@rule
def _target(p, project, call, funded, parameters, rules, state):
    """Whole number of SMEs that a partner sets out to engage, at least the minimum where there is a grant."""
    projects, partners = state.projects, state.partners
    factor = 1.0
    if projects[project].kind == NETWORK:
        factor = parameters.kind_factor_network
    elif projects[project].kind == BROADCAST:
        factor = parameters.kind_factor_broadcast
    typical, _ = _typical_grant(project, call, rules, state)
    ratio = partners[p].grant_eur / typical if funded else partners[p].effort
    sought = smes_sought(
        parameters.smes_per_partner,
        factor,
        parameters.smes_spread,
        projects[project].size_deviate,
        max(ratio * typical / parameters.grant_reference_eur, 0.01),
        parameters.recruit_grant_elasticity,
        float(rules.calls[call].close_month - projects[project].idea_month),
        parameters.preparation_half_months,
    )
    least = int(parameters.smes_minimum) if funded else 1
    return max(least, int(sought + 0.5))


@service
def _engage(i, p, project, time, what, seed, parameters, count, projects, partners, t, smes):
    """One SME is engaged; whether it really takes part is its own draw."""
    row = count[N_PARTICIPATIONS]
    if row >= t.shape[0]:
        count[TOO_SMALL] = 1
        return
    count[N_PARTICIPATIONS] = row + 1
    who = smes[i].identity
    active = draws.uniform(draws.key(seed, draws.ACTIVE, time), who, what) < parameters.active_share
    t[row].sme = i
    t[row].partner = p
    t[row].is_active = 1 if active else 0
    t[row].know_threshold = draws.exponential(draws.uniform(draws.key(seed, draws.KNOW, time), who, what))
    t[row].know_hazard = 0.0
    t[row].contact_threshold = draws.exponential(draws.uniform(draws.key(seed, draws.CONTACT, time), who, what))
    t[row].contact_hazard = 0.0
    t[row].contacts = 0
    t[row].knowledge_month = NEVER
    t[row].contact_month = NEVER
    t[row].partnership_month = NEVER
    t[row].rni_month = NEVER
    t[row].contract_month = NEVER
    partners[p].engaged += 1
    if active:
        partners[p].active += 1
        projects[project].active_smes += 1
        smes[i].projects += 1


@jit
def work(month, parameters, state):
    """A month of activities: each partner's dose, after set-up, with what fatigue has left; payments; exits."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    ledger, spent_by_month = state.ledger, state.spent_by_month
    for project in range(state.count[N_PROJECTS]):
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


@rule
def is_running(partners, p, month):
    """Whether a partner has started and not ended."""
    return partners[p].start_month != NEVER and partners[p].start_month <= month < partners[p].end_month


@rule
def _pay(month, p, call, partners, ledger, spent_by_month):
    """This month's part of the grant, booked at the funder of the partner's country."""
    f = partners[p].funder
    if f != NOBODY and partners[p].paid_eur_month > 0.0:
        ledger[call, f].spent += partners[p].paid_eur_month
        spent_by_month[month, f] += partners[p].paid_eur_month


@rule
def _leave_hazard(p, project, parameters, partners, projects):
    """This month's hazard that the partner leaves."""
    return leave_hazard(
        parameters.hazard_leave,
        partners[p].money != FUNDED,
        projects[project].top_down == 1,
        parameters.leave_factor_unfunded,
        parameters.leave_factor_misfit,
    )


@jit
def _leave(month, p, project, state):
    """A partner leaves: it ends now, with its SMEs and its hands free."""
    partners = state.partners
    note(state.count, state.log, month, E_PARTNER_LEFT, partners[p].cluster, NOBODY, project, 0.0)
    partners[p].end_month = month
    release_smes(p, partners, state.participations, state.smes)
    state.clusters[partners[p].cluster].busy -= 1


@rule
def has_left(partners, p):
    """Whether a partner left before its end."""
    return partners[p].leave_hazard >= partners[p].leave_threshold


@rule
def release_smes(p, partners, t, smes):
    """The active SMEs of a partner have one project less on their hands."""
    for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
        if t[row].is_active == 1:
            smes[t[row].sme].projects -= 1
