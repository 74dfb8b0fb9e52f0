"""Whole runs: from inputs and a seed to a filled state, or to its measures against the twin."""

from typing import Protocol

import numpy as np

from simulator.observe import Observation, observe
from simulator.parameters import Parameters, Rules, World
from simulator.schedule import run
from simulator.state import TOO_SMALL, Capacity, State, Table, given, new_state


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


def twin_own_paths(inputs: Inputs, seed: int) -> Table:
    """Own paths (4, M) of the run without the programme: the same world and luck, no call is held."""
    calls = inputs.rules.held.shape
    rules = inputs.rules._replace(held=np.zeros(calls, np.int64))
    return simulate(_With(inputs, rules), seed).own


def measure(inputs: Inputs, seed: int, twin_own: Table, first_counted: int) -> Observation:
    """One run, counted against its twin; `first_counted` is the row of the first call of interest."""
    state = simulate(inputs, seed)
    told = given(inputs.parameters, inputs.rules, inputs.world)
    return Observation(*observe(first_counted, told.rules, told.world, told.parameters, state, twin_own))


class _With:
    """Inputs with other rules."""

    def __init__(self, inputs: Inputs, rules: Rules) -> None:
        self.parameters, self.world, self.months = inputs.parameters, inputs.world, inputs.months
        self.rules = rules
