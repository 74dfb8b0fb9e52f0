"""Projects at work: starts, recruitment, monthly activities, partners that leave."""


import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.processes.calendar import note
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

_NONE = np.uint64(0)


@jit
def start_partners(month, seed, parameters, rules, state):
    """Partners whose start has come set up their activities and engage their SMEs."""
    projects, partners = state.projects, state.partners
    for project in range(state.count[N_PROJECTS]):
        if projects.alive[project] == 0 or projects.decided_month[project] == NEVER:
            continue
        first = projects.first_partner[project]
        for p in range(first, first + projects.partners[project]):
            if partners.start_month[p] == month:
                projects.phase[project] = max(1, projects.phase[project])
                _equip(p, project, seed, parameters, rules, state)
                note(state.count, state.log, month, E_STARTED, partners.cluster[p], partners.funder[p], project,
                     partners.grant_eur[p])  # fmt: skip
                _recruit(month, p, project, seed, parameters, rules, state)


@jit
def _equip(p, project, seed, parameters, rules, state):
    """Money and effort of one partner for phase one. Who has no grant works at lower effort on own money."""
    partners, projects, clusters = state.partners, state.projects, state.clusters
    call = projects.call[project]
    months = float(partners.end_month[p] - partners.start_month[p])
    grant, rate, effort = partners.grant_eur[p], 0.0, 1.0
    if partners.money[p] == FUNDED:
        rate = rules.terms.cofinance_rate[call, partners.funder[p]]
        partners.paid_eur_month[p] = grant / months
    else:
        associate = partners.money[p] == NO_FUNDER or partners.money[p] == NOT_APPLIED
        effort = parameters.associate_effort if associate else parameters.unfunded_effort
        grant, rate = _typical_grant(project, call, rules, state)
    partners.effort[p] = effort
    partners.activity_eur[p] = monthly_activity_eur(
        grant, rate, parameters.setup_cost_eur, parameters.overhead_eur_month, months
    )
    time = draws.since(rules.calls.year[call], 0)
    partners.leave_threshold[p] = draws.exponential(
        draws.uniform(
            draws.key(seed, draws.LEAVE, time), clusters.identity[partners.cluster[p]], projects.identity[project]
        )
    )


@rule
def _typical_grant(project, call, rules, state):
    """What a grant of this project would be (EUR), and its co-financing rate: the lead's funder's."""
    first = state.projects.first_partner[project]
    f = state.partners.funder[first]
    return rules.terms.grant_eur[call, f], rules.terms.cofinance_rate[call, f]


@jit
def _recruit(month, p, project, seed, parameters, rules, state):
    """A partner engages members: the most ready first; some who said yes before the decision have lost interest."""
    partners, projects, clusters, smes = state.partners, state.projects, state.clusters, state.smes
    call, cluster = projects.call[project], partners.cluster[p]
    time = draws.since(rules.calls.year[call], 0)
    lead = clusters.identity[projects.lead[project]]
    members, first = clusters.members[cluster], clusters.first_sme[cluster]
    funded = partners.money[p] == FUNDED
    sought = min(members, _target(p, project, call, funded, parameters, rules, state))
    noise = draws.key(seed, draws.RECRUIT, time)
    score = np.empty(members)
    for m in range(members):
        i = first + m
        score[m] = recruitment_score(
            parameters.recruit_readiness_weight,
            smes.readiness[i],
            smes.spare_time[i],
            draws.gumbel(draws.uniform(noise, smes.identity[i], lead)),
        )
    bar = np.partition(score, members - sought)[members - sought]
    before, lose = draws.key(seed, draws.RECRUITED_BEFORE, time), draws.key(seed, draws.LOSE_INTEREST, time)
    keep = interest_left(parameters.waiting_loss, month - rules.calls.close_month[call])
    least = min(sought, int(parameters.smes_minimum)) if funded else 1
    partners.first_participation[p] = state.count[N_PARTICIPATIONS]
    left = sought
    for m in range(members):
        if score[m] < bar:
            continue
        who = smes.identity[first + m]
        waited = draws.uniform(before, who, lead) < parameters.recruited_before_share
        if waited and left > least and draws.uniform(lose, who, lead) >= keep:
            left -= 1
            partners.lost_waiting[p] += 1
            continue
        _engage(first + m, p, project, time, lead, seed, parameters, state)
    note(state.count, state.log, month, E_ENGAGED, cluster, NOBODY, project, float(partners.engaged[p]))


