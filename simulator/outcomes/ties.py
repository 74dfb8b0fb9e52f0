"""Ties between SMEs: trust, partnerships, R&I collaborations and contracts; and the verb to work together."""

from simulator import draws
from simulator.jit import inline, kernel
from simulator.outcomes.events import Origin, OutcomeEvent, note
from simulator.outcomes.own_paths import displace, meet_own_need
from simulator.outcomes.tables import CONTRACT, PARTNERSHIP, RNI
from simulator.records import NEVER
from simulator.rules.outcomes import conversion_hazard, tie_promise
from simulator.rules.trust import in_touch, trust_after_contact, trust_after_silence


@inline
def work_together(month, tie, dose, boost, ties):
    """Let the two SMEs of a tie work together this month: their joint dose (0-1), and a factor on the tie's hazards.

    Where several things bring them together in a month the largest dose counts: their hours are not there twice.
    """
    if ties[tie].worked_month != month or dose > ties[tie].dose:
        ties[tie].worked_month, ties[tie].dose, ties[tie].boost = month, dose, boost


@kernel
def live_ties(month, seed, parameters, rules, state):
    """In every living tie trust grows where the two work together and fades otherwise; hazards follow trust."""
    ties, smes = state.ties, state.smes
    p_slope, p_reference = parameters.trust_slope, parameters.dose_reference
    p_months, p_half, p_decay = parameters.trust_months, parameters.trust_half, parameters.tie_decay
    p_rni, p_contract = parameters.h_rni, parameters.h_contract
    for tie in range(state.used.ties):
        if ties[tie].alive == 0:
            continue
        dose, extra, trust = 0.0, ties[tie].effect, ties[tie].trust
        if ties[tie].worked_month == month:
            dose = ties[tie].dose
            extra *= ties[tie].boost
            trust = trust_after_contact(trust, dose, p_reference, p_months, p_half)
        else:
            trust = trust_after_silence(trust, p_decay)
            if trust < parameters.tie_forgotten_trust:
                ties[tie].trust, ties[tie].alive = trust, 0
                continue
        ties[tie].trust = trust
        if ties[tie].partnership_month == NEVER and trust >= parameters.partnership_trust:
            ties[tie].partnership_month = month
            _book(month, PARTNERSHIP, tie, 0, seed, parameters, rules, state)
        readiness = 0.5 * (smes[ties[tie].one].readiness + smes[ties[tie].other].readiness)
        if readiness != ties[tie].readiness:
            _see_promise(tie, readiness, parameters, ties)
        common = conversion_hazard(1.0, ties[tie].promise, trust, p_slope, in_touch(trust, dose, p_reference), extra)
        ties[tie].rni_hazard += p_rni * common
        if ties[tie].rni_hazard >= ties[tie].rni_threshold:
            ties[tie].rni_count += 1
            ties[tie].rni_hazard = 0.0
            ties[tie].rni_threshold = _next_threshold(draws.RNI, ties[tie].rni_count, tie, seed, ties, smes)
            _book(month, RNI, tie, ties[tie].rni_count, seed, parameters, rules, state)
        ties[tie].contract_hazard += p_contract * common
        if ties[tie].contract_hazard >= ties[tie].contract_threshold:
            ties[tie].contract_count += 1
            ties[tie].contract_hazard = 0.0
            ties[tie].contract_threshold = _next_threshold(
                draws.CONTRACT, ties[tie].contract_count, tie, seed, ties, smes
            )
            _book(month, CONTRACT, tie, ties[tie].contract_count, seed, parameters, rules, state)


@inline
def _see_promise(tie, readiness, parameters, ties):
    """Keep what the tie promises now that its SMEs are that ready (their mean, 0-1), until one of them learns."""
    ties[tie].readiness = readiness
    ties[tie].promise = tie_promise(
        ties[tie].complementarity,
        parameters.complementarity_slope,
        readiness,
        parameters.readiness_slope,
        ties[tie].distance,
    )


@inline
def _next_threshold(decision, number, tie, seed, ties, smes):
    """Return the threshold of a tie's next outcome of a kind; luck of the pair and of the number it has had."""
    one, other = smes[ties[tie].one].identity, smes[ties[tie].other].identity
    return draws.exponential(draws.uniform_of_pair(draws.key(seed, decision, number), one, other))


@kernel
def _book(month, outcome, tie, number, seed, parameters, rules, state):
    """Count an outcome of a tie for both SMEs, in the tie's call; each may meet its own need, or displace a rival."""
    ties, smes = state.ties, state.smes
    origin = Origin(ties[tie].origin, ties[tie].call, ties[tie].project)
    time = draws.since(rules.calls[origin.call].key, number)
    kind = OutcomeEvent.CONTACT + outcome  # after the contact, in the order of outcomes
    note(state.used, state.log, month, kind, ties[tie].one, ties[tie].other, origin, 1.0)
    for side in range(2):
        i, j = ties[tie].one, ties[tie].other
        if side == 1:
            i, j = j, i
        met = meet_own_need(month, outcome, i, smes[j].identity, time, origin, seed, parameters, state)
        if outcome == CONTRACT and not met:
            displace(month, i, smes[j].identity, time, origin, seed, parameters, state)
