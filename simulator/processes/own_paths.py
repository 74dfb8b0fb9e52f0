"""What SMEs reach on their own, again and again, and how the programme meets, slows or crosses it.

An own path is a chain of needs: need number k of an SME for an outcome falls due a waiting time after
need k-1. With no programme each is reached when it is due. An outcome in the programme may meet the
next need early; a rival's contract may take it away; work in a project delays it.
"""

import numpy as np

from simulator import draws
from simulator.jit import jit, rule, service
from simulator.processes.calendar import note
from simulator.rules.outcomes import own_hazard
from simulator.state import (
    CONTRACT,
    E_DISPLACED,
    E_MET_KNOWLEDGE,
    E_OWN_KNOWLEDGE,
    KNOWLEDGE,
    N_PARTNERS,
    NOBODY,
    OUTCOMES,
    PARTNERSHIP,
    RNI,
)


@rule
def base_hazard(outcome, parameters):
    """Monthly hazard of an SME of mean readiness on its own path."""
    if outcome == KNOWLEDGE:
        return parameters.own_h_knowledge
    if outcome == PARTNERSHIP:
        return parameters.own_h_partnership
    if outcome == RNI:
        return parameters.own_h_rni
    return parameters.own_h_contract


@rule
def waiting_months(outcome, number, who, readiness, seed, parameters):
    """Months that an SME waits for its own path's need of this number (from 0); its readiness is the one it was
    found with, so that the chain of needs is the same in every scenario."""
    hazard = own_hazard(
        base_hazard(outcome, parameters), parameters.own_readiness_slope, readiness, parameters.readiness_mean
    )
    start = draws.key(seed, draws.OWN_PATH, draws.since(0, number))
    return draws.exponential(draws.uniform(start, who, np.uint64(outcome + 1))) / hazard


@service
def file_due(i, outcome, own, due):
    """Puts an SME at the head of those whose next need falls due in the same month; beyond the run, nowhere."""
    month = own[outcome, i].month
    if month < due.shape[1]:
        own[outcome, i].following = due[outcome, int(month)]
        due[outcome, int(month)] = i


@jit
def follow_own_paths(month, seed, parameters, state):
    """Every SME whose own path has come to an outcome this month reaches it, and the next need starts."""
    own, due, log, count, smes = state.own, state.due, state.log, state.count, state.smes
    for outcome in range(len(OUTCOMES)):
        i = due[outcome, month]
        while i != NOBODY:
            following = own[outcome, i].following
            while own[outcome, i].month < month + 1:
                note(count, log, month, E_OWN_KNOWLEDGE + outcome, i, NOBODY, -1, own[outcome, i].month)
                next_need(i, outcome, seed, parameters, smes, own)
            file_due(i, outcome, own, due)  # a new need, or one that a project has slowed
            i = following


@service
def next_need(i, outcome, seed, parameters, smes, own):
    """The need at hand is over, whoever met it; the next falls due a waiting time after it would have been."""
    own[outcome, i].number += 1
    own[outcome, i].month += waiting_months(
        outcome, own[outcome, i].number, smes[i].identity, smes[i].found_readiness, seed, parameters
    )


@jit
def slow_own_paths(parameters, state):
    """SMEs active in a project give up part of their own effort: what lies ahead comes that much later."""
    t, partners, smes, own, projects = state.participations, state.partners, state.smes, state.own, state.projects
    for p in range(state.count[N_PARTNERS]):
        if partners[p].dose <= 0.0:
            continue
        call = projects[partners[p].project].call
        for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
            i = t[row].sme
            if t[row].is_active == 0:
                continue
            for outcome in range(len(OUTCOMES)):
                own[outcome, i].month += parameters.own_effort_substitution / max(1, smes[i].projects)
                own[outcome, i].call = call


@jit
def meet_own_need(month, outcome, i, whom, time, call, project, seed, parameters, state):
    """An outcome in the programme may meet the need that the SME's own path would have met later.

    True where it does. One draw for SME, counterpart, outcome and time.
    """
    start = draws.key(seed, draws.NEED, time)
    who = state.smes[i].identity
    if draws.uniform(start, who, whom + np.uint64(outcome)) >= parameters.own_need_overlap:
        return False
    note(state.count, state.log, month, E_MET_KNOWLEDGE + outcome, i, NOBODY, project, state.own[outcome, i].month)
    state.own[outcome, i].call = call
    next_need(i, outcome, seed, parameters, state.smes, state.own)
    return True


@jit
def displace(month, i, whom, time, call, project, seed, parameters, state):
    """A contract may take the buyer that a rival would have won: the next one in the same country and sector.

    Rivals are looked for month by month among those whose own contract falls due; without a rival
    before the end of the run nobody loses.
    """
    start = draws.key(seed, draws.DISPLACE, time)
    smes, own, due, clusters = state.smes, state.own, state.due, state.clusters
    if draws.uniform(start, smes[i].identity, whom) >= parameters.displacement:
        return
    country = clusters[smes[i].cluster].country
    rival = NOBODY
    for ahead in range(month, due.shape[1]):
        if rival != NOBODY and own[CONTRACT, rival].month < ahead:
            break  # who is filed from here on comes later: nobody is due before the month under which it is filed
        other = due[CONTRACT, ahead]
        while other != NOBODY:
            same = smes[other].sector == smes[i].sector and clusters[smes[other].cluster].country == country
            if same and other != i and (rival == NOBODY or own[CONTRACT, other].month < own[CONTRACT, rival].month):
                rival = other
            other = own[CONTRACT, other].following
    if rival == NOBODY or own[CONTRACT, rival].month >= due.shape[1]:
        return
    note(state.count, state.log, month, E_DISPLACED, rival, i, project, own[CONTRACT, rival].month)
    own[CONTRACT, rival].call = call
    next_need(rival, CONTRACT, seed, parameters, smes, own)
