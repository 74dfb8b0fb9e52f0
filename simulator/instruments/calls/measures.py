"""What is counted of a call: proposals, grants, projects, time, money, and the SMEs that take part."""

import numpy as np

from simulator.instruments.calls.tables import CAUSES, FUNDED, NO_FUNDER, NOT_STARTED, REFUSED
from simulator.jit import kernel
from simulator.measures import Measure, Ratio, positions
from simulator.records import NEVER, NOBODY
from simulator.world.tables import SIZE_CLASSES

MEASURES = (
    Measure("proposals", "proposals", "Consortia that handed in a proposal (by country of the lead)", "Proposals"),
    Measure("applications", "applications", "Applications of partners to their funders", "Applications"),
    Measure("approvals", "grants", "Applications approved", "Approvals"),
    Measure(
        "projects",
        "projects",
        "Transnational projects with at least one grant (by country of the lead)",
        "Projects",
        better=1,
    ),
    Measure("partners", "partners", "Partners in these projects", "Partners"),
    Measure(
        "partners_unfunded",
        "partners",
        "Partners from funding countries in these projects without a grant",
        "Partners without a grant",
        better=-1,
    ),
    Measure("partner_starts", "partners", "Partners that started work with a grant", "Funded starts", better=1),
    Measure(
        "waiting_months",
        "partner-months",
        "Months from the close of the call to the start, summed over them",
        "Months of waiting",
        "months",
        better=-1,
    ),
    Measure("partner_months", "partner-months", "Months that these partners worked", "Months of work", "months"),
    Measure(
        "overlap_months",
        "partner-months",
        "Months of these in which all their project's partners worked",
        "Months of work together",
        "months",
        better=1,
    ),
    Measure(
        "good_projects",
        "projects",
        "Proposals above the common quality threshold (by country of the lead)",
        "Good proposals",
        better=1,
    ),
    Measure(
        "good_projects_lost",
        "projects",
        "Of these, not funded at all (by country of the lead)",
        "Good proposals lost",
        better=-1,
    ),
    Measure(
        "good_applications_lost",
        "applications",
        "Applications refused in proposals above the common threshold",
        "Good applications lost",
        better=-1,
    ),
    Measure(
        "followon_projects",
        "projects",
        "Projects in which two partners had worked together before",
        "Follow-on projects",
    ),
    Measure("extended_partners", "partners", "Partners that got a phase two", "Partners in phase two"),
    Measure("offered_eur", "EUR", "Money on offer for first-phase grants", "On offer (first phase)", "eur"),
    Measure("granted_eur", "EUR", "Granted to partners of the country, first phase", "Granted (first phase)", "eur"),
    Measure(
        "outlay_eur",
        "EUR",
        "What the country's funder has to pay for grants, wherever",
        "Funders pay",
        "eur",
        better=-1,
    ),
    Measure("spent_eur", "EUR", "Paid out to partners of the country, both phases", "Paid out", "eur", better=-1),
    Measure("phase_two_eur", "EUR", "Granted for a phase two", "Granted (phase two)", "eur"),
    Measure("cofinanced_eur", "EUR", "Partners' own money beside what was paid out", "Partners' own money", "eur"),
    Measure("admin_eur", "EUR", "Cost of administering applications and grants", "Administration", "eur", better=-1),
    Measure("smes_engaged", "SMEs", "SMEs engaged by partners", "SMEs engaged", better=1),
    Measure("smes_active", "SMEs", "SMEs that really took part", "SMEs active", better=1),
    Measure(
        "smes_lost_waiting", "SMEs", "SMEs that lost interest before the start", "SMEs lost while waiting", better=-1
    ),
    Measure(
        "contacts",
        "SMEs",
        "SMEs with a first foreign contact in the project",
        "SMEs with a first foreign contact",
        better=1,
    ),
)
AT = positions(MEASURES)

# What this instrument adds to public cost.
COSTS = (("spent_eur", 1.0), ("admin_eur", 1.0))

