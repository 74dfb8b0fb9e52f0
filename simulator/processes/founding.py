"""The world before the first call: clusters and SMEs are given their traits, each by its own draws."""

import math

import numpy as np

from simulator import draws
from simulator.elementary import exp, log, power
from simulator.jit import jit, rule, service
from simulator.processes.own_paths import file_contracts, pull_of
from simulator.rules.consortia import size_factor
from simulator.rules.matching import relatedness
from simulator.state import FOUNDED, NEVER, NOBODY

_NONE = np.uint64(0)


@rule
def level_around(mean, spread, deviate):
    """A level (0-1) around a mean: logistic in ln(mean/(1-mean)) + spread * deviate."""
    return 1.0 / (1.0 + exp(-(log(mean / (1.0 - mean)) + spread * deviate)))


@rule
def whole_number(mean, u):
    """A whole number with the given mean: the mean rounded up or down by luck."""
    return int(math.floor(mean + u))


@rule
def position_in(shares, u):
    """Row in which the running sum of `shares` (summing to 1) passes `u`."""
    passed = 0.0
    for row in range(shares.shape[0]):
        passed += shares[row]
        if u < passed:
            return row
    return shares.shape[0] - 1


@jit
def found(seed, parameters, rules, world, state):
    """Fills clusters, SMEs, funders and the empty tables; every trait is keyed by who has it."""
    state.count[:] = 0
    state.count[FOUNDED] = 1
    state.slots[:] = NOBODY
    _found_clusters(seed, parameters, world, state.clusters)
    _acquaint(seed, parameters, world, state)
    _found_smes(seed, parameters, world, state)
    _found_funders(rules, state)


@jit
def _found_clusters(seed, parameters, world, clusters):
    """Traits of every cluster."""
    excellence = draws.key(seed, draws.EXCELLENCE, 0)
    focus = draws.key(seed, draws.FOCUS, 0)
    sector = draws.key(seed, draws.SECTOR, 0)
    capacity = draws.key(seed, draws.CAPACITY, 0)
    first = 0
    for k in range(world.clusters.country.shape[0]):
        country = world.clusters[k].country
        who = draws.identity(world.countries[country].key, world.clusters[k].rank)
        clusters[k].identity = who
        clusters[k].first_sme = first
        clusters[k].members = world.clusters[k].members
        first += world.clusters[k].members
        clusters[k].country = country
        clusters[k].nation = world.countries[country].nation
        clusters[k].sector = position_in(world.sectors.share, draws.uniform(sector, who, _NONE))
        clusters[k].excellence = draws.uniform(excellence, who, _NONE)
        clusters[k].focus = power(draws.uniform(focus, who, _NONE), parameters.focus_shape)
        size = size_factor(clusters[k].members, parameters.members_reference, parameters.size_elasticity)
        clusters[k].capacity = 1 + whole_number(
            (parameters.capacity_mean - 1.0) * 2.0 * clusters[k].focus * size, draws.uniform(capacity, who, _NONE)
        )
        clusters[k].busy = 0
        clusters[k].experience = 0.0
        clusters[k].followon = 0.0
        clusters[k].attended_call = -1


@jit
def _acquaint(seed, parameters, world, state):
    """Who knows whom before the first call: some pairs, more often within a language group."""
    clusters, familiarity, trust, countries = state.clusters, state.familiarity, state.trust, world.countries
    start = draws.key(seed, draws.ACQUAINTED, 0)
    for a in range(clusters.shape[0]):
        familiarity[a, a] = 0.0
        trust[a, a] = 0.0
        for b in range(a):
            like = countries[clusters[a].country].language == countries[clusters[b].country].language
            share = parameters.familiarity_start * (1.0 if like else parameters.distance_factor)
            u = draws.uniform_of_pair(start, clusters[a].identity, clusters[b].identity)
            known = 0.5 if u < share else 0.0
            familiarity[a, b] = known
            familiarity[b, a] = known
            trust[a, b] = 0.0
            trust[b, a] = 0.0


@jit
def _found_smes(seed, parameters, world, state):
    """Traits of every SME, and the calendar of the contracts that it wins on its own."""
    clusters, smes = state.clusters, state.smes
    count, calendar, first_due = state.count, state.calendar, state.first_due
    state.due[:] = NOBODY
    first_due[:] = NOBODY
    state.touched[:] = NOBODY
    other_sector = draws.key(seed, draws.SME_SECTOR, 0)
    new_sector = draws.key(seed, draws.SME_SECTOR, 1)
    size = draws.key(seed, draws.SIZE, 0)
    readiness = draws.key(seed, draws.READINESS, 0)
    spare_time = draws.key(seed, draws.SPARE_TIME, 0)
    for k in range(clusters.shape[0]):
        country = clusters[k].country
        for member in range(clusters[k].members):
            i = clusters[k].first_sme + member
            who = draws.identity(clusters[k].identity, member)
            smes[i].identity = who
            smes[i].cluster = k
            smes[i].projects = 0
            smes[i].path = NOBODY
            smes[i].sector = clusters[k].sector
            if draws.uniform(other_sector, who, _NONE) >= parameters.sme_sector_match:
                smes[i].sector = position_in(world.sectors.share, draws.uniform(new_sector, who, _NONE))
            u = draws.uniform(size, who, _NONE)
            size_class = 0
            if u < parameters.share_medium:
                size_class = 2
            elif u < parameters.share_medium + parameters.share_small:
                size_class = 1
            smes[i].size_class = size_class
            smes[i].readiness = level_around(
                parameters.readiness_mean,
                1.0,
                parameters.readiness_size_step * size_class
                + parameters.readiness_spread * draws.logistic(draws.uniform(readiness, who, _NONE)),
            )
            smes[i].found_readiness = smes[i].readiness
            smes[i].spare_time = level_around(
                parameters.spare_time_mean,
                parameters.spare_time_spread,
                draws.logistic(draws.uniform(spare_time, who, _NONE)),
            )
            pull = pull_of(smes[i].readiness, parameters)
            file_contracts(
                i, who, country, smes[i].sector, pull, seed, parameters, count, calendar, first_due
            )


@jit
def _found_funders(rules, state):
    """Beliefs and ledgers before the first call. Belief starts at the share that the first call's rules let pass."""
    funders, ledger = state.funders, state.ledger
    calls, n = rules.terms.shape
    for f in range(n):
        funders[f].belief = 0.5
        for c in range(calls - 1, -1, -1):
            if rules.terms[c, f].budget_eur > 0.0:
                funders[f].belief = rules.terms[c, f].pass_share
        funders[f].carried = 0.0
        funders[f].debt = 0.0
    state.spent_by_month[:] = 0.0
    for c in range(calls):
        for f in range(n):
            ledger[c, f].decision_month = NEVER
            ledger[c, f].offered = 0.0
            ledger[c, f].applications = 0.0
            ledger[c, f].approvals = 0.0
            ledger[c, f].granted = 0.0
            ledger[c, f].outlay = 0.0
            ledger[c, f].taken_up = 0.0
            ledger[c, f].spent = 0.0
            ledger[c, f].phase_two_left = 0.0
            ledger[c, f].phase_two_granted = 0.0


@service
def related(sector, other, parameters, sectors):
    """Relatedness (0-1) of two sectors by their rows."""
    return relatedness(
        sector == other,
        sectors[sector].family == sectors[other].family,
        parameters.relatedness_family,
        parameters.relatedness_other,
    )
