"""What a month of activities in a project does to its SMEs: they learn, meet, work together, and give up own effort."""

import math

import numpy as np

from simulator import draws
from simulator.instruments.calls.events import origin_of
from simulator.jit import inline, kernel, paste
from simulator.outcomes.contacts import find_slot, learn, meet
from simulator.outcomes.events import OutcomeEvent
from simulator.outcomes.own_paths import give_up_effort, path_of
from simulator.outcomes.ties import work_together
from simulator.records import NEVER, NOBODY
from simulator.rules.outcomes import counterpart_score, service_hazard
from simulator.rules.projects import sme_dose
from simulator.rules.trust import complementarity, joint_dose
from simulator.world.sectors import related


@kernel
def learn_and_meet(month, seed, parameters, rules, world, state):
    """Active SMEs of partners at work gain knowledge from services, and contacts with SMEs at work abroad."""
    projects, partners, t, smes = state.projects, state.partners, state.participations, state.smes
    for project in range(state.used.projects):
        if projects[project].alive == 0 or projects[project].phase == 0:
            continue
        first = projects[project].first_partner
        last = first + projects[project].partners
        time = draws.since(rules.calls[projects[project].call].key, 0)
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
                        t[row].knowledge_month = month
                        origin = origin_of(project, projects)
                        learn(month, t[row].sme, what, time, origin, seed, parameters, state)
                if at_work > 0.0:
                    t[row].contact_hazard += at_work * service_hazard(
                        parameters.h_contact, dose, parameters.dose_reference, projects[project].effect
                    )
                    if t[row].contact_hazard >= t[row].contact_threshold:
                        _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state)


@paste
def dose_of(partner, i, partners, smes):
    """Return what an SME takes of its partner's dose this month (0-1)."""
    return sme_dose(partners[partner].dose, smes[i].spare_time, smes[i].projects)


@inline
def _share_at_work(p, first, last, partners):
    """Return the share (0-1) of the other partners' active SMEs whose partner is at work this month."""
    here, all_others = 0.0, 0.0
    for q in range(first, last):
        if q != p:
            all_others += partners[q].active
            if partners[q].dose > 0.0:
                here += partners[q].active
    return here / all_others if all_others > 0.0 else 0.0


@kernel
def _meet_somebody(month, row, project, first, last, seed, parameters, rules, world, state):
    """Let the SME meet the one that suits it best among those at work abroad whom it has not met in this project."""
    t, partners, clusters, smes = state.participations, state.partners, state.clusters, state.smes
    sectors, ties, slots, projects = world.sectors, state.ties, state.slots, state.projects
    year = rules.calls[projects[project].call].key
    luck, common = draws.key(seed, draws.COUNTERPART, draws.since(year, 0)), draws.key(seed, draws.COMPLEMENT, 0)
    i, home = t[row].sme, partners[t[row].partner].cluster
    t[row].contact_hazard = 0.0
    t[row].contacts += 1
    threshold = draws.key(seed, draws.CONTACT, draws.since(year, t[row].contacts))
    t[row].contact_threshold = draws.exponential(draws.uniform(threshold, smes[i].identity, projects[project].identity))
    best, best_score, best_fit = NOBODY, -math.inf, 0.0
    for q in range(first, last):
        if partners[q].dose <= 0.0 or clusters[partners[q].cluster].nation == clusters[home].nation:
            continue
        for other in range(partners[q].first_participation, partners[q].first_participation + partners[q].engaged):
            if t[other].is_active == 0:
                continue
            j = t[other].sme
            kin = related(smes[i].sector, smes[j].sector, parameters, sectors)
            if counterpart_score(complementarity(1.0, kin), 1.0) <= best_score:  # beaten with all luck; so below
                continue
            fit = complementarity(draws.uniform_of_pair(common, smes[i].identity, smes[j].identity), kin)
            if counterpart_score(fit, 1.0) <= best_score:
                continue
            score = counterpart_score(fit, draws.uniform_of_pair(luck, smes[i].identity, smes[j].identity))
            if score > best_score and not _have_met_here(i, j, row, ties, slots):
                best, best_score, best_fit = other, score, fit
    if best != NOBODY:
        origin, effect = origin_of(project, projects), projects[project].effect
        meet(month, i, t[best].sme, row, best, best_fit, effect, origin, seed, parameters, world, state)
        for part in (row, best):
            if t[part].contact_month == NEVER:
                t[part].contact_month = month


@inline
def _have_met_here(i, j, row, ties, slots):
    """Return whether two SMEs have met in the project of this participation."""
    tie = slots[find_slot(min(i, j), max(i, j), ties, slots)]
    if tie == NOBODY:
        return False
    return ties[tie].participation_one == row or ties[tie].participation_other == row


@kernel
def bring_together(month, parameters, state):
    """Let the two SMEs of a tie work together this month if the partners of both are at work in its project."""
    ties, t, partners, projects, smes = state.ties, state.participations, state.partners, state.projects, state.smes
    for tie in range(state.used.ties):
        project = ties[tie].project
        if ties[tie].alive == 0 or project == NOBODY or projects[project].alive == 0:
            continue
        p, q = t[ties[tie].participation_one].partner, t[ties[tie].participation_other].partner
        if partners[p].dose > 0.0 and partners[q].dose > 0.0:
            dose = joint_dose(dose_of(p, ties[tie].one, partners, smes), dose_of(q, ties[tie].other, partners, smes))
            boost = parameters.phase_two_effect if projects[project].phase == 2 else 1.0
            work_together(month, tie, dose, boost, ties)


@kernel
def credit_projects(month, state):
    """Credit what ties brought this month to their projects, and to those who took part if it is their first."""
    log, ties, slots, t, projects = state.log, state.ties, state.slots, state.participations, state.projects
    row = state.used.log - 1
    while row >= 0 and log[row].month == month:
        kind = log[row].kind
        if OutcomeEvent.PARTNERSHIP <= kind <= OutcomeEvent.CONTRACT and log[row].project != NOBODY:
            tie = slots[find_slot(log[row].who, log[row].whom, ties, slots)]
            if kind == OutcomeEvent.PARTNERSHIP and ties[tie].worked_month == month:
                projects[log[row].project].partnerships += 1
            for part in (ties[tie].participation_one, ties[tie].participation_other):
                if kind == OutcomeEvent.PARTNERSHIP and t[part].partnership_month == NEVER:
                    t[part].partnership_month = month
                elif kind == OutcomeEvent.RNI_COLLABORATION and t[part].rni_month == NEVER:
                    t[part].rni_month = month
                elif kind == OutcomeEvent.CONTRACT and t[part].contract_month == NEVER:
                    t[part].contract_month = month
        row -= 1


@kernel
def slow_own_paths(month, seed, parameters, state):
    """SMEs active in a project give up part of their own effort: what lies ahead comes that much later."""
    t, partners, smes, own, projects = state.participations, state.partners, state.smes, state.own, state.projects
    for project in range(state.used.projects):
        if projects[project].alive == 0 or projects[project].phase == 0:
            continue
        call, first = projects[project].call, projects[project].first_partner
        for p in range(first, first + projects[project].partners):
            if partners[p].dose <= 0.0:
                continue
            for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
                if t[row].is_active == 0:
                    continue
                i = t[row].sme
                path = np.int64(smes[i].path)
                if path == NOBODY:
                    path = path_of(i, month, seed, parameters, state)
                give_up_effort(path, smes[i].projects, call, parameters, own)
