"""Who is asked in the evaluation's survey, and what their firms have by the day on which they are asked."""

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
Survey = Mapping[str, float]  # values of the survey layer, by name

KNOWLEDGE, CONTACT, RNI, CONTRACT, OTHER_SECTOR = range(5)


class Population(NamedTuple):
    """The partners that are asked (P) and their firms (n).

    Parameters
    ----------
    response : list of Response, length P
        How the partner's country answered.
    cluster, project : ndarray of int64, shape (P,)
        Rows of the partners' clusters and projects.
    partner : ndarray of int64, shape (n,)
        The index of a firm's partner among the P.
    sme : ndarray of int64, shape (n,)
        Rows of the firms.
    active : ndarray of float64, shape (n,)
        1 for a firm that really took part, else 0.
    results : ndarray of float64, shape (n, 5)
        1 for each of KNOWLEDGE ... OTHER_SECTOR that the firm has from the project by the day of the survey, else 0.
    own_chance : ndarray of float64, shape (n,)
        The chance that the firm's own path brings a result by then.
    """

    response: list[Response]
    cluster: I64
    project: I64
    partner: I64
    sme: I64
    active: F64
    results: F64
    own_chance: F64


def survey_population(
    state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response]
) -> Population:
    """Return who is asked about a call: partners with a grant that worked to the end of their project, and their firms.

    Parameters
    ----------
    state : State
        Of a finished run.
    inputs : Resolved
        Of this run.
    call : int
        The row of the call.
    survey : mapping of str to float
        Values of the survey layer.
    responses : mapping of str to Response
        By country; partners of other countries are not asked.
    """
    partners = state.partners
    codes = [inputs.country_codes[country] for country in inputs.world.funder_country]
    rows = _partners_asked(state, call, np.array([code in responses for code in codes]))
    last = inputs.rules.calls.close_month[call] + int(survey["survey_close_months"])
    day = np.minimum(partners.end_month[rows], last)
    partner = np.repeat(np.arange(len(rows)), partners.engaged[rows])
    firms = _firms(partners.first_participation[rows], partners.engaged[rows])
    participations = state.participations[firms]
    months = (day - partners.start_month[rows])[partner]
    return Population(
        response=[responses[codes[funder]] for funder in partners.funder[rows]],
        cluster=partners.cluster[rows],
        project=partners.project[rows],
        partner=partner,
        sme=participations.sme,
        active=participations.is_active.astype(np.float64),
        results=_results(state, firms, day[partner]),
        own_chance=own_chance(inputs, state.smes.found_readiness[participations.sme], months),
    )


def _partners_asked(state: State, call: int, funder_is_asked: npt.NDArray[np.bool_]) -> I64:
    """Return the rows of partners of a call with a grant that worked to the end, of funders that are asked."""
    partners = state.rows("partners")
    asked = (state.projects.call[partners.project] == call) & (partners.money == FUNDED)
    stayed = partners.leave_hazard < partners.leave_threshold
    asked &= (partners.start_month != NEVER) & (partners.engaged > 0) & stayed & funder_is_asked[partners.funder]
    return np.asarray(np.flatnonzero(asked))


def _firms(first: I64, number: I64) -> I64:
    """Return rows first, first + 1 ... of each partner's participations, one partner after the other."""
    before = np.cumsum(number) - number
    return np.asarray(np.arange(number.sum()) + np.repeat(first - before, number))


def _results(state: State, firms: I64, day: I64) -> F64:
    """Return what each firm has from its project before the day: (n, 5) of 0 and 1."""
    t = state.participations
    ties = state.rows("ties")
    differ = state.smes.sector[ties.one] != state.smes.sector[ties.other]
    across = np.zeros(state.used.participations, bool)
    across[ties.participation_one[differ]] = True
    across[ties.participation_other[differ]] = True
    months = (t.knowledge_month[firms], t.contact_month[firms], t.rni_month[firms], t.contract_month[firms])
    has = [(month != NEVER) & (month < day) for month in months]
    return np.stack([*has, has[CONTACT] & across[firms]], axis=1).astype(np.float64)


def own_chance(inputs: Resolved, readiness: F64, months: I64) -> F64:
    """Return the chance that a firm's own path brings any of its four outcomes.

    Parameters
    ----------
    inputs : Resolved
    readiness : ndarray of float64, shape (n,)
        At the start of the run.
    months : ndarray of int64, shape (n,)
        How long.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    p = inputs.parameters
    base = p.own_h_knowledge + p.own_h_partnership + p.own_h_rni + p.own_h_contract
    hazard = base * p.own_readiness_slope ** (readiness - p.readiness_mean)
    return np.asarray(1.0 - np.exp(-hazard * months))
