"""The run: a Mesa model, one month a step, its processes in the order of `simulator.schedule.MONTH`."""

from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from benchmarks.peer.agents import SME, Cluster, Funder, Project, Tie
from benchmarks.peer.calls import form_consortia, hold_event
from benchmarks.peer.decisions import announce, decide
from benchmarks.peer.outcomes import learn_and_meet, live_ties, slow_own_paths
from benchmarks.peer.theory import theory
from benchmarks.peer.work import review_and_close, start_partners, work
from simulator import draws, state
from simulator.ensemble import Inputs
from simulator.parameters import Rules, World

Event = tuple[int, int, int, int, int, float]


class PeerModel(mesa.Model):
    """One run of the same model, in objects. `log` holds its events, as in `simulator.state.EVENT`."""

    def __init__(self, inputs: Inputs, seed: int, compiled: bool = False) -> None:
        super().__init__(rng=seed)
        self.seed, self.months, self.month = seed, inputs.months, 0
        self.say, self.parameters = theory(compiled), inputs.parameters
        self.own_hazards = [self.say.base_hazard(outcome, self.parameters) for outcome in range(len(state.OUTCOMES))]
        self.calls, self.countries, self.families = _calls(inputs.rules), *_places(inputs.world)
        self.sector_shares = np.array(inputs.world.sector_share)
        self.keys: dict[tuple[int, int], int] = {}
        self.rivals: dict[tuple[int, int], list[SME]] = {}
        self.smes: list[SME] = []
        self.projects: list[Project] = []
        self.ties: dict[tuple[int, int], Tie] = {}
        self.log: list[Event] = []
        self._found(inputs.world)

    def step(self) -> None:
        """One month."""
        if self.month > 0 and self.month % 12 == 0:
            self.agents_by_type[Cluster].do("forget")
        hold_event(self)
        form_consortia(self)
        decide(self)
        announce(self)
        start_partners(self)
        work(self)
        learn_and_meet(self)
        live_ties(self)
        slow_own_paths(self)
        self.agents_by_type[SME].do("follow_own_path")
        review_and_close(self)
        self.month += 1
        self.running = self.month < self.months

    # what everybody uses

    def luck(self, decision: int, time: int, who: int, whom: int = 0) -> float:
        """The draw of a decision."""
        return self.say.uniform(self.key(decision, time), who, whom)

    def key(self, decision: int, time: int) -> int:
        """Where the draws of one decision at one time start from."""
        known = self.keys.get((decision, time))
        if known is None:
            known = self.keys[decision, time] = self.say.key(self.seed, decision, time)
        return known

    def since(self, call: SimpleNamespace, months: int = 0) -> int:
        """Time key of what belongs to a call."""
        return int(self.say.since(call.year, months))

    def relatedness(self, sector: int, other: int) -> float:
        """Of two sectors (0-1)."""
        p = self.parameters
        like = self.families[sector] == self.families[other]
        return self.say.relatedness(sector == other, like, p.relatedness_family, p.relatedness_other)

    def note(self, kind: int, who: int, whom: int, project: int, amount: float) -> None:
        """One event of this month."""
        self.log.append((self.month, kind, who, whom, project, float(amount)))

    def count_sme(self, sme: SME) -> int:
        """Takes a new SME in; its number."""
        self.smes.append(sme)
        return len(self.smes) - 1

    # own paths

    def reach_alone(self, sme: SME, outcome: int) -> None:
        """An SME reaches an outcome on its own path."""
        self.note(state.E_OWN_KNOWLEDGE + outcome, sme.row, state.NOBODY, -1, sme.due[outcome])
        sme.next_need(outcome)

    def meets_own_need(self, sme: SME, outcome: int, whom: int, time: int, project: int) -> bool:
        """Whether an outcome in the programme meets the SME's own next need."""
        if self.luck(draws.NEED, time, sme.identity, whom + outcome) >= self.parameters.own_need_overlap:
            return False
        self.note(state.E_MET_KNOWLEDGE + outcome, sme.row, state.NOBODY, project, sme.due[outcome])
        sme.next_need(outcome)
        return True

    def displace(self, sme: SME, whom: int, time: int, project: int) -> None:
        """A contract may take the buyer of the rival next in line, in the same country and sector."""
        if self.luck(draws.DISPLACE, time, sme.identity, whom) >= self.parameters.displacement:
            return
        rivals = self.rivals[sme.cluster.country.row, sme.sector]
        others = (each for each in rivals if each is not sme)
        rival = min(others, key=lambda each: each.due[state.CONTRACT], default=None)
        if rival is None or rival.due[state.CONTRACT] >= self.months:
            return
        self.note(state.E_DISPLACED, rival.row, sme.row, project, rival.due[state.CONTRACT])
        rival.next_need(state.CONTRACT)

    # results

    def count(self, event: str) -> int:
        """Number of events of a kind."""
        return sum(each[1] == state.EVENTS.index(event) for each in self.log)

    def _found(self, world: World) -> None:
        self.funders = [
            Funder(self, row, self.countries[country]) for row, country in enumerate(world.funder_country.tolist())
        ]
        given = _rows(world, "cluster_")
        self.clusters = [Cluster(self, row, each) for row, each in enumerate(given)]
        start, p = self.key(draws.ACQUAINTED, 0), self.parameters
        for a in self.clusters:
            a.funder = self.funders[a.country.funder] if a.country.funder >= 0 else None
            for b in self.clusters[: a.row]:
                like = a.country.language == b.country.language
                share = p.familiarity_start * (1.0 if like else p.distance_factor)
                if self.say.uniform_of_pair(start, a.identity, b.identity) < share:
                    a.knows(b, 0.5)


def run(inputs: Inputs, seed: int, compiled: bool = False) -> PeerModel:
    """A whole run."""
    model = PeerModel(inputs, seed, compiled)
    while model.month < model.months:
        model.step()
    return model


def _calls(rules: Rules) -> list[SimpleNamespace]:
    """Calls as objects, each with its terms by funder."""
    columns = {name.removeprefix("call_"): column.tolist() for name, column in rules._asdict().items()}
    by_call = {name: column for name, column in columns.items() if not isinstance(column[0], list)}
    by_funder = {name: column for name, column in columns.items() if isinstance(column[0], list)}
    calls = []
    for c in range(len(rules.calls.year)):
        call = SimpleNamespace(row=c, **{name: column[c] for name, column in by_call.items()})
        call.terms = [
            SimpleNamespace(**{name: column[c][f] for name, column in by_funder.items()})
            for f in range(rules.terms.budget_eur.shape[1])
        ]
        calls.append(call)
    return calls


def _rows(world: World, kind: str) -> list[SimpleNamespace]:
    columns: dict[str, list[Any]] = {
        name.removeprefix(kind): column.tolist() for name, column in world._asdict().items() if name.startswith(kind)
    }
    rows = zip(*columns.values())
    return [SimpleNamespace(row=number, **dict(zip(columns, row))) for number, row in enumerate(rows)]


def _places(world: World) -> tuple[list[SimpleNamespace], list[int]]:
    return _rows(world, "country_"), world.sector_family.tolist()
