"""Whole runs: from inputs and a seed to a filled state, or to its measures against the twin."""

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from simulator.jit import is_loaded
from simulator.observe import Observation, observe
from simulator.outcomes.own_paths import untouched_events
from simulator.parameters import Parameters, Rules, World
from simulator.schedule import run
from simulator.state import EVENT, TOO_SMALL, Capacity, Given, State, Table, given, new_state


class Inputs(Protocol):
    """What a run needs to know; `scenarios.load(...).resolve(...)` gives it."""

    @property
    def parameters(self) -> Parameters: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def world(self) -> World: ...
    @property
    def months(self) -> int: ...


def simulate(inputs: Inputs, seed: int, capacity: Capacity | None = None) -> State:
    """One run from the first to the last month; repeated with larger tables if one was too small.

    `seed` is any whole number from 0 to 2**63 - 1. The same inputs and seed give the same bits.
    """
    told = given(inputs.parameters, inputs.rules, inputs.world)
    return _run(inputs, told, seed, lambda room: new_state(inputs.world, inputs.rules, inputs.months, room), capacity)


def measure(inputs: Inputs, seed: int, first_counted: int) -> Observation:
    """One run, counted against its twin without the programme; `first_counted` is the row of the first call of
    interest."""
    told = given(inputs.parameters, inputs.rules, inputs.world)
    state = _run(inputs, told, seed, lambda room: _room.tables(inputs, room))
    return Observation(*observe(first_counted, np.int64(seed), told.rules, told.world, told.parameters, state))


def is_ready() -> bool:
    """Whether this process has the kernels of a run, so that none of its threads has to wait for them."""
    return is_loaded(run)


def _run(
    inputs: Inputs, told: Given, seed: int, tables: Callable[[Capacity], State], capacity: Capacity | None = None
) -> State:
    """A run in the tables that `tables` gives for a capacity."""
    capacity = capacity or Capacity.of(inputs.world)
    while True:
        state = tables(capacity)
        run(0, inputs.months, np.int64(seed), told.parameters, told.rules, told.world, state)
        if state.count[TOO_SMALL] == 0:
            return state
        capacity = capacity.doubled()


class _Room(threading.local):
    """The tables of this thread's last measured run, for its next: new memory is paid for page by page, and in turn
    by all threads of a process. Large tables are not kept."""

    shape: tuple[object, ...] | None = None
    state: State

    def tables(self, inputs: Inputs, capacity: Capacity) -> State:
        """Tables that are founded anew by the next run."""
        world, budgets = inputs.world, inputs.rules.budget_eur
        sizes = len(world.country_key), len(world.sector_share), len(world.cluster_country)
        shape = (*sizes, int(world.cluster_members.sum()), budgets.shape, inputs.months, capacity)
        if self.shape == shape:
            self.state.count[:] = 0
            return self.state
        state = new_state(world, inputs.rules, inputs.months, capacity)
        if sum(table.nbytes for table in state) <= _KEPT_BYTES:
            self.shape, self.state = shape, state
        return state


_KEPT_BYTES = 64 * 2**20
_room = _Room()


def own_events(inputs: Inputs, seed: int, state: State, months: int | None = None) -> Table:
    """What SMEs reach on their own paths before the programme first touches them, if it ever does.

    The log of a run leaves it out, since it is the same in every scenario of a draw and seed. Rows as in the log,
    in order of month, outcome and SME; `months`: before that month, the whole run unless given.
    """
    months = inputs.months if months is None else months
    told = given(inputs.parameters, inputs.rules, inputs.world)
    rows = Capacity().events
    while True:
        log = np.empty(rows, EVENT).view(np.recarray)
        found = untouched_events(months, np.int64(seed), told.parameters, state, log)
        if found <= rows:
            in_order = np.lexsort((log.who[:found], log.kind[:found], log.month[:found]))
            return log[in_order]
        rows = found
