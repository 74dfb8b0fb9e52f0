"""One evaluation as it would have come in: single answers, counted into the tables that the real one prints.

Expected shares (`calibration.survey.expected_shares`) are for fitting. These tables carry the luck of who was picked
and what each said, so they can be compared with the real tables.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from calibration.evidence.responses import Response
from calibration.survey import draws
from calibration.survey.expected_shares import (
    cluster_answers,
    firms_picked,
    funding_countries,
    picking_weights,
    sme_answers,
)
from calibration.survey.population import Population, Survey, survey_population
from calibration.survey.top_three import HELP_ITEMS, TOP_ITEMS, profiles, worths_by_profile
from scenarios import Resolved
from simulator.state import State

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ITEMS_A_YEAR = 4096  # of one decision: the time key of a draw is the year times this, and the item


class Answers(NamedTuple):
    """How many said something, of how many."""

    said: int
    of: int

    @property
    def share(self) -> float:
        """The share that said so; NaN if nobody answered."""
        return self.said / self.of if self.of else np.nan


def survey_answers(
    state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response], seed: int
) -> dict[str, Answers]:
    """Sample the answers of one survey about a call.

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
    seed : int
        Of the survey's luck.

    Returns
    -------
    dict of str to Answers
        By name of measure.
    """
    population = survey_population(state, inputs, call, survey, responses)
    lottery = _Lottery(state, population, seed, int(inputs.rules.calls.year[call]))
    responds = lottery.partners(draws.ANSWERS) < np.array([response.cluster_share for response in population.response])
    answering = _respondents(population, survey, lottery, responds)
    clusters = {
        name: _count(lottery.partners(draws.REPORTED, item) < chance, responds)
        for item, (name, chance) in enumerate(cluster_answers(population, survey).items())
    }
    return {
        **_sme_answers(population, survey, lottery, answering),
        **_country_answers(population, funding_countries(inputs), answering),
        **clusters,
    }


class _Lottery:
    """Draws for the partners and firms that are asked, by identity and so in any order."""

    def __init__(self, state: State, population: Population, seed: int, year: int) -> None:
        self.seed, self.year = seed, year
        self.cluster = state.clusters.identity[population.cluster]
        self.project = state.projects.identity[population.project]
        self.sme = state.smes.identity[population.sme]
        self.partner = population.partner

    def partners(self, decision: int, item: int = 0) -> F64:
        """Return one number (P,) per partner."""
        return draws.uniforms(self.seed, decision, self.year * ITEMS_A_YEAR + item, self.cluster, self.project)

    def firms(self, decision: int, item: int = 0) -> F64:
        """Return one number (n,) per firm."""
        whom = self.project[self.partner]
        return draws.uniforms(self.seed, decision, self.year * ITEMS_A_YEAR + item, self.sme, whom)


def _respondents(population: Population, survey: Survey, lottery: _Lottery, responds: Bools) -> Bools:
    """Return which firms (n,) answer: picked one after the other by odds, and passed on by a cluster that answers."""
    number = np.array([firms_picked(response, survey) for response in population.response])
    whole = np.floor(number + lottery.partners(draws.NUMBER))
    weights = picking_weights(population, survey)
    with np.errstate(divide="ignore"):
        race = -np.log(lottery.firms(draws.PICKED)) / weights  # the first to arrive are picked: odds are speeds
    order = np.lexsort((race, population.partner))
    rank = np.empty(len(order), np.int64)  # among the firms of the same partner
    first = np.searchsorted(population.partner[order], population.partner[order])
    rank[order] = np.arange(len(order)) - first
    picked = (rank < whole[population.partner]) & (weights > 0.0)
    passed_on = np.array(
        [response.smes_per_cluster / firms_picked(response, survey) for response in population.response]
    )
    is_passed_on = lottery.firms(draws.PASSED_ON) < passed_on[population.partner]
    return np.asarray(picked & responds[population.partner] & is_passed_on)


def _sme_answers(population: Population, survey: Survey, lottery: _Lottery, answering: Bools) -> dict[str, Answers]:
    """Return the counts of every question: results that apply, yes or no, and the top three."""
    chances = sme_answers(population, survey)
    says = {name: lottery.firms(draws.TICKED, item) < chance for item, (name, chance) in enumerate(chances.items())}
    says["sme_rni_or_contract"] = says["sme_rni"] | says["sme_contract"]
    chosen = _top_three(population, survey, lottery)
    says |= {name: chosen[:, HELP_ITEMS.index(item)] for name, item in TOP_ITEMS.items()}
    return {name: _count(column, answering) for name, column in says.items()}


def _country_answers(population: Population, countries: tuple[str, ...], answering: Bools) -> dict[str, Answers]:
    """Return how many of the SMEs that answer are from each country."""
    country = np.array([response.country for response in population.response], dtype=str)[population.partner]
    return {f"share_answers_{code}": _count(country == code, answering) for code in countries}


def _top_three(population: Population, survey: Survey, lottery: _Lottery) -> Bools:
    """Return which three kinds of support (n, items) each firm chooses, one after the other by worth."""
    worth = worths_by_profile(survey["survey_support_match"])[profiles(population.results)]
    race = np.stack([-np.log(lottery.firms(draws.CHOSEN, item)) for item in range(len(HELP_ITEMS))], axis=1)
    return np.asarray(np.argsort(np.argsort(race / worth, axis=1), axis=1) < 3)


def _count(says: Bools, who: Bools) -> Answers:
    return Answers(int(np.count_nonzero(says & who)), int(np.count_nonzero(who)))
