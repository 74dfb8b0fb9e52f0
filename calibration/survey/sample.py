"""One evaluation as it would have come in: single answers, counted into the tables that the real one prints.

Expected shares (`calibration.survey.shares`) are for fitting; these tables are for holding the model against the real
tables, since they carry the luck of who was picked and what each said.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from calibration.evidence.responses import Response
from calibration.survey import draws as luck
from calibration.survey.shares import asked_number, cluster_says, picking_weights, sme_says
from calibration.survey.top_three import HELP_ITEMS, worths
from calibration.survey.who_is_asked import Asked, Survey, who_is_asked
from scenarios import Resolved
from simulator.state import State

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TOP_ITEMS = {"sme_top_networking": "networking", "sme_top_market": "market information", "sme_top_exposure": "exposure"}


class Answers(NamedTuple):
    """How many said so, of how many."""

    said: int
    of: int

    @property
    def share(self) -> float:
        """The share that said so; NaN where nobody answered."""
        return self.said / self.of if self.of else np.nan


def survey_answers(
    state: State, inputs: Resolved, call: int, survey: Survey, responses: Mapping[str, Response], seed: int
) -> dict[str, Answers]:
    """Answers of one sampled survey by name of measure, the number of those who answered with each."""
    asked = who_is_asked(state, inputs, call, survey, responses)
    lottery = _Lottery(state, asked, seed, int(inputs.rules.calls.year[call]))
    responds = lottery.partners(luck.ANSWERS) < np.array([response.cluster_share for response in asked.response])
    clusters = {
        name: _count(lottery.partners(luck.REPORTED, place) < chance, responds)
        for place, (name, chance) in enumerate(cluster_says(asked, survey).items())
    }
    return {**_sme_answers(asked, survey, lottery, respondents(asked, survey, lottery, responds)), **clusters}


class _Lottery:
    """Draws for the partners and firms that are asked, by identity and so in any order."""

    def __init__(self, state: State, asked: Asked, seed: int, year: int) -> None:
        self.seed, self.year = seed, year
        self.cluster = state.clusters.identity[asked.cluster]
        self.project = state.projects.identity[asked.project]
        self.sme = state.smes.identity[asked.sme]
        self.partner = asked.partner

    def partners(self, decision: int, item: int = 0) -> F64:
        """One number (P,) per partner."""
        return luck.uniforms(self.seed, decision, self.year * 4096 + item, self.cluster, self.project)

    def firms(self, decision: int, item: int = 0) -> F64:
        """One number (n,) per firm."""
        return luck.uniforms(self.seed, decision, self.year * 4096 + item, self.sme, self.project[self.partner])


def respondents(asked: Asked, survey: Survey, lottery: _Lottery, responds: Bools) -> Bools:
    """Which firms (n,) answer: picked one after the other by odds, and passed on by a cluster that answers."""
    number = np.array([asked_number(response, survey) for response in asked.response])
    whole = np.floor(number + lottery.partners(luck.NUMBER))
    weights = picking_weights(asked, survey)
    with np.errstate(divide="ignore"):
        race = -np.log(lottery.firms(luck.PICKED)) / weights  # the first to arrive are picked: odds are speeds
    order = np.lexsort((race, asked.partner))
    place = np.empty(len(order), np.int64)
    first = np.searchsorted(asked.partner[order], asked.partner[order])
    place[order] = np.arange(len(order)) - first
    picked = (place < whole[asked.partner]) & (weights > 0.0)
    passed_on = np.array([response.smes_per_cluster / asked_number(response, survey) for response in asked.response])
    return picked & responds[asked.partner] & (lottery.firms(luck.PASSED_ON) < passed_on[asked.partner])


def _sme_answers(asked: Asked, survey: Survey, lottery: _Lottery, answering: Bools) -> dict[str, Answers]:
    """Counts of every question: results that apply, yes or no, and the top three."""
    chances = sme_says(asked, survey)
    ticks = {name: lottery.firms(luck.TICKED, place) < chances[name] for place, name in enumerate(chances)}
    ticks["sme_rni_or_contract"] = ticks["sme_rni"] | ticks["sme_contract"]
    chosen = _top_three(asked, survey, lottery)
    ticks.update({name: chosen[:, HELP_ITEMS.index(item)] for name, item in TOP_ITEMS.items()})
    ticks["share_answers_DK"] = np.array([response.country == "DK" for response in asked.response])[asked.partner]
    return {name: _count(tick, answering) for name, tick in ticks.items()}


def _top_three(asked: Asked, survey: Survey, lottery: _Lottery) -> Bools:
    """Which three kinds of support (n, items) each firm chooses, one after the other by worth."""
    profile = (asked.results @ (2 ** np.arange(asked.results.shape[1]))).astype(np.int64)
    table = np.stack([worths(each, survey["survey_support_match"]) for each in range(2 ** asked.results.shape[1])])
    race = np.stack([-np.log(lottery.firms(luck.CHOSEN, item)) for item in range(len(HELP_ITEMS))], axis=1)
    return np.asarray(np.argsort(np.argsort(race / table[profile], axis=1), axis=1) < 3)


def _count(says: Bools, who: Bools) -> Answers:
    return Answers(int(np.count_nonzero(says & who)), int(np.count_nonzero(who)))
