"""The model as Mesa users know it: one month a step, and agents to look at and to change.

    from scenarios import load
    from simulator.model import InnovexModel

    model = InnovexModel(load("baseline").resolve(), rng=1)
    while model.running:
        model.step()
    model.contracts, model.datacollector.get_model_vars_dataframe()

It is, bit for bit, the run of `simulator.ensemble.simulate` with the same inputs and seed. To intervene, subclass:

    class Prepared(InnovexModel):
        def step(self):
            if self.month == 24:
                self.agents_by_type[SMEAgent].select(lambda sme: sme.country == "LT").set("readiness", 0.9)
            super().step()

Agents are made at the first access to them: a run without agents pays nothing for them.
`experiments.mesa_model.Innovex` takes scenarios and parameters by name, as `mesa.batch_run` does.
"""

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import mesa
import numpy as np

from simulator import schedule
from simulator.agents import ClusterAgent, FunderAgent, RowAgent, SMEAgent
from simulator.ensemble import Inputs, own_events
from simulator.jit import kernel
from simulator.outcomes.contacts import find_slot
from simulator.parameters import I64, World
from simulator.records import NEVER, NOBODY, Table
from simulator.state import EVENTS, ROWS, Capacity, State, new_state, tabulate

# Attributes of the model that its own data collector reports each month; the words of `simulator.observe`.
MEASURES = (
    "month",
    "projects_running",
    "knowledge",
    "partnerships",
    "rni_collaborations",
    "contracts",
    "granted_eur",
    "phase_two_eur",
    "spent_eur",
)

_OWN = tuple(event for event in EVENTS if event.startswith("own_"))


