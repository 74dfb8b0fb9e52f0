"""Ties between SMEs: trust, partnerships, R&I collaborations and contracts."""

from simulator import draws
from simulator.jit import jit, rule
from simulator.processes.calendar import note
from simulator.processes.contacts import dose_of
from simulator.processes.own_paths import displace, meet_own_need
from simulator.rules.outcomes import conversion_hazard
from simulator.rules.trust import joint_dose, trust_after_contact, trust_after_silence
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


@jit
def live_ties(month, seed, parameters, rules, world, state):
    """Every living tie: trust grows where both are at work and fades otherwise; hazards follow trust."""
    ties, t, partners, projects, smes = state.ties, state.participations, state.partners, state.projects, state.smes
    for tie in range(state.count[N_TIES]):
        if ties.alive[tie] == 0:
            continue
        one, other = ties.participation_one[tie], ties.participation_other[tie]
        p, q = t.partner[one], t.partner[other]
        project = partners.project[p]
        together = projects.alive[project] == 1 and partners.dose[p] > 0.0 and partners.dose[q] > 0.0
        in_touch, extra = 1.0, projects.effect[project]
        if together:
            dose = joint_dose(dose_of(one, parameters, state), dose_of(other, parameters, state))
            ties.trust[tie] = trust_after_contact(
                ties.trust[tie], dose, parameters.dose_reference, parameters.trust_months, parameters.trust_half
            )
            if projects.phase[project] == 2:
                extra *= parameters.phase_two_effect
        else:
            ties.trust[tie] = trust_after_silence(ties.trust[tie], parameters.tie_decay)
            in_touch = ties.trust[tie]
            if ties.trust[tie] < parameters.tie_forgotten_trust:
                ties.alive[tie] = 0
                continue
        if ties.partnership_month[tie] == NEVER and ties.trust[tie] >= parameters.partnership_trust:
            ties.partnership_month[tie] = month
            if together:
                projects.partnerships[project] += 1
            _book(month, PARTNERSHIP, tie, project, 0, seed, parameters, rules, world, state)
        i, j = ties.one[tie], ties.other[tie]
        readiness = 0.5 * (smes.readiness[i] + smes.readiness[j])
        common = conversion_hazard(
            1.0,
            ties.trust[tie],
            parameters.trust_slope,
            ties.complementarity[tie],
            parameters.complementarity_slope,
            readiness,
            parameters.readiness_slope,
            ties.distance[tie],
            in_touch,
            extra,
        )
        ties.rni_hazard[tie] += parameters.h_rni * common
        if ties.rni_hazard[tie] >= ties.rni_threshold[tie]:
            ties.rni_count[tie] += 1
            ties.rni_hazard[tie] = 0.0
            ties.rni_threshold[tie] = _next_threshold(draws.RNI, ties.rni_count[tie], tie, seed, state)
            _book(month, RNI, tie, project, ties.rni_count[tie], seed, parameters, rules, world, state)
        ties.contract_hazard[tie] += parameters.h_contract * common
        if ties.contract_hazard[tie] >= ties.contract_threshold[tie]:
            ties.contract_count[tie] += 1
            ties.contract_hazard[tie] = 0.0
            ties.contract_threshold[tie] = _next_threshold(draws.CONTRACT, ties.contract_count[tie], tie, seed, state)
            _book(month, CONTRACT, tie, project, ties.contract_count[tie], seed, parameters, rules, world, state)


@rule
def _next_threshold(decision, number, tie, seed, state):
    """Waiting-time threshold of a tie's next outcome of a kind; luck of the pair and of the number it has had."""
    one, other = state.smes.identity[state.ties.one[tie]], state.smes.identity[state.ties.other[tie]]
    return draws.exponential(draws.uniform_of_pair(draws.key(seed, decision, number), one, other))


@jit
def _book(month, outcome, tie, project, number, seed, parameters, rules, world, state):
    """An outcome of a tie counts for both SMEs; each may thereby meet its own need, and displace a rival."""
    ties, t, smes = state.ties, state.participations, state.smes
    call = ties.call[tie]
    time = draws.since(rules.calls.year[call], number)
    kind = E_PARTNERSHIP
    months = t.partnership_month
    if outcome == RNI:
        kind, months = E_RNI, t.rni_month
    elif outcome == CONTRACT:
        kind, months = E_CONTRACT, t.contract_month
    note(state.count, state.log, month, kind, ties.one[tie], ties.other[tie], project, 1.0)
    for row in (ties.participation_one[tie], ties.participation_other[tie]):
        if months[row] == NEVER:
            months[row] = month
    for side in range(2):
        i, j = ties.one[tie], ties.other[tie]
        if side == 1:
            i, j = j, i
        met = meet_own_need(
            month, outcome, i, smes.identity[j], time, call, seed, parameters, state
        )
        if outcome == CONTRACT and not met:
            displace(month, i, smes.identity[j], time, call, seed, parameters, world, state)
