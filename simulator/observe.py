"""What is counted: every measure once, with its unit and label, and the loops that count them.

A run is counted by call and country, against its twin: the same world, draw and seed without the
programme. Outcomes of a call count if they come within `counted_months` after its close, so that
late calls are not cut short. An SME's outcome is

- additional: absent in the twin by then,
- accelerated: in both, earlier here (told in months brought forward),
- deadweight: in both, not earlier here,
- displaced: in the twin by then, absent here (another SME won the buyer, or own effort was given up).

gross = additional + accelerated + deadweight; net = additional - displaced. Both SMEs of a tie count
their own partnership, R&I collaboration or contract, as the survey asks SMEs.
"""

from typing import NamedTuple

import numpy as np

from simulator.jit import jit
from simulator.outcomes.own_paths import own_needs
from simulator.parameters import F64
from simulator.state import (
    CAUSES,
    CONTRACT,
    E_CONTRACT,
    E_DISPLACED,
    E_KNOWLEDGE,
    E_MET_KNOWLEDGE,
    E_OWN_CONTRACT,
    E_OWN_KNOWLEDGE,
    E_PARTNERSHIP,
    E_RNI,
    FUNDED,
    N_DUE,
    N_EVENTS,
    N_PARTNERS,
    N_PATHS,
    N_PROJECTS,
    NEVER,
    NO_FUNDER,
    NOBODY,
    NOT_STARTED,
    OUTCOMES,
    REFUSED,
)


class Measure(NamedTuple):
    """One thing that is counted."""

    name: str
    unit: str
    label: str


_PROGRAMME = (
    Measure("proposals", "proposals", "Consortia that handed in a proposal (by country of the lead)"),
    Measure("applications", "applications", "Applications of partners to their funders"),
    Measure("approvals", "grants", "Applications approved"),
    Measure("projects", "projects", "Transnational projects with at least one grant (by country of the lead)"),
    Measure("partners", "partners", "Partners in these projects"),
    Measure("partners_unfunded", "partners", "Partners from funding countries in these projects without a grant"),
    Measure("partner_starts", "partners", "Partners that started work with a grant"),
    Measure("waiting_months", "partner-months", "Months from the close of the call to the start, summed over them"),
    Measure("partner_months", "partner-months", "Months that these partners worked"),
    Measure("overlap_months", "partner-months", "Months of these in which all their project's partners worked"),
    Measure("good_projects", "projects", "Proposals above the common quality threshold (by country of the lead)"),
    Measure("good_projects_lost", "projects", "Of these, not funded at all (by country of the lead)"),
    Measure("good_applications_lost", "applications", "Applications refused in proposals above the common threshold"),
    Measure("followon_projects", "projects", "Projects in which two partners had worked together before"),
    Measure("extended_partners", "partners", "Partners that got a phase two"),
    Measure("offered_eur", "EUR", "Money on offer for first-phase grants"),
    Measure("granted_eur", "EUR", "Granted to partners of the country, first phase"),
    Measure("outlay_eur", "EUR", "What the country's funder has to pay for grants, wherever"),
    Measure("spent_eur", "EUR", "Paid out to partners of the country, both phases"),
    Measure("phase_two_eur", "EUR", "Granted for a phase two"),
    Measure("cofinanced_eur", "EUR", "Partners' own money beside what was paid out"),
    Measure("admin_eur", "EUR", "Cost of administering applications and grants"),
    Measure("smes_engaged", "SMEs", "SMEs engaged by partners"),
    Measure("smes_active", "SMEs", "SMEs that really took part"),
    Measure("smes_lost_waiting", "SMEs", "SMEs that lost interest before the start"),
    Measure("contacts", "SMEs", "SMEs with a first foreign contact in the project"),
)
_ROLES = ("gross", "additional", "accelerated", "deadweight", "displaced", "months_forward")
_OUTCOME_LABELS = ("new knowledge", "partnerships", "R&I collaborations", "contracts")
_ROLE_LABELS = {
    "gross": "{} reached in the programme",
    "additional": "{} absent without the programme",
    "accelerated": "{} that came earlier than without the programme",
    "deadweight": "{} that would have come as early without the programme",
    "displaced": "{} that others, or the SMEs themselves, would have had without the programme",
    "months_forward": "Months by which accelerated {} came earlier, summed",
}


