"""The year's turn, and small services that the other processes share."""

from simulator.jit import jit, rule
from simulator.rules.learning import worn
from simulator.state import N_EVENTS, TOO_SMALL


@rule
def note(count, log, month, kind, who, whom, project, amount):
    """Writes one event into the log."""
    row = count[N_EVENTS]
    if row >= log.shape[0]:
        count[TOO_SMALL] = 1
        return
    log.month[row] = month
    log.kind[row] = kind
    log.who[row] = who
    log.whom[row] = whom
    log.project[row] = project
    log.amount[row] = amount
    count[N_EVENTS] = row + 1


@jit
def turn_of_the_year(month, parameters, state):
    """Every January staff turnover wears familiarity, trust, experience and the wish to go on."""
    if month == 0 or month % 12 != 0:
        return
    clusters = state.clusters
    k = clusters.shape[0]
    for a in range(k):
        clusters.experience[a] = worn(clusters.experience[a], parameters.experience_decay_year)
        clusters.followon[a] = worn(clusters.followon[a], 0.5)
        for b in range(k):
            state.familiarity[a, b] = worn(state.familiarity[a, b], parameters.familiarity_decay_year)
            state.trust[a, b] = worn(state.trust[a, b], parameters.trust_decay_year)
