"""Posterior predictive checks: data sets as the fitted model would produce them, beside the real one.

A replicate is one draw, one run and one sampled survey: statistics of the calls as they come out, shares as answered by
as many people as would have answered. So replicates carry all the luck that the real data carry, and the real data
should look like one of them (Gelman, Meng & Stern 1996).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from calibration.evidence.targets import Evidence, Target
from calibration.hindcast.past_calls import observe, past_identity, run_past_calls
from calibration.jobs import compute_draws
from calibration.survey.sampled_answers import survey_answers
from simulator.jobs import Runner

F64 = npt.NDArray[np.float64]

HARDLY_EVER = 0.05  # the probability below which a whole data set is not typical
TYPICAL, EDGE = 0.1, 0.01  # two-sided probabilities below which a number is at the edge, or not reproduced
VERDICTS = ("typical", "at the edge", "not reproduced")
KINDS = ("expected", "sampled")


@dataclass(frozen=True)
class Replicates:
    """Data sets of the fitted model.

    Parameters
    ----------
    targets : tuple of Target
    expected, sampled : ndarray of float64, shape (draws, targets)
        Without and with the luck of the survey.
    """

    targets: tuple[Target, ...]
    expected: F64
    sampled: F64

    @property
    def real(self) -> F64:
        """The real data set, (targets,)."""
        return np.array([target.value for target in self.targets])


def replicates(draws: Mapping[str, F64], seed: int, evidence: Evidence, run: Runner) -> Replicates:
    """Simulate one data set for each draw.

    Parameters
    ----------
    draws : mapping of str to ndarray of float64, shape (n,)
        Of the posterior, by parameter.
    seed : int
        Draw number i has run seed `seed` + i.
    evidence : Evidence
    run : Runner
    """
    seeds = seed + np.arange(len(next(iter(draws.values()))), dtype=np.int64)
    columns = compute_draws("data sets of the fitted model", DataSet(evidence), draws, seeds, run)
    names = [target.name for target in evidence.targets]
    expected, sampled = (np.stack([columns[f"{name} {kind}"] for name in names], axis=1) for kind in KINDS)
    return Replicates(evidence.targets, expected, sampled)


@dataclass(frozen=True)
class DataSet:
    """Every target as expected and as sampled in one run, as a picklable function of (values, seed).

    Parameters
    ----------
    evidence : Evidence
    """

    evidence: Evidence

    @property
    def identity(self) -> str:
        """All that determines a data set beside draw and seed."""
        return past_identity(__name__, self.evidence)

    def __call__(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return every target, by "target expected" and "target sampled"."""
        run = run_past_calls(values, seed, self.evidence)
        expected = observe(run, self.evidence)
        answers = {
            call: survey_answers(run.state, run.inputs, run.inputs.call_years.index(call), run.survey, responses, seed)
            for call, responses in self.evidence.responses.items()
            if call in run.inputs.call_years
        }
        numbers: dict[str, float] = {}
        for target in self.evidence.targets:
            of_survey = target.block == "survey"
            sampled = answers[target.call][target.measure].share if of_survey else expected[target.name]
            numbers |= {f"{target.name} expected": expected[target.name], f"{target.name} sampled": sampled}
        return numbers


