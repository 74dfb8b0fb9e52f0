"""The world before the first call: clusters and SMEs get their traits, each by its own draws."""

import numpy as np

from simulator import draws
from simulator.instruments.calls.tables import LEDGER
from simulator.jit import kernel
from simulator.outcomes.own_paths import file_contracts, first_waits, pulls_of
from simulator.outcomes.tables import CONTRACT
from simulator.records import NOBODY
from simulator.rules.consortia import size_factor
from simulator.rules.traits import level_around, project_capacity, size_class, strategy_focus
from simulator.world.sectors import sector_at
from simulator.world.tables import CLUSTER, FUNDER

_NONE = np.uint64(0)
_AT_A_TIME = 512  # SMEs; their traits stay in the processor's nearest memory


@kernel
def found_world(seed, parameters, rules, world, state):
    """Fill clusters, SMEs, funders and the tables of a cleared state; every trait is keyed by who has it."""
    state.used.founded = 1
    state.slots[:] = NOBODY
    _found_clusters(seed, parameters, world, state.clusters)
    _acquaint(seed, parameters, world, state)
    _found_smes(seed, parameters, world, state)
    _found_funders(rules, state)


@kernel
def _found_clusters(seed, parameters, world, clusters):
    """Draw the traits of every cluster."""
    excellence = draws.key(seed, draws.EXCELLENCE, 0)
    focus = draws.key(seed, draws.FOCUS, 0)
    sector = draws.key(seed, draws.SECTOR, 0)
    capacity = draws.key(seed, draws.CAPACITY, 0)
    first = 0
    for k in range(world.clusters.country.shape[0]):
        country = world.clusters[k].country
        who = draws.identity(world.countries[country].key, world.clusters[k].rank)
        clusters[k] = CLUSTER[0]
        clusters[k].identity = who
        clusters[k].first_sme = first
        clusters[k].members = world.clusters[k].members
        first += world.clusters[k].members
        clusters[k].country = country
        clusters[k].nation = world.countries[country].nation
        clusters[k].sector = sector_at(world.sectors.share, draws.uniform(sector, who, _NONE))
        clusters[k].excellence = draws.uniform(excellence, who, _NONE)
        clusters[k].focus = strategy_focus(draws.uniform(focus, who, _NONE), parameters.focus_shape)
        size = size_factor(clusters[k].members, parameters.members_reference, parameters.size_elasticity)
        clusters[k].capacity = project_capacity(
            parameters.capacity_mean, clusters[k].focus, size, draws.uniform(capacity, who, _NONE)
        )


@kernel
def _acquaint(seed, parameters, world, state):
    """Acquaint some pairs of clusters before the first call, more often within a language group."""
    clusters, familiarity, countries = state.clusters, state.familiarity, world.countries
    n = clusters.shape[0]
    familiarity[:] = 0.0
    state.trust[:] = 0.0
    start = draws.key(seed, draws.ACQUAINTED, 0)
    share_unlike = parameters.familiarity_start * parameters.distance_factor
    identity, language, u = np.empty(n, np.uint64), np.empty(n, np.int64), np.empty(n)
    for a in range(n):
        me = clusters[a].identity
        identity[a], language[a] = me, countries[clusters[a].country].language
        for b in range(a):
            u[b] = draws.uniform_of_pair(start, me, identity[b])
        for b in range(a):
            if u[b] < (parameters.familiarity_start if language[a] == language[b] else share_unlike):
                familiarity[a, b], familiarity[b, a] = 0.5, 0.5


