"""What SMEs get, counted against the twin: the same world, draw and seed without the programme.

Outcomes of a call count if they come within `counted_months` after its close, so that late calls are not cut short.
An SME's outcome is

- additional: absent in the twin by then,
- accelerated: in both, earlier here (counted in months brought forward),
- deadweight: in both, not earlier here,
- displaced: in the twin by then, absent here (another SME won the buyer, or own effort was given up).

gross = additional + accelerated + deadweight; net = additional - displaced. Both SMEs of a tie count
their own partnership, R&I collaboration or contract, as the survey asks SMEs.
"""

from typing import Literal, NamedTuple

import numpy as np

from simulator.jit import kernel
from simulator.measures import Concentration, Form, Measure, Sum
from simulator.outcomes.events import OutcomeEvent
from simulator.outcomes.own_paths import own_needs
from simulator.outcomes.tables import CONTRACT, OUTCOMES
from simulator.records import NEVER
from simulator.world.tables import SIZE_CLASSES


class _Role(NamedTuple):
    """A way to count an outcome: the ending of its name, how it reads, and which way is good."""

    ending: str
    label: str
    head: str
    better: Literal[-1, 0, 1]
    form: Form = "count"


_ROLES = (
    _Role("", "{} reached in the programme", "{}", 1),
    _Role("_additional", "{} absent without the programme", "Additional {}", 1),
    _Role("_accelerated", "{} that came earlier than without the programme", "Accelerated {}", 1),
    _Role("_deadweight", "{} that would have come as early without the programme", "Deadweight {}", -1),
    _Role(
        "_displaced",
        "{} that others, or the SMEs themselves, would have had without the programme",
        "Displaced {}",
        -1,
    ),
    _Role(
        "_months_forward",
        "Months by which accelerated {} came earlier, summed",
        "Months by which {} came earlier",
        1,
        "months",
    ),
)
_N_ROLES = len(_ROLES)
GROSS, ADDITIONAL, ACCELERATED, DEADWEIGHT, DISPLACED, FORWARD = range(_N_ROLES)
_WORDS = ("new knowledge", "partnerships", "R&I collaborations", "contracts")  # by outcome


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _measure(outcome: str, words: str, role: _Role) -> Measure:
    """Return the row of an outcome in one role."""
    unit = "SME-months" if role.form == "months" else "SMEs" if outcome == "knowledge" else f"SME {words}"
    label, head = _capital(role.label.format(words)), _capital(role.head.format(words))
    return Measure(outcome + role.ending, unit, label, head, role.form, role.better)


MEASURES = tuple(_measure(outcome, words, role) for outcome, words in zip(OUTCOMES, _WORDS) for role in _ROLES)
NET = tuple(
    Measure(
        f"{outcome}_net",
        f"SME {words}",
        f"Net {words}: additional less displaced",
        f"Net {words}",
        better=1,
        of=Sum(((f"{outcome}_additional", 1.0), (f"{outcome}_displaced", -1.0))),
    )
    for outcome, words in zip(OUTCOMES, ("learning", *_WORDS[1:]))
)
CONCENTRATION = Measure(
    "country_concentration",
    "0-1",
    "Concentration of net contracts between countries (Herfindahl index)",
    "Concentration between countries (0-1)",
    "index",
    of=Concentration("contracts_net"),
)

# Counted month by month: each outcome by call, and contracts on own paths of all SMEs.
BY_MONTH = tuple(
    Measure(outcome, f"{unit} a month", f"New {words} in the programme", _capital(words), better=1)
    for outcome, words, unit in zip(
        OUTCOMES,
        ("knowledge", *_WORDS[1:]),
        ("SMEs", "SME partnerships", "SME R&I collaborations", "SME contracts"),
    )
)
OWN_CONTRACTS_BY_MONTH = Measure(
    "own_contracts", "SME contracts a month", "Contracts of all SMEs on their own paths", "Own contracts"
)

GROUPED = OUTCOMES  # counted by group of SMEs


@kernel
def count_outcomes(seed, rules, world, parameters, state):
    """Count gross outcomes, and split them against the twin.

    In the twin nothing is but own paths, and they are pure functions of each SME's draws: so it is enough to walk
    those of the SMEs that the programme has touched.

    Returns cells (C, N, measures), outcomes by month (C, T, outcomes), groups (C, S + 3, outcomes) and contracts on
    own paths (T,).
    """
    calls, months = rules.calls.shape[0], state.spent_by_month.shape[0]
    cells = np.zeros((calls, world.countries.shape[0], len(OUTCOMES) * _N_ROLES))
    monthly = np.zeros((calls, months, len(OUTCOMES)))
    groups = np.zeros((calls, world.sectors.shape[0] + len(SIZE_CLASSES), len(OUTCOMES)))
    _count_events(rules, world, state, cells, monthly, groups)
    twin = _twin_needs(seed, parameters, state)
    _count_against_twin(rules, state, twin, cells)
    return cells, monthly, groups, _own_contracts(state, twin)


