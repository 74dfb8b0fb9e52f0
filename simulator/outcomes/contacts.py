"""What SMEs get out of a month of activities: knowledge, and first contacts across borders."""

import math

import numpy as np

from simulator import draws
from simulator.founding import related
from simulator.jit import jit, rule, service
from simulator.outcomes.own_paths import meet_own_need
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
from simulator.world.calendar import note

_NONE = np.uint64(0)
_HASH = np.uint64(0x9E3779B97F4A7C15)


@jit
def learn_and_meet(month, seed, parameters, rules, world, state):
    """Every active SME of every partner at work: knowledge from its services, contacts with those at work abroad."""
    projects, partners, t, smes = state.projects, state.partners, state.participations, state.smes
    for project in range(state.count[N_PROJECTS]):
        if projects[project].alive == 0 or projects[project].phase == 0:
            continue
        first = projects[project].first_partner
        last = first + projects[project].partners
        time = draws.since(rules.calls[projects[project].call].year, 0)
        what = projects[project].identity
        for p in range(first, last):
            if partners[p].dose <= 0.0:
                continue
            at_work = _share_at_work(p, first, last, partners)
            for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
                if t[row].is_active == 0:
                    continue
                dose = dose_of(p, t[row].sme, partners, smes)
                if t[row].knowledge_month == NEVER:
                    t[row].know_hazard += service_hazard(
                        parameters.h_knowledge, dose, parameters.dose_reference, projects[project].effect
                    )
                    if t[row].know_hazard >= t[row].know_threshold:
                        _learn(month, row, project, parameters, seed, time, what, state)
                if at_work > 0.0:
                    t[row].contact_hazard += at_work * service_hazard(
                        parameters.h_contact, dose, parameters.dose_reference, projects[project].effect
                    )
                    if t[row].contact_hazard >= t[row].contact_threshold:
                        _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state)


@service
def dose_of(partner, i, partners, smes):
    """What an SME takes of its partner's dose this month (0-1)."""
    return sme_dose(partners[partner].dose, smes[i].spare_time, smes[i].projects)


@rule
def _share_at_work(p, first, last, partners):
    """Share (0-1) of the other partners' active SMEs whose partner is at work this month."""
    here, all_others = 0.0, 0.0
    for q in range(first, last):
        if q != p:
            all_others += partners[q].active
            if partners[q].dose > 0.0:
                here += partners[q].active
    return here / all_others if all_others > 0.0 else 0.0


@jit
def _learn(month, row, project, parameters, seed, time, what, state):
    """New knowledge; with it the SME's readiness rises."""
    t, smes = state.participations, state.smes
    i = t[row].sme
    t[row].knowledge_month = month
    smes[i].readiness = gap_closed(smes[i].readiness, parameters.readiness_gain)
    note(state.count, state.log, month, E_KNOWLEDGE, i, NOBODY, project, 1.0)
    call = state.projects[project].call
    meet_own_need(month, KNOWLEDGE, i, what, time, call, project, seed, parameters, state)


