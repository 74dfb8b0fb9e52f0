"""Funders, clusters and SMEs as Mesa agents: views on the rows that the kernels read and write.

An agent has no state of its own. `sme.readiness` reads the SME's row, and `sme.readiness = 0.9` writes it,
so the next month works with the new value. Values that can be set are checked against a range; what follows from the
processes (how busy a cluster is, an SME's contracts) can only be read.

To give agents a step of their own, subclass them and name the subclass in the model's `agent_classes`.
"""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Protocol

import mesa
import numpy as np

from simulator.parameters import I64
from simulator.records import NEVER, Table
from simulator.state import RuleTables, State, WorldTables
from simulator.world.tables import SIZE_CLASSES


class Model(Protocol):
    """What an agent needs of its model: the tables, the names of rows, and the other agents."""

    state: State
    rules: RuleTables
    world: WorldTables
    funder_codes: Sequence[str]
    country_codes: Sequence[str]
    sector_names: Sequence[str]

    @property
    def next_call(self) -> int | None: ...
    @property
    def clusters(self) -> "tuple[ClusterAgent, ...]": ...
    @property
    def smes(self) -> "tuple[SMEAgent, ...]": ...
    def by_sme(self, outcome: str) -> I64: ...


class Column:
    """An agent's attribute that is a field of its row: of a table of the state, by name.

    Read only unless a range is given; a number outside it raises ValueError.
    """

    def __init__(self, table: str, field: str, low: float | None = None, high: float = math.inf) -> None:
        self.table, self.field = table, field
        self.low, self.high = low, high

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"{owner.__name__}.{name}"

    def __get__(self, agent: "RowAgent | None", owner: type | None = None) -> Any:
        if agent is None:
            return self
        column, place = self._cell(agent)
        return column.item(place)

    def __set__(self, agent: "RowAgent", value: float) -> None:
        if self.low is None:
            raise AttributeError(f"{self.name} follows from the processes and can only be read")
        column, place = self._cell(agent)
        self._check(value, np.issubdtype(column.dtype, np.integer))
        column[place] = value

    def _cell(self, agent: "RowAgent") -> tuple[Any, Any]:
        """Return the column and the place in it."""
        return getattr(agent.model.state, self.table)[self.field], agent.row

    def _check(self, value: float, is_whole: bool) -> None:
        is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not self._fits(value, is_whole):
            kind = "a whole number" if is_whole else "a number"
            limits = f"from {self.low:g}" + (f" to {self.high:g}" if math.isfinite(self.high) else "")
            raise ValueError(f"{self.name} = {value!r} does not fit; allowed: {kind} {limits}")

    def _fits(self, value: float, is_whole: bool) -> bool:
        return (self.low or 0.0) <= value <= self.high and (not is_whole or value == int(value))


class Term(Column):
    """A funder's rule for the next call: the first one that has not closed yet. 0 when no call is left."""

    def __init__(self, field: str, low: float, high: float = math.inf) -> None:
        super().__init__("terms", field, low, high)

    def __get__(self, agent: "RowAgent | None", owner: type | None = None) -> Any:
        if agent is not None and agent.model.next_call is None:
            return 0.0
        return super().__get__(agent, owner)

    def _cell(self, agent: "RowAgent") -> tuple[Any, Any]:
        call = agent.model.next_call
        if call is None:
            raise ValueError(f"{self.name} cannot be set: no call is left (model.next_call is None)")
        return agent.model.rules.terms[self.field], (call, agent.row)


class RowAgent(mesa.Agent):
    """A view on row `row` of one table. `remove` drops the view; the row goes on living."""

    model: Model
    row: int

    def __init__(self, model: Model, row: int, unique_id: int) -> None:
        super().__init__(model)
        self.row = row
        self.unique_id = unique_id