@kernel
def _count_events(rules, world, state, cells, monthly, groups):
    """Count gross outcomes in the programme, by the call of each; both SMEs of a tie count their own."""
    log, smes, clusters = state.log, state.smes, state.clusters
    sectors = world.sectors.shape[0]
    for row in range(state.used.log):
        kind, call = log[row].kind, log[row].call
        if call == NEVER:  # reached on its own
            continue
        if kind == OutcomeEvent.KNOWLEDGE:
            outcome, sides = 0, 1
        elif OutcomeEvent.PARTNERSHIP <= kind <= OutcomeEvent.CONTRACT:
            outcome, sides = kind - OutcomeEvent.CONTACT, 2
        else:
            continue
        month = log[row].month
        if month >= rules.calls[call].close_month + rules.calls[call].counted_months:
            continue
        monthly[call, month, outcome] += sides
        for side in range(sides):
            i = log[row].who if side == 0 else log[row].whom
            home = clusters[smes[i].cluster].country
            cells[call, home, outcome * _N_ROLES + GROSS] += 1.0
            groups[call, smes[i].sector, outcome] += 1.0
            groups[call, sectors + smes[i].size_class, outcome] += 1.0


@kernel
def _twin_needs(seed, parameters, state):
    """Return when touched SMEs meet their needs in the twin: need k for an outcome is months[first[path, outcome] + k].

    The needs of path and outcome end at first[path, outcome + 1]: each path has one place more than outcomes.
    """
    paths, last = state.paths, state.due.shape[1]
    n = state.used.paths
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


@kernel
def _count_against_twin(rules, state, twin, cells):
    """Split gross outcomes by what the twin has, and count what the twin has and this run has not.

    Needs are passed in order, here and in the twin, so the n-th need passed here is the twin's n-th.
    """
    own, smes, clusters, calls, log = state.own, state.smes, state.clusters, rules.calls, state.log
    first, months = twin
    passed = np.zeros((state.used.paths, len(OUTCOMES)), np.int32)
    in_time = np.zeros(passed.shape, np.int32)  # of these, before the end of the call that touched it last
    _count_before(calls, own, first, months, passed, in_time)
    for row in range(state.used.log):
        kind = log[row].kind
        if kind == OutcomeEvent.DISPLACED:
            outcome = CONTRACT
        elif OutcomeEvent.OWN_KNOWLEDGE <= kind <= OutcomeEvent.OWN_CONTRACT:
            outcome = kind - OutcomeEvent.OWN_KNOWLEDGE
        elif OutcomeEvent.MET_KNOWLEDGE <= kind <= OutcomeEvent.MET_CONTRACT:
            outcome = kind - OutcomeEvent.MET_KNOWLEDGE
        else:
            continue
        i, month = log[row].who, log[row].month
        path = smes[i].path
        place = first[path, outcome] + passed[path, outcome]
        passed[path, outcome] += 1
        if own[path, outcome].call != NEVER:
            last = calls[own[path, outcome].call]
            if month < last.close_month + last.counted_months:
                in_time[path, outcome] += 1
        call = log[row].call
        if call == NEVER:
            continue
        end = calls[call].close_month + calls[call].counted_months
        if month >= end or place >= first[path, outcome + 1] or months[place] >= end:
            continue
        home = clusters[smes[i].cluster].country
        column = outcome * _N_ROLES
        if kind == OutcomeEvent.DISPLACED:
            cells[call, home, column + DISPLACED] += 1.0
        elif months[place] >= month + 1.0:  # in a later month than here
            cells[call, home, column + ACCELERATED] += 1.0
            cells[call, home, column + FORWARD] += months[place] - month
        else:
            cells[call, home, column + DEADWEIGHT] += 1.0
    _count_given_up(calls, state, first, months, in_time, cells)
    for outcome in range(len(OUTCOMES)):
        column = outcome * _N_ROLES
        for call in range(cells.shape[0]):
            for home in range(cells.shape[1]):
                cells[call, home, column + ADDITIONAL] = (
                    cells[call, home, column + GROSS]
                    - cells[call, home, column + ACCELERATED]
                    - cells[call, home, column + DEADWEIGHT]
                )


@kernel
def _count_before(calls, own, first, months, passed, in_time):
    """Count the needs that were over before the programme touched the SME: the same here and in the twin."""
    for path in range(passed.shape[0]):
        for outcome in range(len(OUTCOMES)):
            passed[path, outcome] = own[path, outcome].before
            if own[path, outcome].call == NEVER:
                continue
            last = calls[own[path, outcome].call]
            for need in range(own[path, outcome].before):
                if months[first[path, outcome] + need] < last.close_month + last.counted_months:
                    in_time[path, outcome] += 1


@kernel
def _count_given_up(calls, state, first, months, in_time, cells):
    """Count own effort given up: needs that the twin has met by the end of the call and this run has not."""
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
                cells[call, home, outcome * _N_ROLES + DISPLACED] += missing


@kernel
def _own_contracts(state, twin):
    """Return contracts on own paths by month: the twin's, with those of touched SMEs as they came here."""
    first, months = twin
    own_contracts = np.zeros(state.spent_by_month.shape[0])
    for row in range(state.used.calendar):
        own_contracts[int(state.calendar[row].month)] += 1.0
    for path in range(first.shape[0]):
        touched = first[path, CONTRACT] + state.own[path, CONTRACT].before
        for place in range(touched, first[path, CONTRACT + 1]):
            own_contracts[int(months[place])] -= 1.0
    for row in range(state.used.log):
        if state.log[row].kind == OutcomeEvent.OWN_CONTRACT:
            own_contracts[state.log[row].month] += 1.0
    return own_contracts
