"""Ties between SMEs: trust, partnerships, R&I collaborations and contracts."""

from simulator import draws
from simulator.jit import jit, rule
from simulator.outcomes.contacts import dose_of
from simulator.outcomes.own_paths import displace, meet_own_need
from simulator.rules.outcomes import conversion_hazard, tie_promise
from simulator.rules.trust import in_touch, joint_dose, trust_after_contact, trust_after_silence
from simulator.state import (
    CONTRACT,
    E_CONTRACT,
    E_PARTNERSHIP,
    E_RNI,
    N_TIES,
    NEVER,
    PARTNERSHIP,
    RNI,
)
from simulator.world.calendar import note


@jit
def live_ties(month, seed, parameters, rules, world, state):
    """Every living tie: trust grows where both are at work and fades otherwise; hazards follow trust."""
    ties, t, partners, projects, smes = state.ties, state.participations, state.partners, state.projects, state.smes
    p_slope, p_reference = parameters.trust_slope, parameters.dose_reference
    p_months, p_half, p_decay = parameters.trust_months, parameters.trust_half, parameters.tie_decay
    p_rni, p_contract = parameters.h_rni, parameters.h_contract
    for tie in range(state.count[N_TIES]):
        if ties[tie].alive == 0:
            continue
        one, other = ties[tie].participation_one, ties[tie].participation_other
        p, q = t[one].partner, t[other].partner
        project = partners[p].project
        together = projects[project].alive == 1 and partners[p].dose > 0.0 and partners[q].dose > 0.0
        dose, extra, trust = 0.0, projects[project].effect, ties[tie].trust
        if together:
            dose = joint_dose(dose_of(p, ties[tie].one, partners, smes), dose_of(q, ties[tie].other, partners, smes))
            trust = trust_after_contact(trust, dose, p_reference, p_months, p_half)
            if projects[project].phase == 2:
                extra *= parameters.phase_two_effect
        else:
            trust = trust_after_silence(trust, p_decay)
        ties[tie].trust = trust
        if not together and trust < parameters.tie_forgotten_trust:
            ties[tie].alive = 0
            continue
        if ties[tie].partnership_month == NEVER and trust >= parameters.partnership_trust:
            ties[tie].partnership_month = month
            if together:
                projects[project].partnerships += 1
            _book(month, PARTNERSHIP, tie, project, 0, seed, parameters, rules, world, state)
        readiness = 0.5 * (smes[ties[tie].one].readiness + smes[ties[tie].other].readiness)
        if readiness != ties[tie].readiness:
            _see_promise(tie, readiness, parameters, ties)
        common = conversion_hazard(1.0, ties[tie].promise, trust, p_slope, in_touch(trust, dose, p_reference), extra)
        ties[tie].rni_hazard += p_rni * common
        if ties[tie].rni_hazard >= ties[tie].rni_threshold:
            ties[tie].rni_count += 1
            ties[tie].rni_hazard = 0.0
            ties[tie].rni_threshold = _next_threshold(draws.RNI, ties[tie].rni_count, tie, seed, ties, smes)
            _book(month, RNI, tie, project, ties[tie].rni_count, seed, parameters, rules, world, state)
        ties[tie].contract_hazard += p_contract * common
        if ties[tie].contract_hazard >= ties[tie].contract_threshold:
            ties[tie].contract_count += 1
            ties[tie].contract_hazard = 0.0
            ties[tie].contract_threshold = _next_threshold(
                draws.CONTRACT, ties[tie].contract_count, tie, seed, ties, smes
            )
            _book(month, CONTRACT, tie, project, ties[tie].contract_count, seed, parameters, rules, world, state)


@rule
def _see_promise(tie, readiness, parameters, ties):
    """What the tie promises, now that its SMEs are that ready (their mean, 0-1); kept until one of them learns."""
    ties[tie].readiness = readiness
    ties[tie].promise = tie_promise(
        ties[tie].complementarity,
        parameters.complementarity_slope,
        readiness,
        parameters.readiness_slope,
        ties[tie].distance,
    )


@rule
def _next_threshold(decision, number, tie, seed, ties, smes):
    """Waiting-time threshold of a tie's next outcome of a kind; luck of the pair and of the number it has had."""
    one, other = smes[ties[tie].one].identity, smes[ties[tie].other].identity
    return draws.exponential(draws.uniform_of_pair(draws.key(seed, decision, number), one, other))


@jit
def _book(month, outcome, tie, project, number, seed, parameters, rules, world, state):
    """An outcome of a tie counts for both SMEs; each may thereby meet its own need, and displace a rival."""
    ties, t, smes = state.ties, state.participations, state.smes
    call = ties[tie].call
    time = draws.since(rules.calls[call].year, number)
    kind = E_PARTNERSHIP
    months = t.partnership_month
    if outcome == RNI:
        kind, months = E_RNI, t.rni_month
    elif outcome == CONTRACT:
        kind, months = E_CONTRACT, t.contract_month
    note(state.count, state.log, month, kind, ties[tie].one, ties[tie].other, project, 1.0)
    for row in (ties[tie].participation_one, ties[tie].participation_other):
        if months[row] == NEVER:
            months[row] = month
    for side in range(2):
        i, j = ties[tie].one, ties[tie].other
        if side == 1:
            i, j = j, i
        met = meet_own_need(month, outcome, i, smes[j].identity, time, call, project, seed, parameters, state)
        if outcome == CONTRACT and not met:
            displace(month, i, smes[j].identity, time, call, project, seed, parameters, state)
