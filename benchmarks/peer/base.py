"""What all processes of the peer use: its parameters, rules and luck, its log, and the own paths of SMEs."""

from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from benchmarks.peer.agents import SME, Cluster, Funder, Project, Tie
from benchmarks.peer.theory import theory
from simulator import draws
from simulator.ensemble import Inputs
from simulator.instruments import CALLS
from simulator.outcomes.events import OutcomeEvent
from simulator.outcomes.tables import CONTRACT, OUTCOMES
from simulator.parameters import Rules, World
from simulator.records import NEVER, NOBODY
from simulator.state import EVENTS, call_keys

Event = tuple[int, int, int, int, int, float, int, int]


class Peer(mesa.Model):
    """A world in objects before its first month. `log` holds events, as in `simulator.outcomes.events.EVENT`."""

    def __init__(self, inputs: Inputs, seed: int, compiled: bool = False) -> None:
        super().__init__(rng=seed)
        self.seed, self.months, self.month = seed, inputs.months, 0
        self.say, self.parameters = theory(compiled), inputs.parameters
        self.own_hazards = [self.say.base_hazard(outcome, self.parameters) for outcome in range(len(OUTCOMES))]
        self.calls, self.countries, self.families = _calls(inputs.rules), *_places(inputs.world)
        self.sector_shares = np.array(inputs.world.sector_share)
        self.keys: dict[tuple[int, int], int] = {}
        self.rivals: dict[tuple[int, int], list[SME]] = {}
        self.smes: list[SME] = []
        self.projects: list[Project] = []
        self.ties: dict[tuple[int, int], Tie] = {}
        self.log: list[Event] = []
        self._found(inputs.world)

    def luck(self, decision: int, time: int, who: int, whom: int = 0) -> float:
        """Return the draw of a decision."""
        return self.say.uniform(self.key(decision, time), who, whom)

    def key(self, decision: int, time: int) -> int:
        """Return the word from which the draws of one decision at one time start."""
        known = self.keys.get((decision, time))
        if known is None:
            known = self.keys[decision, time] = self.say.key(self.seed, decision, time)
        return known

    def since(self, call: SimpleNamespace, months: int = 0) -> int:
        """Return the time key of what belongs to a call."""
        return int(self.say.since(call.key, months))

    def relatedness(self, sector: int, other: int) -> float:
        """Return the relatedness (0-1) of two sectors."""
        p = self.parameters
        like = self.families[sector] == self.families[other]
        return self.say.relatedness(sector == other, like, p.relatedness_family, p.relatedness_other)

    def note(
        self,
        kind: int,
        who: int,
        whom: int,
        amount: float,
        project: Project | None = None,
        call: SimpleNamespace | None = None,
    ) -> None:
        """Write down an event of this month, with the call that it is booked to: the project's unless given."""
        if call is None and project is not None:
            call = project.call
        row, origin = (NEVER, NOBODY) if call is None else (call.row, CALLS)
        self.log.append(
            (self.month, int(kind), who, whom, project.row if project else NOBODY, float(amount), row, origin)
        )

    def count_sme(self, sme: SME) -> int:
        """Take a new SME in and return its number."""
        self.smes.append(sme)
        return len(self.smes) - 1

    # own paths

    def reach_alone(self, sme: SME, outcome: int) -> None:
        """Let an SME reach an outcome on its own path."""
        self.note(OutcomeEvent.OWN_KNOWLEDGE + outcome, sme.row, NOBODY, sme.due[outcome])
        sme.next_need(outcome)

    def meets_own_need(
        self, sme: SME, outcome: int, whom: int, time: int, project: Project, call: SimpleNamespace
    ) -> bool:
        """Return whether an outcome in the programme meets the SME's own next need."""
        if self.luck(draws.NEED, time, sme.identity, whom + outcome) >= self.parameters.own_need_overlap:
            return False
        self.note(OutcomeEvent.MET_KNOWLEDGE + outcome, sme.row, NOBODY, sme.due[outcome], project, call)
        sme.next_need(outcome)
        return True

    def displace(self, sme: SME, whom: int, time: int, project: Project, call: SimpleNamespace) -> None:
        """Take, by chance, the buyer of the rival next in line, in the same country and sector."""
        if self.luck(draws.DISPLACE, time, sme.identity, whom) >= self.parameters.displacement:
            return
        rivals = self.rivals[sme.cluster.country.row, sme.sector]
        others = (each for each in rivals if each is not sme)
        rival = min(others, key=lambda each: each.due[CONTRACT], default=None)
        if rival is None or rival.due[CONTRACT] >= self.months:
            return
        self.note(OutcomeEvent.DISPLACED, rival.row, sme.row, rival.due[CONTRACT], project, call)
        rival.next_need(CONTRACT)

    # results

    def count(self, event: str) -> int:
        """Return the number of events of a kind."""
        return sum(each[1] == EVENTS.index(event) for each in self.log)

    def _found(self, world: World) -> None:
        self.funders = [
            Funder(self, row, self.countries[country]) for row, country in enumerate(world.funder_country.tolist())
        ]
        rows = _rows(world, "cluster_")
        self.clusters = [Cluster(self, row, each) for row, each in enumerate(rows)]
        start, p = self.key(draws.ACQUAINTED, 0), self.parameters
        for a in self.clusters:
            a.funder = self.funders[a.country.funder] if a.country.funder >= 0 else None
            for b in self.clusters[: a.row]:
                like = a.country.language == b.country.language
                share = p.familiarity_start * (1.0 if like else p.distance_factor)
                if self.say.uniform_of_pair(start, a.identity, b.identity) < share:
                    a.knows(b, 0.5)


def _calls(rules: Rules) -> list[SimpleNamespace]:
    """Return the calls as objects, each with its terms by funder."""
    by_call = {name: column.tolist() for name, column in rules.calls._asdict().items()}
    by_call["key"] = call_keys(rules.calls.year).tolist()
    by_funder = {name: column.tolist() for name, column in rules.terms._asdict().items()}
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