def predictive_frame(data_sets: Replicates) -> pd.DataFrame:
    """Return the real number beside the simulated ones.

    Parameters
    ----------
    data_sets : Replicates

    Returns
    -------
    DataFrame
        One row per target: target, block, group, call, measure, label, fitted, real, n, median, low50, high50, low90,
        high90, probability (see `tail_probability`), verdict, source, note.
    """
    rows = []
    for column, target in enumerate(data_sets.targets):
        values = data_sets.sampled[:, column]
        values = values[np.isfinite(values)]
        low90, low50, median, high50, high90 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        probability = tail_probability(values, target.value, _step(target))
        rows.append(
            {
                "target": target.name, "block": target.block, "group": target.group, "call": target.call,
                "measure": target.measure, "label": target.label, "fitted": target.fitted, "real": target.value,
                "n": target.n, "median": median, "low50": low50, "high50": high50, "low90": low90, "high90": high90,
                "probability": probability, "verdict": verdict(probability), "source": target.source,
                "note": target.note,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _step(target: Target) -> float:
    """Return how far from the printed number a value still counts as equal: shares are printed in whole percent."""
    return 0.005 if target.family == "share" else 1e-9


def tail_probability(values: F64, real: float, step: float = 1e-9) -> float:
    """Return the two-sided probability that a replicate is as far out as the real number.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Of the replicates.
    real : float
    step : float, optional
        How far from the real number a value still counts as equal; equal ones count half.
    """
    below = float(np.mean(values < real - step))
    above = float(np.mean(values > real + step))
    equal = 1.0 - below - above
    return min(1.0, 2.0 * min(below + 0.5 * equal, above + 0.5 * equal))


def verdict(probability: float) -> str:
    """Return what a two-sided probability means in words."""
    return VERDICTS[0] if probability >= TYPICAL else VERDICTS[1] if probability >= EDGE else VERDICTS[2]


@dataclass(frozen=True)
class Typicality:
    """Whether the real data set as a whole looks like one of the model's.

    Parameters
    ----------
    block : str
        Or "all".
    numbers : int
        How many numbers of each data set are compared.
    distance, usual_distance : float
        Of the real data set from the replicates, and the median of the replicates' own.
    probability : float
        The share of replicates that are as far from the others as the real data set is.
    outside : float
        The share of the real numbers outside their 90% intervals.
    usual_low, usual_high : float
        The ends between which that share lies for 90% of replicates.
    """

    block: str
    numbers: int
    distance: float
    usual_distance: float
    probability: float
    outside: float
    usual_low: float
    usual_high: float

    @property
    def typical(self) -> bool:
        """Whether the fitted model produces data like the real ones more than hardly ever."""
        return self.probability >= HARDLY_EVER


def typicality(data_sets: Replicates, block: str | None = None) -> Typicality:
    """Compare the real data set with replicates, by its distance from their centre (Mahalanobis, all numbers at once).

    Numbers count that are fitted and differ between replicates. Counts are compared by square root, levels in
    logarithms, shares in log-odds.

    Parameters
    ----------
    data_sets : Replicates
    block : str, optional
        All targets unless given.
    """
    columns = [
        column
        for column, target in enumerate(data_sets.targets)
        if target.fitted and (block is None or target.block == block) and np.ptp(data_sets.sampled[:, column]) > 0
    ]
    targets = [data_sets.targets[column] for column in columns]
    whole = data_sets.sampled[:, columns]
    whole = whole[np.isfinite(whole).all(axis=1)]
    data = np.stack([*whole, data_sets.real[columns]])
    scaled = np.stack([_scale(target, data[:, column]) for column, target in enumerate(targets)], axis=1)
    real, others = _distances(scaled)
    outside = _outside(scaled)
    return Typicality(
        block=block or "all",
        numbers=len(columns),
        distance=float(real.mean()),
        usual_distance=float(np.median(others)),
        probability=float((1 + np.count_nonzero(others >= real)) / (1 + others.size)),
        outside=float(outside[-1]),
        usual_low=float(np.quantile(outside[:-1], 0.05)),
        usual_high=float(np.quantile(outside[:-1], 0.95)),
    )


def _scale(target: Target, values: F64) -> F64:
    """Return numbers on a scale on which their luck is about the same everywhere."""
    if target.family == "share":
        n = float(target.n or 1)
        return np.asarray(logit((values * n + 0.5) / (n + 1.0)))
    return np.sqrt(values) if target.family == "count" else np.log(values)


def _distances(data: F64) -> tuple[F64, F64]:
    """Return the distances of the real data set (the last row), (2, 1), and of replicates, (2, half of them).

    Centre and spread come from one half of the replicates, and the distances are those of the other half and the real
    data set; then the halves change roles. So no data set is measured by a spread that it contributed to.
    """
    from sklearn.covariance import LedoitWolf

    half = (len(data) - 1) // 2
    halves = data[:half], data[half : 2 * half]
    real, others = [], []
    for reference, compared in (halves, halves[::-1]):
        scale = np.where(reference.std(axis=0) > 0, reference.std(axis=0), 1.0)
        spread = LedoitWolf().fit((reference - reference.mean(axis=0)) / scale)
        squares = spread.mahalanobis((np.concatenate([compared, data[-1:]]) - reference.mean(axis=0)) / scale)
        real.append(np.sqrt(squares[-1]))
        others.append(np.sqrt(squares[:-1]))
    return np.array(real)[:, None], np.array(others)


def _outside(data: F64) -> F64:
    """Return the share of each data set's numbers outside the replicates' 90% intervals."""
    low, high = np.quantile(data[:-1], [0.05, 0.95], axis=0)
    return np.asarray(((data < low) | (data > high)).mean(axis=1))


def typicality_frame(data_sets: Replicates) -> pd.DataFrame:
    """Return `typicality` of all numbers and by block: one row each, columns as its fields, and `typical`."""
    blocks = dict.fromkeys(target.block for target in data_sets.targets if target.fitted)
    rows = [typicality(data_sets, block) for block in (None, *blocks)]
    return pd.DataFrame([{**vars(row), "typical": row.typical} for row in rows])
