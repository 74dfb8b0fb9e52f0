"""The matchmaking event: who comes, who meets whom."""

import math
from typing import NamedTuple

import numpy as np

from simulator import draws
from simulator.instruments import CALLS
from simulator.instruments.calls.events import CallEvent
from simulator.jit import kernel, paste
from simulator.ordering import bar_for, best_first
from simulator.outcomes.events import Origin, note
from simulator.parameters import F64, I64, U64
from simulator.records import NOBODY
from simulator.rules.matching import attendance_score, gap_closed, partner_appeal, relatedness
from simulator.rules.traits import whole_number

_NONE = np.uint64(0)
_WISHES_PER_MEETING = 3  # a wish list is three times as long as the places in a cluster's timetable


@kernel
def hold_event(month, seed, parameters, rules, world, state):
    """In the month of an event places go to the keenest clusters, and meetings to the pairs that appeal most."""
    for call in range(rules.calls.shape[0]):
        due = rules.calls[call].event_month == month and rules.calls[call].held == 1
        if due and rules.calls[call].event_clusters > 1:
            guests = _guests(call, seed, parameters, rules, world, state.clusters)
            _meet(month, call, seed, parameters, rules, world, state, guests)


@kernel
def _guests(call, seed, parameters, rules, world, clusters):
    """Return the rows of the clusters that attend: those with the highest scores, in the order of their rows."""
    start = draws.key(seed, draws.ATTEND, draws.since(rules.calls[call].key, 0))
    k = clusters.shape[0]
    score = np.empty(k)
    invited = 0
    for a in range(k):
        score[a] = -math.inf
        if world.countries[clusters[a].country].attends == 1:
            noise = draws.gumbel(draws.uniform(start, clusters[a].identity, _NONE))
            score[a] = attendance_score(parameters.attendance_focus_weight, clusters[a].focus, noise)
            invited += 1
    places = min(invited, rules.calls[call].event_clusters)
    guests = np.empty(places, np.int64)
    if places == 0:
        return guests
    bar = bar_for(score, places)
    row = 0
    for a in range(k):
        if score[a] >= bar and row < places:
            guests[row] = a
            clusters[a].attended_call = call
            row += 1
    return guests


class Traits(NamedTuple):
    """What clusters look at in one another, as columns: see `traits_of`."""

    identity: U64
    nation: I64
    language: I64
    sector: I64
    family: I64
    focus: F64
    funded: F64  # 1 where the cluster's own country has money in the call, else 0
    belief: F64  # in its funder's approval, 0-1; that of the first funder where it has none


@kernel
def traits_of(rows, call, rules, world, state):
    """Return the traits of the clusters `rows` in a call, in that order."""
    clusters, funders, n = state.clusters, state.funders, rows.shape[0]
    traits = Traits(
        np.empty(n, np.uint64), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64),
        np.empty(n, np.int64), np.empty(n), np.empty(n), np.empty(n),
    )  # fmt: skip
    for place in range(n):
        a = rows[place]
        traits.identity[place] = clusters[a].identity
        traits.nation[place] = clusters[a].nation
        traits.language[place] = world.countries[clusters[a].country].language
        traits.sector[place] = clusters[a].sector
        traits.family[place] = world.sectors[clusters[a].sector].family
        traits.focus[place] = clusters[a].focus
        traits.funded[place] = 1.0 if has_funder(a, call, clusters, world.countries, rules.terms) else 0.0
        traits.belief[place] = funders[max(world.countries[clusters[a].country].funder, 0)].belief
    return traits


@kernel
def add_appeal(me, traits, n, trusted, familiar, funded, parameters, score):
    """Add to `score` how much the first n clusters appeal to cluster `me` (log-odds), by the rule `partner_appeal`.

    `me` counts within `traits`; `trusted`, `familiar` (0-1) and `funded` (0-1: is there a funder) stand by cluster.
    """
    language, sector, family, focus = traits.language[me], traits.sector[me], traits.family[me], traits.focus[me]
    same_family, other_family = parameters.relatedness_family, parameters.relatedness_other
    w_trust, w_familiarity, w_related = (
        parameters.weight_trust, parameters.weight_familiarity, parameters.weight_relatedness,
    )  # fmt: skip
    w_distance, w_mandate, w_funder = parameters.weight_distance, parameters.weight_mandate, parameters.weight_funder
    for b in range(n):
        related = relatedness(sector == traits.sector[b], family == traits.family[b], same_family, other_family)
        unlike = 1.0 if language != traits.language[b] else 0.0
        gap = abs(focus - traits.focus[b])
        score[b] += partner_appeal(
            trusted[b], familiar[b], related, unlike, gap, funded[b],
            w_trust, w_familiarity, w_related, w_distance, w_mandate, w_funder,
        )  # fmt: skip


