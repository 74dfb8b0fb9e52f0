"""What SMEs reach on their own, again and again, and how the programme meets, slows or crosses it.

An own path is a chain of needs: need number k of an SME for an outcome falls due a waiting time after
need k-1. With no programme each is reached when it is due. An outcome in the programme may meet the
next need early; a rival's contract may take it away; work in a project delays it.

The chain is a pure function of the SME's own draws, so it is walked on demand: an SME gets rows of its own
(`PATH`, `OWN_PATH`) when the programme first touches it, and only these are followed from month to month. What all
others reach is what they reach without the programme (`own_needs`).
"""

import numpy as np

from simulator import draws
from simulator.jit import inline, kernel, paste
from simulator.outcomes.events import EVENT, Origin, OutcomeEvent, note
from simulator.outcomes.tables import CONTRACT, KNOWLEDGE, OUTCOMES, OWN_PATH, PARTNERSHIP, RNI
from simulator.records import NEVER, NOBODY
from simulator.rules.outcomes import own_delay, own_pull, own_wait

_MOST_NEEDS_A_MONTH = 32  # on average over a run; hazards are far below


@inline
def base_hazard(outcome, parameters):
    """Return the monthly hazard of an SME of mean readiness on its own path."""
    if outcome == KNOWLEDGE:
        return parameters.own_h_knowledge
    if outcome == PARTNERSHIP:
        return parameters.own_h_partnership
    if outcome == RNI:
        return parameters.own_h_rni
    return parameters.own_h_contract


@inline
def pull_of(readiness, parameters):
    """Return the factor on all of an SME's own hazards, by the rule `own_pull`."""
    return own_pull(parameters.own_readiness_slope, readiness, parameters.readiness_mean)


@inline
def waiting_months(outcome, number, who, pull, seed, parameters):
    """Return the months that an SME waits for its own path's need of this number (from 0)."""
    start = draws.key(seed, draws.OWN_PATH, draws.since(0, number))
    threshold = draws.exponential(draws.uniform(start, who, np.uint64(outcome + 1)))
    return own_wait(threshold, base_hazard(outcome, parameters), pull)


@kernel
def own_needs(outcome, who, pull, seed, parameters, last, months):
    """Fill `months` with the months before `last` in which an SME's needs fall due without the programme.

    Return how many there are, even if they do not all fit.
    """
    number = 0
    month = waiting_months(outcome, 0, who, pull, seed, parameters)
    while month < last:
        if number < months.shape[0]:
            months[number] = month
        number += 1
        month += waiting_months(outcome, number, who, pull, seed, parameters)
    return number


@kernel
def pulls_of(readiness, parameters, pull):
    """Fill `pull` with the pulls of many SMEs, as `pull_of` gives them one by one."""
    slope, mean = parameters.own_readiness_slope, parameters.readiness_mean
    for m in range(readiness.shape[0]):
        pull[m] = own_pull(slope, readiness[m], mean)


@kernel
def first_waits(outcome, who, pull, seed, parameters, months):
    """Fill `months` with the waits of many SMEs for their first need, as `waiting_months` gives them one by one."""
    start = draws.key(seed, draws.OWN_PATH, draws.since(0, 0))
    base, kind = base_hazard(outcome, parameters), np.uint64(outcome + 1)
    for m in range(who.shape[0]):
        months[m] = draws.exponential(draws.uniform(start, who[m], kind))
    for m in range(who.shape[0]):
        months[m] = own_wait(months[m], base, pull[m])


@paste
def file_contracts(i, who, country, sector, pull, month, seed, parameters, used, calendar, first_due):
    """Enter the months in which an SME without the programme wins contracts into the calendar of its rivals.

    `month`: of the first of them.
    """
    last = first_due.shape[2]
    number = 0
    while month < last and used.calendar < calendar.shape[0]:
        row = used.calendar
        used.calendar = row + 1
        calendar[row].month = month
        calendar[row].sme = i
        calendar[row].following = first_due[country, sector, int(month)]
        first_due[country, sector, int(month)] = row
        number += 1
        month += waiting_months(CONTRACT, number, who, pull, seed, parameters)
    if month < last:
        used.too_small = 1


@kernel
def path_of(i, month, seed, parameters, state):
    """Return the row of an SME's own path; at the first touch, walk to the first need that is not over by `month`."""
    smes, paths, own = state.smes, state.paths, state.own
    path = np.int64(smes[i].path)
    if path != NOBODY:
        return path
    path = state.used.paths
    if path >= paths.shape[0]:
        state.used.too_small = 1
        return paths.shape[0] - 1
    state.used.paths = path + 1
    smes[i].path = path
    who = smes[i].identity
    pull = pull_of(smes[i].found_readiness, parameters)
    paths[path].sme = i
    paths[path].pull = pull
    country, sector = state.clusters[smes[i].cluster].country, smes[i].sector
    paths[path].following = state.touched[country, sector]
    state.touched[country, sector] = path
    for outcome in range(len(OUTCOMES)):
        number = 0
        due = waiting_months(outcome, 0, who, pull, seed, parameters)
        while due < month:
            number += 1
            due += waiting_months(outcome, number, who, pull, seed, parameters)
        own[path, outcome] = OWN_PATH[0]
        own[path, outcome].month = due
        own[path, outcome].number = number
        own[path, outcome].before = number
        file_due(path, outcome, own, state.due)
    return path