RATIOS = (
    Measure(
        "waiting_months_mean",
        "months",
        "Mean wait from the close of the call to a funded partner's start",
        "Wait from close to start",
        "months",
        better=-1,
        of=Ratio("waiting_months", "partner_starts"),
    ),
    Measure(
        "overlap_share",
        "share",
        "Share of funded partners' time in which all partners of the project work",
        "Time in which all partners work",
        "share",
        better=1,
        of=Ratio("overlap_months", "partner_months"),
    ),
)

# Counted month by month.
SPENT_BY_MONTH = Measure("spent_eur", "EUR a month", "Grants paid out", "Paid out", "eur")
ACTIVE_BY_MONTH = Measure("active_smes", "SMEs", "SMEs active in projects", "SMEs active", better=1)

GROUPED = ("smes_engaged", "smes_active")  # counted by group of SMEs
_ENGAGED, _ACTIVE = range(2)


@kernel
def count_calls(rules, world, parameters, state):
    """Count what the calls did: by call and country, month and group; and what became of good proposals.

    Returns cells (C, N, measures), active SMEs (C, T), groups (C, S + 3, 2), money paid (T,), lost (C, F, causes),
    short (C, F) and network (C, N, N).
    """
    calls, funders = rules.terms.shape
    n = world.countries.shape[0]
    cells = np.zeros((calls, n, len(AT)))
    lost, short = np.zeros((calls, funders, len(CAUSES))), np.zeros((calls, funders))
    network = np.zeros((calls, n, n))
    groups = np.zeros((calls, world.sectors.shape[0] + len(SIZE_CLASSES), len(GROUPED)))
    _count_projects(rules, state, cells, lost, short, network)
    _count_smes(world, state, cells, groups)
    _count_money(rules, world, parameters, state, cells)
    return cells, _active_by_month(calls, state), groups, _paid_by_month(state), lost, short, network


@kernel
def _count_projects(rules, state, cells, lost, short, network):
    """Count proposals, projects, partners, time lost, and what became of good proposals."""
    projects, partners, clusters = state.projects, state.partners, state.clusters
    met = np.zeros((clusters.shape[0], clusters.shape[0]), np.int32)
    for project in range(state.used.projects):
        call = projects[project].call
        home = clusters[projects[project].lead].country
        first = projects[project].first_partner
        last = first + projects[project].partners
        cells[call, home, AT.proposals] += 1.0
        granted, refused, applied = 0, 0, 0
        for p in range(first, last):
            if partners[p].money == FUNDED or partners[p].money == NOT_STARTED:
                granted += 1
            elif partners[p].money == REFUSED:
                refused += 1
        applied = granted + refused
        good = applied > 0 and projects[project].joint_score >= projects[project].threshold
        if good:
            cells[call, home, AT.good_projects] += 1.0
            if granted == 0:
                cells[call, home, AT.good_projects_lost] += 1.0
        followon = False
        for p in range(first, last):
            a, there = partners[p].cluster, clusters[partners[p].cluster].country
            if good and partners[p].money == REFUSED:
                cells[call, there, AT.good_applications_lost] += 1.0
                f = partners[p].blocking_funder
                f = partners[p].funder if f == NOBODY else f
                lost[call, f, partners[p].cause] += 1.0
                short[call, f] += partners[p].short_eur
            if granted == 0:
                continue
            cells[call, there, AT.partners] += 1.0
            if partners[p].money != FUNDED and partners[p].money != NOT_STARTED and partners[p].money != NO_FUNDER:
                cells[call, there, AT.partners_unfunded] += 1.0
            _count_time(call, there, p, first, last, rules, partners, cells)
            for q in range(first, p):
                b = partners[q].cluster
                beyond = clusters[b].country
                network[call, there, beyond] += 1.0
                network[call, beyond, there] += 1.0
                followon = followon or met[a, b] == 1
                met[a, b], met[b, a] = 1, 1
        if granted > 0:
            cells[call, home, AT.projects] += 1.0
            if followon:
                cells[call, home, AT.followon_projects] += 1.0


