"""The world before the first call: clusters and SMEs are given their traits, each by its own draws."""

import math

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.rules.matching import relatedness
from simulator.rules.outcomes import own_hazard
from simulator.state import CONTRACT, NEVER, NOBODY, OUTCOMES, OWN_AHEAD

_NONE = np.uint64(0)


@rule
def level_around(mean, spread, deviate):
    """A level (0-1) around a mean: logistic in ln(mean/(1-mean)) + spread * deviate."""
    return 1.0 / (1.0 + math.exp(-(math.log(mean / (1.0 - mean)) + spread * deviate)))


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
def found(seed, months, parameters, rules, world, state):
    """Fills clusters, SMEs, funders and the empty tables; every trait is keyed by who has it."""
    state.count[:] = 0
    state.slots[:] = NOBODY
    _found_clusters(seed, parameters, world, state.clusters)
    _acquaint(seed, parameters, world, state)
    _found_smes(seed, parameters, world, state)
    _found_markets(months, world, state)
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
        country = world.clusters.country[k]
        who = draws.identity(world.countries.key[country], world.clusters.rank[k])
        clusters.identity[k] = who
        clusters.first_sme[k] = first
        clusters.members[k] = world.clusters.members[k]
        first += world.clusters.members[k]
        clusters.country[k] = country
        clusters.nation[k] = world.countries.nation[country]
        clusters.sector[k] = position_in(world.sectors.share, draws.uniform(sector, who, _NONE))
        clusters.excellence[k] = draws.uniform(excellence, who, _NONE)
        clusters.focus[k] = draws.uniform(focus, who, _NONE) ** parameters.focus_shape
        clusters.capacity[k] = 1 + whole_number(
            (parameters.capacity_mean - 1.0) * 2.0 * clusters.focus[k], draws.uniform(capacity, who, _NONE)
        )
        clusters.busy[k] = 0
        clusters.experience[k] = 0.0
        clusters.followon[k] = 0.0
        clusters.attended_call[k] = -1


@jit
def _acquaint(seed, parameters, world, state):
    """Who knows whom before the first call: some pairs, more often within a language group."""
    clusters = state.clusters
    start = draws.key(seed, draws.ACQUAINTED, 0)
    for a in range(clusters.shape[0]):
        state.familiarity[a, a] = 0.0
        state.trust[a, a] = 0.0
        for b in range(a):
            like = world.countries.language[clusters.country[a]] == world.countries.language[clusters.country[b]]
            share = parameters.familiarity_start * (1.0 if like else parameters.distance_factor)
            u = draws.uniform_of_pair(start, clusters.identity[a], clusters.identity[b])
            known = 0.5 if u < share else 0.0
            state.familiarity[a, b] = known
            state.familiarity[b, a] = known
            state.trust[a, b] = 0.0
            state.trust[b, a] = 0.0


