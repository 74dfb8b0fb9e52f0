"""Who there is, as Mesa agents; and what grows: projects, partners, participations, ties."""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import mesa

from simulator import draws
from simulator.instruments.calls.tables import LEDGER, NO_CAUSE
from simulator.outcomes.tables import OUTCOMES
from simulator.records import NEVER, NOBODY


class Funder(mesa.Agent):
    """A country's funder, with its money and what its clusters believe of it."""

    model: Any

    def __init__(self, model: Any, row: int, country: SimpleNamespace) -> None:
        super().__init__(model)
        self.row, self.country = row, country
        self.belief, self.carried, self.debt = 0.5, 0.0, 0.0
        for call in reversed(model.calls):
            if call.terms[row].budget_eur > 0.0:
                self.belief = call.terms[row].pass_share
        amounts = dict.fromkeys(LEDGER.dtype.names[1:], 0.0)
        self.books = [SimpleNamespace(decision_month=NEVER, **amounts) for _ in model.calls]


class Cluster(mesa.Agent):
    """A cluster organisation; whom it knows and trusts stands with it, by the other's row."""

    model: Any

    def __init__(self, model: Any, row: int, entry: SimpleNamespace) -> None:
        super().__init__(model)
        say, p, luck = model.say, model.parameters, model.luck
        self.row, self.country = row, model.countries[entry.country]
        self.funder: Funder | None = None
        self.identity = who = say.identity(self.country.key, entry.rank)
        self.sector = say.sector_at(model.sector_shares, luck(draws.SECTOR, 0, who))
        self.excellence = luck(draws.EXCELLENCE, 0, who)
        self.focus = say.strategy_focus(luck(draws.FOCUS, 0, who), p.focus_shape)
        self.size = say.size_factor(entry.members, p.members_reference, p.size_elasticity)
        self.capacity = say.project_capacity(p.capacity_mean, self.focus, self.size, luck(draws.CAPACITY, 0, who))
        self.busy, self.experience, self.followon = 0, 0.0, 0.0
        self.attended: SimpleNamespace | None = None
        self.familiarity: dict[int, float] = {}
        self.trust: dict[int, float] = {}
        self.members = [SME(model, self, number) for number in range(entry.members)]

    def knows(self, other: "Cluster", known: float) -> None:
        """Set how well the two know each other (0-1)."""
        self.familiarity[other.row] = other.familiarity[self.row] = known

    def has_funder(self, call: SimpleNamespace) -> bool:
        """Return whether its country has money in this call."""
        return self.funder is not None and call.terms[self.funder.row].budget_eur > 0.0

    def forget(self) -> None:
        """Live through a year of staff turnover."""
        say, p = self.model.say, self.model.parameters
        known, trusted = say.worn(1.0, p.familiarity_decay_year), say.worn(1.0, p.trust_decay_year)
        self.familiarity = {row: level * known for row, level in self.familiarity.items()}
        self.trust = {row: level * trusted for row, level in self.trust.items()}
        self.experience = say.worn(self.experience, p.experience_decay_year)
        self.followon = say.worn(self.followon, 0.5)

    def appeal_of(self, other: "Cluster", funded: float) -> float:
        """Return how much another cluster appeals to it (log-odds)."""
        p = self.model.parameters
        return self.model.say.partner_appeal(
            self.trust.get(other.row, 0.0), self.familiarity.get(other.row, 0.0),
            self.model.relatedness(self.sector, other.sector),
            1.0 if self.country.language != other.country.language else 0.0, abs(self.focus - other.focus), funded,
            p.weight_trust, p.weight_familiarity, p.weight_relatedness, p.weight_distance, p.weight_mandate,
            p.weight_funder,
        )  # fmt: skip


