"""Two verbs by which an instrument reaches SMEs: they learn, and they meet across borders."""

import numpy as np

from simulator import draws
from simulator.jit import inline, kernel
from simulator.outcomes.events import OutcomeEvent, note
from simulator.outcomes.own_paths import meet_own_need
from simulator.outcomes.tables import KNOWLEDGE, TIE
from simulator.records import NOBODY
from simulator.rules.matching import gap_closed
from simulator.rules.outcomes import distance

_HASH = np.uint64(0x9E3779B97F4A7C15)


@kernel
def learn(month, i, what, time, origin, seed, parameters, state):
    """Let an SME gain new knowledge; with it its readiness rises, and a need of its own path may be met.

    `what`: identity of what it learnt in; `time`: time key of the draw.
    """
    smes = state.smes
    smes[i].readiness = gap_closed(smes[i].readiness, parameters.readiness_gain)
    note(state.used, state.log, month, OutcomeEvent.KNOWLEDGE, i, NOBODY, origin, 1.0)
    meet_own_need(month, KNOWLEDGE, i, what, time, origin, seed, parameters, state)


@kernel
def meet(month, i, j, participation, participation_other, fit, effect, origin, seed, parameters, world, state):
    """Two SMEs have a first contact: a new tie, or an old one that gets another chance.

    `fit`: their complementarity; `effect`: factor on the tie's hazards from now on. The participations are NOBODY
    where the two do not meet in a project.
    """
    ties = state.ties
    if i > j:
        i, j, participation, participation_other = j, i, participation_other, participation
    slot = find_slot(i, j, ties, state.slots)
    tie = state.slots[slot]
    if tie == NOBODY:
        tie = state.used.ties
        if tie >= ties.shape[0]:
            state.used.too_small = 1
            return
        state.used.ties = tie + 1
        state.slots[slot] = tie
        _begin(tie, i, j, fit, seed, parameters, world, state)
    ties[tie].alive = 1
    ties[tie].call, ties[tie].origin, ties[tie].project = origin.call, origin.instrument, origin.project
    ties[tie].participation_one, ties[tie].participation_other = participation, participation_other
    ties[tie].effect = effect
    ties[tie].trust = max(ties[tie].trust, parameters.trust_start)
    note(state.used, state.log, month, OutcomeEvent.CONTACT, i, j, origin, 1.0)


@inline
def _begin(tie, i, j, fit, seed, parameters, world, state):
    """Fill the row of a new tie: what the two SMEs are to each other, and the luck of the pair."""
    ties, smes, clusters = state.ties, state.smes, state.clusters
    like = (
        world.countries[clusters[smes[i].cluster].country].language
        == world.countries[clusters[smes[j].cluster].country].language
    )
    one, other = smes[i].identity, smes[j].identity
    ties[tie] = TIE[0]
    ties[tie].one, ties[tie].other = i, j
    ties[tie].complementarity = fit
    ties[tie].distance = distance(like, parameters.distance_factor)
    ties[tie].rni_threshold = draws.exponential(draws.uniform_of_pair(draws.key(seed, draws.RNI, 0), one, other))
    ties[tie].contract_threshold = draws.exponential(
        draws.uniform_of_pair(draws.key(seed, draws.CONTRACT, 0), one, other)
    )


@inline
def find_slot(one, other, ties, slots):
    """Return the slot of a pair (one < other) in the open-addressing table: its tie's, or the free one for it."""
    mask = slots.shape[0] - 1
    word = draws.mix(np.uint64(one) * _HASH + np.uint64(other))
    slot = np.int64(word & np.uint64(mask))
    while slots[slot] != NOBODY:
        tie = slots[slot]
        if ties[tie].one == one and ties[tie].other == other:
            break
        slot = (slot + 1) & mask
    return slot
