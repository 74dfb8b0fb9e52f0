"""When a call closes: who applies, who is granted what, when each decision arrives, what follows from it."""

import math

import numpy as np

from simulator import draws
from simulator.jit import jit, rule
from simulator.parameters import COMMITTED_DATE, COMMON_POT, INDEPENDENT, SLOWEST_DATE, VIRTUAL_COMMON_POT
from simulator.processes.allocation import allocate, common_threshold
from simulator.processes.calendar import note
from simulator.rules.funding import assessed_quality, belief_after, decision_lag, quality_threshold
from simulator.state import (
    E_APPLIED,
    E_GIVEN_UP,
    E_GRANTED,
    E_NOT_STARTED,
    E_REFUSED,
    E_WENT_ALONE,
    FUNDED,
    N_PARTNERS,
    N_PROJECTS,
    NEVER,
    NOBODY,
    NOT_STARTED,
    REFUSED,
)

_NONE = np.uint64(0)


@jit
def decide(month, seed, parameters, rules, world, state):
    """At the close of a call: applications, the funding rule, the dates and the starts that follow."""
    for call in range(rules.calls.shape[0]):
        if rules.calls.close_month[call] == month and rules.calls.held[call] == 1:
            first, last = _projects_of(call, state)
            _set_dates(call, seed, parameters, rules, world, state.ledger)
            purse, central = _open_purses(call, rules, state)
            rows = _apply(month, call, first, last, seed, parameters, rules, world, state)
            _award(call, rows, first, last, purse, central, parameters, rules, state)
            _close_purses(call, rows, purse, central, parameters, rules, state)
            for project in range(first, last):
                _plan_starts(project, call, seed, parameters, rules, state)


@rule
def _projects_of(call, state):
    """Rows of the projects of a call, from first to before last; they are contiguous."""
    last = state.count[N_PROJECTS]
    first = last
    while first > 0 and state.projects.call[first - 1] == call:
        first -= 1
    return first, last


@jit
def _set_dates(call, seed, parameters, rules, world, ledger):
    """The month in which each funder's decision arrives: on its own date, at the slowest's, or as committed."""
    start = draws.key(seed, draws.DECISION_LAG, draws.since(rules.calls.year[call], 0))
    close = rules.calls.close_month[call]
    slowest = NEVER
    for f in range(ledger.shape[1]):
        if rules.terms.budget_eur[call, f] <= 0.0:
            continue
        luck = draws.logistic(draws.uniform(start, world.countries.key[world.funders.country[f]], _NONE))
        lag = decision_lag(
            parameters.lag_first_months,
            parameters.lag_spread_months,
            rules.calls.lag_spread_factor[call],
            rules.terms.lag_position[call, f],
            parameters.lag_noise_months,
            luck,
        )
        ledger.decision_month[call, f] = close + int(math.ceil(rules.terms.deadline_months[call, f] + lag))
        slowest = max(slowest, ledger.decision_month[call, f])
    for f in range(ledger.shape[1]):
        if ledger.decision_month[call, f] == NEVER:
            continue
        if rules.calls.decision_dates[call] == SLOWEST_DATE:
            ledger.decision_month[call, f] = slowest
        elif rules.calls.decision_dates[call] == COMMITTED_DATE:
            ledger.decision_month[call, f] = close + int(math.ceil(rules.calls.committed_months[call]))


@jit
def _open_purses(call, rules, state):
    """Money at hand by funder (EUR), after phase-two debts and the share for the central purse; and that purse."""
    funders, ledger = state.funders, state.ledger
    purse = np.zeros(funders.shape[0])
    central = np.zeros(1)
    for f in range(purse.shape[0]):
        if rules.terms.budget_eur[call, f] <= 0.0:
            continue
        paid_back = min(funders.debt[f], rules.terms.budget_eur[call, f])
        funders.debt[f] -= paid_back
        at_hand = rules.terms.budget_eur[call, f] + funders.carried[f] - paid_back
        funders.carried[f] = 0.0
        ledger.offered[call, f] = at_hand
        shared = rules.calls.top_up_share[call] * at_hand
        if rules.calls.funding_rule[call] != VIRTUAL_COMMON_POT:
            shared = 0.0
        central[0] += shared
        purse[f] = at_hand - shared
        ledger.phase_two_left[call, f] = rules.terms.phase_two_share[call, f] * rules.terms.budget_eur[call, f]
    return purse, central


