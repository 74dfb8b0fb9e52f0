"""Whole runs: from inputs and a seed to a filled state, or to its measures against the twin."""

from typing import Protocol

import numpy as np

from simulator.observe import Observation, observe
from simulator.parameters import Parameters, Rules, World
from simulator.processes.own_paths import untouched_events
from simulator.schedule import run
from simulator.state import EVENT, TOO_SMALL, Capacity, State, Table, given, new_state


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
    capacity = capacity or Capacity()
    told = given(inputs.parameters, inputs.rules, inputs.world)
    while True:
        state = new_state(inputs.world, inputs.rules, inputs.months, capacity)
        run(0, inputs.months, np.int64(seed), told.parameters, told.rules, told.world, state)
        if state.count[TOO_SMALL] == 0:
            return state
        capacity = capacity.doubled()


def measure(inputs: Inputs, seed: int, first_counted: int) -> Observation:
    """One run, counted against its twin without the programme; `first_counted` is the row of the first call of
    interest."""
    state = simulate(inputs, seed)
    told = given(inputs.parameters, inputs.rules, inputs.world)
    return Observation(*observe(first_counted, np.int64(seed), told.rules, told.world, told.parameters, state))


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
