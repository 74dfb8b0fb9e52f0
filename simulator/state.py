"""What a run remembers: tables of who there is, and tables that grow.

A table is one record array: `partners.grant_eur[p]` reads the same compiled and in plain Python, and a
kernel gets one address per table (as separate columns, 150 arrays went through every call: compiling
took minutes). Fields have 4 or 8 bytes: one-byte columns under conditional stores are miscompiled by
some numba versions on AVX-512. Months are whole numbers since January of the first year; `NEVER` (-1)
means that it has not happened.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from simulator.parameters import F64, I64, Parameters, Rules, World

Table = Any  # a numpy.recarray of one of the dtypes below

NEVER = -1
NOBODY = -1

# Outcomes of SMEs, in the order in which one leads to the next.
OUTCOMES = ("knowledge", "partnerships", "rni_collaborations", "contracts")
KNOWLEDGE, PARTNERSHIP, RNI, CONTRACT = range(4)

# What became of a partner's money.
(
    NO_FUNDER, NOT_APPLIED, FUNDED, REFUSED, NOT_STARTED,
) = range(5)  # fmt: skip

# Why an application was refused.
CAUSES = ("none", "below_threshold", "purse_empty", "partner_refused", "common_purse_empty")
NO_CAUSE, BELOW_THRESHOLD, PURSE_EMPTY, PARTNER_REFUSED, COMMON_PURSE_EMPTY = range(5)

# How a project engages SMEs.
WORKSHOP, NETWORK, BROADCAST = range(3)


def _record(*fields: tuple[str, type]) -> np.dtype:
    return np.dtype(list(fields), align=True)


# One row per cluster organisation.
CLUSTER = _record(
    ("identity", np.uint64),
    ("first_sme", np.int64),  # row of the first member; members are contiguous
    ("members", np.int64),
    ("country", np.int64),
    ("nation", np.int64),
    ("sector", np.int64),
    ("excellence", np.float64),  # 0-1, management excellence
    ("focus", np.float64),  # 0-1, strategy focus on internationalisation
    ("capacity", np.int64),  # projects at a time
    ("busy", np.int64),  # projects and open proposals now
    ("experience", np.float64),  # projects done, worn by turnover
    ("followon", np.float64),  # 0-1, added to the next idea by good projects
    ("attended_call", np.int64),  # last call whose event it attended, -1 none
)

# One row per SME.
SME = _record(
    ("identity", np.uint64),
    ("readiness", np.float64),  # 0-1, absorptive capacity
    ("found_readiness", np.float64),  # as it was before the first call
    ("spare_time", np.float64),  # 0-1
    ("cluster", np.int32),
    ("sector", np.int32),
    ("size_class", np.int32),  # 0 micro, 1 small, 2 medium
    ("projects", np.int32),  # in which it is active now
    ("path", np.int32),  # row of its own path, NOBODY before the programme first touches it
)

# One row per SME that the programme has touched.
PATH = _record(
    ("pull", np.float64),  # factor on the hazards of its own path
    ("sme", np.int32),
    ("following", np.int32),  # next of the same country and sector, NOBODY at the end
)

# One row per outcome of such an SME: the next need on its own path.
OWN_PATH = _record(
    ("month", np.float64),  # in which it falls due
    ("number", np.int32),  # of the need, from 0
    ("before", np.int32),  # needs that were over before the first touch
    ("call", np.int32),  # call through which the programme last touched the own path, -1 none
    ("following", np.int32),  # next path filed under the same month, NOBODY at the end
)

# One row per contract that an SME wins on its own without the programme.
DUE = _record(
    ("month", np.float64),
    ("sme", np.int32),
    ("following", np.int32),  # next of the same country, sector and month, NOBODY at the end
)

# One row per funder.
FUNDER = _record(
    ("belief", np.float64),  # clusters' belief in approval, 0-1
    ("carried", np.float64),  # EUR, unspent money kept for the next call
    ("debt", np.float64),  # EUR, phase-two money to be taken out of the next call
)

# One row per call and funder: the ledger, in EUR unless said.
LEDGER = _record(
    ("decision_month", np.int64),  # NEVER where the funder takes no part
    ("offered", np.float64),  # for first-phase grants
    ("applications", np.float64),  # number
    ("approvals", np.float64),  # number
    ("granted", np.float64),  # to partners of its own country, whoever pays
    ("outlay", np.float64),  # what it has to pay for grants, to whomever, its part of the central purse included
    ("taken_up", np.float64),  # of granted, what is not left lying by partners that never start
    ("spent", np.float64),  # paid out to partners of its own country, both phases
    ("phase_two_left", np.float64),  # phase-two purse still free
    ("phase_two_granted", np.float64),
)

# One row per consortium that handed in a proposal.
PROJECT = _record(
    ("identity", np.uint64),
    ("call", np.int64),
    ("lead", np.int64),
    ("first_partner", np.int64),
    ("partners", np.int64),
    ("kind", np.int64),  # WORKSHOP, NETWORK, BROADCAST
    ("top_down", np.int64),  # 1 if governments picked the partners
    ("idea_month", np.int64),
    ("effect", np.float64),  # factor on its hazards
    ("size_deviate", np.float64),
    ("quality", np.float64),  # true quality, points
    ("joint_score", np.float64),  # mean of the funders' assessments
    ("threshold", np.float64),  # common threshold of its call
    ("decided_month", np.int64),  # when the last of its decisions arrives
    ("alive", np.int64),  # 1 from proposal until closed or given up
    ("phase", np.int64),  # 0 not started, 1, 2
    ("end_month", np.int64),  # when its last partner ends
    ("active_smes", np.int64),
    ("partnerships", np.int64),  # between its SMEs, made while it ran
)

# One row per cluster in a consortium; the partners of a project are contiguous.
PARTNER = _record(
    ("project", np.int64),
    ("cluster", np.int64),
    ("funder", np.int64),  # that takes part in this call, -1 none
    ("money", np.int64),  # NO_FUNDER ... NOT_STARTED
    ("request_eur", np.float64),
    ("assessed", np.float64),  # quality as its funder saw it
    ("grant_eur", np.float64),
    ("own_share", np.float64),  # share of the grant paid by its own funder
    ("cause", np.int64),  # of refusal
    ("blocking_funder", np.int64),
    ("short_eur", np.float64),
    ("decision_month", np.int64),
    ("start_month", np.int64),
    ("end_month", np.int64),
    ("paid_eur_month", np.float64),
    ("activity_eur", np.float64),  # a month, for activities with SMEs
    ("effort", np.float64),
    ("dose", np.float64),  # this month
    ("leave_threshold", np.float64),
    ("leave_hazard", np.float64),  # accumulated
    ("first_participation", np.int64),
    ("engaged", np.int64),
    ("active", np.int64),
    ("lost_waiting", np.int64),  # SMEs that lost interest before the start
    ("phase_two_eur", np.float64),
)

# One row per SME engaged by a partner; those of a partner are contiguous.
PARTICIPATION = _record(
    ("sme", np.int64),
    ("partner", np.int64),
    ("is_active", np.int64),
    ("know_threshold", np.float64),
    ("know_hazard", np.float64),
    ("contact_threshold", np.float64),
    ("contact_hazard", np.float64),
    ("contacts", np.int64),
    ("knowledge_month", np.int64),
    ("contact_month", np.int64),
    ("partnership_month", np.int64),
    ("rni_month", np.int64),
    ("contract_month", np.int64),
)

# One row per pair of SMEs of different countries that met; a pair that meets again keeps its row.
TIE = _record(
    ("one", np.int64),
    ("other", np.int64),
    ("participation_one", np.int64),  # in the project that brought them together last
    ("participation_other", np.int64),
    ("call", np.int64),  # of that project
    ("alive", np.int64),
    ("trust", np.float64),
    ("complementarity", np.float64),
    ("distance", np.float64),  # factor on hazards
    ("readiness", np.float64),  # mean of the two, as it was when its promise was last seen; -1 never
    ("promise", np.float64),  # factor on hazards: complementarity, readiness and distance
    ("partnership_month", np.int64),
    ("rni_threshold", np.float64),
    ("rni_hazard", np.float64),
    ("rni_count", np.int64),
    ("contract_threshold", np.float64),
    ("contract_hazard", np.float64),
    ("contract_count", np.int64),
)

# Every event of the run, in order: who, when and why.
EVENT = _record(
    ("month", np.int64),
    ("kind", np.int64),  # position in EVENTS
    ("who", np.int64),
    ("whom", np.int64),
    ("project", np.int64),
    ("amount", np.float64),
)

EVENTS = (
    "meeting", "proposal", "applied", "granted", "refused", "not_started", "started", "went_alone", "given_up",
    "partner_left", "engaged", "knowledge", "contact", "partnership", "rni_collaboration", "contract",
    "met_knowledge", "met_partnership", "met_rni_collaboration", "met_contract",
    "own_knowledge", "own_partnership", "own_rni_collaboration", "own_contract", "displaced", "reviewed",
    "extended", "closed",
)  # fmt: skip
(
    E_MEETING, E_PROPOSAL, E_APPLIED, E_GRANTED, E_REFUSED, E_NOT_STARTED, E_STARTED, E_WENT_ALONE, E_GIVEN_UP,
    E_PARTNER_LEFT, E_ENGAGED, E_KNOWLEDGE, E_CONTACT, E_PARTNERSHIP, E_RNI, E_CONTRACT,
    E_MET_KNOWLEDGE, E_MET_PARTNERSHIP, E_MET_RNI, E_MET_CONTRACT,
    E_OWN_KNOWLEDGE, E_OWN_PARTNERSHIP, E_OWN_RNI, E_OWN_CONTRACT, E_DISPLACED, E_REVIEWED,
    E_EXTENDED, E_CLOSED,
) = range(28)  # fmt: skip

# Rows in use, by table; and flags: a table was too small, so that the run is to be repeated; the world is founded.
N_PROJECTS, N_PARTNERS, N_PARTICIPATIONS, N_TIES, N_EVENTS, N_PATHS, N_DUE, TOO_SMALL, FOUNDED = range(9)


class State(NamedTuple):
    """All that a run remembers; K clusters, M SMEs, F funders, C calls, T months, N countries, S sectors."""

    count: I64  # type: ignore[assignment]  # rows in use, by table (not the count of a tuple)
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


class GivenRules(NamedTuple):
    """`Rules` as kernels read them."""

    calls: Table  # (C,)
    terms: Table  # (C, F)


class GivenWorld(NamedTuple):
    """`World` as kernels read it."""

    countries: Table  # (N,)
    clusters: Table  # (K,)
    funders: Table  # (F,)
    sectors: Table  # (S,)


class Given(NamedTuple):
    """What goes into a run, as kernels read it."""

    parameters: Any  # a record
    rules: GivenRules
    world: GivenWorld


_CLUSTERS = 400  # for which the rows of `Capacity` mostly are enough


class Capacity(NamedTuple):
    """Rows kept for the tables that grow; a run that needs more says so and is repeated with twice as many."""

    projects: int = 512
    participations: int = 16_384
    ties: int = 8_192
    events: int = 65_536
    paths: int = 8_192
    own_contracts: int = 2  # per SME

    def doubled(self) -> "Capacity":
        """The next size up."""
        return Capacity(*(2 * rows for rows in self))

    @classmethod
    def of(cls, world: World) -> "Capacity":
        """Rows in proportion to the clusters: a run of a large world is dear to repeat."""
        rows = cls()
        times = math.ceil(len(world.cluster_country) / _CLUSTERS)
        return rows if times <= 1 else cls(*(times * each for each in rows))._replace(own_contracts=rows.own_contracts)


MAX_PARTNERS = 8

_CALL_FIELDS = Rules._fields[: Rules._fields.index("budget_eur")]
_TERM_FIELDS = Rules._fields[Rules._fields.index("budget_eur") :]


def _columns(source: Any, names: dict[str, str]) -> Table:
    """A record array made of the columns of a tuple, under new names."""
    columns = {new: np.asarray(getattr(source, old)) for new, old in names.items()}
    shape = next(iter(columns.values())).shape
    table = np.empty(shape, _record(*((name, column.dtype.type) for name, column in columns.items())))
    for name, column in columns.items():
        table[name] = column
    return table.view(np.recarray)


def given(parameters: Parameters, rules: Rules, world: World) -> Given:
    """The inputs of a run in the form in which kernels read them."""
    record = np.zeros(1, _record(*((name, np.float64) for name in Parameters._fields))).view(np.recarray)
    record[0] = tuple(float(value) for value in parameters)
    calls = _columns(rules, {name.removeprefix("call_"): name for name in _CALL_FIELDS})
    terms = _columns(rules, {name: name for name in _TERM_FIELDS})
    parts = [
        _columns(world, {name.removeprefix(f"{kind}_"): name for name in World._fields if name.startswith(f"{kind}_")})
        for kind in ("country", "cluster", "funder", "sector")
    ]
    return Given(record[0], GivenRules(calls, terms), GivenWorld(*parts))


def new_state(world: World, rules: Rules, months: int, capacity: Capacity | None = None) -> State:
    """Room for a run; nothing in it is filled yet (`simulator.founding.found` does that)."""
    capacity = capacity or Capacity.of(world)
    clusters, smes = len(world.cluster_country), int(world.cluster_members.sum())
    calls, funders = rules.budget_eur.shape
    groups = (len(world.country_key), len(world.sector_share))

    def table(shape: int | tuple[int, ...], dtype: np.dtype) -> Table:
        return np.empty(shape, dtype).view(np.recarray)

    return State(
        count=np.zeros(FOUNDED + 1, np.int64),
        clusters=table(clusters, CLUSTER),
        familiarity=np.empty((clusters, clusters)),
        trust=np.empty((clusters, clusters)),
        smes=table(smes, SME),
        paths=table(capacity.paths, PATH),
        own=table((capacity.paths, len(OUTCOMES)), OWN_PATH),
        due=np.empty((len(OUTCOMES), months), np.int64),
        touched=np.empty(groups, np.int64),
        calendar=table(capacity.own_contracts * smes, DUE),
        first_due=np.empty((*groups, months), np.int64),
        funders=table(funders, FUNDER),
        ledger=table((calls, funders), LEDGER),
        spent_by_month=np.empty((months, funders)),
        projects=table(capacity.projects, PROJECT),
        partners=table(capacity.projects * MAX_PARTNERS, PARTNER),
        participations=table(capacity.participations, PARTICIPATION),
        ties=table(capacity.ties, TIE),
        slots=np.empty(1 << (2 * capacity.ties - 1).bit_length(), np.int64),
        log=table(capacity.events, EVENT),
    )
