"""The evaluation inside the model: who is asked, who answers, when, and what they say of what happened to them.

Survey answers are not the state of the world. Each partner with a grant is asked when its project ends; it picks
some of its SMEs, rather the successful; clusters speak for the firms that they know. Here expected shares are
computed, which carry no luck of the survey itself; `calibration.survey.sample` draws single answers.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from calibration.evidence.responses import Response
from calibration.survey.top_three import HELP_ITEMS, chances_by_profile
from calibration.survey.who_is_asked import CONTACT, CONTRACT, KNOWLEDGE, RNI, Asked, Survey, who_is_asked
from scenarios import Resolved
from simulator.state import State

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def survey_shares(
    state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response]
) -> Mapping[str, float]:
    """Expected share of each answer, by name of measure; NaN where nobody is asked (a call without projects)."""
    asked = who_is_asked(state, inputs, call, survey, responses)
    return {**_sme_shares(asked, survey), **_cluster_shares(asked, survey)}


def picking_weights(asked: Asked, survey: Survey) -> F64:
    """Odds (n,) at which each firm is picked: by what it reached, and whether it took part at all."""
    first = np.maximum(asked.results[:, KNOWLEDGE], asked.results[:, CONTACT])
    success = np.maximum(0.5 * first, np.maximum(asked.results[:, RNI], asked.results[:, CONTRACT]))
    odds = np.asarray(survey["survey_pick_odds"] ** success)
    return np.where(asked.active > 0, odds, survey["survey_inactive_odds"])


def asked_number(response: Response, survey: Survey) -> float:
    """How many firms a partner that answers asks: as many as answered per cluster, but not below the minimum."""
    return max(response.smes_per_cluster, survey["survey_smes_minimum"])


def inclusion(weights: F64, partner: I64, number: F64) -> F64:
    """Chance (n,) of each firm to be among the `number` (P,) that its partner picks one after the other by odds.

    1 - exp(-rate * weight) with the rate at which they sum to the number: what successive picking comes to
    (Rosén 1972). Everybody with a weight is picked where there are no more than the number.
    """
    partners = len(number)
    eligible = np.bincount(partner, weights > 0, partners)
    total = np.bincount(partner, weights, partners)
    some = number < eligible
    rate = np.where(some, number / np.maximum(total, 1e-12), 0.0)
    for _ in range(60):  # Newton from below on a concave function: rises to the root and never past it
        spared = np.exp(-rate[partner] * weights)
        gap = np.where(some, number - np.bincount(partner, 1.0 - spared, partners), 0.0)
        if np.all(np.abs(gap) < 1e-9):
            break
        rate = rate + np.where(some, gap / np.maximum(np.bincount(partner, weights * spared, partners), 1e-12), 0.0)
    return np.where(some[partner], 1.0 - np.exp(-rate[partner] * weights), (weights > 0).astype(np.float64))


def _sme_shares(asked: Asked, survey: Survey) -> dict[str, float]:
    """Expected share of the SMEs that answer, over the mix of countries that answered."""
    number = np.array([asked_number(response, survey) for response in asked.response])
    chance = inclusion(picking_weights(asked, survey), asked.partner, number)
    answered = np.array([response.smes_answering / asked_number(response, survey) for response in asked.response])
    weight = chance * answered[asked.partner] if len(number) else chance
    danish = np.array([response.country == "DK" for response in asked.response], np.float64)[asked.partner]
    says = {**sme_says(asked, survey), "share_answers_DK": danish}
    return {name: _mean(chance, weight) for name, chance in says.items()}


def _mean(values: F64, weight: F64) -> float:
    """Weighted mean, NaN where there is nobody."""
    total = weight.sum()
    return float(weight @ values / total) if total > 0 else np.nan


def sme_says(asked: Asked, survey: Survey) -> dict[str, F64]:
    """Chance (n,) of each firm to give each answer, if it answers."""
    tick = survey["survey_tick_share"]
    knows, meets, rni, contract = (asked.results[:, item] for item in (KNOWLEDGE, CONTACT, RNI, CONTRACT))
    any_first = np.maximum(knows, meets)
    helpful = np.where(any_first > 0, survey["survey_helpful_result"], survey["survey_helpful_none"])
    profile = (asked.results @ (2 ** np.arange(asked.results.shape[1]))).astype(np.int64)
    top = chances_by_profile(survey["survey_support_match"])[profile]
    return {
        "sme_knowledge": tick * knows,
        "sme_partners": tick * meets,
        "sme_rni": tick * rni,
        "sme_contract": tick * contract,
        "sme_rni_or_contract": 1.0 - (1.0 - tick * rni) * (1.0 - tick * contract),
        "sme_would_not_have": would_not_have(asked.own, survey),
        "sme_cluster_helpful": helpful,
        "sme_top_networking": top[:, HELP_ITEMS.index("networking")],
        "sme_top_market": top[:, HELP_ITEMS.index("market information")],
        "sme_top_exposure": top[:, HELP_ITEMS.index("exposure")],
    }


def would_not_have(own: F64, survey: Survey) -> F64:
    """Chance of the statement "we would not have done it": truth and what is said are two things."""
    return own * survey["survey_says_never"] + (1.0 - own) * (1.0 - survey["survey_says_anyway"])


def _cluster_shares(asked: Asked, survey: Survey) -> dict[str, float]:
    """Expected share of clusters that report a result: any of the firms that they have in mind."""
    weight = np.array([response.cluster_share for response in asked.response])
    return {name: _mean(chance, weight) for name, chance in cluster_says(asked, survey).items()}


def cluster_says(asked: Asked, survey: Survey) -> dict[str, F64]:
    """Chance (P,) of each cluster to report each result."""
    partners = len(asked.response)
    firms = _sums(asked.partner, asked.active, partners)
    having = [_sums(asked.partner, asked.active * asked.results[:, item], partners) for item in range(CONTRACT)]
    knows, meets, rni = (any_of_known(firms, number, survey["survey_known_firms"]) for number in having)
    return {
        "cluster_knowledge": knows,
        "cluster_partners": meets,
        "cluster_rni": rni + (1.0 - rni) * survey["survey_plans_share"],
    }


def _sums(place: I64, values: F64, places: int) -> F64:
    return np.bincount(place, values, places).astype(np.float64)


def any_of_known(firms: F64, having: F64, known: float) -> F64:
    """Chance that at least one of `known` firms, out of `firms` of which `having` have it, has it.

    Without replacement; a number of known firms that is not whole interpolates smoothly. Firms of one project share
    its effect, which makes results of a cluster's firms alike.
    """
    k = np.minimum(known, firms)
    without = firms - having
    miss = np.maximum(without, k)  # the value where it counts; elsewhere nobody can be missed
    log_none = gammaln(miss + 1) - gammaln(miss - k + 1) - gammaln(firms + 1) + gammaln(firms - k + 1)
    return np.where(without >= k, 1.0 - np.exp(log_none), 1.0) * (firms > 0)
