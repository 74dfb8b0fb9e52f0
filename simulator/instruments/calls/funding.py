"""When a call closes: who applies, who is granted what, when each decision arrives, what follows from it."""

import math

import numpy as np

from simulator import draws
from simulator.instruments.calls.allocation import allocate, common_threshold
from simulator.instruments.calls.events import CallEvent, note_in_project
from simulator.instruments.calls.tables import FUNDED, NOT_STARTED, REFUSED
from simulator.jit import inline, kernel
from simulator.parameters import COMMITTED_DATE, COMMON_POT, INDEPENDENT, SLOWEST_DATE, VIRTUAL_COMMON_POT
from simulator.records import NEVER, NOBODY
from simulator.rules.funding import assessed_quality, belief_after, decision_lag, quality_threshold

_NONE = np.uint64(0)


@kernel
def decide(month, seed, parameters, rules, world, state):
    """At the close of a call partners apply, the funding rule decides, and dates and starts follow."""
    for call in range(rules.calls.shape[0]):
        if rules.calls[call].close_month == month and rules.calls[call].held == 1:
            first, last = _projects_of(call, state)
            _set_dates(call, seed, parameters, rules, world, state.ledger)
            purse, central = _open_purses(call, rules, state)
            rows = _apply(month, call, first, last, seed, parameters, rules, world, state)
            _award(call, rows, first, last, purse, central, parameters, rules, state)
            _close_purses(call, purse, central, parameters, rules, state)
            for project in range(first, last):
                _plan_starts(project, call, seed, parameters, rules, state)


@inline
def _projects_of(call, state):
    """Return the rows of the projects of a call, from first to before last; they are contiguous."""
    last = state.used.projects
    first = last
    while first > 0 and state.projects[first - 1].call == call:
        first -= 1
    return first, last


@kernel
def _set_dates(call, seed, parameters, rules, world, ledger):
    """Set the month in which each funder's decision arrives: on its own date, at the slowest's, or as committed."""
    start = draws.key(seed, draws.DECISION_LAG, draws.since(rules.calls[call].key, 0))
    close = rules.calls[call].close_month
    slowest = NEVER
    for f in range(ledger.shape[1]):
        if rules.terms[call, f].budget_eur <= 0.0:
            continue
        luck = draws.logistic(draws.uniform(start, world.countries[world.funders[f].country].key, _NONE))
        lag = decision_lag(
            parameters.lag_first_months,
            parameters.lag_spread_months,
            rules.calls[call].lag_spread_factor,
            rules.terms[call, f].lag_position,
            parameters.lag_noise_months,
            luck,
        )
        ledger[call, f].decision_month = close + int(math.ceil(rules.terms[call, f].deadline_months + lag))
        slowest = max(slowest, ledger[call, f].decision_month)
    for f in range(ledger.shape[1]):
        if ledger[call, f].decision_month == NEVER:
            continue
        if rules.calls[call].decision_dates == SLOWEST_DATE:
            ledger[call, f].decision_month = slowest
        elif rules.calls[call].decision_dates == COMMITTED_DATE:
            ledger[call, f].decision_month = close + int(math.ceil(rules.calls[call].committed_months))


@kernel
def _open_purses(call, rules, state):
    """Return the money at hand by funder (EUR), after phase-two debts and the share for the central purse; and that."""
    funders, ledger = state.funders, state.ledger
    purse = np.zeros(funders.shape[0])
    central = np.zeros(1)
    for f in range(purse.shape[0]):
        if rules.terms[call, f].budget_eur <= 0.0:
            continue
        paid_back = min(funders[f].debt, rules.terms[call, f].budget_eur)
        funders[f].debt -= paid_back
        at_hand = rules.terms[call, f].budget_eur + funders[f].carried - paid_back
        funders[f].carried = 0.0
        ledger[call, f].offered = at_hand
        shared = rules.calls[call].top_up_share * at_hand
        if rules.calls[call].funding_rule != VIRTUAL_COMMON_POT:
            shared = 0.0
        central[0] += shared
        purse[f] = at_hand - shared
        ledger[call, f].phase_two_left = rules.terms[call, f].phase_two_share * rules.terms[call, f].budget_eur
    return purse, central


@kernel
def _apply(month, call, first, last, seed, parameters, rules, world, state):
    """Return the rows of the partners that apply, each with its request and the quality that its funder sees."""
    partners, projects, clusters = state.partners, state.projects, state.clusters
    time = draws.since(rules.calls[call].key, 0)
    apply, assess = draws.key(seed, draws.APPLY, time), draws.key(seed, draws.ASSESS, time)
    rows = np.empty(state.used.partners, np.int64)
    n = 0
    for project in range(first, last):
        for p in range(projects[project].first_partner, projects[project].first_partner + projects[project].partners):
            f = partners[p].funder
            if f == NOBODY or rules.terms[call, f].budget_eur <= 0.0:
                continue
            who, what = clusters[partners[p].cluster].identity, projects[project].identity
            if draws.uniform(apply, who, what) >= parameters.p_apply * rules.terms[call, f].openness:
                continue
            error = parameters.assessment_error * draws.logistic(
                draws.uniform(assess, world.countries[world.funders[f].country].key, what)
            )
            partners[p].assessed = assessed_quality(projects[project].quality, error)
            partners[p].request_eur = rules.terms[call, f].grant_eur
            partners[p].money = REFUSED  # until granted
            state.ledger[call, f].applications += 1.0
            note_in_project(month, CallEvent.APPLIED, partners[p].cluster, f, project, partners[p].request_eur, state)
            rows[n] = p
            n += 1
    return rows[:n]


