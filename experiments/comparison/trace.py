"""One run in full: every event with who, when and why, and the tables behind it, as frames.

Of a world of more than MOST_SMES, only the SMEs that the programme touched and their events.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.runs.cells import run_seed
from scenarios import Resolved
from simulator.ensemble import own_events, simulate
from simulator.instruments import INSTRUMENTS
from simulator.instruments.calls.tables import CAUSES, KINDS, MONEY
from simulator.records import NEVER, NOBODY, Table
from simulator.state import EVENTS, KINDS_OF_EVENTS, State
from simulator.world.tables import SIZE_CLASSES

MOST_TRACED = 5_000_000  # SMEs of a world whose first run is traced: it is run once more for that
MOST_SMES = 200_000  # up to here all SMEs are listed, whether the programme touched them or not

Rows = npt.NDArray[np.int64]
Names = npt.NDArray[np.object_]


def trace(inputs: Resolved, seed: int, draw: int = 0, run: int = 0) -> dict[str, pd.DataFrame]:
    """Return the events and tables of one run, so that any figure of it can be followed to who, when and why.

    Parameters
    ----------
    inputs : Resolved
        What the run needs.
    seed : int
        Seed of the study.
    draw, run : int
        Number of the draw, and of the run in it.

    Returns
    -------
    dict of DataFrame
        `events`, `clusters`, `smes`, `projects`, `partners`, `participations`, `ties`. Months are dates (first of the
        month); EUR columns end in _eur; names of clusters, SMEs and projects are unique, so that tables can be joined.
    """
    luck = run_seed(seed, draw, run)
    state = simulate(inputs, luck)
    names = _Names(inputs, state)
    log = state.rows("log")
    smes: Rows = np.arange(len(state.smes))
    if len(smes) <= MOST_SMES:
        log = np.concatenate([log, own_events(inputs, luck, state)])
        log = log[np.argsort(log["month"], kind="stable")]
    else:
        smes = np.flatnonzero(state.smes.path != NOBODY)
    return {
        "events": _events(log.view(np.recarray), names),
        "clusters": _clusters(inputs, state, names),
        "smes": _smes(inputs, state, names, smes),
        "projects": _projects(state, names),
        "partners": _partners(state, names),
        "participations": _participations(state, names),
        "ties": _ties(state, names),
    }


class _Names:
    """Unique names of rows.

    DK-03 is the third cluster of DK, DK-03/12 its twelfth member, 2015/DK-03 the project that it leads in the call of
    2015; where it leads several they are 2015/DK-03/1, 2015/DK-03/2 ...
    """

    def __init__(self, inputs: Resolved, state: State) -> None:
        country = np.array(inputs.country_codes, object)[inputs.world.cluster_country]
        rank = inputs.world.cluster_rank + 1
        self.cluster = np.array([f"{c}-{r:02d}" for c, r in zip(country, rank, strict=True)], object)
        self._state = state
        self.funder = np.array(inputs.funder_codes, object)
        self.call = np.array(inputs.call_years, object)
        self.project = self._projects(state.rows("projects"))
        self.months = np.array(
            [np.datetime64(f"{inputs.call_years[0]}-01", "M") + month for month in range(inputs.months + 600)]
        ).astype("datetime64[s]")

    def _projects(self, projects: Table) -> Names:
        """Return the names of the projects: call, lead, and a number where the lead has several in the call."""
        frame = pd.DataFrame({"call": projects.call, "lead": projects.lead})
        of_lead = frame.groupby(["call", "lead"])
        number, several = of_lead.cumcount() + 1, of_lead["lead"].transform("size") > 1
        leads = zip(self.call[projects.call], self.cluster[projects.lead], number, several, strict=True)
        return np.array([f"{year}/{lead}/{n}" if more else f"{year}/{lead}" for year, lead, n, more in leads], object)

    def of(self, kind: Names, rows: Any) -> Names:
        """Return the names of rows, None where there is nobody."""
        return _where_somebody(rows, lambda there: kind[there])

    def smes(self, rows: Any) -> Names:
        """Return the names of SMEs by row, None where there is nobody."""
        return _where_somebody(rows, self._members)

    def parties(self, party: str, rows: Any) -> Names:
        """Return the names of one kind of party of events: "cluster", "SME" or "funder"."""
        return (
            self.smes(rows)
            if party == "SME"
            else self.of({"cluster": self.cluster, "funder": self.funder}[party], rows)
        )

    def _members(self, rows: Rows) -> Names:
        distinct, back = np.unique(rows, return_inverse=True)
        cluster = self._state.smes.cluster[distinct]
        member = distinct - self._state.clusters.first_sme[cluster] + 1
        names = [f"{c}/{m}" for c, m in zip(self.cluster[cluster], member, strict=True)]
        return np.array(names, object)[back] if names else np.empty(0, object)

    def date(self, months: Any) -> pd.Series:
        """Return the dates of months, NaT for never."""
        months = np.asarray(months)
        return pd.Series(self.months[np.maximum(months, 0)]).where(months != NEVER)


def _where_somebody(rows: Any, name: Callable[[Rows], Names]) -> Names:
    rows = np.asarray(rows)
    names = np.full(len(rows), None, object)
    there = rows != NOBODY
    names[there] = name(rows[there])
    return names


def _events(log: Table, names: _Names) -> pd.DataFrame:
    kind = np.asarray(log.kind)
    return pd.DataFrame(
        {
            "date": names.date(log.month),
            "event": pd.Categorical.from_codes(kind, list(EVENTS)),
            "who": _parties(kind, [each.who for each in KINDS_OF_EVENTS], log.who, names),
            "whom": _parties(kind, [each.whom for each in KINDS_OF_EVENTS], log.whom, names),
            "project": names.of(names.project, log.project),
            "amount": np.asarray(log.amount),
            "call": names.of(names.call, log.call),
            "origin": names.of(np.array(INSTRUMENTS, object), log.origin),
        }
    )


def _parties(kind: Rows, by_kind: list[Any], rows: Rows, names: _Names) -> Names:
    """Return the names of one side of events; `by_kind`: what that side is for each kind of event, None for nobody."""
    parties = np.full(len(kind), None, object)
    party = np.array(by_kind, object)[kind]
    for each in {party for party in by_kind if party}:
        those = party == each
        parties[those] = names.parties(each, rows[those])
    return parties


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


def _smes(inputs: Resolved, state: State, names: _Names, rows: Rows) -> pd.DataFrame:
    t = state.smes[rows]
    return pd.DataFrame(
        {
            "sme": names.smes(rows),
            "cluster": names.cluster[t.cluster],
            "sector": np.array(inputs.sector_names, object)[t.sector],
            "size": np.array(SIZE_CLASSES, object)[t.size_class],
            "readiness": t.readiness,
            "spare_time": t.spare_time,
        }
    )


def _projects(state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("projects")
    return pd.DataFrame(
        {
            "project": names.project,
            "call": names.call[t.call].astype(int),
            "lead": names.cluster[t.lead],
            "partners": t.partners,
            "kind": np.array(KINDS, object)[t.kind],
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


def _partners(state: State, names: _Names) -> pd.DataFrame:
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


def _ties(state: State, names: _Names) -> pd.DataFrame:
    t = state.rows("ties")
    return pd.DataFrame(
        {
            "one": names.smes(t.one),
            "other": names.smes(t.other),
            "call": names.call[t.call].astype(int),
            "trust": t.trust,
            "complementarity": t.complementarity,
            "partnership": names.date(t.partnership_month),
            "rni_collaborations": t.rni_count,
            "contracts": t.contract_count,
        }
    )