@paste
def has_funder(cluster, call, clusters, countries, terms):
    """Return whether the cluster's own country has money in this call."""
    funder = countries[clusters[cluster].country].funder
    return funder >= 0 and terms[call, max(funder, 0)].budget_eur > 0.0


@kernel
def _meet(month, call, seed, parameters, rules, world, state, guests):
    """Fill timetables: wishes in order of their score, while both sides have a free place."""
    familiarity, origin = state.familiarity, Origin(CALLS, call, NOBODY)
    traits = traits_of(guests, call, rules, world, state)
    time = draws.since(rules.calls[call].key, 0)
    slots = draws.key(seed, draws.MEETING_SLOTS, time)
    score = _scores(draws.key(seed, draws.MEETING, time), traits, guests, parameters, state.trust, familiarity)
    free = np.empty(guests.shape[0], np.int64)
    for i in range(guests.shape[0]):
        free[i] = whole_number(parameters.meetings_per_cluster, draws.uniform(slots, traits.identity[i], _NONE))
    one, other, value = _wishes(score, free)
    gain = parameters.meeting_familiarity_gain
    for row in best_first(value):
        i, j = one[row], other[row]
        if free[i] > 0 and free[j] > 0:
            free[i] -= 1
            free[j] -= 1
            _know_each_other(familiarity, guests[i], guests[j], gain)
            note(state.used, state.log, month, CallEvent.MEETING, guests[i], guests[j], origin, 1.0)


@kernel
def _scores(noise, traits, guests, parameters, trust, familiarity):
    """Return how much each pair of guests would like to meet (log-odds), (n, n), symmetric; -inf within a nation."""
    n = guests.shape[0]
    score, luck = np.empty((n, n)), _luck_of_pairs(noise, traits.identity)
    trusted, familiar, either = np.empty(n), np.empty(n), np.empty(n)
    first = 0
    for i in range(n):
        a, nation, funded, row = guests[i], traits.nation[i], traits.funded[i], score[i]
        for j in range(i):
            trusted[j], familiar[j] = trust[a, guests[j]], familiarity[a, guests[j]]
            either[j] = 0.5 * (funded + traits.funded[j])  # the mean of both appeals, which differ in nothing else
            row[j] = luck[first + j]
        add_appeal(i, traits, i, trusted, familiar, either, parameters, row)
        for j in range(i):
            row[j] = row[j] if traits.nation[j] != nation else -math.inf
            score[j, i] = row[j]
        row[i] = -math.inf
        first += i
    return score


@kernel
def _luck_of_pairs(noise, identity):
    """Return a Gumbel deviate for each pair (i > j), row after row."""
    n = identity.shape[0]
    luck = np.empty(n * (n - 1) // 2)
    first = 0
    for i in range(n):
        me, row = identity[i], luck[first : first + i]
        for j in range(i):
            row[j] = draws.uniform_of_pair(noise, me, identity[j])
        first += i
    draws.gumbels(luck)
    return luck


@kernel
def _wishes(score, free):
    """Return the pairs (i > j) that stand on the wish list of one of the two, with their score."""
    n = score.shape[0]
    bar = np.empty(n)
    for i in range(n):
        bar[i] = bar_for(score[i], min(n - 1, max(1, _WISHES_PER_MEETING * free[i])))
    pairs, wishes = n * (n - 1) // 2 + 1, 0
    one, other, value = np.empty(pairs, np.int64), np.empty(pairs, np.int64), np.empty(pairs)
    for i in range(n):
        for j in range(i):
            wish = score[i, j]
            one[wishes], other[wishes], value[wishes] = i, j, wish  # stays if it is on a list
            if wish > -math.inf and wish >= min(bar[i], bar[j]):
                wishes += 1
    return one[:wishes], other[:wishes], value[:wishes]


@paste
def _know_each_other(familiarity, a, b, share):
    """Close a share of the gap in familiarity, both ways."""
    level = gap_closed(familiarity[a, b], share)
    familiarity[a, b] = level
    familiarity[b, a] = level
