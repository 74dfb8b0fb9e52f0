"""Whole runs: from inputs and a seed to a filled state, or to its measures against the twin."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from simulator.jit import is_loaded
from simulator.observe import Observation, observe
from simulator.outcomes.events import EVENT
from simulator.outcomes.own_paths import untouched_events
from simulator.parameters import Parameters, Rules, World
from simulator.records import Table, new_table
from simulator.schedule import run
from simulator.state import Capacity, InputTables, State, clear, new_state, tabulate


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
    """Carry out one run from the first to the last month; it is repeated with larger tables if one was too small.

    The same inputs and seed give the same bits.

    Parameters
    ----------
    inputs : Inputs
        What the run needs.
    seed : int
        A whole number from 0 to 2**63 - 1.
    capacity : Capacity, optional
        Rows of the tables that grow; in proportion to the clusters unless given.
    """
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)

    def room(capacity: Capacity) -> State:
        return new_state(inputs.world, inputs.rules, inputs.months, capacity)

    return _run(inputs, tables, seed, room, capacity)


def measure(inputs: Inputs, seed: int) -> Observation:
    """Carry out one run and count it against its twin.

    Parameters
    ----------
    inputs : Inputs
        What the run needs.
    seed : int
        A whole number from 0 to 2**63 - 1.
    """
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)
    return observe(seed, tables, _run(inputs, tables, seed, partial(_room.of, inputs)))


def is_ready() -> bool:
    """Return whether this process has the kernels of a run, so that none of its threads has to wait for them."""
    return is_loaded(run)


def _run(
    inputs: Inputs, tables: InputTables, seed: int, room: Callable[[Capacity], State], capacity: Capacity | None = None
) -> State:
    """Carry out a run in the room that `room` returns for a capacity."""
    capacity = capacity or Capacity.of(inputs.world)
    while True:
        state = room(capacity)
        run(0, inputs.months, np.int64(seed), *tables, state)
        if state.used.too_small == 0:
            return state
        capacity = capacity.doubled()


class _Room(threading.local):
    """The tables of this thread's last measured run, for its next: new memory is paid for page by page, and in turn
    by all threads of a process. Large tables are dropped."""

    shape: tuple[object, ...] | None = None
    state: State

    def of(self, inputs: Inputs, capacity: Capacity) -> State:
        """Return a cleared state for a run."""
        world, budgets = inputs.world, inputs.rules.terms.budget_eur
        sizes = len(world.country_key), len(world.sector_share), len(world.cluster_country)
        shape = (*sizes, int(world.cluster_members.sum()), budgets.shape, inputs.months, capacity)
        if self.shape == shape:
            clear(self.state)
            return self.state
        state = new_state(world, inputs.rules, inputs.months, capacity)
        if sum(part.nbytes for part in state) <= _LARGEST_ROOM:
            self.shape, self.state = shape, state
        return state


_LARGEST_ROOM = 64 * 2**20  # bytes
_room = _Room()


def own_events(inputs: Inputs, seed: int, state: State, months: int | None = None) -> Table:
    """Return what SMEs reach on their own paths before the programme first touches them, if it ever does.

    The log of a run leaves it out, since it is the same in every scenario of a draw and seed.

    Parameters
    ----------
    inputs : Inputs
        What the run needed.
    seed : int
        Its seed.
    state : State
        What it left behind.
    months : int, optional
        Events before this month; the whole run unless given.

    Returns
    -------
    Table
        Rows as in the log, in order of month, outcome and SME.
    """
    months = inputs.months if months is None else months
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)
    rows = Capacity().events
    while True:
        log = new_table(EVENT, rows)
        events = untouched_events(months, np.int64(seed), tables.parameters, state, log)
        if events <= rows:
            in_order = np.lexsort((log.who[:events], log.kind[:events], log.month[:events]))
            return log[in_order]
        rows = events
