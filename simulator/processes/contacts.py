"""What SMEs get out of a month of activities: knowledge, and first contacts across borders."""

import math

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.processes.calendar import note
from simulator.processes.founding import related
from simulator.processes.own_paths import meet_own_need
from simulator.rules.matching import gap_closed
from simulator.rules.outcomes import distance, service_hazard
from simulator.rules.projects import sme_dose
from simulator.rules.trust import complementarity
from simulator.state import (
    E_CONTACT,
    E_KNOWLEDGE,
    KNOWLEDGE,
    N_PROJECTS,
    N_TIES,
    NEVER,
    NOBODY,
    TOO_SMALL,
)

_NONE = np.uint64(0)
_HASH = np.uint64(0x9E3779B97F4A7C15)


@jit
def learn_and_meet(month, seed, parameters, rules, world, state):
    """Every active SME of every partner at work: knowledge from its services, contacts with those at work abroad."""
    projects, partners, t = state.projects, state.partners, state.participations
    for project in range(state.count[N_PROJECTS]):
        if projects.alive[project] == 0 or projects.phase[project] == 0:
            continue
        first = projects.first_partner[project]
        last = first + projects.partners[project]
        time = draws.since(rules.calls.year[projects.call[project]], 0)
        lead = state.clusters.identity[projects.lead[project]]
        for p in range(first, last):
            if partners.dose[p] <= 0.0:
                continue
            at_work = _share_at_work(p, first, last, state)
            for row in range(partners.first_participation[p], partners.first_participation[p] + partners.engaged[p]):
                if t.is_active[row] == 0:
                    continue
                dose = dose_of(row, parameters, state)
                if t.knowledge_month[row] == NEVER:
                    _learn(month, row, dose, project, parameters, seed, time, lead, state)
                if at_work > 0.0:
                    t.contact_hazard[row] += at_work * service_hazard(
                        parameters.h_contact, dose, parameters.dose_reference, projects.effect[project]
                    )
                    if t.contact_hazard[row] >= t.contact_threshold[row]:
                        _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state)


@rule
def dose_of(row, parameters, state):
    """What the SME of one participation takes of its partner's dose this month (0-1)."""
    i = state.participations.sme[row]
    return sme_dose(
        state.partners.dose[state.participations.partner[row]], state.smes.spare_time[i], state.smes.projects[i]
    )


@rule
def _share_at_work(p, first, last, state):
    """Share (0-1) of the other partners' active SMEs whose partner is at work this month."""
    here, all_others = 0.0, 0.0
    for q in range(first, last):
        if q != p:
            all_others += state.partners.active[q]
            if state.partners.dose[q] > 0.0:
                here += state.partners.active[q]
    return here / all_others if all_others > 0.0 else 0.0


@rule
def _learn(month, row, dose, project, parameters, seed, time, lead, state):
    """Hazard of new knowledge; with it the SME's readiness rises."""
    t, smes = state.participations, state.smes
    t.know_hazard[row] += service_hazard(
        parameters.h_knowledge, dose, parameters.dose_reference, state.projects.effect[project]
    )
    if t.know_hazard[row] < t.know_threshold[row]:
        return
    i = t.sme[row]
    t.knowledge_month[row] = month
    smes.readiness[i] = gap_closed(smes.readiness[i], parameters.readiness_gain)
    note(state.count, state.log, month, E_KNOWLEDGE, i, NOBODY, project, 1.0)
    meet_own_need(month, KNOWLEDGE, i, lead, time, state.projects.call[project], seed, parameters, state)


