"""What SMEs reach on their own, and how the programme meets, slows or crosses it."""

import numpy as np

from simulator import draws
from simulator.jit import jit, rule, service
from simulator.processes.calendar import note
from simulator.state import (
    CONTRACT,
    E_DISPLACED,
    E_OWN_KNOWLEDGE,
    N_PARTNERS,
    NOBODY,
    OUTCOMES,
    OWN_AHEAD,
    OWN_DISPLACED,
    OWN_MET_IN_PROGRAMME,
    OWN_REACHED,
)


@jit
def follow_own_paths(month, state):
    """Every SME whose own path has come to an outcome this month reaches it."""
    own, due, log, count = state.own, state.due, state.log, state.count
    for outcome in range(len(OUTCOMES)):
        i = due[outcome, month]
        while i != NOBODY:
            following = own[outcome, i].following
            if own[outcome, i].state == OWN_AHEAD:
                if own[outcome, i].month < month + 1:
                    own[outcome, i].state = OWN_REACHED
                    note(count, log, month, E_OWN_KNOWLEDGE + outcome, i, NOBODY, -1, 1.0)
                else:  # a project has slowed it: look again when it is due
                    file_due(i, outcome, own, due)
            i = following


@service
def file_due(i, outcome, own, due):
    """Puts an SME at the head of those whose own path is due in the same month; beyond the run, nowhere."""
    month = own[outcome, i].month
    if month < due.shape[1]:
        own[outcome, i].following = due[outcome, int(month)]
        due[outcome, int(month)] = i


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
                if own[outcome, i].state == OWN_AHEAD:
                    own[outcome, i].month += parameters.own_effort_substitution / max(1, smes[i].projects)
                    own[outcome, i].call = call


@rule
def meet_own_need(month, outcome, i, whom, time, call, seed, parameters, state):
    """An outcome in the programme may meet the need that the SME's own path would have met later.

    True where it does: the own path ends here. One draw for SME, counterpart and call.
    """
    own = state.own
    if own[outcome, i].state != OWN_AHEAD:
        return False
    start = draws.key(seed, draws.NEED, time)
    if draws.uniform(start, state.smes[i].identity, whom + np.uint64(outcome)) >= parameters.own_need_overlap:
        return False
    own[outcome, i].state = OWN_MET_IN_PROGRAMME
    own[outcome, i].month = float(month)
    own[outcome, i].call = call
    return True


@jit
def displace(month, i, whom, time, call, seed, parameters, world, state):
    """A contract may take the buyer that a rival would have won: the next one in the same country and sector."""
    start = draws.key(seed, draws.DISPLACE, time)
    smes, own, markets = state.smes, state.own, state.markets
    if draws.uniform(start, smes[i].identity, whom) >= parameters.displacement:
        return
    sectors = world.sectors.shape[0]
    market = state.clusters[smes[i].cluster].country * sectors + smes[i].sector
    place = markets[market].next
    while place < markets[market + 1].first:
        rival = state.rivals[place]
        if own[CONTRACT, rival].state == OWN_AHEAD and rival != i:
            own[CONTRACT, rival].state = OWN_DISPLACED
            own[CONTRACT, rival].month = float(month)
            own[CONTRACT, rival].call = call
            note(state.count, state.log, month, E_DISPLACED, rival, i, -1, 1.0)
            return
        if rival != i and place == markets[market].next:
            markets[market].next += 1  # its own path is over: nobody need look at it again
        place += 1