@paste
def file_due(path, outcome, own, due):
    """Put a path at the head of those whose next need falls due in the same month; beyond the run, nowhere."""
    month = own[path, outcome].month
    if month < due.shape[1]:
        own[path, outcome].following = due[outcome, int(month)]
        due[outcome, int(month)] = path


@kernel
def follow_own_paths(month, seed, parameters, state):
    """Every touched SME whose own path has come to an outcome this month reaches it, and the next need starts."""
    own, due, log, used, smes, paths = state.own, state.due, state.log, state.used, state.smes, state.paths
    for outcome in range(len(OUTCOMES)):
        path = due[outcome, month]
        while path != NOBODY:
            following = own[path, outcome].following
            i = paths[path].sme
            while own[path, outcome].month < month + 1:
                on_its_own = Origin(NOBODY, NEVER, NOBODY)
                reached = OutcomeEvent.OWN_KNOWLEDGE + outcome
                note(used, log, month, reached, i, NOBODY, on_its_own, own[path, outcome].month)
                next_need(path, outcome, seed, parameters, smes, paths, own)
            file_due(path, outcome, own, due)  # a new need, or one that a project has slowed
            path = following


@paste
def next_need(path, outcome, seed, parameters, smes, paths, own):
    """Pass to the next need; it falls due a waiting time after the one at hand would have been."""
    own[path, outcome].number += 1
    own[path, outcome].month += waiting_months(
        outcome, own[path, outcome].number, smes[paths[path].sme].identity, paths[path].pull, seed, parameters
    )


@paste
def give_up_effort(path, projects, call, parameters, own):
    """Give up own effort of an SME at work in so many projects: what lies ahead comes that much later."""
    later = own_delay(parameters.own_effort_substitution, projects)
    for outcome in range(len(OUTCOMES)):
        own[path, outcome].month += later
        own[path, outcome].call = call


@kernel
def meet_own_need(month, outcome, i, whom, time, origin, seed, parameters, state):
    """Meet, by chance, with an outcome in the programme the need that the SME's own path would have met later.

    Return whether it does. One draw for SME, counterpart, outcome and time.
    """
    start = draws.key(seed, draws.NEED, time)
    who = state.smes[i].identity
    if draws.uniform(start, who, whom + np.uint64(outcome)) >= parameters.own_need_overlap:
        return False
    path, own = path_of(i, month, seed, parameters, state), state.own
    met = OutcomeEvent.MET_KNOWLEDGE + outcome
    note(state.used, state.log, month, met, i, NOBODY, origin, own[path, outcome].month)
    own[path, outcome].call = origin.call
    next_need(path, outcome, seed, parameters, state.smes, state.paths, own)
    return True


@kernel
def displace(month, i, whom, time, origin, seed, parameters, state):
    """Take, by chance, the buyer that a rival would have won: the next one in the same country and sector.

    Without a rival before the end of the run nobody loses.
    """
    start = draws.key(seed, draws.DISPLACE, time)
    if draws.uniform(start, state.smes[i].identity, whom) >= parameters.displacement:
        return
    rival = next_rival(i, month, state)
    if rival == NOBODY:
        return
    path, own = path_of(rival, month, seed, parameters, state), state.own
    note(state.used, state.log, month, OutcomeEvent.DISPLACED, rival, i, origin, own[path, CONTRACT].month)
    own[path, CONTRACT].call = origin.call
    next_need(path, CONTRACT, seed, parameters, state.smes, state.paths, own)


@kernel
def next_rival(i, month, state):
    """Return the other SME of the same country and sector whose own contract falls due first; NOBODY if none does.

    SMEs that the programme has touched are looked at one by one; the others stand in the calendar.
    """
    smes, own, paths, calendar = state.smes, state.own, state.paths, state.calendar
    country, sector = state.clusters[smes[i].cluster].country, smes[i].sector
    first = state.first_due[country, sector]
    rival, soonest = np.int64(NOBODY), float(first.shape[0])
    path = state.touched[country, sector]
    while path != NOBODY:
        if paths[path].sme != i and own[path, CONTRACT].month < soonest:
            rival, soonest = np.int64(paths[path].sme), own[path, CONTRACT].month
        path = np.int64(paths[path].following)
    for ahead in range(month, first.shape[0]):
        if soonest < ahead:
            break
        row = first[ahead]
        while row != NOBODY:
            other = np.int64(calendar[row].sme)
            if calendar[row].month < soonest and other != i and smes[other].path == NOBODY:
                rival, soonest = other, calendar[row].month
            row = np.int64(calendar[row].following)
    return rival


@kernel
def untouched_events(last, seed, parameters, state, log):
    """Fill `log` with what SMEs reach on their own paths before they are touched, if ever, and before the month `last`.

    Return the number of events, even if they do not all fit.
    """
    smes, own = state.smes, state.own
    months = np.empty(1 + last * _MOST_NEEDS_A_MONTH)
    row = 0
    for i in range(smes.shape[0]):
        who, path = smes[i].identity, smes[i].path
        pull = pull_of(smes[i].found_readiness, parameters)
        for outcome in range(len(OUTCOMES)):
            needs = own_needs(outcome, who, pull, seed, parameters, last, months)
            if path != NOBODY:
                needs = min(needs, own[path, outcome].before)
            for need in range(needs):
                if row < log.shape[0]:
                    log[row] = EVENT[0]
                    log[row].month = int(months[need])
                    log[row].kind = OutcomeEvent.OWN_KNOWLEDGE + outcome
                    log[row].who = i
                    log[row].amount = months[need]
                row += 1
    return row