@jit
def _found_smes(seed, parameters, world, state):
    """Traits of every SME and the months in which it gets there on its own."""
    clusters, smes, own = state.clusters, state.smes, state.own
    other_sector = draws.key(seed, draws.SME_SECTOR, 0)
    new_sector = draws.key(seed, draws.SME_SECTOR, 1)
    size = draws.key(seed, draws.SIZE, 0)
    readiness = draws.key(seed, draws.READINESS, 0)
    spare_time = draws.key(seed, draws.SPARE_TIME, 0)
    own_path = draws.key(seed, draws.OWN_PATH, 0)
    base = (
        parameters.own_h_knowledge, parameters.own_h_partnership, parameters.own_h_rni, parameters.own_h_contract,
    )  # fmt: skip
    for k in range(clusters.shape[0]):
        for member in range(clusters.members[k]):
            i = clusters.first_sme[k] + member
            who = draws.identity(clusters.identity[k], member)
            smes.identity[i] = who
            smes.cluster[i] = k
            smes.projects[i] = 0
            smes.sector[i] = clusters.sector[k]
            if draws.uniform(other_sector, who, _NONE) >= parameters.sme_sector_match:
                smes.sector[i] = position_in(world.sectors.share, draws.uniform(new_sector, who, _NONE))
            u = draws.uniform(size, who, _NONE)
            size_class = 0
            if u < parameters.share_medium:
                size_class = 2
            elif u < parameters.share_medium + parameters.share_small:
                size_class = 1
            smes.size_class[i] = size_class
            smes.readiness[i] = level_around(
                parameters.readiness_mean,
                1.0,
                parameters.readiness_size_step * size_class
                + parameters.readiness_spread * draws.logistic(draws.uniform(readiness, who, _NONE)),
            )
            smes.spare_time[i] = level_around(
                parameters.spare_time_mean,
                parameters.spare_time_spread,
                draws.logistic(draws.uniform(spare_time, who, _NONE)),
            )
            for outcome in range(len(OUTCOMES)):
                hazard = own_hazard(
                    base[outcome], parameters.own_readiness_slope, smes.readiness[i], parameters.readiness_mean
                )
                u = draws.uniform(own_path, who, np.uint64(outcome + 1))
                own.month[outcome, i] = draws.exponential(u) / hazard
                own.state[outcome, i] = OWN_AHEAD
                own.call[outcome, i] = NEVER


@jit
def _found_markets(months, world, state):
    """Orders the SMEs of a country and sector by the month in which their own path leads to a contract.

    They are rivals for the same buyers abroad; those who would not get there within the run are left out.
    """
    clusters, smes, own, markets = state.clusters, state.smes, state.own, state.markets
    sectors = world.sectors.shape[0]
    n = smes.shape[0]
    markets.first[:] = 0
    for i in range(n):
        if own.month[CONTRACT, i] < months:
            markets.first[clusters.country[smes.cluster[i]] * sectors + smes.sector[i] + 1] += 1
    for market in range(markets.shape[0] - 1):
        markets.first[market + 1] += markets.first[market]
        markets.next[market] = markets.first[market]
    for i in range(n):
        if own.month[CONTRACT, i] < months:
            market = clusters.country[smes.cluster[i]] * sectors + smes.sector[i]
            state.rivals[markets.next[market]] = i
            markets.next[market] += 1
    for market in range(markets.shape[0] - 1):
        first, last = markets.first[market], markets.first[market + 1]
        _sort_by_month(own.month[CONTRACT], state.rivals[first:last])
        markets.next[market] = first


@jit
def _sort_by_month(month, rows):
    """Puts `rows` in order of their month, in place."""
    order = np.argsort(month[rows])
    rows[:] = rows[order]


@jit
def _found_funders(rules, state):
    """Beliefs and ledgers before the first call. Belief starts at the share that the first call's rules let pass."""
    funders, ledger = state.funders, state.ledger
    calls, n = rules.terms.shape
    for f in range(n):
        funders.belief[f] = 0.5
        for c in range(calls - 1, -1, -1):
            if rules.terms.budget_eur[c, f] > 0.0:
                funders.belief[f] = rules.terms.pass_share[c, f]
        funders.carried[f] = 0.0
        funders.debt[f] = 0.0
    state.spent_by_month[:] = 0.0
    for c in range(calls):
        for f in range(n):
            ledger.decision_month[c, f] = NEVER
            ledger.offered[c, f] = 0.0
            ledger.applications[c, f] = 0.0
            ledger.approvals[c, f] = 0.0
            ledger.granted[c, f] = 0.0
            ledger.outlay[c, f] = 0.0
            ledger.taken_up[c, f] = 0.0
            ledger.spent[c, f] = 0.0
            ledger.phase_two_left[c, f] = 0.0
            ledger.phase_two_granted[c, f] = 0.0


@rule
def related(world, parameters, sector, other):
    """Relatedness (0-1) of two sectors by their rows."""
    return relatedness(
        sector == other,
        world.sectors.family[sector] == world.sectors.family[other],
        parameters.relatedness_family,
        parameters.relatedness_other,
    )
