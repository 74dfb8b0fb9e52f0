"""The evaluation inside the model: who is asked, who answers, when, and what they say of what happened to them.

Survey answers are not the state of the world. Each partner with a grant is asked when its project ends; it picks
some of its SMEs, rather the successful; clusters report for the firms that they know. This file computes expected
shares, which carry no luck of the survey itself; `calibration.survey.sampled_answers` draws single answers.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from calibration.evidence.responses import Response
from calibration.survey.population import CONTACT, CONTRACT, KNOWLEDGE, RNI, Population, Survey, survey_population
from calibration.survey.top_three import HELP_ITEMS, TOP_ITEMS, chances_by_profile, profiles
from scenarios import Resolved
from simulator.state import State

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def survey_shares(
    state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response]
) -> dict[str, float]:
    """Return the expected share of each answer about a call.

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
        Who answered, by country.

    Returns
    -------
    dict of str to float
        By name of measure; NaN if nobody is asked (a call without projects).
    """
    population = survey_population(state, inputs, call, survey, responses)
    return {
        **sme_shares(population, survey),
        **country_shares(population, survey, funding_countries(inputs)),
        **cluster_shares(population, survey),
    }


def funding_countries(inputs: Resolved) -> tuple[str, ...]:
    """Return the codes of the countries that have a funder."""
    return tuple(inputs.country_codes[country] for country in inputs.world.funder_country)


def picking_weights(population: Population, survey: Survey) -> F64:
    """Return the odds (n,) at which each firm is picked, from its results and whether it took part at all.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    """
    results = population.results
    first = np.maximum(results[:, KNOWLEDGE], results[:, CONTACT])
    success = np.maximum(0.5 * first, np.maximum(results[:, RNI], results[:, CONTRACT]))
    odds = np.asarray(survey["survey_pick_odds"] ** success)
    return np.where(population.active > 0, odds, survey["survey_inactive_odds"])


def firms_picked(response: Response, survey: Survey) -> float:
    """Return how many firms an answering partner picks: as many as answered per cluster, but not below the minimum.

    Parameters
    ----------
    response : Response
        Of the partner's country.
    survey : mapping of str to float
        Values of the survey layer.
    """
    return max(response.smes_per_cluster, survey["survey_smes_minimum"])


def inclusion(weights: F64, partner: I64, number: F64) -> F64:
    """Return the chance of each firm to be picked, if each partner picks firms one after the other by odds.

    It is 1 - exp(-rate * weight), with the rate at which the chances of a partner's firms sum to its number: the limit
    of successive picking (Rosén 1972). If the number is not below the number of firms with a weight, all these are
    picked.

    Parameters
    ----------
    weights : ndarray of float64, shape (n,)
        The odds of each firm, 0 or more.
    partner : ndarray of int64, shape (n,)
        The index of each firm's partner among the P.
    number : ndarray of float64, shape (P,)
        How many firms each partner picks.

    Returns
    -------
    ndarray of float64, shape (n,)
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


def sme_shares(population: Population, survey: Survey) -> dict[str, float]:
    """Return the expected share of SMEs that give each answer, over the mix of countries that answered.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    """
    weight = _answer_weights(population, survey)
    return {name: _mean(chance, weight) for name, chance in sme_answers(population, survey).items()}


def country_shares(population: Population, survey: Survey, countries: tuple[str, ...]) -> dict[str, float]:
    """Return the expected share of SME answers that come from each country.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    countries : tuple of str
        Their codes.
    """
    weight = _answer_weights(population, survey)
    shares = {}
    for country in countries:
        is_from = np.array([response.country == country for response in population.response], np.float64)
        shares[f"share_answers_{country}"] = _mean(is_from[population.partner], weight)
    return shares


def _answer_weights(population: Population, survey: Survey) -> F64:
    """Return the chance (n,) of each firm to answer."""
    number = np.array([firms_picked(response, survey) for response in population.response])
    chance = inclusion(picking_weights(population, survey), population.partner, number)
    if not len(number):
        return chance
    answered = np.array([response.smes_answering / firms_picked(response, survey) for response in population.response])
    return np.asarray(chance * answered[population.partner])