class InnovexModel(mesa.Model):
    """One run, a month a step.

    Attributes
    ----------
    month : int
        The month that comes next (months since January of the first year).
    parameters, rules, world
        The model's own copies as the kernels read them: `model.parameters.idea_rate = 0.9` holds from the next month
        on. What SMEs reach on their own is walked from the first month on demand: leave the parameters of own paths
        as they are.
    state : State
        The tables. It is replaced when one of them has to grow: do not keep it.
    datacollector : mesa.DataCollector or None
        Collects MEASURES at the end of each month; assign another one to collect something else, or None.
    """

    agent_classes: tuple[type[FunderAgent], type[ClusterAgent], type[SMEAgent]] = (
        FunderAgent,
        ClusterAgent,
        SMEAgent,
    )

    def __init__(self, inputs: Inputs, rng: Any = None, *, seed: Any = None, capacity: Capacity | None = None) -> None:
        """Found the world of `inputs`.

        Parameters
        ----------
        inputs : Inputs
            What a run needs, such as a resolved scenario. Its `funder_codes`, `country_codes` and `sector_names` name
            the rows, which else have numbers.
        rng : optional
            A whole number from 0 to 2**63 - 1, or whatever `numpy.random.default_rng` takes; without it the run has a
            seed of its own, in the attribute `seed`.
        seed : optional
            Older name of `rng`.
        capacity : Capacity, optional
            Rows of the tables at the start.
        """
        self.seed = whole_seed(rng, seed)
        super().__init__(rng=self.seed)
        self.month = 0
        self.parameters, self.rules, self.world = tabulate(inputs.parameters, inputs.rules, inputs.world)
        self.funder_codes = _names(inputs, "funder_codes", len(self.world.funders))
        self.country_codes = _names(inputs, "country_codes", len(self.world.countries))
        self.sector_names = _names(inputs, "sector_names", len(self.world.sectors))
        self._inputs = inputs
        self.state = self._founded(capacity or roomy(inputs.world))
        self.datacollector: mesa.DataCollector | None = mesa.DataCollector({name: name for name in MEASURES})
        self._by_sme: dict[str, I64] = {}
        self._views: tuple[tuple[RowAgent, ...], ...] | None = None
        self._free_ids = itertools.count(1 + sum(self._populations()))

    def _founded(self, capacity: Capacity) -> State:
        """Return the world before the first month."""
        while True:
            state = new_state(self._inputs.world, self._inputs.rules, self._inputs.months, capacity)
            schedule.run(0, 0, self.seed, self.parameters, self.rules, self.world, state)
            if state.used.too_small == 0:
                return state
            capacity = capacity._replace(own_contracts=2 * capacity.own_contracts)

    def step(self) -> None:
        """Carry out one month. After the last one, nothing happens."""
        if self.month >= self.months:
            self.running = False
            return
        self.state = with_room(self.state)
        schedule.run(self.month, self.month + 1, self.seed, self.parameters, self.rules, self.world, self.state)
        self._stop_if_too_small()
        self.month += 1
        self._by_sme.clear()
        if self.month == self.months:
            self.running = False
        if self.datacollector is not None:
            self.datacollector.collect(self)

    def _stop_if_too_small(self) -> None:
        if self.state.used.too_small:
            self.running = False
            raise RuntimeError(
                f"month {self.month} filled a table that was half empty, and rows were lost; "
                "start again with a larger capacity (simulator.state.Capacity)"
            )

    # measures, all so far; both SMEs of a tie count what it yields

    @property
    def projects_running(self) -> int:
        """Projects that have started and not closed."""
        projects = self.state.rows("projects")
        return int(((projects["alive"] == 1) & (projects["phase"] > 0)).sum())

    @property
    def knowledge(self) -> int:
        """SMEs with new knowledge, once for each project."""
        return int((self.state.rows("participations")["knowledge_month"] != NEVER).sum())

    @property
    def partnerships(self) -> int:
        """SME partnerships: of SMEs of different countries that met in the programme."""
        return 2 * int((self.state.rows("ties")["partnership_month"] != NEVER).sum())

    @property
    def rni_collaborations(self) -> int:
        """SME R&I collaborations between SMEs that met in the programme."""
        return 2 * int(self.state.rows("ties")["rni_count"].sum())

    @property
    def contracts(self) -> int:
        """SME contracts between SMEs that met in the programme."""
        return 2 * int(self.state.rows("ties")["contract_count"].sum())

    @property
    def granted_eur(self) -> float:
        """EUR granted in the calls that have closed, first phase."""
        return float(self.state.ledger["granted"].sum())

    @property
    def phase_two_eur(self) -> float:
        """EUR granted for a phase two."""
        return float(self.state.ledger["phase_two_granted"].sum())

    @property
    def spent_eur(self) -> float:
        """EUR paid out to partners, both phases."""
        return float(self.state.ledger["spent"].sum())

    def count(self, event: str, month: int | None = None) -> int:
        """Return the number of events of a kind so far, or in one month.

        Parameters
        ----------
        event : str
            One of `simulator.state.EVENTS`.
        month : int, optional
            Months since January of the first year.
        """
        if event not in EVENTS:
            raise ValueError(f"there is no event {event!r}; allowed: {', '.join(EVENTS)}")
        logs = [self.state.rows("log")]
        if event in _OWN:
            logs.append(own_events(self._inputs, self.seed, self.state, self.month))
        happened = [log[log["kind"] == EVENTS.index(event)] for log in logs]
        return sum(len(log) if month is None else int((log["month"] == month).sum()) for log in happened)

    def by_sme(self, outcome: str) -> I64:
        """Return the number of "partnerships", "rni_collaborations" or "contracts" so far by SME, shape (M,)."""
        if outcome not in self._by_sme:
            ties = self.state.rows("ties")
            counts = {
                "partnerships": ties["partnership_month"] != NEVER,
                "rni_collaborations": ties["rni_count"],
                "contracts": ties["contract_count"],
            }[outcome]
            smes = np.concatenate([ties["one"], ties["other"]])
            total = np.bincount(smes, np.concatenate([counts, counts]), len(self.state.smes))
            self._by_sme[outcome] = total.astype(np.int64)
        return self._by_sme[outcome]

    # the calendar

    @property
    def months(self) -> int:
        """Length of the run."""
        return len(self.state.spent_by_month)

    @property
    def next_call(self) -> int | None:
        """Row of the first call that is held and has not closed before this month; None if none is left."""
        calls = self.rules.calls
        ahead = np.flatnonzero((calls["held"] == 1) & (calls["close_month"] >= self.month))
        return int(ahead[0]) if len(ahead) else None

    # agents

    @property
    def funders(self) -> tuple[FunderAgent, ...]:
        """The funders by row."""
        return self._agents_by_row()[0]

    @property
    def clusters(self) -> tuple[ClusterAgent, ...]:
        """The clusters by row."""
        return self._agents_by_row()[1]

    @property
    def smes(self) -> tuple[SMEAgent, ...]:
        """The SMEs by row."""
        return self._agents_by_row()[2]

    @property
    def agents(self) -> Any:
        """All agents: funders, clusters and SMEs, and a user's own."""
        self._agents_by_row()
        return super().agents

    @property
    def agents_by_type(self) -> Any:
        """An AgentSet by type of agent."""
        self._agents_by_row()
        return super().agents_by_type

    @property
    def agent_types(self) -> list[type]:
        """Types of agents in this model."""
        self._agents_by_row()
        return list(super().agent_types)

    def register_agent(self, agent: mesa.Agent) -> None:
        """Take an agent in. Called by Mesa when an agent is made."""
        super().register_agent(agent)
        if not isinstance(agent, RowAgent):
            agent.unique_id = next(self._free_ids)
        # Mesa 3.3 keeps every model that ever had an agent in this dictionary while the process lives.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)

    def _agents_by_row(self) -> Any:
        """Return views on the rows of the three populations, made at the first call; ids are by row, from 1."""
        if self._views is None:
            first_ids = itertools.accumulate(self._populations(), initial=1)
            self._views = tuple(
                tuple(kind(self, row, first + row) for row in range(rows))
                for kind, rows, first in zip(self.agent_classes, self._populations(), first_ids)
            )
        return self._views

    def _populations(self) -> tuple[int, int, int]:
        return len(self.state.funders), len(self.state.clusters), len(self.state.smes)