@jit
def _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state):
    """The SME meets the one that suits it best among those at work abroad whom it has not met in this project."""
    t, partners, clusters, smes = state.participations, state.partners, state.clusters, state.smes
    sectors, ties, slots = world.sectors, state.ties, state.slots
    call = state.projects[project].call
    time = draws.since(rules.calls[call].year, 0)
    luck, common = draws.key(seed, draws.COUNTERPART, time), draws.key(seed, draws.COMPLEMENT, 0)
    i, home = t[row].sme, partners[t[row].partner].cluster
    t[row].contact_hazard = 0.0
    t[row].contacts += 1
    threshold = draws.key(seed, draws.CONTACT, draws.since(rules.calls[call].year, t[row].contacts))
    what = state.projects[project].identity
    t[row].contact_threshold = draws.exponential(draws.uniform(threshold, smes[i].identity, what))
    best, best_score, best_fit = NOBODY, -math.inf, 0.0
    for q in range(first, last):
        if partners[q].dose <= 0.0 or clusters[partners[q].cluster].nation == clusters[home].nation:
            continue
        for other in range(partners[q].first_participation, partners[q].first_participation + partners[q].engaged):
            if t[other].is_active == 0:
                continue
            j = t[other].sme
            kin = related(smes[i].sector, smes[j].sector, parameters, sectors)
            if 2.0 * complementarity(1.0, kin) + 1.0 <= best_score:  # beaten with all luck; so below
                continue
            fit = complementarity(draws.uniform_of_pair(common, smes[i].identity, smes[j].identity), kin)
            if 2.0 * fit + 1.0 <= best_score:
                continue
            score = 2.0 * fit + draws.uniform_of_pair(luck, smes[i].identity, smes[j].identity)
            if score > best_score and not _have_met_here(i, j, row, ties, slots):
                best, best_score, best_fit = other, score, fit
    if best != NOBODY:
        _tie(month, row, best, best_fit, project, seed, parameters, world, state)


@rule
def _have_met_here(i, j, row, ties, slots):
    """Whether two SMEs have met in the project of this participation."""
    tie = slots[find_slot(min(i, j), max(i, j), ties, slots)]
    if tie == NOBODY:
        return False
    return ties[tie].participation_one == row or ties[tie].participation_other == row


@rule
def find_slot(one, other, ties, slots):
    """Place of a pair (one < other) in the open-addressing table: its row's slot, or the free slot for it."""
    mask = slots.shape[0] - 1
    word = draws.mix(np.uint64(one) * _HASH + np.uint64(other))
    slot = np.int64(word & np.uint64(mask))
    while slots[slot] != NOBODY:
        tie = slots[slot]
        if ties[tie].one == one and ties[tie].other == other:
            break
        slot = (slot + 1) & mask
    return slot


@jit
def _tie(month, row, other_row, fit, project, seed, parameters, world, state):
    """A first contact: a new tie, or an old one that gets another chance."""
    t, ties, smes, clusters = state.participations, state.ties, state.smes, state.clusters
    i, j = t[row].sme, t[other_row].sme
    if i > j:
        i, j, row, other_row = j, i, other_row, row
    slot = find_slot(i, j, ties, state.slots)
    tie = state.slots[slot]
    if tie == NOBODY:
        tie = state.count[N_TIES]
        if tie >= ties.shape[0]:
            state.count[TOO_SMALL] = 1
            return
        state.count[N_TIES] = tie + 1
        state.slots[slot] = tie
        like = (
            world.countries[clusters[smes[i].cluster].country].language
            == world.countries[clusters[smes[j].cluster].country].language
        )
        ties[tie].one, ties[tie].other = i, j
        ties[tie].trust = 0.0
        ties[tie].complementarity = fit
        ties[tie].readiness, ties[tie].promise = -1.0, 0.0
        ties[tie].distance = distance(like, parameters.distance_factor)
        ties[tie].partnership_month = NEVER
        ties[tie].rni_count, ties[tie].contract_count = 0, 0
        ties[tie].rni_hazard, ties[tie].contract_hazard = 0.0, 0.0
        one, other = smes[i].identity, smes[j].identity
        ties[tie].rni_threshold = draws.exponential(draws.uniform_of_pair(draws.key(seed, draws.RNI, 0), one, other))
        ties[tie].contract_threshold = draws.exponential(
            draws.uniform_of_pair(draws.key(seed, draws.CONTRACT, 0), one, other)
        )
    ties[tie].alive = 1
    ties[tie].call = state.projects[project].call
    ties[tie].participation_one, ties[tie].participation_other = row, other_row
    ties[tie].trust = max(ties[tie].trust, parameters.trust_start)
    for part in (row, other_row):
        if t[part].contact_month == NEVER:
            t[part].contact_month = month
    note(state.count, state.log, month, E_CONTACT, i, j, project, 1.0)
