"""While a call is open: clusters with an idea and time to spare ask the partners that they prefer."""

import math

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.parameters import ALL_OR_NONE, VIRTUAL_COMMON_POT
from simulator.processes.calendar import note
from simulator.processes.founding import related
from simulator.processes.matchmaking import appeal
from simulator.rules.consortia import (
    acceptance_probability,
    application_response,
    expected_grant,
    idea_probability,
    partners_wanted,
    project_quality,
    refusal_risk,
)
from simulator.state import (
    BROADCAST,
    E_PROPOSAL,
    MAX_PARTNERS,
    N_PARTNERS,
    N_PROJECTS,
    NETWORK,
    NEVER,
    NO_CAUSE,
    NO_FUNDER,
    NOBODY,
    NOT_APPLIED,
    TOO_SMALL,
    WORKSHOP,
)

_NONE = np.uint64(0)


@jit
def form_consortia(month, seed, parameters, rules, world, state):
    """Ideas that ripen this month look for partners; each lead at most once a call."""
    clusters = state.clusters
    for call in range(rules.calls.shape[0]):
        if rules.calls.held[call] == 0 or month < rules.calls.open_month[call] or month > rules.calls.close_month[call]:
            continue
        time = draws.since(rules.calls.year[call], 0)
        idea, ripen = draws.key(seed, draws.IDEA, time), draws.key(seed, draws.RIPEN, time)
        window = rules.calls.close_month[call] - rules.calls.open_month[call] + 1
        score = np.empty(clusters.shape[0])
        for lead in range(clusters.shape[0]):
            funder = world.countries.funder[clusters.country[lead]]
            if funder < 0 or rules.terms.budget_eur[call, max(funder, 0)] <= 0.0:
                continue
            if clusters.busy[lead] >= clusters.capacity[lead]:
                continue
            who = clusters.identity[lead]
            ripe = rules.calls.open_month[call] + int(draws.uniform(ripen, who, _NONE) * window)
            if ripe != month:
                continue
            expected = expected_grant(
                state.funders.belief[funder], rules.terms.openness[call, funder], rules.terms.grant_eur[call, funder]
            )
            response = application_response(expected, parameters.grant_midpoint_eur, parameters.grant_response_eur)
            chance = idea_probability(
                parameters.idea_rate,
                clusters.focus[lead],
                clusters.attended_call[lead] == call,
                parameters.attended_idea_factor,
                response,
                clusters.followon[lead],
            )
            if draws.uniform(idea, who, _NONE) < chance:
                _propose(month, call, lead, seed, parameters, rules, world, state, score)


@jit
def _propose(month, call, lead, seed, parameters, rules, world, state, score):
    """One lead asks partners in order of preference until it has as many countries as it wants."""
    count, clusters, projects = state.count, state.clusters, state.projects
    year = rules.calls.year[call]
    who = clusters.identity[lead]
    time = draws.since(year, 0)
    project = count[N_PROJECTS]
    if project >= projects.shape[0] or count[N_PARTNERS] + MAX_PARTNERS > state.partners.shape[0]:
        count[TOO_SMALL] = 1
        return
    top_down = draws.uniform(draws.key(seed, draws.TOP_DOWN, time), who, _NONE) < parameters.top_down_share
    wanted = partners_wanted(
        draws.uniform(draws.key(seed, draws.DESIRED_PARTNERS, time), who, _NONE), parameters.extra_partners_mean
    )
    wanted = min(wanted, MAX_PARTNERS - 1)
    _score_partners(call, lead, top_down, seed, parameters, rules, world, state, score)
    first = count[N_PARTNERS]
    _add_partner(project, lead, call, rules, world, state)
    accept = draws.key(seed, draws.ACCEPT, time)
    asked = 0
    while count[N_PARTNERS] - first <= wanted and asked < int(parameters.asks_max):
        best = int(np.argmax(score))
        if score[best] == -math.inf:
            break
        score[best] = -math.inf
        asked += 1
        if _is_represented(state.partners, clusters, first, count[N_PARTNERS], clusters.nation[best]):
            asked -= 1
            continue
        chance = acceptance_probability(
            _has_funder(rules, world, clusters, call, best),
            parameters.acceptance,
            parameters.acceptance_no_funder,
            clusters.focus[best],
        )
        if draws.uniform(accept, clusters.identity[best], who) < chance:
            _add_partner(project, best, call, rules, world, state)
    partners = count[N_PARTNERS] - first
    if partners < 2:  # nobody abroad said yes: no proposal
        count[N_PARTNERS] = first
        return
    for p in range(first, first + partners):
        clusters.busy[state.partners.cluster[p]] += 1
    count[N_PROJECTS] = project + 1
    projects.call[project] = call
    projects.lead[project] = lead
    projects.first_partner[project] = first
    projects.partners[project] = partners
    projects.identity[project] = draws.identity(who, year)
    projects.top_down[project] = 1 if top_down else 0
    projects.idea_month[project] = month
    projects.alive[project] = 1
    projects.phase[project] = 0
    projects.end_month[project] = NEVER
    projects.decided_month[project] = NEVER
    projects.joint_score[project] = 0.0
    projects.threshold[project] = 0.0
    projects.active_smes[project] = 0
    projects.partnerships[project] = 0
    _plan_project(project, seed, parameters, rules, world, state)
    note(count, state.log, month, E_PROPOSAL, lead, NOBODY, project, float(partners))