def whole_seed(rng: Any = None, seed: Any = None) -> int:
    """Return the seed of a run from Mesa's two names for it.

    Raises
    ------
    ValueError
        If both are set, or if the seed is out of range.
    """
    if rng is not None and seed is not None:
        raise ValueError("both rng and seed are given; allowed: one of them")
    source = seed if rng is None else rng
    try:
        number = operator.index(source)
    except TypeError:  # None, a generator, a SeedSequence
        number = int(np.random.default_rng(source).integers(1 << 32))
    if not 0 <= number < 1 << 63:
        raise ValueError(f"the seed {number} does not fit; allowed: a whole number from 0 to 2**63 - 1")
    return number


def roomy(world: World) -> Capacity:
    """Return tables so large that a month fills no more than half of one: memory is taken only as rows are used."""
    least = Capacity()
    smes = int(world.cluster_members.sum())
    return Capacity(
        projects=max(least.projects, 2 * len(world.cluster_country)),
        participations=max(least.participations, smes),
        ties=max(least.ties, smes // 2),
        events=max(least.events, 4 * smes),
        paths=max(least.paths, 2 * smes),
    )


def with_room(state: State) -> State:
    """Return the same state, with twice the rows for each table of which less than half is free."""
    full = [name for name in _GROW if 2 * len(state.rows(name)) > len(getattr(state, name))]
    if not full:
        return state
    grown = state._replace(**{name: _doubled(getattr(state, name)) for name in full})
    if "ties" in full:
        grown = grown._replace(slots=np.full(2 * len(state.slots), NOBODY))
        _file_ties(grown)
    return grown


_GROW = [name for name in ROWS if name != "calendar"]  # from month to month


def _doubled(table: Table) -> Table:
    grown = np.empty((2 * len(table), *table.shape[1:]), table.dtype).view(np.recarray)
    grown[: len(table)] = table
    return grown


@kernel
def _file_ties(state):
    """Put every tie into the empty table of pairs."""
    ties, slots = state.ties, state.slots
    for tie in range(state.used.ties):
        slots[find_slot(ties[tie].one, ties[tie].other, ties, slots)] = tie


def _names(inputs: Inputs, field: str, rows: int) -> Sequence[str]:
    """Return the names of rows where the inputs have them, else their numbers."""
    return tuple(getattr(inputs, field, None) or map(str, range(rows)))