@kernel
def _award(call, rows, first, last, purse, central, parameters, rules, state):
    """Apply the call's funding rule to its applications and write the result to the partners."""
    partners, projects, ledger = state.partners, state.projects, state.ledger
    n, f_count = rows.shape[0], purse.shape[0]
    project, funder = np.empty(n, np.int64), np.empty(n, np.int64)
    request, score = np.empty(n), np.empty(n)
    joint, applicants = np.zeros(last - first), np.zeros(last - first)
    for a in range(n):
        p = rows[a]
        project[a], funder[a] = partners[p].project - first, partners[p].funder
        request[a], score[a] = partners[p].request_eur, partners[p].assessed
        joint[project[a]] += score[a]
        applicants[project[a]] += 1.0
    threshold, minimum = np.zeros(f_count), np.zeros(f_count)
    spread = math.sqrt(parameters.quality_noise**2 + parameters.assessment_error**2)
    for f in range(f_count):
        if rules.terms[call, f].budget_eur > 0.0:
            threshold[f] = quality_threshold(rules.terms[call, f].pass_share, spread)
            minimum[f] = rules.terms[call, f].grant_min_eur
    common = common_threshold(purse, threshold)
    for k in range(last - first):
        joint[k] = joint[k] / applicants[k] if applicants[k] > 0.0 else -math.inf
        projects[first + k].joint_score = joint[k]
        projects[first + k].threshold = common
    before = purse.copy()
    grant, own_share, short = np.empty(n), np.empty(n), np.empty(n)
    cause, blocking = np.empty(n, np.int64), np.empty(n, np.int64)
    allocate(
        rules.calls[call].funding_rule, project, funder, request, score, joint, purse, threshold, minimum,
        rules.calls[call].partial_awards > 0.0, central, rules.calls[call].fill_share, grant, own_share, cause,
        blocking, short,
    )  # fmt: skip
    for a in range(n):
        p = rows[a]
        partners[p].grant_eur, partners[p].own_share = grant[a], own_share[a]
        partners[p].cause, partners[p].blocking_funder, partners[p].short_eur = cause[a], blocking[a], short[a]
        if grant[a] > 0.0:
            partners[p].money = FUNDED
            ledger[call, funder[a]].approvals += 1.0
            ledger[call, funder[a]].granted += grant[a]
    for f in range(f_count):
        ledger[call, f].outlay = before[f] - purse[f]


@kernel
def _close_purses(call, purse, central, parameters, rules, state):
    """Keep a share of the unspent money for the next call; the rest lapses. Beliefs follow the result."""
    funders, ledger = state.funders, state.ledger
    total, shared = 0.0, 0.0
    for f in range(purse.shape[0]):
        total += ledger[call, f].offered
    if rules.calls[call].funding_rule == VIRTUAL_COMMON_POT:
        shared = rules.calls[call].top_up_share
    for f in range(purse.shape[0]):
        if rules.terms[call, f].budget_eur <= 0.0:
            continue
        part = ledger[call, f].offered / total if total > 0.0 else 0.0
        ledger[call, f].outlay += shared * ledger[call, f].offered - part * central[0]
        left = purse[f] + part * central[0]
        funders[f].carried = rules.calls[call].carry_over_share * left
        if ledger[call, f].applications > 0.0:
            approved = ledger[call, f].approvals / ledger[call, f].applications
            funders[f].belief = belief_after(funders[f].belief, approved, parameters.belief_learning)


@kernel
def _plan_starts(project, call, seed, parameters, rules, state):
    """Set the dates of one project: when each decision arrives, and who starts when, if at all."""
    projects, partners, clusters, ledger = state.projects, state.partners, state.clusters, state.ledger
    time = draws.since(rules.calls[call].key, 0)
    what = projects[project].identity
    first = projects[project].first_partner
    last = first + projects[project].partners
    nonstart, leave = draws.key(seed, draws.NONSTART, time), draws.key(seed, draws.LEAVE_UNFUNDED, time)
    joint_date = _joint_date(project, call, rules, state)
    decided, first_start = rules.calls[call].close_month + 1, NEVER
    for p in range(first, last):
        if partners[p].money != FUNDED and partners[p].money != REFUSED:
            continue
        month = ledger[call, partners[p].funder].decision_month
        if joint_date > month:
            month = joint_date
        partners[p].decision_month = month
        decided = max(decided, month)
        if partners[p].money == FUNDED:
            if draws.uniform(nonstart, clusters[partners[p].cluster].identity, what) < parameters.p_nonstart:
                partners[p].money = NOT_STARTED
            else:
                partners[p].start_month = month
                if first_start == NEVER or month < first_start:
                    first_start = month
    projects[project].decided_month = decided
    alone = first_start == NEVER
    if alone:
        u = draws.uniform(draws.key(seed, draws.GO_ALONE, time), what, _NONE)
        if u >= parameters.p_go_alone:
            return  # `announce` gives it up when the last decision arrives
        first_start = decided
    for p in range(first, last):
        if partners[p].start_month != NEVER or partners[p].money == NOT_STARTED:
            continue
        start = first_start
        if partners[p].money == REFUSED:
            who = clusters[partners[p].cluster].identity
            if draws.uniform(leave, who, what) < parameters.p_leave_unfunded:
                continue
            start = max(first_start, partners[p].decision_month + int(math.floor(parameters.replan_months + 0.5)))
        partners[p].start_month = start
    _set_ends(project, call, first, last, rules, state)


