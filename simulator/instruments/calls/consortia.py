"""While a call is open: clusters with an idea and time to spare ask the partners that they prefer."""

import math

import numpy as np

from simulator import draws
from simulator.instruments.calls.events import CallEvent, note_in_project
from simulator.instruments.calls.matchmaking import add_appeal, has_funder, traits_of
from simulator.instruments.calls.tables import MAX_PARTNERS, NOT_APPLIED, PARTNER, PROJECT
from simulator.jit import inline, kernel
from simulator.parameters import ALL_OR_NONE, VIRTUAL_COMMON_POT
from simulator.records import NOBODY
from simulator.rules.consortia import (
    acceptance_probability,
    application_response,
    expected_grant,
    ideas_expected,
    partner_fit,
    partners_wanted,
    project_effect,
    project_kind,
    project_quality,
    refusal_risk,
    size_factor,
)
from simulator.world.sectors import related

_NONE = np.uint64(0)


@kernel
def form_consortia(month, seed, parameters, rules, world, state):
    """Ideas that ripen this month look for partners; a lead may have several in a call."""
    clusters = state.clusters
    for call in range(rules.calls.shape[0]):
        if rules.calls[call].held == 0 or month < rules.calls[call].open_month or month > rules.calls[call].close_month:
            continue
        time = draws.since(rules.calls[call].key, 0)
        idea, ripen = draws.key(seed, draws.IDEA, time), draws.key(seed, draws.RIPEN, time)
        window = rules.calls[call].close_month - rules.calls[call].open_month + 1
        score = np.empty(clusters.shape[0])
        traits = traits_of(np.arange(clusters.shape[0]), call, rules, world, state)
        for lead in range(clusters.shape[0]):
            funder = world.countries[clusters[lead].country].funder
            if funder < 0 or rules.terms[call, max(funder, 0)].budget_eur <= 0.0:
                continue
            ideas = _ideas(call, lead, funder, parameters, rules, state)
            who = clusters[lead].identity
            number, reached = 0, draws.exponential(draws.uniform(idea, who, _NONE))
            while reached < ideas:  # a Poisson number of ideas; more of them in expectation adds some and takes none
                place = np.uint64(number)
                ripe = rules.calls[call].open_month + int(draws.uniform(ripen, who, place) * window)
                if ripe == month and clusters[lead].busy < clusters[lead].capacity:
                    _propose(month, call, lead, number, seed, parameters, rules, world, state, traits, score)
                number += 1
                reached += draws.exponential(draws.uniform(idea, who, np.uint64(number)))


@inline
def _ideas(call, lead, funder, parameters, rules, state):
    """Return the expected number of a cluster's ideas in a call that it finds worth an application."""
    clusters = state.clusters
    expected = expected_grant(
        state.funders[funder].belief, rules.terms[call, funder].openness, rules.terms[call, funder].grant_eur
    )
    response = application_response(expected, parameters.grant_midpoint_eur, parameters.grant_response_eur)
    return ideas_expected(
        parameters.idea_rate,
        clusters[lead].focus,
        size_factor(clusters[lead].members, parameters.members_reference, parameters.size_elasticity),
        clusters[lead].attended_call == call,
        parameters.attended_idea_factor,
        response,
        clusters[lead].followon,
    )


@kernel
def _propose(month, call, lead, number, seed, parameters, rules, world, state, traits, score):
    """One lead asks partners in order of preference until it has as many countries as it wants."""
    used, clusters, projects = state.used, state.clusters, state.projects
    who = draws.identity(clusters[lead].identity, rules.calls[call].key)
    if number > 0:
        who = draws.identity(who, number)
    time = draws.since(rules.calls[call].key, 0)
    project = used.projects
    if project >= projects.shape[0] or used.partners + MAX_PARTNERS > state.partners.shape[0]:
        used.too_small = 1
        return
    top_down = draws.uniform(draws.key(seed, draws.TOP_DOWN, time), who, _NONE) < parameters.top_down_share
    wanted = partners_wanted(
        draws.uniform(draws.key(seed, draws.DESIRED_PARTNERS, time), who, _NONE), parameters.extra_partners_mean
    )
    wanted = min(wanted, MAX_PARTNERS - 1)
    _score_partners(call, lead, who, top_down, seed, parameters, rules, state, traits, score)
    first = used.partners
    _add_partner(project, lead, call, rules, world, state)
    accept = draws.key(seed, draws.ACCEPT, time)
    asked = 0
    while used.partners - first <= wanted and asked < int(parameters.asks_max):
        best = _best(score)
        if score[best] == -math.inf:
            break
        score[best] = -math.inf
        asked += 1
        if _is_represented(state.partners, clusters, first, used.partners, clusters[best].nation):
            asked -= 1
            continue
        chance = acceptance_probability(
            traits.funded[best] > 0.0,
            parameters.acceptance,
            parameters.acceptance_no_funder,
            clusters[best].focus,
        )
        if draws.uniform(accept, clusters[best].identity, who) < chance:
            _add_partner(project, best, call, rules, world, state)
    partners = used.partners - first
    if partners < 2:  # nobody abroad said yes: no proposal
        used.partners = first
        return
    for p in range(first, first + partners):
        clusters[state.partners[p].cluster].busy += 1
    used.projects = project + 1
    projects[project] = PROJECT[0]
    projects[project].identity = who
    projects[project].call, projects[project].lead = call, lead
    projects[project].first_partner, projects[project].partners = first, partners
    projects[project].top_down = 1 if top_down else 0
    projects[project].idea_month = month
    _plan_project(project, seed, parameters, world, state)
    note_in_project(month, CallEvent.PROPOSAL, lead, NOBODY, project, float(partners), state)


