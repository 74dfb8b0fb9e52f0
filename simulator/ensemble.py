"""Whole runs: from inputs and a seed to a filled state, or to its measures against the twin."""

from typing import NamedTuple, Protocol

import numpy as np

from simulator.observe import Observation, observe, own_needs
from simulator.parameters import F64, I64, Parameters, Rules, World
from simulator.schedule import run
from simulator.state import N_EVENTS, TOO_SMALL, Capacity, State, given, new_state


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


class Twin(NamedTuple):
    """What the SMEs of a world reach without the programme: see `simulator.observe.own_needs`."""

    first: I64
    months: F64


def twin_of(inputs: Inputs, seed: int) -> Twin:
    """The run without the programme: the same world and luck, no call is held. Serves every scenario of a draw."""
    rules = inputs.rules._replace(held=np.zeros_like(inputs.rules.held))
    state = simulate(_With(inputs, rules), seed)
    return Twin(*own_needs(state.count[N_EVENTS], state.log, len(state.smes)))


def measure(inputs: Inputs, seed: int, twin: Twin, first_counted: int) -> Observation:
    """One run, counted against its twin; `first_counted` is the row of the first call of interest."""
    state = simulate(inputs, seed)
    told = given(inputs.parameters, inputs.rules, inputs.world)
    return Observation(
        *observe(first_counted, told.rules, told.world, told.parameters, state, twin.first, twin.months)
    )


class _With:
    """Inputs with other rules."""

    def __init__(self, inputs: Inputs, rules: Rules) -> None:
        self.parameters, self.world, self.months = inputs.parameters, inputs.world, inputs.months
        self.rules = rules