@jit
def _apply(month, call, first, last, seed, parameters, rules, world, state):
    """Rows of the partners that apply, each with its request and with the quality that its funder sees."""
    partners, projects, clusters = state.partners, state.projects, state.clusters
    time = draws.since(rules.calls.year[call], 0)
    apply, assess = draws.key(seed, draws.APPLY, time), draws.key(seed, draws.ASSESS, time)
    rows = np.empty(state.count[N_PARTNERS], np.int64)
    n = 0
    for project in range(first, last):
        for p in range(projects.first_partner[project], projects.first_partner[project] + projects.partners[project]):
            f = partners.funder[p]
            if f == NOBODY:
                continue
            who, what = clusters.identity[partners.cluster[p]], projects.identity[project]
            if draws.uniform(apply, who, what) >= parameters.p_apply * rules.terms.openness[call, f]:
                continue
            error = parameters.assessment_error * draws.logistic(
                draws.uniform(assess, world.countries.key[world.funders.country[f]], what)
            )
            partners.assessed[p] = assessed_quality(projects.quality[project], error)
            partners.request_eur[p] = rules.terms.grant_eur[call, f]
            partners.money[p] = REFUSED  # until granted
            state.ledger.applications[call, f] += 1.0
            note(state.count, state.log, month, E_APPLIED, partners.cluster[p], f, project, partners.request_eur[p])
            rows[n] = p
            n += 1
    return rows[:n]


@jit
def _award(call, rows, first, last, purse, central, parameters, rules, state):
    """Runs the call's funding rule on its applications and writes the result to the partners."""
    partners, projects, ledger = state.partners, state.projects, state.ledger
    n, f_count = rows.shape[0], purse.shape[0]
    project, funder = np.empty(n, np.int64), np.empty(n, np.int64)
    request, score = np.empty(n), np.empty(n)
    joint, applicants = np.zeros(last - first), np.zeros(last - first)
    for a in range(n):
        p = rows[a]
        project[a], funder[a] = partners.project[p] - first, partners.funder[p]
        request[a], score[a] = partners.request_eur[p], partners.assessed[p]
        joint[project[a]] += score[a]
        applicants[project[a]] += 1.0
    threshold, minimum = np.zeros(f_count), np.zeros(f_count)
    spread = math.sqrt(parameters.quality_noise**2 + parameters.assessment_error**2)
    for f in range(f_count):
        if rules.terms.budget_eur[call, f] > 0.0:
            threshold[f] = quality_threshold(rules.terms.pass_share[call, f], spread)
            minimum[f] = rules.terms.grant_min_eur[call, f]
    common = common_threshold(purse, threshold)
    for k in range(last - first):
        joint[k] = joint[k] / applicants[k] if applicants[k] > 0.0 else -math.inf
        projects.joint_score[first + k] = joint[k]
        projects.threshold[first + k] = common
    before = purse.copy()
    grant, own_share, short = np.empty(n), np.empty(n), np.empty(n)
    cause, blocking = np.empty(n, np.int64), np.empty(n, np.int64)
    allocate(
        rules.calls.funding_rule[call], project, funder, request, score, joint, purse, threshold, minimum,
        rules.calls.partial_awards[call] > 0.0, central, rules.calls.fill_share[call], grant, own_share, cause, blocking, short,
    )  # fmt: skip
    for a in range(n):
        p = rows[a]
        partners.grant_eur[p], partners.own_share[p] = grant[a], own_share[a]
        partners.cause[p], partners.blocking_funder[p], partners.short_eur[p] = cause[a], blocking[a], short[a]
        if grant[a] > 0.0:
            partners.money[p] = FUNDED
            ledger.approvals[call, funder[a]] += 1.0
            ledger.granted[call, funder[a]] += grant[a]
    for f in range(f_count):
        ledger.outlay[call, f] = before[f] - purse[f]


