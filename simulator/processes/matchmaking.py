"""The matchmaking event: who comes, who meets whom."""

import math

import numpy as np

from simulator import draws
from simulator.jit import jit, service
from simulator.processes.calendar import note
from simulator.processes.founding import related, whole_number
from simulator.rules.matching import attendance_score, gap_closed, partner_appeal
from simulator.state import E_MEETING

_NONE = np.uint64(0)
_WISHES_PER_MEETING = 3  # a wish list is three times as long as the places in a cluster's timetable


@jit
def hold_event(month, seed, parameters, rules, world, state):
    """In the month of an event: places go to the keenest clusters, meetings to the pairs that appeal most."""
    for call in range(rules.calls.shape[0]):
        due = rules.calls[call].event_month == month and rules.calls[call].held == 1
        if due and rules.calls[call].event_clusters > 1:
            guests = _guests(call, seed, parameters, rules, world, state.clusters)
            _meet(month, call, seed, parameters, rules, world, state, guests)


@jit
def _guests(call, seed, parameters, rules, world, clusters):
    """Rows of the clusters that attend: those with the highest scores, in the order of their rows."""
    start = draws.key(seed, draws.ATTEND, draws.since(rules.calls[call].year, 0))
    k = clusters.shape[0]
    score = np.full(k, -math.inf)
    invited = 0
    for a in range(k):
        if world.countries[clusters[a].country].attends == 1:
            noise = draws.gumbel(draws.uniform(start, clusters[a].identity, _NONE))
            score[a] = attendance_score(parameters.attendance_focus_weight, clusters[a].focus, noise)
            invited += 1
    places = min(invited, rules.calls[call].event_clusters)
    guests = np.empty(places, np.int64)
    if places == 0:
        return guests
    bar = np.partition(score, k - places)[k - places]
    row = 0
    for a in range(k):
        if score[a] >= bar and row < places:
            guests[row] = a
            clusters[a].attended_call = call
            row += 1
    return guests


@service
def appeal(a, b, funded, parameters, clusters, familiarity, trust, countries, sectors):
    """Appeal (log-odds) of cluster b to cluster a, by the rule `partner_appeal`; `funded` (0-1): is there a funder."""
    unlike = countries[clusters[a].country].language != countries[clusters[b].country].language
    return partner_appeal(
        trust[a, b],
        familiarity[a, b],
        related(clusters[a].sector, clusters[b].sector, parameters, sectors),
        1.0 if unlike else 0.0,
        abs(clusters[a].focus - clusters[b].focus),
        funded,
        parameters.weight_trust,
        parameters.weight_familiarity,
        parameters.weight_relatedness,
        parameters.weight_distance,
        parameters.weight_mandate,
        parameters.weight_funder,
    )


@service
def has_funder(cluster, call, clusters, countries, terms):
    """Whether the cluster's own country has money in this call."""
    funder = countries[clusters[cluster].country].funder
    return funder >= 0 and terms[call, max(funder, 0)].budget_eur > 0.0


@jit
def _meet(month, call, seed, parameters, rules, world, state, guests):
    """Fills timetables: wishes in order of their score, while both sides have a free place."""
    clusters, familiarity, trust = state.clusters, state.familiarity, state.trust
    countries, sectors, terms = world.countries, world.sectors, rules.terms
    n = guests.shape[0]
    time = draws.since(rules.calls[call].year, 0)
    noise, slots = draws.key(seed, draws.MEETING, time), draws.key(seed, draws.MEETING_SLOTS, time)
    score = np.full((n, n), -math.inf)
    free, funded = np.empty(n, np.int64), np.empty(n)
    for i in range(n):
        a = guests[i]
        funded[i] = 1.0 if has_funder(a, call, clusters, countries, terms) else 0.0
        free[i] = whole_number(parameters.meetings_per_cluster, draws.uniform(slots, clusters[a].identity, _NONE))
        for j in range(i):
            b = guests[j]
            if clusters[a].nation == clusters[b].nation:
                continue
            luck = draws.gumbel(draws.uniform_of_pair(noise, clusters[a].identity, clusters[b].identity))
            # the mean of both appeals: they differ in the other's funder alone
            either = 0.5 * (funded[i] + funded[j])
            score[i, j] = luck + appeal(
                a, b, either, parameters, clusters, familiarity, trust, countries, sectors
            )
            score[j, i] = score[i, j]
    one, other, value = _wishes(score, free)
    order = np.argsort(-value)
    for row in order:
        i, j = one[row], other[row]
        if free[i] > 0 and free[j] > 0:
            free[i] -= 1
            free[j] -= 1
            _know_each_other(state, guests[i], guests[j], parameters.meeting_familiarity_gain)
            note(state.count, state.log, month, E_MEETING, guests[i], guests[j], -1, 1.0)


@jit
def _wishes(score, free):
    """Pairs (i > j) that stand on the wish list of one of the two, with their score."""
    n = score.shape[0]
    bar = np.empty(n)
    for i in range(n):
        wishes = min(n - 1, max(1, _WISHES_PER_MEETING * free[i]))
        bar[i] = np.partition(score[i], n - wishes)[n - wishes]
    found = 0
    for i in range(n):
        for j in range(i):
            if score[i, j] > -math.inf and (score[i, j] >= bar[i] or score[i, j] >= bar[j]):
                found += 1
    one, other, value = np.empty(found, np.int64), np.empty(found, np.int64), np.empty(found)
    row = 0
    for i in range(n):
        for j in range(i):
            if score[i, j] > -math.inf and (score[i, j] >= bar[i] or score[i, j] >= bar[j]):
                one[row], other[row], value[row] = i, j, score[i, j]
                row += 1
    return one, other, value


@service
def _know_each_other(state, a, b, share):
    """Closes a share of the gap in familiarity, both ways."""
    familiarity = gap_closed(state.familiarity[a, b], share)
    state.familiarity[a, b] = familiarity
    state.familiarity[b, a] = familiarity