@kernel
def _count_time(call, there, p, first, last, rules, partners, cells):
    """Count the waiting and overlap of one partner that started with a grant."""
    if partners[p].money != FUNDED or partners[p].start_month == NEVER:
        return
    if partners[p].phase_two_eur > 0.0:
        cells[call, there, AT.extended_partners] += 1.0
    cells[call, there, AT.partner_starts] += 1.0
    cells[call, there, AT.waiting_months] += partners[p].start_month - rules.calls[call].close_month
    cells[call, there, AT.partner_months] += partners[p].end_month - partners[p].start_month
    start, end = partners[p].start_month, partners[p].end_month
    for q in range(first, last):
        if partners[q].start_month != NEVER:
            start, end = max(start, partners[q].start_month), min(end, partners[q].end_month)
    cells[call, there, AT.overlap_months] += max(0, end - start)


@kernel
def _count_smes(world, state, cells, groups):
    """Count SMEs engaged, active, lost while waiting, and with a contact."""
    partners, t, smes, clusters = state.partners, state.participations, state.smes, state.clusters
    sectors = world.sectors.shape[0]
    for p in range(state.used.partners):
        call = state.projects[partners[p].project].call
        there = clusters[partners[p].cluster].country
        cells[call, there, AT.smes_engaged] += partners[p].engaged
        cells[call, there, AT.smes_active] += partners[p].active
        cells[call, there, AT.smes_lost_waiting] += partners[p].lost_waiting
        for row in range(partners[p].first_participation, partners[p].first_participation + partners[p].engaged):
            if t[row].contact_month != NEVER:
                cells[call, there, AT.contacts] += 1.0
            i = t[row].sme
            for group in (np.int64(smes[i].sector), sectors + np.int64(smes[i].size_class)):
                groups[call, group, _ENGAGED] += 1.0
                groups[call, group, _ACTIVE] += t[row].is_active


@kernel
def _count_money(rules, world, parameters, state, cells):
    """Count each funder's ledger at its country."""
    ledger, terms = state.ledger, rules.terms
    for call in range(ledger.shape[0]):
        for f in range(ledger.shape[1]):
            home = world.funders[f].country
            cells[call, home, AT.applications] += ledger[call, f].applications
            cells[call, home, AT.approvals] += ledger[call, f].approvals
            cells[call, home, AT.offered_eur] += ledger[call, f].offered
            cells[call, home, AT.granted_eur] += ledger[call, f].granted
            cells[call, home, AT.outlay_eur] += ledger[call, f].outlay
            cells[call, home, AT.spent_eur] += ledger[call, f].spent
            cells[call, home, AT.phase_two_eur] += ledger[call, f].phase_two_granted
            rate = terms[call, f].cofinance_rate
            cells[call, home, AT.cofinanced_eur] += ledger[call, f].spent * rate / (1.0 - rate)
            cells[call, home, AT.admin_eur] += (
                parameters.admin_application_eur * ledger[call, f].applications
                + parameters.admin_grant_eur * ledger[call, f].approvals
            )


@kernel
def _active_by_month(calls, state):
    """Return the SMEs active in projects, by call and month."""
    partners = state.partners
    months = state.spent_by_month.shape[0]
    active = np.zeros((calls, months))
    for p in range(state.used.partners):
        if partners[p].start_month != NEVER:
            call = state.projects[partners[p].project].call
            for month in range(partners[p].start_month, min(months, partners[p].end_month)):
                active[call, month] += partners[p].active
    return active


@kernel
def _paid_by_month(state):
    """Return what all funders paid out, by month."""
    paid = np.zeros(state.spent_by_month.shape[0])
    for month in range(paid.shape[0]):
        for f in range(state.spent_by_month.shape[1]):
            paid[month] += state.spent_by_month[month, f]
    return paid
