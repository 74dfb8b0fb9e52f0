"""One run in full: every event with who, when and why, and the tables behind it, as frames.

Of a world of more than MOST_SMES, the SMEs that the programme touched and their events.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from experiments.runs.cells import run_seed
from scenarios import Resolved
from simulator.ensemble import own_events, simulate
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import CAUSES
from simulator.outcomes.events import OutcomeEvent
from simulator.records import NEVER, NOBODY, Table
from simulator.state import EVENTS, State

MOST_TRACED = 5_000_000  # SMEs of a world whose first run is told in full: it is run once more for that
MOST_SMES = 200_000  # of which each is told of, whether the programme touched it or not
MONEY = ("no funder", "not applied", "funded", "refused", "not started")
SIZES = ("micro", "small", "medium")
# What `whom` names, by kind of event; `who` is an SME from the first outcome on, but for reviews and the like.
_WHOM_FUNDER = (
    CallEvent.APPLIED,
    CallEvent.GRANTED,
    CallEvent.REFUSED,
    CallEvent.NOT_STARTED,
    CallEvent.STARTED,
    CallEvent.EXTENDED,
)
_WHOM_SME = (OutcomeEvent.CONTACT, *range(OutcomeEvent.CONTACT + 1, OutcomeEvent.CONTRACT + 1), OutcomeEvent.DISPLACED)


def trace(inputs: Resolved, seed: int, draw: int = 0, run: int = 0) -> dict[str, pd.DataFrame]:
    """The events and tables of one run of a study: `events`, `clusters`, `smes`, `projects`, `partners`,
    `participations`, `ties`. Months are dates (first of the month); EUR columns end in _eur.

    Any figure of the run can be traced in them to who, when and why.
    """
    luck = run_seed(seed, draw, run)
    state = simulate(inputs, luck)
    names = _Names(inputs, state)
    told: Any = np.arange(len(state.smes))
    log = state.rows("log")
    if len(state.smes) <= MOST_SMES:
        log = np.concatenate([log, own_events(inputs, luck, state)])
        log = log[np.argsort(log["month"], kind="stable")]
    else:
        told = np.flatnonzero(state.smes.path != NOBODY)
    return {
        "events": _events(log.view(np.recarray), names),
        "clusters": _clusters(inputs, state, names),
        "smes": _smes(inputs, state, names, told),
        "projects": _projects(inputs, state, names),
        "partners": _partners(inputs, state, names),
        "participations": _participations(state, names),
        "ties": _ties(inputs, state, names),
    }


class _Names:
    """Readable names of rows: DK-03 the third cluster of DK, DK-03/12 its twelfth member, 2015/DK-03 its project."""

    def __init__(self, inputs: Resolved, state: State) -> None:
        country = np.array(inputs.country_codes, object)[inputs.world.cluster_country]
        rank = inputs.world.cluster_rank + 1
        self.cluster = np.array([f"{c}-{r:02d}" for c, r in zip(country, rank, strict=True)], object)
        self._state = state
        self.funder = np.array(inputs.funder_codes, object)
        projects = state.rows("projects")
        years = np.array(inputs.call_years)[projects.call]
        self.project = np.array([f"{y}/{c}" for y, c in zip(years, self.cluster[projects.lead], strict=True)], object)
        self.months = np.array(
            [np.datetime64(f"{inputs.call_years[0]}-01", "M") + month for month in range(inputs.months + 600)]
        ).astype("datetime64[s]")

    def of(self, kind: np.ndarray, rows: Any) -> np.ndarray:
        """Names of rows, None where there is nobody."""
        return _where_somebody(rows, lambda there: kind[there])

    def smes(self, rows: Any) -> np.ndarray:
        """Names of SMEs by row, None where there is nobody."""
        return _where_somebody(rows, self._members)

    def _members(self, rows: np.ndarray) -> np.ndarray:
        those, back = np.unique(rows, return_inverse=True)
        cluster = self._state.smes.cluster[those]
        member = those - self._state.clusters.first_sme[cluster] + 1
        names = [f"{c}/{m}" for c, m in zip(self.cluster[cluster], member, strict=True)]
        return np.array(names, object)[back] if names else np.empty(0, object)

    def date(self, months: Any) -> pd.Series:
        """Dates of months, NaT for never."""
        months = np.asarray(months)
        return pd.Series(self.months[np.maximum(months, 0)]).where(months != NEVER)


def _where_somebody(rows: Any, name: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    rows = np.asarray(rows)
    found = np.full(len(rows), None, object)
    there = rows != NOBODY
    found[there] = name(rows[there])
    return found


def _events(log: Table, names: _Names) -> pd.DataFrame:
    kind = np.asarray(log.kind)
    about_sme = (kind >= OutcomeEvent.KNOWLEDGE) & (kind <= OutcomeEvent.CONTRACT) | (kind > OutcomeEvent.CONTRACT) & (
        kind <= OutcomeEvent.OWN_CONTRACT
    )
    about_sme |= kind == OutcomeEvent.DISPLACED
    who = np.where(about_sme, names.smes(np.where(about_sme, log.who, NOBODY)),
                   names.of(names.cluster, np.where(about_sme, NOBODY, log.who)))  # fmt: skip
    whom = np.full(len(kind), None, object)
    for those, table in ((_WHOM_FUNDER, names.funder), ((CallEvent.MEETING,), names.cluster)):
        chosen = np.isin(kind, those)
        whom[chosen] = names.of(table, log.whom[chosen])
    chosen = np.isin(kind, _WHOM_SME)
    whom[chosen] = names.smes(log.whom[chosen])
    return pd.DataFrame(
        {
            "date": names.date(log.month),
            "event": pd.Categorical.from_codes(kind, list(EVENTS)),
            "who": who,
            "whom": whom,
            "project": names.of(names.project, log.project),
            "amount": np.asarray(log.amount),
        }
    )


def _clusters(inputs: Resolved, state: State, names: _Names) -> pd.DataFrame:
    t = state.clusters
    return pd.DataFrame(
        {
            "cluster": names.cluster,
            "country": np.array(inputs.country_codes, object)[t.country],
            "sector": np.array(inputs.sector_names, object)[t.sector],
            "members": t.members,
            "excellence": t.excellence,
            "focus": t.focus,
            "capacity": t.capacity,
            "experience": t.experience,
        }
    )


def _smes(inputs: Resolved, state: State, names: _Names, rows: np.ndarray) -> pd.DataFrame:
    t = state.smes[rows]
    return pd.DataFrame(
        {
            "sme": names.smes(rows),
            "cluster": names.cluster[t.cluster],
            "sector": np.array(inputs.sector_names, object)[t.sector],
            "size": np.array(SIZES, object)[t.size_class],
            "readiness": t.readiness,
            "spare_time": t.spare_time,
        }
    )


def _projects(inputs: Resolved, state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("projects")
    return pd.DataFrame(
        {
            "project": names.project,
            "call": np.array(inputs.call_years)[t.call],
            "lead": names.cluster[t.lead],
            "partners": t.partners,
            "kind": np.array(("workshop", "network", "broadcast"), object)[t.kind],
            "top_down": t.top_down == 1,
            "quality": t.quality,
            "joint_score": t.joint_score,
            "threshold": t.threshold,
            "decided": names.date(t.decided_month),
            "phase": t.phase,
            "end": names.date(t.end_month),
            "active_smes": t.active_smes,
            "partnerships": t.partnerships,
        }
    )


def _partners(inputs: Resolved, state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("partners")
    return pd.DataFrame(
        {
            "project": names.project[t.project],
            "cluster": names.cluster[t.cluster],
            "funder": names.of(names.funder, t.funder),
            "money": np.array(MONEY, object)[t.money],
            "request_eur": t.request_eur,
            "grant_eur": t.grant_eur,
            "phase_two_eur": t.phase_two_eur,
            "refused_because": np.array(CAUSES, object)[t.cause],
            "blocking_funder": names.of(names.funder, t.blocking_funder),
            "short_eur": t.short_eur,
            "decision": names.date(t.decision_month),
            "start": names.date(t.start_month),
            "end": names.date(t.end_month),
            "engaged": t.engaged,
            "active": t.active,
            "lost_waiting": t.lost_waiting,
        }
    )


def _participations(state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("participations")
    dates = ("knowledge", "contact", "partnership", "rni", "contract")
    return pd.DataFrame(
        {
            "sme": names.smes(t.sme),
            "project": names.project[state.partners.project[t.partner]],
            "active": t.is_active == 1,
            "contacts": t.contacts,
        }
        | {f"first_{name}": names.date(t[f"{name}_month"]) for name in dates}
    )


def _ties(inputs: Resolved, state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("ties")
    return pd.DataFrame(
        {
            "one": names.smes(t.one),
            "other": names.smes(t.other),
            "call": np.array(inputs.call_years)[t.call],
            "trust": t.trust,
            "complementarity": t.complementarity,
            "partnership": names.date(t.partnership_month),
            "rni_collaborations": t.rni_count,
            "contracts": t.contract_count,
        }
    )