class SME(mesa.Agent):
    """A member firm, with the months in which its next needs fall due on its own path, by outcome."""

    model: Any

    def __init__(self, model: Any, cluster: Cluster, number: int) -> None:
        super().__init__(model)
        say, p, luck = model.say, model.parameters, model.luck
        self.row, self.cluster = model.count_sme(self), cluster
        self.identity = who = say.identity(cluster.identity, number)
        self.sector = cluster.sector
        if luck(draws.SME_SECTOR, 0, who) >= p.sme_sector_match:
            self.sector = say.sector_at(model.sector_shares, luck(draws.SME_SECTOR, 1, who))
        self.size_class = say.size_class(luck(draws.SIZE, 0, who), p.share_small, p.share_medium)
        more = p.readiness_size_step * self.size_class
        more += p.readiness_spread * say.logistic(luck(draws.READINESS, 0, who))
        self.readiness = self.found_readiness = say.level_around(p.readiness_mean, 1.0, more)
        deviate = say.logistic(luck(draws.SPARE_TIME, 0, who))
        self.spare_time = say.level_around(p.spare_time_mean, p.spare_time_spread, deviate)
        self.projects = 0
        self.number = [0] * len(OUTCOMES)
        self.due = [self.waits(outcome) for outcome in range(len(OUTCOMES))]
        model.rivals.setdefault((cluster.country.row, self.sector), []).append(self)

    def waits(self, outcome: int) -> float:
        """Return the months that it waits for its next need of this kind."""
        model = self.model
        p = model.parameters
        pull = model.say.own_pull(p.own_readiness_slope, self.found_readiness, p.readiness_mean)
        u = model.luck(draws.OWN_PATH, self.number[outcome], self.identity, outcome + 1)
        return model.say.own_wait(model.say.exponential(u), model.own_hazards[outcome], pull)

    def next_need(self, outcome: int) -> None:
        """Pass to the next need."""
        self.number[outcome] += 1
        self.due[outcome] += self.waits(outcome)

    def follow_own_path(self) -> None:
        """Reach what falls due this month."""
        end = self.model.month + 1
        for outcome in range(len(OUTCOMES)):
            while self.due[outcome] < end:
                self.model.reach_alone(self, outcome)


@dataclass(slots=True, eq=False)
class Project:
    """A consortium that handed in a proposal."""

    row: int
    identity: int
    call: SimpleNamespace
    lead: Cluster
    partners: list["Partner"]
    top_down: bool
    idea_month: int
    kind: int = 0
    effect: float = 0.0
    size_deviate: float = 0.0
    quality: float = 0.0
    alive: bool = True
    phase: int = 0
    end_month: int = NEVER
    decided_month: int = NEVER
    joint_score: float = 0.0
    threshold: float = 0.0
    active_smes: int = 0
    partnerships: int = 0


@dataclass(slots=True, eq=False)
class Partner:
    """A cluster in a consortium."""

    cluster: Cluster
    funder: Funder | None
    money: int
    project: Project | None = None
    request_eur: float = 0.0
    assessed: float = 0.0
    grant_eur: float = 0.0
    own_share: float = 1.0
    cause: int = NO_CAUSE
    blocking: int = NOBODY
    short_eur: float = 0.0
    decision_month: int = NEVER
    start_month: int = NEVER
    end_month: int = NEVER
    paid_eur_month: float = 0.0
    activity_eur: float = 0.0
    effort: float = 0.0
    dose: float = 0.0
    leave_threshold: float = math.inf
    leave_hazard: float = 0.0
    smes: list["Participation"] = field(default_factory=list)
    active: int = 0
    lost_waiting: int = 0
    phase_two_eur: float = 0.0

    @property
    def has_left(self) -> bool:
        """Whether it left before its end."""
        return self.leave_hazard >= self.leave_threshold

    def release(self) -> None:
        """Take one project off the hands of its active SMEs."""
        for each in self.smes:
            if each.is_active:
                each.sme.projects -= 1


@dataclass(slots=True, eq=False)
class Participation:
    """An SME engaged by a partner."""

    sme: SME
    partner: Partner
    is_active: bool
    know_threshold: float
    contact_threshold: float
    know_hazard: float = 0.0
    contact_hazard: float = 0.0
    contacts: int = 0
    knowledge_month: int = NEVER


@dataclass(slots=True, eq=False)
class Tie:
    """A pair of SMEs that met."""

    one: SME
    other: SME
    complementarity: float
    distance: float
    thresholds: dict[int, float]  # by outcome
    hazards: dict[int, float]
    counts: dict[int, int]
    trust: float = 0.0
    alive: bool = True
    partnership_month: int = NEVER
    call: SimpleNamespace | None = None
    parts: tuple[Participation, ...] = ()