@inline
def _joint_date(project, call, rules, state):
    """Return the earliest month for the decisions of a jointly decided project; NEVER where each funder decides alone.

    It is its slowest funder's month, or the slowest of all funders where there is one ranking.
    """
    if rules.calls[call].funding_rule == INDEPENDENT:
        return NEVER
    latest = NEVER
    if rules.calls[call].funding_rule == VIRTUAL_COMMON_POT or rules.calls[call].funding_rule == COMMON_POT:
        for f in range(state.funders.shape[0]):
            latest = max(latest, state.ledger[call, f].decision_month)
        return latest
    first = state.projects[project].first_partner
    for p in range(first, first + state.projects[project].partners):
        if state.partners[p].money == FUNDED or state.partners[p].money == REFUSED:
            latest = max(latest, state.ledger[call, state.partners[p].funder].decision_month)
    return latest


@inline
def _set_ends(project, call, first, last, rules, state):
    """Set the ends of all partners that start; those without a funder run as long as the longest with one."""
    partners = state.partners
    longest = 0
    for p in range(first, last):
        f = partners[p].funder
        if f != NOBODY:
            longest = max(longest, int(rules.terms[call, f].project_months))
    for p in range(first, last):
        if partners[p].start_month == NEVER:
            continue
        f = partners[p].funder
        months = longest if f == NOBODY else int(rules.terms[call, f].project_months)
        partners[p].end_month = partners[p].start_month + months
        state.projects[project].end_month = max(state.projects[project].end_month, partners[p].end_month)


@kernel
def announce(month, state):
    """Decisions arrive in their month, at each applicant; consortia without any start are given up."""
    partners, projects = state.partners, state.projects
    for project in range(state.used.projects):
        if projects[project].decided_month == NEVER or projects[project].decided_month < month:
            continue
        call = projects[project].call
        first = projects[project].first_partner
        starts = False
        for p in range(first, first + projects[project].partners):
            starts = starts or partners[p].start_month != NEVER
            if partners[p].decision_month == month:
                _tell(month, p, call, state)
        if projects[project].decided_month == month and not starts:
            _give_up(month, project, state)
        elif projects[project].decided_month == month:
            _free_absent(project, state)
            if not _has_grant(project, state):
                note_in_project(month, CallEvent.WENT_ALONE, projects[project].lead, NOBODY, project, 0.0, state)


@inline
def _free_absent(project, state):
    """Free the hands of clusters that stay out of a project that starts."""
    first = state.projects[project].first_partner
    for p in range(first, first + state.projects[project].partners):
        if state.partners[p].start_month == NEVER:
            state.clusters[state.partners[p].cluster].busy -= 1


@inline
def _has_grant(project, state):
    """Return whether any partner of a project starts with a grant."""
    first = state.projects[project].first_partner
    for p in range(first, first + state.projects[project].partners):
        if state.partners[p].money == FUNDED:
            return True
    return False


@inline
def _tell(month, p, call, state):
    """One decision reaches one applicant."""
    partners = state.partners
    cluster, f, project = partners[p].cluster, partners[p].funder, partners[p].project
    if partners[p].money == REFUSED:
        note_in_project(month, CallEvent.REFUSED, cluster, f, project, partners[p].short_eur, state)
    else:
        note_in_project(month, CallEvent.GRANTED, cluster, f, project, partners[p].grant_eur, state)
    if partners[p].money == FUNDED:
        state.ledger[call, f].taken_up += partners[p].grant_eur
    if partners[p].money == NOT_STARTED:
        note_in_project(month, CallEvent.NOT_STARTED, cluster, f, project, partners[p].grant_eur, state)


@inline
def _give_up(month, project, state):
    """End a consortium that does not start."""
    projects, partners = state.projects, state.partners
    projects[project].alive = 0
    note_in_project(month, CallEvent.GIVEN_UP, projects[project].lead, NOBODY, project, 0.0, state)
    first = projects[project].first_partner
    for p in range(first, first + projects[project].partners):
        state.clusters[partners[p].cluster].busy -= 1