class FunderAgent(RowAgent):
    """A country's or region's funder. Its rules below are those of the next call; money is in EUR."""

    budget_eur = Term("budget_eur", 0.0)  # for all grants of the call; 0: takes no part
    grant_eur = Term("grant_eur", 1.0)  # that a partner asks for
    openness = Term("openness", 0.0, 1.0)  # share of applications that its rules admit
    pass_share = Term("pass_share", 0.0, 1.0)  # share of typical applications above its threshold
    project_months = Term("project_months", 1.0)

    belief = Column("funders", "belief", 0.0, 1.0)  # of its country's clusters, in approval
    carried = Column("funders", "carried", 0.0)  # EUR, unspent money kept for the next call
    debt = Column("funders", "debt", 0.0)  # EUR, phase-two money to be taken out of the next call

    @property
    def code(self) -> str:
        """Its code, as in the programme."""
        return self.model.funder_codes[self.row]

    @property
    def country(self) -> str:
        """Code of its country or region."""
        return self.model.country_codes[int(self.model.world.funders["country"][self.row])]

    @property
    def ledger(self) -> Table:
        """Its ledger so far, read-only: a row per call (EUR), as in `simulator.instruments.calls.tables.LEDGER`."""
        rows = self.model.state.ledger[:, self.row]
        rows.flags.writeable = False
        return rows

    @property
    def granted_eur(self) -> float:
        """EUR granted so far to partners of its country, first phase."""
        return float(self.ledger["granted"].sum())

    @property
    def spent_eur(self) -> float:
        """EUR paid out so far to partners of its country, both phases."""
        return float(self.ledger["spent"].sum())


class ClusterAgent(RowAgent):
    """A cluster organisation."""

    excellence = Column("clusters", "excellence", 0.0, 1.0)  # of its management
    focus = Column("clusters", "focus", 0.0, 1.0)  # of its strategy on internationalisation
    capacity = Column("clusters", "capacity", 0.0)  # projects at a time
    experience = Column("clusters", "experience", 0.0)  # projects done, worn by turnover
    members = Column("clusters", "members")  # SMEs
    busy = Column("clusters", "busy")  # projects and open proposals now

    @property
    def country(self) -> str:
        """Code of its country or region."""
        return self.model.country_codes[int(self.model.state.clusters["country"][self.row])]

    @property
    def sector(self) -> str:
        """Name of its sector."""
        return self.model.sector_names[int(self.model.state.clusters["sector"][self.row])]

    @property
    def attended_call(self) -> int | None:
        """Year of the last call whose matchmaking event it attended; None if it has been to none."""
        call = int(self.model.state.clusters["attended_call"][self.row])
        return None if call == NEVER else int(self.model.rules.calls["year"][call])

    @property
    def smes(self) -> tuple["SMEAgent", ...]:
        """Its members."""
        first = int(self.model.state.clusters["first_sme"][self.row])
        return self.model.smes[first : first + self.members]


class SMEAgent(RowAgent):
    """A member SME of a cluster; what it has reached counts in the programme, not on its own path."""

    readiness = Column("smes", "readiness", 0.0, 1.0)  # absorptive capacity
    spare_time = Column("smes", "spare_time", 0.0, 1.0)  # shared by all its projects
    projects = Column("smes", "projects")  # in which it is active now

    @property
    def cluster(self) -> ClusterAgent:
        """The cluster that it is a member of."""
        return self.model.clusters[int(self.model.state.smes["cluster"][self.row])]

    @property
    def country(self) -> str:
        """Code of its country or region."""
        return self.cluster.country

    @property
    def sector(self) -> str:
        """Name of its own sector."""
        return self.model.sector_names[int(self.model.state.smes["sector"][self.row])]

    @property
    def size_class(self) -> str:
        """One of SIZE_CLASSES."""
        return SIZE_CLASSES[int(self.model.state.smes["size_class"][self.row])]

    @property
    def partnerships(self) -> int:
        """Partnerships with SMEs abroad so far."""
        return int(self.model.by_sme("partnerships")[self.row])

    @property
    def rni_collaborations(self) -> int:
        """R&I collaborations with SMEs abroad so far."""
        return int(self.model.by_sme("rni_collaborations")[self.row])

    @property
    def contracts(self) -> int:
        """Contracts with SMEs abroad so far."""
        return int(self.model.by_sme("contracts")[self.row])
