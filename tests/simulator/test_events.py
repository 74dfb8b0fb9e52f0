"""Every event names its call and what it comes from, and outcomes need no project."""

from dataclasses import replace
from enum import unique

import numpy as np
import pytest

from simulator import schedule
from simulator.instruments import CALLS, INSTRUMENTS
from simulator.instruments.calls.events import CallEvent
from simulator.observe import COLUMN, observe
from simulator.outcomes.contacts import meet
from simulator.outcomes.events import Event, Origin, OutcomeEvent, in_order
from simulator.outcomes.tables import OUTCOMES
from simulator.outcomes.ties import work_together
from simulator.records import NEVER, NOBODY
from simulator.state import EVENTS, KINDS_OF_EVENTS, Capacity, call_keys, new_state, tabulate
from tests.small_worlds import differing, events_of, never_held, shipped, simulate, tiny

OF_SMES_ALONE = [kind for kind in OutcomeEvent if kind.name.startswith("OWN_")]


@pytest.mark.parametrize("name", ["baseline", "clusters_package", "phase_two_new_money"])
def test_every_event_carries_the_call_and_the_instrument_that_its_project_says(name):
    state = simulate(shipped(name), 2)
    log = state.rows("log")
    in_project = log.project != NOBODY
    assert (log.call[in_project] == state.projects.call[log.project[in_project]]).all()
    assert (log.origin[in_project] == CALLS).all()
    alone = np.isin(log.kind, OF_SMES_ALONE)
    assert (log.call[alone] == NEVER).all() and (log.origin[alone] == NOBODY).all()
    meetings = events_of(state, "meeting")
    assert (meetings.origin == CALLS).all() and (meetings.project == NOBODY).all()
    assert (shipped(name).rules.calls.event_month[meetings.call] == meetings.month).all()
    assert in_project.sum() > 1000 and alone.sum() > 100 and len(meetings) > 100
    assert (in_project | alone | (log.kind == CallEvent.MEETING)).all()


def test_an_outcome_of_a_tie_is_booked_to_the_call_of_the_tie():
    state = simulate(shipped(), 2)
    ties = state.rows("ties")
    call = {(int(tie.one), int(tie.other)): int(tie.call) for tie in ties}
    last = {pair: 0 for pair in call}
    for row in events_of(state, "contact"):
        last[int(row.who), int(row.whom)] = int(row.call)
    assert last == call
    assert (ties.project >= 0).all() and (ties.call == state.projects.call[ties.project]).all()


# A tie without a project


def with_a_tie_from_elsewhere(months, poisoned=True):
    """A run in which two SMEs meet in the first month and work together for a year, outside any project."""
    resolved = never_held(tiny())
    inputs = tabulate(resolved.parameters, resolved.rules, resolved.world)
    seed, capacity = np.int64(1), Capacity(8, 64, 64, 8192)
    state = new_state(resolved.world, resolved.rules, resolved.months, capacity)
    schedule.run(0, 0, seed, *inputs, state)
    nation = state.clusters.nation[state.smes.cluster]
    one, other = 0, int(np.flatnonzero(nation != nation[0])[0])
    if poisoned:  # whoever reads row -1 of a table of calls gets a row that does not exist, or a huge effect
        state.projects[-1].alive, state.projects[-1].effect, state.projects[-1].phase = 1, 1e6, 2
        state.partners[-1].dose, state.partners[-1].project = 1.0, -1
        state.participations[-1].partner, state.participations[-1].partnership_month = -1, NEVER
        state.projects[-1].partnerships = 0
    elsewhere = Origin(len(INSTRUMENTS), 0, NOBODY)
    meet(0, one, other, NOBODY, NOBODY, 0.5, 1.0, elsewhere, seed, *inputs[::2], state)
    for month in range(months):
        if month < 12:
            work_together(month, 0, 0.3, 1.0, state.ties)
        schedule.run(month, month + 1, seed, *inputs, state)
    return inputs, state


@pytest.mark.slow
def test_a_tie_without_a_project_is_lived_through_without_reading_one():
    inputs, state = with_a_tie_from_elsewhere(24)
    _, plain = with_a_tie_from_elsewhere(24, poisoned=False)
    assert differing(state, plain) == []
    assert state.projects[-1].partnerships == 0 and state.participations[-1].partnership_month == NEVER
    tie = state.ties[0]
    assert tie.partnership_month > 0 and tie.worked_month == 11 and 0.0 < tie.trust < 1.0
    happened = state.rows("log")
    of_tie = happened[np.isin(happened.kind, [OutcomeEvent.CONTACT, OutcomeEvent.PARTNERSHIP])]
    assert len(of_tie) == 2 and (of_tie.origin == len(INSTRUMENTS)).all()
    assert (of_tie.call == 0).all() and (of_tie.project == NOBODY).all()
    seen = observe(1, inputs, state)
    assert seen.cells[0, :, COLUMN["partnerships"]].sum() == 2.0 and seen.cells[1:].sum() == 0.0