def _outcome_measure(outcome: str, label: str, role: str) -> Measure:
    name = outcome if role == "gross" else f"{outcome}_{role}"
    unit = "SME-months" if role == "months_forward" else "SMEs" if outcome == "knowledge" else f"SME {label}"
    text = _ROLE_LABELS[role].format(label)
    return Measure(name, unit, text[0].upper() + text[1:])


MEASURES: tuple[Measure, ...] = _PROGRAMME + tuple(
    _outcome_measure(outcome, label, role)
    for outcome, label in zip(OUTCOMES, _OUTCOME_LABELS, strict=True)
    for role in _ROLES
)
COLUMN = {measure.name: column for column, measure in enumerate(MEASURES)}
(
    PROPOSALS, APPLICATIONS, APPROVALS, PROJECTS, PARTNERS, PARTNERS_UNFUNDED, PARTNER_STARTS, WAITING, MONTHS,
    OVERLAP, GOOD, GOOD_LOST, GOOD_APPLICATIONS_LOST, FOLLOWON, EXTENDED, OFFERED, GRANTED, OUTLAY, SPENT, PHASE_TWO,
    COFINANCED, ADMIN, ENGAGED, ACTIVE, LOST_WAITING, CONTACTS,
) = range(len(_PROGRAMME))  # fmt: skip
_FIRST_OUTCOME, _N_ROLES = len(_PROGRAMME), len(_ROLES)
GROSS, ADDITIONAL, ACCELERATED, DEADWEIGHT, DISPLACED, FORWARD = range(_N_ROLES)
_N_MEASURES = len(MEASURES)

# What is counted month by month.
MONTHLY: tuple[Measure, ...] = (
    Measure("spent_eur", "EUR a month", "Grants paid out"),
    Measure("active_smes", "SMEs", "SMEs active in projects"),
    Measure("knowledge", "SMEs a month", "New knowledge in the programme"),
    Measure("partnerships", "SME partnerships a month", "New partnerships in the programme"),
    Measure("rni_collaborations", "SME R&I collaborations a month", "New R&I collaborations in the programme"),
    Measure("contracts", "SME contracts a month", "New contracts in the programme"),
    Measure("own_contracts", "SME contracts a month", "Contracts of all SMEs on their own paths"),
)
_N_MONTHLY = len(MONTHLY)

# By group of SMEs (sector, size class): gross outcomes and participations.
GROUP_MEASURES: tuple[str, ...] = ("smes_engaged", "smes_active", *OUTCOMES)


class Observation(NamedTuple):
    """All measures of one run. N countries, C calls, T months, F funders, S sectors."""

    cells: F64  # (C, N, measures)
    monthly: F64  # (T, monthly measures), outcomes of counted calls only
    lost: F64  # (C, F, causes) refused applications of proposals above the common threshold
    short: F64  # (C, F) EUR that they were short of
    network: F64  # (C, N, N) pairs of partners of two countries in projects, symmetric
    groups: F64  # (S + 3, group measures), SMEs of the counted calls by sector, then by size class


@jit
def observe(first_counted, seed, rules, world, parameters, state):
    """Counts one run against its twin. Pure: nothing in the run is changed.

    In the twin nothing is but own paths, and they are pure functions of each SME's draws: so it is enough to walk
    those of the SMEs that the programme has touched.

    `first_counted` is the first call whose outcomes enter the monthly table, the network of months and the groups.
    """
    calls, funders = rules.terms.shape
    n = world.countries.shape[0]
    cells = np.zeros((calls, n, _N_MEASURES))
    monthly = np.zeros((state.spent_by_month.shape[0], _N_MONTHLY))
    lost = np.zeros((calls, funders, len(CAUSES)))
    short = np.zeros((calls, funders))
    network = np.zeros((calls, n, n))
    groups = np.zeros((world.sectors.shape[0] + 3, 2 + len(OUTCOMES)))
    _count_projects(rules, state, cells, lost, short, network)
    _count_smes(first_counted, world, state, cells, groups)
    _count_money(rules, world, parameters, state, cells)
    _count_events(first_counted, rules, world, state, cells, monthly, groups)
    twin = _twin_needs(seed, parameters, state)
    _count_against_twin(rules, state, twin, cells)
    _count_months(first_counted, state, monthly)
    _count_own_contracts(state, twin, monthly)
    return cells, monthly, lost, short, network, groups


