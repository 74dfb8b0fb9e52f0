"""What a run remembers and what goes into it: the tables of all rooms, put together.

Each room owns its tables: `world.tables`, `outcomes.tables`, `outcomes.events`, `instruments.calls.tables`.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import LEDGER, MAX_PARTNERS, PARTICIPATION, PARTNER, PROJECT
from simulator.outcomes.events import EVENT, OutcomeEvent, in_order
from simulator.outcomes.tables import DUE, OUTCOMES, OWN_PATH, PATH, TIE
from simulator.parameters import F64, I64, Parameters, Rules, World
from simulator.records import Table, columns_as_table, new_table, table
from simulator.world.tables import CLUSTER, FUNDER, SME

KINDS_OF_EVENTS = in_order(OutcomeEvent, CallEvent)
EVENTS = tuple(kind.word for kind in KINDS_OF_EVENTS)  # their names, by number

# Rows in use of the tables that grow, by their names in `State`; and flags.
USED = table(
    ("projects", np.int64),
    ("partners", np.int64),
    ("participations", np.int64),
    ("ties", np.int64),
    ("log", np.int64),
    ("paths", np.int64),
    ("calendar", np.int64),
    ("too_small", np.int64),  # 1: a table was too small, so that the run is to be repeated with larger ones
    ("founded", np.int64),  # 1: the world is founded
)


class State(NamedTuple):
    """All that a run remembers; K clusters, M SMEs, F funders, C calls, T months, N countries, S sectors."""

    used: Any  # a record of USED: rows in use, by table
    clusters: Table  # (K,)
    familiarity: F64  # (K, K) of clusters, symmetric, 0-1
    trust: F64  # (K, K) of clusters from joint projects, symmetric, 0-1
    smes: Table  # (M,)
    paths: Table  # own paths that the programme has touched, in the order in which it did
    own: Table  # (paths, 4), by outcome
    due: I64  # (4, T) first path that fell due in the month when last filed, NOBODY if none
    touched: I64  # (N, S) first touched path by country and sector, NOBODY if none
    calendar: Table  # contracts that SMEs win on their own without the programme
    first_due: I64  # (N, S, T) first row of the calendar by country, sector and month, NOBODY if none
    funders: Table  # (F,)
    ledger: Table  # (C, F)
    spent_by_month: F64  # (T, F) EUR paid out
    projects: Table
    partners: Table
    participations: Table
    ties: Table
    slots: I64  # open-addressing table from a pair of SMEs to its tie, NOBODY where free
    log: Table

    def rows(self, name: str) -> Table:
        """Return the rows in use of a table.

        Parameters
        ----------
        name : str
            Its field in `State`.
        """
        table = getattr(self, name)
        return table[: self.used[ROWS[name]]] if name in ROWS else table


# The counter of each table that grows, in `used`.
ROWS = {name: name for name in USED.dtype.names if name in State._fields} | {"own": "paths"}


class RuleTables(NamedTuple):
    """`Rules` as kernels read them."""

    calls: Table  # (C,), with the key of each call
    terms: Table  # (C, F)


class WorldTables(NamedTuple):
    """`World` as kernels read it."""

    countries: Table  # (N,)
    clusters: Table  # (K,)
    funders: Table  # (F,)
    sectors: Table  # (S,)


class InputTables(NamedTuple):
    """What goes into a run, as kernels read it."""

    parameters: Any  # a record
    rules: RuleTables
    world: WorldTables


_CLUSTERS = 400  # for which the rows of `Capacity` mostly are enough


class Capacity(NamedTuple):
    """Rows of the tables that grow; a run that needs more says so and is repeated with twice as many."""

    projects: int = 512
    participations: int = 16_384
    ties: int = 8_192
    events: int = 65_536
    paths: int = 8_192
    own_contracts: int = 2  # per SME

    def doubled(self) -> "Capacity":
        """Return the next size up."""
        return Capacity(*(2 * rows for rows in self))

    @classmethod
    def of(cls, world: World) -> "Capacity":
        """Return rows in proportion to the clusters: a run of a large world is dear to repeat."""
        least = cls()
        times = math.ceil(len(world.cluster_country) / _CLUSTERS)
        if times <= 1:
            return least
        return cls(*(times * rows for rows in least))._replace(own_contracts=least.own_contracts)


def tabulate(parameters: Parameters, rules: Rules, world: World) -> InputTables:
    """Return the inputs of a run in the form in which kernels read them.

    Parameters
    ----------
    parameters : Parameters
        How the world behaves.
    rules : Rules
        What the programme does.
    world : World
        Who there is.
    """
    record = new_table(table(*((name, np.float64) for name in Parameters._fields)), 1)
    record[0] = tuple(float(value) for value in parameters)
    calls = columns_as_table({**rules.calls._asdict(), "key": call_keys(rules.calls.year)})
    terms = columns_as_table(rules.terms._asdict())
    entities = WorldTables(*(_of_world(world, kind) for kind in ("country", "cluster", "funder", "sector")))
    return InputTables(record[0], RuleTables(calls, terms), entities)


_NEXT_CALL_OF_THE_YEAR = 10_000


def call_keys(years: I64) -> I64:
    """Return the key of each call, on which its luck depends.

    It is the call's year, plus 10,000 for each earlier call of the same year.

    Parameters
    ----------
    years : int64 array, shape (C,)
        Years of the calls, in order.

    >>> call_keys(np.array([2016, 2017, 2017])).tolist()
    [2016, 2017, 12017]
    """
    earlier = [np.count_nonzero(years[:call] == year) for call, year in enumerate(years)]
    return np.asarray(years + _NEXT_CALL_OF_THE_YEAR * np.array(earlier, np.int64), np.int64)


def _of_world(world: World, kind: str) -> Table:
    """Return the columns of `World` on one kind of entity as a table."""
    names = [name for name in World._fields if name.startswith(f"{kind}_")]
    return columns_as_table({name.removeprefix(f"{kind}_"): getattr(world, name) for name in names})


def new_state(world: World, rules: Rules, months: int, capacity: Capacity | None = None) -> State:
    """Return room for a run; nothing in it is filled yet (`simulator.founding.found_world` does that).

    Parameters
    ----------
    world : World
        Who there is.
    rules : Rules
        What the programme does.
    months : int
        Length of the run.
    capacity : Capacity, optional
        Rows of the tables that grow; in proportion to the clusters unless given.
    """
    capacity = capacity or Capacity.of(world)
    clusters, smes = len(world.cluster_country), int(world.cluster_members.sum())
    calls, funders = rules.terms.budget_eur.shape
    groups = (len(world.country_key), len(world.sector_share))
    return State(
        used=USED.copy()[0],
        clusters=new_table(CLUSTER, clusters),
        familiarity=np.empty((clusters, clusters)),
        trust=np.empty((clusters, clusters)),
        smes=new_table(SME, smes),
        paths=new_table(PATH, capacity.paths),
        own=new_table(OWN_PATH, (capacity.paths, len(OUTCOMES))),
        due=np.empty((len(OUTCOMES), months), np.int64),
        touched=np.empty(groups, np.int64),
        calendar=new_table(DUE, capacity.own_contracts * smes),
        first_due=np.empty((*groups, months), np.int64),
        funders=new_table(FUNDER, funders),
        ledger=new_table(LEDGER, (calls, funders)),
        spent_by_month=np.empty((months, funders)),
        projects=new_table(PROJECT, capacity.projects),
        partners=new_table(PARTNER, capacity.projects * MAX_PARTNERS),
        participations=new_table(PARTICIPATION, capacity.participations),
        ties=new_table(TIE, capacity.ties),
        slots=np.empty(1 << (2 * capacity.ties - 1).bit_length(), np.int64),
        log=new_table(EVENT, capacity.events),
    )


def clear(state: State) -> None:
    """Take all rows out of use, so that the next run founds the world anew in the same memory."""
    for name in USED.dtype.names:
        state.used[name] = 0