def test_who_works_together_in_two_places_takes_the_larger_dose():
    _, state = with_a_tie_from_elsewhere(1)
    for dose in (0.2, 0.5, 0.4):
        work_together(3, 0, dose, dose, state.ties)
    assert (state.ties[0].worked_month, state.ties[0].dose, state.ties[0].boost) == (3, 0.5, 0.5)
    work_together(4, 0, 0.1, 1.0, state.ties)
    assert (state.ties[0].worked_month, state.ties[0].dose, state.ties[0].boost) == (4, 0.1, 1.0)


# The key of a call


def test_a_call_has_a_key_of_its_own_and_the_first_of_a_year_is_that_year():
    assert call_keys(np.array([2013, 2014, 2015])).tolist() == [2013, 2014, 2015]
    assert call_keys(np.array([2016, 2016, 2017, 2016])).tolist() == [2016, 12016, 2017, 22016]


def test_two_calls_of_one_year_have_luck_of_their_own():
    """A lead that proposes in both hands in two proposals, each with an identity of its own."""
    rules, leads_twice = shipped().rules, 0
    twice = rules.calls._replace(year=np.array([2013, 2013, *rules.calls.year[2:]]))
    both = replace(shipped(), rules=rules._replace(calls=twice))
    for seed in range(1, 4):
        projects = simulate(both, seed, last=30).rows("projects")
        assert len(set(projects.identity.tolist())) == len(projects)
        first, second = (set(projects.lead[projects.call == call].tolist()) for call in (0, 1))
        leads_twice += len(first & second)
    assert leads_twice > 3


# One row an event


def test_events_are_numbered_without_gap_and_named_once():
    assert [int(kind) for kind in KINDS_OF_EVENTS] == list(range(len(EVENTS)))
    assert tuple(kind.name.lower() for kind in KINDS_OF_EVENTS) == EVENTS and len(set(EVENTS)) == len(EVENTS)
    assert {*CallEvent, *OutcomeEvent} == set(KINDS_OF_EVENTS)
    assert {kind.who for kind in KINDS_OF_EVENTS} | {kind.whom for kind in KINDS_OF_EVENTS} == {
        "cluster", "SME", "funder", None,
    }  # fmt: skip


@pytest.mark.parametrize("number", [0, 29])
def test_an_event_with_a_number_that_is_taken_or_out_of_line_is_refused(number):
    @unique
    class Another(Event):
        TRIP = number, "SME"

    with pytest.raises(ValueError, match="numbered from 0 without a gap"):
        in_order(OutcomeEvent, CallEvent, Another)


def test_events_of_outcomes_stand_in_the_order_of_outcomes():
    for first in (OutcomeEvent.MET_KNOWLEDGE, OutcomeEvent.OWN_KNOWLEDGE):
        kind = first.name.removesuffix("KNOWLEDGE")
        names = [OutcomeEvent(first + outcome).name for outcome in range(len(OUTCOMES))]
        assert names == [f"{kind}{name}" for name in ("KNOWLEDGE", "PARTNERSHIP", "RNI_COLLABORATION", "CONTRACT")]
    after = [OutcomeEvent(OutcomeEvent.CONTACT + outcome).name for outcome in range(1, len(OUTCOMES))]
    assert after == ["PARTNERSHIP", "RNI_COLLABORATION", "CONTRACT"]


def test_parties_are_what_their_events_say():
    """Nobody where an event has no second party, a row of the right table where it has one."""
    state = simulate(shipped(), 1)
    log = state.rows("log")
    rows = {"cluster": len(state.clusters), "SME": len(state.smes), "funder": len(state.funders)}
    for kind in KINDS_OF_EVENTS:
        events = log[log.kind == kind]
        assert ((events.who >= 0) & (events.who < rows[kind.who])).all(), kind
        if kind.whom is None:
            assert (events.whom == NOBODY).all(), kind
        else:
            assert (events.whom < rows[kind.whom]).all(), kind
            assert kind is CallEvent.STARTED or (events.whom >= 0).all(), kind  # some start without a funder
