"""The year's turn, and small services that the other processes share."""

from simulator.jit import jit
from simulator.rules.learning import worn
from simulator.state import N_EVENTS, TOO_SMALL


@jit
def note(count, log, month, kind, who, whom, project, amount):
    """Writes one event into the log."""
    row = count[N_EVENTS]
    if row >= log.shape[0]:
        count[TOO_SMALL] = 1
        return
    log[row].month = month
    log[row].kind = kind
    log[row].who = who
    log[row].whom = whom
    log[row].project = project
    log[row].amount = amount
    count[N_EVENTS] = row + 1


@jit
def turn_of_the_year(month, parameters, state):
    """Every January staff turnover wears familiarity, trust, experience and the wish to go on."""
    if month == 0 or month % 12 != 0:
        return
    clusters, familiarity, trust = state.clusters, state.familiarity, state.trust
    k = clusters.shape[0]
    familiarity_kept = worn(1.0, parameters.familiarity_decay_year)
    trust_kept = worn(1.0, parameters.trust_decay_year)
    for a in range(k):
        clusters[a].experience = worn(clusters[a].experience, parameters.experience_decay_year)
        clusters[a].followon = worn(clusters[a].followon, 0.5)
        for b in range(k):
            familiarity[a, b] *= familiarity_kept
            trust[a, b] *= trust_kept