@jit
def _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state):
    """The SME meets the one that suits it best among those at work abroad whom it has not met in this project."""
    t, partners, clusters, smes = state.participations, state.partners, state.clusters, state.smes
    call = state.projects.call[project]
    time = draws.since(rules.calls.year[call], 0)
    luck, common = draws.key(seed, draws.COUNTERPART, time), draws.key(seed, draws.COMPLEMENT, 0)
    i, home = t.sme[row], partners.cluster[t.partner[row]]
    t.contact_hazard[row] = 0.0
    t.contacts[row] += 1
    threshold = draws.key(seed, draws.CONTACT, draws.since(rules.calls.year[call], t.contacts[row]))
    lead = clusters.identity[state.projects.lead[project]]
    t.contact_threshold[row] = draws.exponential(draws.uniform(threshold, smes.identity[i], lead))
    best, best_score, best_fit = NOBODY, -math.inf, 0.0
    for q in range(first, last):
        if partners.dose[q] <= 0.0 or clusters.nation[partners.cluster[q]] == clusters.nation[home]:
            continue
        for other in range(partners.first_participation[q], partners.first_participation[q] + partners.engaged[q]):
            if t.is_active[other] == 0:
                continue
            j = t.sme[other]
            fit = complementarity(
                draws.uniform_of_pair(common, smes.identity[i], smes.identity[j]),
                related(world, parameters, smes.sector[i], smes.sector[j]),
            )
            score = 2.0 * fit + draws.uniform_of_pair(luck, smes.identity[i], smes.identity[j])
            if score > best_score and not _have_met_here(i, j, row, state):
                best, best_score, best_fit = other, score, fit
    if best != NOBODY:
        _tie(month, row, best, best_fit, project, seed, parameters, world, state)


@rule
def _have_met_here(i, j, row, state):
    """Whether two SMEs have met in the project of this participation."""
    slot = find_slot(min(i, j), max(i, j), state)
    tie = state.slots[slot]
    if tie == NOBODY:
        return False
    return state.ties.participation_one[tie] == row or state.ties.participation_other[tie] == row


@rule
def find_slot(one, other, state):
    """Place of a pair (one < other) in the open-addressing table: its row's slot, or the free slot for it."""
    ties, slots = state.ties, state.slots
    mask = slots.shape[0] - 1
    word = draws.mix(np.uint64(one) * _HASH + np.uint64(other))
    slot = np.int64(word & np.uint64(mask))
    while slots[slot] != NOBODY:
        tie = slots[slot]
        if ties.one[tie] == one and ties.other[tie] == other:
            break
        slot = (slot + 1) & mask
    return slot


@jit
def _tie(month, row, other_row, fit, project, seed, parameters, world, state):
    """A first contact: a new tie, or an old one that gets another chance."""
    t, ties, smes, clusters = state.participations, state.ties, state.smes, state.clusters
    i, j = t.sme[row], t.sme[other_row]
    if i > j:
        i, j, row, other_row = j, i, other_row, row
    slot = find_slot(i, j, state)
    tie = state.slots[slot]
    if tie == NOBODY:
        tie = state.count[N_TIES]
        if tie >= ties.shape[0]:
            state.count[TOO_SMALL] = 1
            return
        state.count[N_TIES] = tie + 1
        state.slots[slot] = tie
        like = (
            world.countries.language[clusters.country[smes.cluster[i]]]
            == world.countries.language[clusters.country[smes.cluster[j]]]
        )
        ties.one[tie], ties.other[tie] = i, j
        ties.trust[tie] = 0.0
        ties.complementarity[tie] = fit
        ties.distance[tie] = distance(like, parameters.distance_factor)
        ties.partnership_month[tie] = NEVER
        ties.rni_count[tie], ties.contract_count[tie] = 0, 0
        ties.rni_hazard[tie], ties.contract_hazard[tie] = 0.0, 0.0
        one, other = smes.identity[i], smes.identity[j]
        ties.rni_threshold[tie] = draws.exponential(
            draws.uniform_of_pair(draws.key(seed, draws.RNI, 0), one, other)
        )
        ties.contract_threshold[tie] = draws.exponential(
            draws.uniform_of_pair(draws.key(seed, draws.CONTRACT, 0), one, other)
        )
    ties.alive[tie] = 1
    ties.call[tie] = state.projects.call[project]
    ties.participation_one[tie], ties.participation_other[tie] = row, other_row
    ties.trust[tie] = max(ties.trust[tie], parameters.trust_start)
    for part in (row, other_row):
        if t.contact_month[part] == NEVER:
            t.contact_month[part] = month
    note(state.count, state.log, month, E_CONTACT, i, j, project, 1.0)