def _mean(values: F64, weight: F64) -> float:
    """Return the weighted mean, NaN without any weight."""
    total = weight.sum()
    return float(weight @ values / total) if total > 0 else np.nan


def sme_answers(population: Population, survey: Survey) -> dict[str, F64]:
    """Return the chance (n,) of each firm to give each answer, if it answers; by name of measure.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    """
    tick = survey["survey_tick_share"]
    knows, meets, rni, contract = (population.results[:, item] for item in (KNOWLEDGE, CONTACT, RNI, CONTRACT))
    any_first = np.maximum(knows, meets)
    helpful = np.where(any_first > 0, survey["survey_helpful_result"], survey["survey_helpful_none"])
    top = chances_by_profile(survey["survey_support_match"])[profiles(population.results)]
    return {
        "sme_knowledge": tick * knows,
        "sme_partners": tick * meets,
        "sme_rni": tick * rni,
        "sme_contract": tick * contract,
        "sme_rni_or_contract": 1.0 - (1.0 - tick * rni) * (1.0 - tick * contract),
        "sme_would_not_have": would_not_have(population.own_chance, survey),
        "sme_cluster_helpful": helpful,
        **{name: top[:, HELP_ITEMS.index(item)] for name, item in TOP_ITEMS.items()},
    }


def would_not_have(own_chance: F64, survey: Survey) -> F64:
    """Return the chance of the statement "we would not have done it", true or not.

    Parameters
    ----------
    own_chance : ndarray of float64, shape (n,)
        The chance that the firm's own path brings a result.
    survey : mapping of str to float
        Values of the survey layer.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    return own_chance * survey["survey_says_never"] + (1.0 - own_chance) * (1.0 - survey["survey_says_anyway"])


def cluster_shares(population: Population, survey: Survey) -> dict[str, float]:
    """Return the expected share of clusters that report each result: any of the firms that they know has it.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    """
    weight = np.array([response.cluster_share for response in population.response])
    return {name: _mean(chance, weight) for name, chance in cluster_answers(population, survey).items()}


def cluster_answers(population: Population, survey: Survey) -> dict[str, F64]:
    """Return the chance (P,) of each cluster to report each result; by name of measure.

    Parameters
    ----------
    population : Population
    survey : mapping of str to float
        Values of the survey layer.
    """
    partners = len(population.response)
    firms = _sums(population.partner, population.active, partners)
    having = [
        _sums(population.partner, population.active * population.results[:, item], partners) for item in range(CONTRACT)
    ]
    knows, meets, rni = (any_of_known(firms, number, survey["survey_known_firms"]) for number in having)
    return {
        "cluster_knowledge": knows,
        "cluster_partners": meets,
        "cluster_rni": rni + (1.0 - rni) * survey["survey_plans_share"],
    }


def _sums(partner: I64, values: F64, partners: int) -> F64:
    return np.bincount(partner, values, partners).astype(np.float64)


def any_of_known(firms: F64, having: F64, known: float) -> F64:
    """Return the chance that at least one of the firms that a cluster knows has a result.

    The known firms are drawn without replacement; a number that is not whole interpolates smoothly. Firms of one
    project share its effect, so results of a cluster's firms are alike.

    Parameters
    ----------
    firms : ndarray of float64, shape (P,)
        Firms of each cluster in the project.
    having : ndarray of float64, shape (P,)
        Those of them that have the result.
    known : float
        How many a cluster knows.

    Returns
    -------
    ndarray of float64, shape (P,)
    """
    k = np.minimum(known, firms)
    without = firms - having
    miss = np.maximum(without, k)  # the value where it counts; elsewhere nobody can be missed
    log_none = gammaln(miss + 1) - gammaln(miss - k + 1) - gammaln(firms + 1) + gammaln(firms - k + 1)
    return np.where(without >= k, 1.0 - np.exp(log_none), 1.0) * (firms > 0)
