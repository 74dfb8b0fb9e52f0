"""Who is asked in the evaluation's survey, and what has happened to their firms by the day that they are asked."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from calibration.evidence.responses import Response
from scenarios import Resolved
from simulator.instruments.calls.tables import FUNDED
from simulator.records import NEVER
from simulator.state import State

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Survey = Mapping[str, float]

KNOWLEDGE, CONTACT, RNI, CONTRACT, OTHER_SECTOR = range(5)


class Asked(NamedTuple):
    """The firms of the partners that are asked: P partners, n firms, results by KNOWLEDGE ... OTHER_SECTOR."""

    response: list[Response]  # (P,) how the partner's country answered
    cluster: I64  # (P,) rows of the partners' clusters
    project: I64  # (P,) rows of their projects
    partner: I64  # (n,) place of a firm's partner among the P
    sme: I64  # (n,) row
    active: F64  # (n,) 1 if it really took part
    results: F64  # (n, 5) 1 for what it has from the project by the day of the survey
    own: F64  # (n,) chance that its own path would have brought a result by then


def who_is_asked(state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response]) -> Asked:
    """Partners with a grant whose project came to its end, where their country answers at all; and their firms."""
    partners = state.partners
    codes = [inputs.country_codes[country] for country in inputs.world.funder_country]
    rows = _partners_asked(state, call, np.array([code in responses for code in codes]))
    last = inputs.rules.calls.close_month[call] + int(survey["survey_close_months"])
    day = np.minimum(partners.end_month[rows], last)
    place = np.repeat(np.arange(len(rows)), partners.engaged[rows])
    firms = _firms(partners.first_participation[rows], partners.engaged[rows])
    t = state.participations[firms]
    months = (day - partners.start_month[rows])[place]
    return Asked(
        response=[responses[codes[f]] for f in partners.funder[rows]],
        cluster=partners.cluster[rows],
        project=partners.project[rows],
        partner=place,
        sme=t.sme,
        active=t.is_active.astype(np.float64),
        results=_results(state, firms, day[place]),
        own=own_chance(inputs, state.smes.found_readiness[t.sme], months),
    )


def _partners_asked(state: State, call: int, answers: npt.NDArray[np.bool_]) -> I64:
    """Rows of partners of a call with a grant that worked to the end, of funders whose clusters are asked."""
    partners = state.rows("partners")
    taken = (state.projects.call[partners.project] == call) & (partners.money == FUNDED)
    stayed = partners.leave_hazard < partners.leave_threshold
    taken &= (partners.start_month != NEVER) & (partners.engaged > 0) & stayed & answers[partners.funder]
    return np.flatnonzero(taken)


def _firms(first: I64, number: I64) -> I64:
    """Rows first, first + 1 ... of each partner's participations, one partner after the other."""
    before = np.cumsum(number) - number
    return np.arange(number.sum()) + np.repeat(first - before, number)


def _results(state: State, firms: I64, day: I64) -> F64:
    """What each firm has from its project before the day: (n, 5) of 0 and 1."""
    t = state.participations
    ties = state.rows("ties")
    differ = state.smes.sector[ties.one] != state.smes.sector[ties.other]
    across = np.zeros(state.used.participations, bool)
    across[ties.participation_one[differ]] = True
    across[ties.participation_other[differ]] = True
    months = (t.knowledge_month[firms], t.contact_month[firms], t.rni_month[firms], t.contract_month[firms])
    had = [(month != NEVER) & (month < day) for month in months]
    return np.stack([*had, had[CONTACT] & across[firms]], axis=1).astype(np.float64)


def own_chance(inputs: Resolved, readiness: F64, months: I64) -> F64:
    """Chance that a firm's own path, as it was found, brings any of its four outcomes within so many months."""
    p = inputs.parameters
    base = p.own_h_knowledge + p.own_h_partnership + p.own_h_rni + p.own_h_contract
    hazard = base * p.own_readiness_slope ** (readiness - p.readiness_mean)
    return np.asarray(1.0 - np.exp(-hazard * months))