@jit
def _close_purses(call, rows, purse, central, parameters, rules, state):
    """Unspent money: a share is kept for the next call, the rest lapses. Beliefs follow the result."""
    funders, ledger = state.funders, state.ledger
    total, shared = 0.0, 0.0
    for f in range(purse.shape[0]):
        total += ledger.offered[call, f]
    if rules.calls.funding_rule[call] == VIRTUAL_COMMON_POT:
        shared = rules.calls.top_up_share[call]
    for f in range(purse.shape[0]):
        if rules.terms.budget_eur[call, f] <= 0.0:
            continue
        part = ledger.offered[call, f] / total if total > 0.0 else 0.0
        ledger.outlay[call, f] += shared * ledger.offered[call, f] - part * central[0]
        left = purse[f] + part * central[0]
        funders.carried[f] = rules.calls.carry_over_share[call] * left
        if ledger.applications[call, f] > 0.0:
            approved = ledger.approvals[call, f] / ledger.applications[call, f]
            funders.belief[f] = belief_after(funders.belief[f], approved, parameters.belief_learning)


@jit
def _plan_starts(project, call, seed, parameters, rules, state):
    """Dates of one project: when each decision arrives, who starts when, who does not start at all."""
    projects, partners, clusters, ledger = state.projects, state.partners, state.clusters, state.ledger
    year = draws.since(rules.calls.year[call], 0)
    what = projects.identity[project]
    first = projects.first_partner[project]
    last = first + projects.partners[project]
    nonstart, leave = draws.key(seed, draws.NONSTART, year), draws.key(seed, draws.LEAVE_UNFUNDED, year)
    joint_date = _joint_date(project, call, rules, state)
    decided, first_start = rules.calls.close_month[call] + 1, NEVER
    for p in range(first, last):
        if partners.money[p] != FUNDED and partners.money[p] != REFUSED:
            continue
        month = ledger.decision_month[call, partners.funder[p]]
        if joint_date > month:
            month = joint_date
        partners.decision_month[p] = month
        decided = max(decided, month)
        if partners.money[p] == FUNDED:
            if draws.uniform(nonstart, clusters.identity[partners.cluster[p]], what) < parameters.p_nonstart:
                partners.money[p] = NOT_STARTED
            else:
                partners.start_month[p] = month
                if first_start == NEVER or month < first_start:
                    first_start = month
    projects.decided_month[project] = decided
    alone = first_start == NEVER
    if alone:
        u = draws.uniform(draws.key(seed, draws.GO_ALONE, year), what, _NONE)
        if u >= parameters.p_go_alone:
            return  # `announce` gives it up when the last decision arrives
        first_start = decided
    for p in range(first, last):
        if partners.start_month[p] != NEVER or partners.money[p] == NOT_STARTED:
            continue
        start = first_start
        if partners.money[p] == REFUSED:
            who = clusters.identity[partners.cluster[p]]
            if draws.uniform(leave, who, what) < parameters.p_leave_unfunded:
                continue
            start = max(first_start, partners.decision_month[p] + int(math.floor(parameters.replan_months + 0.5)))
        partners.start_month[p] = start
    _set_ends(project, call, first, last, rules, state)


