"""What SMEs reach on their own, and how the programme meets, slows or crosses it."""

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
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
    own = state.own
    for outcome in range(len(OUTCOMES)):
        for i in range(own.shape[1]):
            if own.month[outcome, i] < month + 1 and own.state[outcome, i] == OWN_AHEAD:
                own.state[outcome, i] = OWN_REACHED
                note(state.count, state.log, month, E_OWN_KNOWLEDGE + outcome, i, NOBODY, -1, 1.0)


@jit
def slow_own_paths(parameters, state):
    """SMEs active in a project give up part of their own effort: what lies ahead comes that much later."""
    t, partners, smes, own, projects = state.participations, state.partners, state.smes, state.own, state.projects
    for p in range(state.count[N_PARTNERS]):
        if partners.dose[p] <= 0.0:
            continue
        call = projects.call[partners.project[p]]
        for row in range(partners.first_participation[p], partners.first_participation[p] + partners.engaged[p]):
            i = t.sme[row]
            if t.is_active[row] == 0:
                continue
            for outcome in range(len(OUTCOMES)):
                if own.state[outcome, i] == OWN_AHEAD:
                    own.month[outcome, i] += parameters.own_effort_substitution / max(1, smes.projects[i])
                    own.call[outcome, i] = call


@rule
def meet_own_need(month, outcome, i, whom, time, call, seed, parameters, state):
    """An outcome in the programme may meet the need that the SME's own path would have met later.

    True where it does: the own path ends here. One draw for SME, counterpart and call.
    """
    own = state.own
    if own.state[outcome, i] != OWN_AHEAD:
        return False
    start = draws.key(seed, draws.NEED, time)
    if draws.uniform(start, state.smes.identity[i], whom + np.uint64(outcome)) >= parameters.own_need_overlap:
        return False
    own.state[outcome, i] = OWN_MET_IN_PROGRAMME
    own.month[outcome, i] = float(month)
    own.call[outcome, i] = call
    return True


@jit
def displace(month, i, whom, time, call, seed, parameters, world, state):
    """A contract may take the buyer that a rival would have won: the next one in the same country and sector."""
    start = draws.key(seed, draws.DISPLACE, time)
    smes, own, markets = state.smes, state.own, state.markets
    if draws.uniform(start, smes.identity[i], whom) >= parameters.displacement:
        return
    sectors = world.sectors.shape[0]
    market = state.clusters.country[smes.cluster[i]] * sectors + smes.sector[i]
    place = markets.next[market]
    while place < markets.first[market + 1]:
        rival = state.rivals[place]
        if own.state[CONTRACT, rival] == OWN_AHEAD and rival != i:
            own.state[CONTRACT, rival] = OWN_DISPLACED
            own.call[CONTRACT, rival] = call
            note(state.count, state.log, month, E_DISPLACED, rival, i, -1, 1.0)
            return
        if rival != i and place == markets.next[market]:
            markets.next[market] += 1  # its own path is over: nobody need look at it again
        place += 1