@kernel
def _found_smes(seed, parameters, world, state):
    """Draw the traits of every SME, and fill the calendar of the contracts that it wins on its own.

    One trait after the other for many SMEs, which a processor draws several at once.
    """
    state.due[:] = NOBODY
    state.first_due[:] = NOBODY
    state.touched[:] = NOBODY
    _name_smes(state.clusters, state.smes)
    clusters, smes, shares = state.clusters, state.smes, world.sectors.share
    used, calendar, first_due, n = state.used, state.calendar, state.first_due, smes.shape[0]
    new_sector = draws.key(seed, draws.SME_SECTOR, 1)
    who, u = np.empty(_AT_A_TIME, np.uint64), np.empty((6, _AT_A_TIME))
    moves, size, readiness, spare_time, pull, contract = u[0], u[1], u[2], u[3], u[4], u[5]
    for first in range(0, n, _AT_A_TIME):
        last = min(n, first + _AT_A_TIME)
        for m in range(_AT_A_TIME):
            who[m] = smes[min(first + m, n - 1)].identity
        _draw_traits(seed, parameters, who, moves, size, readiness, spare_time, pull, contract)
        for i in range(first, last):
            m, cluster = i - first, np.int64(smes[i].cluster)
            country, sector = clusters[cluster].country, clusters[cluster].sector
            if moves[m] >= parameters.sme_sector_match:
                sector = sector_at(shares, draws.uniform(new_sector, who[m], _NONE))
            smes[i].sector, smes[i].size_class = sector, int(size[m])
            smes[i].readiness, smes[i].found_readiness, smes[i].spare_time = readiness[m], readiness[m], spare_time[m]
            smes[i].projects, smes[i].path = 0, NOBODY
            file_contracts(
                i, who[m], country, sector, pull[m], contract[m], seed, parameters, used, calendar, first_due
            )


@kernel
def _name_smes(clusters, smes):
    """Set every SME's cluster, and the identity on which all its draws depend."""
    for k in range(clusters.shape[0]):
        cluster, first = clusters[k].identity, clusters[k].first_sme
        for member in range(clusters[k].members):
            smes[first + member].identity = draws.identity(cluster, member)
            smes[first + member].cluster = k


@kernel
def _draw_traits(seed, parameters, who, moves, size, readiness, spare_time, pull, first_contract):
    """Draw the traits of a block of SMEs, into one column (block,) a trait."""
    other_sector, size_start = draws.key(seed, draws.SME_SECTOR, 0), draws.key(seed, draws.SIZE, 0)
    ready, spare = draws.key(seed, draws.READINESS, 0), draws.key(seed, draws.SPARE_TIME, 0)
    share_medium, share_small = parameters.share_medium, parameters.share_small
    mean, step, spread = parameters.readiness_mean, parameters.readiness_size_step, parameters.readiness_spread
    spare_mean, spare_spread = parameters.spare_time_mean, parameters.spare_time_spread
    for m in range(who.shape[0]):
        moves[m] = draws.uniform(other_sector, who[m], _NONE)
    for m in range(who.shape[0]):
        size[m] = size_class(draws.uniform(size_start, who[m], _NONE), share_small, share_medium)
    for m in range(who.shape[0]):
        readiness[m] = draws.logistic(draws.uniform(ready, who[m], _NONE))
    for m in range(who.shape[0]):
        readiness[m] = level_around(mean, 1.0, step * size[m] + spread * readiness[m])
    for m in range(who.shape[0]):
        spare_time[m] = draws.logistic(draws.uniform(spare, who[m], _NONE))
    for m in range(who.shape[0]):
        spare_time[m] = level_around(spare_mean, spare_spread, spare_time[m])
    pulls_of(readiness, parameters, pull)
    first_waits(CONTRACT, who, pull, seed, parameters, first_contract)


@kernel
def _found_funders(rules, state):
    """Fill beliefs and ledgers. Belief starts at the share that the first call's rules let pass."""
    funders, ledger = state.funders, state.ledger
    calls, n = rules.terms.shape
    for f in range(n):
        funders[f] = FUNDER[0]
        for c in range(calls - 1, -1, -1):
            ledger[c, f] = LEDGER[0]
            if rules.terms[c, f].budget_eur > 0.0:
                funders[f].belief = rules.terms[c, f].pass_share
    state.spent_by_month[:] = 0.0