@jit
def _score_partners(call, lead, top_down, seed, parameters, rules, world, state, score):
    """Preference of a lead for every cluster abroad with spare capacity; -inf for the others."""
    clusters = state.clusters
    start = draws.key(seed, draws.CHOICE, draws.since(rules.calls.year[call], 0))
    # under these two rules one partner's refusal sinks the whole consortium
    rule_in_force = rules.calls.funding_rule[call]
    spreads = rule_in_force == ALL_OR_NONE or rule_in_force == VIRTUAL_COMMON_POT
    for b in range(clusters.shape[0]):
        score[b] = -math.inf
        if clusters.nation[b] == clusters.nation[lead] or clusters.busy[b] >= clusters.capacity[b]:
            continue
        luck = draws.gumbel(draws.uniform(start, clusters.identity[lead], clusters.identity[b]))
        has_funder = _has_funder(rules, world, clusters, call, b)
        if top_down:  # governments pick among those whom they can pay, without asking who fits
            if has_funder:
                score[b] = luck
            continue
        belief = state.funders.belief[max(world.countries.funder[clusters.country[b]], 0)]
        score[b] = (
            appeal(parameters, rules, world, state, call, lead, b)
            + luck
            - refusal_risk(spreads, has_funder, belief, parameters.risk_aversion)
        )


@rule
def _has_funder(rules, world, clusters, call, cluster):
    """Whether the cluster's own country has money in this call."""
    funder = world.countries.funder[clusters.country[cluster]]
    return funder >= 0 and rules.terms.budget_eur[call, max(funder, 0)] > 0.0


@rule
def _is_represented(partners, clusters, first, last, nation):
    """Whether a nation already has a partner in the consortium."""
    for p in range(first, last):
        if clusters.nation[partners.cluster[p]] == nation:
            return True
    return False


@jit
def _add_partner(project, cluster, call, rules, world, state):
    """A cluster joins: one more row, nothing decided yet."""
    p = state.count[N_PARTNERS]
    state.count[N_PARTNERS] = p + 1
    t = state.partners
    t.project[p] = project
    t.cluster[p] = cluster
    has_funder = _has_funder(rules, world, state.clusters, call, cluster)
    t.funder[p] = world.countries.funder[state.clusters.country[cluster]] if has_funder else NOBODY
    t.money[p] = NOT_APPLIED if has_funder else NO_FUNDER
    t.request_eur[p] = 0.0
    t.assessed[p] = 0.0
    t.grant_eur[p] = 0.0
    t.own_share[p] = 1.0
    t.cause[p] = NO_CAUSE
    t.blocking_funder[p] = NOBODY
    t.short_eur[p] = 0.0
    t.decision_month[p] = NEVER
    t.start_month[p] = NEVER
    t.end_month[p] = NEVER
    t.paid_eur_month[p] = 0.0
    t.activity_eur[p] = 0.0
    t.effort[p] = 0.0
    t.dose[p] = 0.0
    t.leave_threshold[p] = math.inf
    t.leave_hazard[p] = 0.0
    t.first_participation[p] = 0
    t.engaged[p] = 0
    t.active[p] = 0
    t.lost_waiting[p] = 0
    t.phase_two_eur[p] = 0.0


@jit
def _plan_project(project, seed, parameters, rules, world, state):
    """Kind, effect, size and true quality of a proposal; its luck belongs to its lead and call."""
    projects, clusters, partners = state.projects, state.clusters, state.partners
    who = projects.identity[project]
    u = draws.uniform(draws.key(seed, draws.KIND, 0), who, _NONE)
    kind = WORKSHOP
    if u < parameters.kind_share_broadcast:
        kind = BROADCAST
    elif u < parameters.kind_share_broadcast + parameters.kind_share_network:
        kind = NETWORK
    projects.kind[project] = kind
    luck = draws.logistic(draws.uniform(draws.key(seed, draws.PROJECT_EFFECT, 0), who, _NONE))
    spread = parameters.project_effect_spread
    projects.effect[project] = math.exp(spread * luck - 0.5 * spread * spread)
    projects.size_deviate[project] = draws.logistic(
        draws.uniform(draws.key(seed, draws.PROJECT_SIZE, 0), who, _NONE)
    )
    first, n = projects.first_partner[project], projects.partners[project]
    lead = projects.lead[project]
    excellence, fit, experience = clusters.excellence[lead], 0.0, clusters.experience[lead]
    for p in range(first + 1, first + n):
        b = partners.cluster[p]
        excellence += clusters.excellence[b]
        experience += clusters.experience[b]
        likeness = 1.0 - abs(clusters.focus[lead] - clusters.focus[b])
        theme = related(world, parameters, clusters.sector[lead], clusters.sector[b])
        fit += (likeness + theme + state.trust[lead, b]) / 3.0
    noise = parameters.quality_noise * draws.logistic(
        draws.uniform(draws.key(seed, draws.QUALITY, 0), who, _NONE)
    )
    projects.quality[project] = project_quality(
        excellence / n,
        fit / (n - 1),
        experience / n,
        parameters.quality_weight_fit,
        parameters.quality_weight_experience,
        noise,
    )