@kernel
def _score_partners(call, lead, who, top_down, seed, parameters, rules, state, traits, score):
    """Fill `score` with a lead's preference for every cluster abroad with spare capacity; -inf for the others."""
    clusters = state.clusters
    start = draws.key(seed, draws.CHOICE, draws.since(rules.calls[call].key, 0))
    # under these two rules one partner's refusal sinks the whole consortium
    rule_in_force = rules.calls[call].funding_rule
    spreads = rule_in_force == ALL_OR_NONE or rule_in_force == VIRTUAL_COMMON_POT
    k, nation, aversion = clusters.shape[0], clusters[lead].nation, parameters.risk_aversion
    for b in range(k):
        score[b] = draws.uniform(start, who, traits.identity[b])
    draws.gumbels(score)
    if not top_down:
        add_appeal(lead, traits, k, state.trust[lead], state.familiarity[lead], traits.funded, parameters, score)
    for b in range(k):
        if traits.nation[b] == nation or clusters[b].busy >= clusters[b].capacity:
            score[b] = -math.inf
        elif top_down:  # governments pick among those whom they can pay, without asking who fits
            score[b] = score[b] if traits.funded[b] > 0.0 else -math.inf
        else:
            score[b] -= refusal_risk(spreads, traits.funded[b] > 0.0, traits.belief[b], aversion)


@kernel
def _best(score):
    """Return the row of the largest score, the first of equals."""
    best = 0
    for b in range(1, score.shape[0]):
        if score[b] > score[best]:
            best = b
    return best


@inline
def _is_represented(partners, clusters, first, last, nation):
    """Return whether a nation already has a partner in the consortium."""
    for p in range(first, last):
        if clusters[partners[p].cluster].nation == nation:
            return True
    return False


@kernel
def _add_partner(project, cluster, call, rules, world, state):
    """Let a cluster join; nothing is decided yet."""
    p, partners, clusters = state.used.partners, state.partners, state.clusters
    state.used.partners = p + 1
    partners[p] = PARTNER[0]
    partners[p].project, partners[p].cluster = project, cluster
    if has_funder(cluster, call, clusters, world.countries, rules.terms):
        partners[p].funder = world.countries[clusters[cluster].country].funder
        partners[p].money = NOT_APPLIED


@kernel
def _plan_project(project, seed, parameters, world, state):
    """Draw the kind, effect, size and true quality of a proposal; its luck belongs to its lead and call."""
    projects, clusters, partners = state.projects, state.clusters, state.partners
    who = projects[project].identity
    projects[project].kind = project_kind(
        draws.uniform(draws.key(seed, draws.KIND, 0), who, _NONE),
        parameters.kind_share_network,
        parameters.kind_share_broadcast,
    )
    luck = draws.logistic(draws.uniform(draws.key(seed, draws.PROJECT_EFFECT, 0), who, _NONE))
    projects[project].effect = project_effect(parameters.project_effect_spread, luck)
    projects[project].size_deviate = draws.logistic(draws.uniform(draws.key(seed, draws.PROJECT_SIZE, 0), who, _NONE))
    first, n = projects[project].first_partner, projects[project].partners
    lead = projects[project].lead
    excellence, fit, experience = clusters[lead].excellence, 0.0, clusters[lead].experience
    for p in range(first + 1, first + n):
        b = partners[p].cluster
        excellence += clusters[b].excellence
        experience += clusters[b].experience
        theme = related(clusters[lead].sector, clusters[b].sector, parameters, world.sectors)
        fit += partner_fit(abs(clusters[lead].focus - clusters[b].focus), theme, state.trust[lead, b])
    noise = parameters.quality_noise * draws.logistic(draws.uniform(draws.key(seed, draws.QUALITY, 0), who, _NONE))
    projects[project].quality = project_quality(
        excellence / n,
        fit / (n - 1),
        experience / n,
        parameters.quality_weight_fit,
        parameters.quality_weight_experience,
        noise,
    )