@jit
def _count_projects(rules, state, cells, lost, short, network):
    """Proposals, projects, partners, time lost, and what became of good proposals."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    met = np.zeros((clusters.shape[0], clusters.shape[0]), np.int32)
    for project in range(state.count[N_PROJECTS]):
        call = projects[project].call
        home = clusters[projects[project].lead].country
        first = projects[project].first_partner
        last = first + projects[project].partners
        cells[call, home, PROPOSALS] += 1.0
        granted, refused, applied = 0, 0, 0
        for p in range(first, last):
            if partners[p].money == FUNDED or partners[p].money == NOT_STARTED:
                granted += 1
            elif partners[p].money == REFUSED:
                refused += 1
        applied = granted + refused
        good = applied > 0 and projects[project].joint_score >= projects[project].threshold
        if good:
            cells[call, home, GOOD] += 1.0
            if granted == 0:
                cells[call, home, GOOD_LOST] += 1.0
        followon = False
        for p in range(first, last):
            a, there = partners[p].cluster, clusters[partners[p].cluster].country
            if good and partners[p].money == REFUSED:
                cells[call, there, GOOD_APPLICATIONS_LOST] += 1.0
                f = partners[p].blocking_funder
                f = partners[p].funder if f == NOBODY else f
                lost[call, f, partners[p].cause] += 1.0
                short[call, f] += partners[p].short_eur
            if granted == 0:
                continue
            cells[call, there, PARTNERS] += 1.0
            if partners[p].money != FUNDED and partners[p].money != NOT_STARTED and partners[p].money != NO_FUNDER:
                cells[call, there, PARTNERS_UNFUNDED] += 1.0
            _count_time(call, there, p, first, last, rules, partners, cells)
            for q in range(first, p):
                b = partners[q].cluster
                beyond = clusters[b].country
                network[call, there, beyond] += 1.0
                network[call, beyond, there] += 1.0
                followon = followon or met[a, b] == 1
                met[a, b], met[b, a] = 1, 1
        if granted > 0:
            cells[call, home, PROJECTS] += 1.0
            if followon:
                cells[call, home, FOLLOWON] += 1.0


@jit
def _count_time(call, there, p, first, last, rules, partners, cells):
    """Waiting and overlap of one partner with a grant that started."""
    if partners[p].money != FUNDED or partners[p].start_month == NEVER:
        return
    if partners[p].phase_two_eur > 0.0:
        cells[call, there, EXTENDED] += 1.0
    cells[call, there, PARTNER_STARTS] += 1.0
    cells[call, there, WAITING] += partners[p].start_month - rules.calls[call].close_month
    cells[call, there, MONTHS] += partners[p].end_month - partners[p].start_month
    start, end = partners[p].start_month, partners[p].end_month
    for q in range(first, last):
        if partners[q].start_month != NEVER:
            start, end = max(start, partners[q].start_month), min(end, partners[q].end_month)
    cells[call, there, OVERLAP] += max(0, end - start)


@jit
def _count_smes(first_counted, world, state, cells, groups):
    """SMEs engaged, active, lost while waiting, and with a contact."""
    partners, t, smes, clusters = state.partners, state.participations, state.smes, state.clusters
    sectors = world.sectors.shape[0]
    for p in range(state.count[N_PARTNERS]):
        call = state.projects[partners[p].project].call
        there = clusters[partners[p].cluster].country
        cells[call, there, ENGAGED] += partners[p].engaged
        cells[call, there, ACTIVE] += partners[p].active
        cells[call, there, LOST_WAITING] += partners[p].lost_waiting
        for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
            if t[row].contact_month != NEVER:
                cells[call, there, CONTACTS] += 1.0
            if call >= first_counted:
                i = t[row].sme
                groups[smes[i].sector, 0] += 1.0
                groups[sectors + smes[i].size_class, 0] += 1.0
                groups[smes[i].sector, 1] += t[row].is_active
                groups[sectors + smes[i].size_class, 1] += t[row].is_active


@jit
def _count_money(rules, world, parameters, state, cells):
    """Each funder's ledger, at the country that it stands for."""
    ledger, terms = state.ledger, rules.terms
    for call in range(ledger.shape[0]):
        for f in range(ledger.shape[1]):
            home = world.funders[f].country
            cells[call, home, APPLICATIONS] += ledger[call, f].applications
            cells[call, home, APPROVALS] += ledger[call, f].approvals
            cells[call, home, OFFERED] += ledger[call, f].offered
            cells[call, home, GRANTED] += ledger[call, f].granted
            cells[call, home, OUTLAY] += ledger[call, f].outlay
            cells[call, home, SPENT] += ledger[call, f].spent
            cells[call, home, PHASE_TWO] += ledger[call, f].phase_two_granted
            rate = terms[call, f].cofinance_rate
            cells[call, home, COFINANCED] += ledger[call, f].spent * rate / (1.0 - rate)
            cells[call, home, ADMIN] += (
                parameters.admin_application_eur * ledger[call, f].applications
                + parameters.admin_grant_eur * ledger[call, f].approvals
            )


