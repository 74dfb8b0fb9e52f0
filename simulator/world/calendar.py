"""The turn of the year."""

from simulator.jit import kernel
from simulator.rules.learning import worn


@kernel
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