@rule
def _joint_date(project, call, rules, state):
    """Earliest month in which a jointly decided project can be told: its slowest funder's, or every funder's where
    there is one ranking. NEVER where each funder decides alone."""
    if rules.calls.funding_rule[call] == INDEPENDENT:
        return NEVER
    latest = NEVER
    if rules.calls.funding_rule[call] == VIRTUAL_COMMON_POT or rules.calls.funding_rule[call] == COMMON_POT:
        for f in range(state.funders.shape[0]):
            latest = max(latest, state.ledger.decision_month[call, f])
        return latest
    first = state.projects.first_partner[project]
    for p in range(first, first + state.projects.partners[project]):
        if state.partners.money[p] == FUNDED or state.partners.money[p] == REFUSED:
            latest = max(latest, state.ledger.decision_month[call, state.partners.funder[p]])
    return latest


@rule
def _set_ends(project, call, first, last, rules, state):
    """Ends of all partners that start; partners without a funder run as long as the longest funded one."""
    partners = state.partners
    longest = 0
    for p in range(first, last):
        f = partners.funder[p]
        if f != NOBODY:
            longest = max(longest, int(rules.terms.project_months[call, f]))
    for p in range(first, last):
        if partners.start_month[p] == NEVER:
            continue
        f = partners.funder[p]
        months = longest if f == NOBODY else int(rules.terms.project_months[call, f])
        partners.end_month[p] = partners.start_month[p] + months
        state.projects.end_month[project] = max(state.projects.end_month[project], partners.end_month[p])


@jit
def announce(month, state):
    """Decisions that arrive this month: told to each applicant; consortia without any start are given up."""
    partners, projects = state.partners, state.projects
    for project in range(state.count[N_PROJECTS]):
        if projects.decided_month[project] == NEVER or projects.decided_month[project] < month:
            continue
        call = projects.call[project]
        first = projects.first_partner[project]
        starts = False
        for p in range(first, first + projects.partners[project]):
            starts = starts or partners.start_month[p] != NEVER
            if partners.decision_month[p] == month:
                _tell(month, p, call, state)
        if projects.decided_month[project] == month and not starts:
            _give_up(month, project, state)
        elif projects.decided_month[project] == month:
            _free_absent(project, state)
            if not _has_grant(project, state):
                note(state.count, state.log, month, E_WENT_ALONE, projects.lead[project], NOBODY, project, 0.0)


@rule
def _free_absent(project, state):
    """Clusters that stay out of a project that starts have their hands free again."""
    first = state.projects.first_partner[project]
    for p in range(first, first + state.projects.partners[project]):
        if state.partners.start_month[p] == NEVER:
            state.clusters.busy[state.partners.cluster[p]] -= 1


@rule
def _has_grant(project, state):
    """Whether any partner of a project starts with a grant."""
    first = state.projects.first_partner[project]
    for p in range(first, first + state.projects.partners[project]):
        if state.partners.money[p] == FUNDED:
            return True
    return False


@rule
def _tell(month, p, call, state):
    """One decision reaches one applicant."""
    partners = state.partners
    cluster, f, project = partners.cluster[p], partners.funder[p], partners.project[p]
    if partners.money[p] == REFUSED:
        note(state.count, state.log, month, E_REFUSED, cluster, f, project, partners.short_eur[p])
    else:
        note(state.count, state.log, month, E_GRANTED, cluster, f, project, partners.grant_eur[p])
    if partners.money[p] == FUNDED:
        state.ledger.taken_up[call, f] += partners.grant_eur[p]
    if partners.money[p] == NOT_STARTED:
        note(state.count, state.log, month, E_NOT_STARTED, cluster, f, project, partners.grant_eur[p])


@rule
def _give_up(month, project, state):
    """A consortium that does not start is over."""
    projects, partners = state.projects, state.partners
    projects.alive[project] = 0
    note(state.count, state.log, month, E_GIVEN_UP, projects.lead[project], NOBODY, project, 0.0)
    first = projects.first_partner[project]
    for p in range(first, first + projects.partners[project]):
        state.clusters.busy[partners.cluster[p]] -= 1