@jit
def _count_events(first_counted, rules, world, state, cells, monthly, groups):
    """Gross outcomes in the programme, both SMEs of a tie counting their own."""
    log, smes, clusters = state.log, state.smes, state.clusters
    sectors = world.sectors.shape[0]
    for row in range(state.count[N_EVENTS]):
        kind = log[row].kind
        if kind == E_KNOWLEDGE:
            outcome, sides = 0, 1
        elif kind == E_PARTNERSHIP:
            outcome, sides = 1, 2
        elif kind == E_RNI:
            outcome, sides = 2, 2
        elif kind == E_CONTRACT:
            outcome, sides = 3, 2
        else:
            continue
        call = state.projects[log[row].project].call
        month = log[row].month
        if month >= rules.calls[call].close_month + rules.calls[call].counted_months:
            continue
        if call >= first_counted:
            monthly[month, 2 + outcome] += sides
        for side in range(sides):
            i = log[row].who if side == 0 else log[row].whom
            home = clusters[smes[i].cluster].country
            cells[call, home, _FIRST_OUTCOME + outcome * _N_ROLES + GROSS] += 1.0
            if call >= first_counted:
                groups[smes[i].sector, 2 + outcome] += 1.0
                groups[sectors + smes[i].size_class, 2 + outcome] += 1.0


@jit
def _twin_needs(seed, parameters, state):
    """When touched SMEs meet their needs in the twin: `months`, need k for an outcome at first[path, outcome] + k.

    The needs of path and outcome end at first[path, outcome + 1]: each path has one place more than outcomes.
    """
    paths, last = state.paths, state.due.shape[1]
    n = state.count[N_PATHS]
    first = np.zeros((n, len(OUTCOMES) + 1), np.int64)
    months = np.empty(max(64, 8 * n))
    used = 0
    for path in range(n):
        who = state.smes[paths[path].sme].identity
        for outcome in range(len(OUTCOMES)):
            first[path, outcome] = used
            needs = own_needs(outcome, who, paths[path].pull, seed, parameters, last, months[used:])
            if used + needs > months.shape[0]:
                more = np.empty(2 * (used + needs))
                for place in range(used):  # not as a slice, which takes numba a second more to compile
                    more[place] = months[place]
                months = more
                own_needs(outcome, who, paths[path].pull, seed, parameters, last, months[used:])
            used += needs
        first[path, len(OUTCOMES)] = used
    return first, months