@rule
def _target(p, project, call, funded, parameters, rules, state):
    """Whole number of SMEs that a partner sets out to engage, at least the minimum where there is a grant."""
    projects, partners = state.projects, state.partners
    factor = 1.0
    if projects.kind[project] == NETWORK:
        factor = parameters.kind_factor_network
    elif projects.kind[project] == BROADCAST:
        factor = parameters.kind_factor_broadcast
    typical, _ = _typical_grant(project, call, rules, state)
    ratio = partners.grant_eur[p] / typical if funded else partners.effort[p]
    sought = smes_sought(
        parameters.smes_per_partner,
        factor,
        parameters.smes_spread,
        projects.size_deviate[project],
        max(ratio * typical / parameters.grant_reference_eur, 0.01),
        parameters.recruit_grant_elasticity,
        float(rules.calls.close_month[call] - projects.idea_month[project]),
        parameters.preparation_half_months,
    )
    least = int(parameters.smes_minimum) if funded else 1
    return max(least, int(sought + 0.5))


@jit
def _engage(i, p, project, time, lead, seed, parameters, state):
    """One SME is engaged; whether it really takes part is its own draw."""
    count, smes, t = state.count, state.smes, state.participations
    row = count[N_PARTICIPATIONS]
    if row >= t.shape[0]:
        count[TOO_SMALL] = 1
        return
    count[N_PARTICIPATIONS] = row + 1
    who = smes.identity[i]
    active = draws.uniform(draws.key(seed, draws.ACTIVE, time), who, lead) < parameters.active_share
    t.sme[row] = i
    t.partner[row] = p
    t.is_active[row] = 1 if active else 0
    t.know_threshold[row] = draws.exponential(draws.uniform(draws.key(seed, draws.KNOW, time), who, lead))
    t.know_hazard[row] = 0.0
    t.contact_threshold[row] = draws.exponential(draws.uniform(draws.key(seed, draws.CONTACT, time), who, lead))
    t.contact_hazard[row] = 0.0
    t.contacts[row] = 0
    t.knowledge_month[row] = NEVER
    t.contact_month[row] = NEVER
    t.partnership_month[row] = NEVER
    t.rni_month[row] = NEVER
    t.contract_month[row] = NEVER
    state.partners.engaged[p] += 1
    if active:
        state.partners.active[p] += 1
        state.projects.active_smes[project] += 1
        smes.projects[i] += 1


@jit
def work(month, parameters, state):
    """A month of activities: each partner's dose, after set-up, with what fatigue has left; payments; exits."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    for project in range(state.count[N_PROJECTS]):
        if projects.alive[project] == 0 or projects.phase[project] == 0:
            continue
        first = projects.first_partner[project]
        for p in range(first, first + projects.partners[project]):
            partners.dose[p] = 0.0
            if month == partners.end_month[p] and not has_left(partners, p):
                release_smes(p, partners, state.participations, state.smes)
            if not is_running(partners, p, month):
                continue
            age = float(month - partners.start_month[p])
            _pay(month, p, project, state)
            if _leaves(month, p, project, parameters, state):
                continue
            if age < parameters.setup_months:
                continue
            effort = effort_left(partners.effort[p], parameters.fatigue, age - parameters.setup_months)
            factor = excellence_factor(clusters.excellence[partners.cluster[p]], parameters.quality_spread)
            partners.dose[p] = service_dose(
                partners.activity_eur[p] * effort,
                factor,
                partners.active[p],
                parameters.rivalry,
                parameters.half_saturation_eur,
            )


@rule
def is_running(partners, p, month):
    """Whether a partner has started and not ended."""
    return partners.start_month[p] != NEVER and partners.start_month[p] <= month < partners.end_month[p]


@rule
def _pay(month, p, project, state):
    """This month's part of the grant, booked at the funder of the partner's country."""
    f = state.partners.funder[p]
    if f != NOBODY and state.partners.paid_eur_month[p] > 0.0:
        state.ledger.spent[state.projects.call[project], f] += state.partners.paid_eur_month[p]
        state.spent_by_month[month, f] += state.partners.paid_eur_month[p]


@jit
def _leaves(month, p, project, parameters, state):
    """Whether the partner leaves this month; if so it ends now, with its SMEs and its hands free."""
    partners, smes, t = state.partners, state.smes, state.participations
    partners.leave_hazard[p] += leave_hazard(
        parameters.hazard_leave,
        partners.money[p] != FUNDED,
        state.projects.top_down[project] == 1,
        parameters.leave_factor_unfunded,
        parameters.leave_factor_misfit,
    )
    if partners.leave_hazard[p] < partners.leave_threshold[p]:
        return False
    note(state.count, state.log, month, E_PARTNER_LEFT, partners.cluster[p], NOBODY, project, 0.0)
    partners.end_month[p] = month
    release_smes(p, partners, t, smes)
    state.clusters.busy[partners.cluster[p]] -= 1
    return True


@rule
def has_left(partners, p):
    """Whether a partner left before its end."""
    return partners.leave_hazard[p] >= partners.leave_threshold[p]


@rule
def release_smes(p, partners, t, smes):
    """The active SMEs of a partner have one project less on their hands."""
    for row in range(partners.first_participation[p], partners.first_participation[p] + partners.engaged[p]):
        if t.is_active[row] == 1:
            smes.projects[t.sme[row]] -= 1


