"""What is counted of a run: every measure once, from the rooms that own them; by call, so that any question can use it.

A run is counted by call and country, against its twin: the same world, draw and seed without the programme
(`simulator.outcomes.measures` says how).
"""

from typing import NamedTuple

import numpy as np

from simulator.instruments.calls import measures as calls
from simulator.instruments.calls.measures import count_calls
from simulator.jit import kernel
from simulator.measures import Measure, Ratio, Sum
from simulator.outcomes import measures as outcomes
from simulator.outcomes.measures import count_outcomes
from simulator.parameters import F64
from simulator.state import InputTables, State

MEASURES: tuple[Measure, ...] = (*calls.MEASURES, *outcomes.MEASURES)
COLUMN = {measure.name: column for column, measure in enumerate(MEASURES)}

# Derived from these, in order: each names measures that stand before it.
DERIVED: tuple[Measure, ...] = (
    Measure(
        "public_cost_eur",
        "EUR",
        "Public cost: grants paid out and administration",
        "Public cost",
        "eur",
        better=-1,
        of=Sum(calls.COSTS),
    ),
    *outcomes.NET,
    Measure(
        "cost_per_contract_eur",
        "EUR per net contract",
        "Public cost per net contract",
        "Public cost per net contract",
        "eur",
        better=-1,
        of=Ratio("public_cost_eur", "contracts_net"),
    ),
    Measure(
        "cost_per_partnership_eur",
        "EUR per net partnership",
        "Public cost per net partnership",
        "Public cost per net partnership",
        "eur",
        better=-1,
        of=Ratio("public_cost_eur", "partnerships_net"),
    ),
    *calls.RATIOS,
    outcomes.CONCENTRATION,
)

# What is counted month by month: of the counted calls, but for money and contracts on own paths.
MONTHLY_BY_CALL: tuple[Measure, ...] = (*outcomes.BY_MONTH, calls.ACTIVE_BY_MONTH)
MONTHLY_OF_ALL: tuple[Measure, ...] = (calls.SPENT_BY_MONTH, outcomes.OWN_CONTRACTS_BY_MONTH)
MONTHLY: tuple[Measure, ...] = (
    calls.SPENT_BY_MONTH,
    calls.ACTIVE_BY_MONTH,
    *outcomes.BY_MONTH,
    outcomes.OWN_CONTRACTS_BY_MONTH,
)

# By group of SMEs (sector, then size class): names of measures.
GROUP_MEASURES: tuple[str, ...] = (*calls.GROUPED, *outcomes.GROUPED)


class Observation(NamedTuple):
    """All measures of one run, by call. N countries, C calls, T months, F funders, S sectors, G = S + 3 groups."""

    cells: F64  # (C, N, MEASURES)
    by_month: F64  # (C, T, MONTHLY_BY_CALL)
    months: F64  # (T, MONTHLY_OF_ALL), whatever the call
    lost: F64  # (C, F, causes) refused applications of proposals above the common threshold
    short: F64  # (C, F) EUR that they were short of
    network: F64  # (C, N, N) pairs of partners of two countries in projects, symmetric
    groups: F64  # (C, G, GROUP_MEASURES), SMEs by sector, then by size class


def observe(seed: int, inputs: InputTables, state: State) -> Observation:
    """Count one run against its twin. Pure: nothing in the run is changed.

    Parameters
    ----------
    seed : int
        Seed of the run.
    inputs : InputTables
        What went into it.
    state : State
        What it left behind.
    """
    programme, gross = _count(np.int64(seed), inputs.rules, inputs.world, inputs.parameters, state)
    cells, active, engaged, paid, lost, short, network = programme
    outcome_cells, by_month, outcome_groups, own_contracts = gross
    return Observation(
        cells=np.concatenate([cells, outcome_cells], axis=2),
        by_month=np.concatenate([by_month, active[:, :, None]], axis=2),
        months=np.stack([paid, own_contracts], axis=1),
        lost=lost,
        short=short,
        network=network,
        groups=np.concatenate([engaged, outcome_groups], axis=2),
    )


@kernel
def _count(seed, rules, world, parameters, state):
    """Return what the rooms count, each its own."""
    return count_calls(rules, world, parameters, state), count_outcomes(seed, rules, world, parameters, state)


def monthly_from(by_month: F64, months: F64, first: int) -> F64:
    """Return the monthly measures of a question, (..., T, MONTHLY), summed over the calls from which it counts.

    Outcomes and SMEs are whole numbers, so the sums are exact.

    Parameters
    ----------
    by_month : F64, shape (..., C, T, MONTHLY_BY_CALL)
        Of one run or several.
    months : F64, shape (..., T, MONTHLY_OF_ALL)
        What is counted whatever the call.
    first : int
        Row of the first call that counts.
    """
    counted = by_month[..., first:, :, :].sum(axis=-3)
    columns = {measure.name: counted[..., column] for column, measure in enumerate(MONTHLY_BY_CALL)}
    columns |= {measure.name: months[..., column] for column, measure in enumerate(MONTHLY_OF_ALL)}
    return np.stack([columns[measure.name] for measure in MONTHLY], axis=-1)