@jit
def _count_against_twin(rules, state, twin, cells):
    """Splits gross outcomes by what the twin has, and counts what the twin has and this run has not.

    Needs are passed in order, here and in the twin, so the n-th need passed here is the twin's n-th.
    """
    own, smes, clusters, calls, log = state.own, state.smes, state.clusters, rules.calls, state.log
    first, months = twin
    passed = np.zeros((state.count[N_PATHS], len(OUTCOMES)), np.int32)
    in_time = np.zeros(passed.shape, np.int32)  # of these, before the end of the call that touched it last
    _count_before(calls, own, first, months, passed, in_time)
    for row in range(state.count[N_EVENTS]):
        kind = log[row].kind
        outcome = kind - E_OWN_KNOWLEDGE
        if kind == E_DISPLACED:
            outcome = CONTRACT
        elif E_MET_KNOWLEDGE <= kind < E_OWN_KNOWLEDGE:
            outcome = kind - E_MET_KNOWLEDGE
        if outcome < 0 or outcome >= len(OUTCOMES):
            continue
        i, month = log[row].who, log[row].month
        path = smes[i].path
        place = first[path, outcome] + passed[path, outcome]
        passed[path, outcome] += 1
        if own[path, outcome].call != NEVER:
            last = calls[own[path, outcome].call]
            if month < last.close_month + last.counted_months:
                in_time[path, outcome] += 1
        if kind >= E_OWN_KNOWLEDGE and kind != E_DISPLACED:
            continue
        call = state.projects[log[row].project].call
        end = calls[call].close_month + calls[call].counted_months
        if month >= end or place >= first[path, outcome + 1] or months[place] >= end:
            continue
        home = clusters[smes[i].cluster].country
        column = _FIRST_OUTCOME + outcome * _N_ROLES
        if kind == E_DISPLACED:
            cells[call, home, column + DISPLACED] += 1.0
        elif months[place] >= month + 1.0:  # in a later month than here
            cells[call, home, column + ACCELERATED] += 1.0
            cells[call, home, column + FORWARD] += months[place] - month
        else:
            cells[call, home, column + DEADWEIGHT] += 1.0
    _count_given_up(calls, state, first, months, in_time, cells)
    for outcome in range(len(OUTCOMES)):
        column = _FIRST_OUTCOME + outcome * _N_ROLES
        for call in range(cells.shape[0]):
            for home in range(cells.shape[1]):
                cells[call, home, column + ADDITIONAL] = (
                    cells[call, home, column + GROSS]
                    - cells[call, home, column + ACCELERATED]
                    - cells[call, home, column + DEADWEIGHT]
                )


@jit
def _count_before(calls, own, first, months, passed, in_time):
    """Needs that were over before the programme touched the SME: the same here and in the twin."""
    for path in range(passed.shape[0]):
        for outcome in range(len(OUTCOMES)):
            passed[path, outcome] = own[path, outcome].before
            if own[path, outcome].call == NEVER:
                continue
            last = calls[own[path, outcome].call]
            for need in range(own[path, outcome].before):
                if months[first[path, outcome] + need] < last.close_month + last.counted_months:
                    in_time[path, outcome] += 1


@jit
def _count_given_up(calls, state, first, months, in_time, cells):
    """Own effort given up: needs that the twin has met by the end of the call and this run has not."""
    own, smes, clusters = state.own, state.smes, state.clusters
    for path in range(in_time.shape[0]):
        home = clusters[smes[state.paths[path].sme].cluster].country
        for outcome in range(len(OUTCOMES)):
            call = own[path, outcome].call
            if call == NEVER:
                continue
            end = calls[call].close_month + calls[call].counted_months
            in_twin = 0
            for place in range(first[path, outcome], first[path, outcome + 1]):
                if months[place] < end:
                    in_twin += 1
            missing = in_twin - in_time[path, outcome]
            if missing > 0:
                cells[call, home, _FIRST_OUTCOME + outcome * _N_ROLES + DISPLACED] += missing


@jit
def _count_months(first_counted, state, monthly):
    """Money and SMEs at work, month by month."""
    partners = state.partners
    months = monthly.shape[0]
    for month in range(months):
        for f in range(state.spent_by_month.shape[1]):
            monthly[month, 0] += state.spent_by_month[month, f]
    for p in range(state.count[N_PARTNERS]):
        if partners[p].start_month == NEVER or state.projects[partners[p].project].call < first_counted:
            continue
        for month in range(partners[p].start_month, min(months, partners[p].end_month)):
            monthly[month, 1] += partners[p].active


@jit
def _count_own_contracts(state, twin, monthly):
    """Contracts on own paths, month by month: the twin's, with those of touched SMEs as they came here."""
    first, months = twin
    for row in range(state.count[N_DUE]):
        monthly[int(state.calendar[row].month), 6] += 1.0
    for path in range(first.shape[0]):
        touched = first[path, CONTRACT] + state.own[path, CONTRACT].before
        for place in range(touched, first[path, CONTRACT + 1]):
            monthly[int(months[place]), 6] -= 1.0
    for row in range(state.count[N_EVENTS]):
        if state.log[row].kind == E_OWN_CONTRACT:
            monthly[state.log[row].month, 6] += 1.0
