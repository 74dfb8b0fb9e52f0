"""Posterior predictive checks: data sets as the fitted model would produce them, beside the real one.

A replicate is one draw, one run and one sampled survey: statistics of the calls as they come out, shares as answered
by as many people as would have answered. So replicates carry all the luck that the real data carry, and the real
data should look like one of them (Gelman, Meng & Stern 1996).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from calibration.evidence.targets import Evidence, Target
from calibration.fit.simulate import Progress, history, seen
from calibration.survey.register import split
from calibration.survey.sample import survey_answers
from simulator.ensemble import simulate as run
from simulator.threads import run_jobs

F64 = npt.NDArray[np.float64]

TYPICAL, EDGE = 0.1, 0.01  # two-sided probabilities below which a number is at the edge, or not reproduced
VERDICTS = ("typical", "at the edge", "not reproduced")


@dataclass(frozen=True)
class Replicates:
    """Data sets of the fitted model: `expected` without the luck of the survey, `sampled` with it, (draws, targets)."""

    targets: tuple[Target, ...]
    expected: F64
    sampled: F64

    @property
    def real(self) -> F64:
        """The real data set, (targets,)."""
        return np.array([target.value for target in self.targets])


def replicates(
    draws: Mapping[str, F64], seed: int, known: Evidence, threads: int = 1, progress: Progress | None = None
) -> Replicates:
    """One data set for each draw; draw number i has run seed `seed` + i, on any number of threads."""
    columns = {name: np.asarray(values, np.float64) for name, values in draws.items()}
    count = len(next(iter(columns.values())))

    def one(draw: int) -> tuple[list[float], list[float]]:
        found = _data_set({name: float(column[draw]) for name, column in columns.items()}, seed + draw, known)
        if progress:
            progress(1)
        return found

    rows = list(run_jobs(one, range(count), threads))
    return Replicates(known.targets, np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))


def _data_set(values: Mapping[str, float], seed: int, known: Evidence) -> tuple[list[float], list[float]]:
    """Every target as expected and as sampled, in one run."""
    simulator_values, survey = split(values)
    inputs = history(simulator_values, survey, known)
    state = run(inputs, seed)
    expected = seen(state, inputs, survey, known)
    answers = {
        year: survey_answers(state, inputs, inputs.call_years.index(year), survey, responses, seed)
        for year, responses in known.responses.items()
        if year in inputs.call_years
    }
    sampled = [
        answers[target.call][target.measure].share if target.block == "survey" else expected[target.name]
        for target in known.targets
    ]
    return list(expected.values()), sampled


def predictive_frame(found: Replicates) -> pd.DataFrame:
    """Real beside simulated: one row per target.

    Columns: target, block, group, call, measure, label, fitted, real, n, median, low50, high50, low90, high90,
    probability (two-sided, of a replicate as far out as the real number, ties half), verdict, source, note.
    """
    rows = []
    for place, target in enumerate(found.targets):
        values = found.sampled[:, place]
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
    """How far from the printed number a value still counts as equal to it: shares are printed in whole percent."""
    return 0.005 if target.family == "share" else 1e-9


def tail_probability(values: F64, real: float, step: float = 1e-9) -> float:
    """Two-sided probability that a replicate lies as far out as the real number; those equal to it count half."""
    below = float(np.mean(values < real - step))
    above = float(np.mean(values > real + step))
    equal = 1.0 - below - above
    return min(1.0, 2.0 * min(below + 0.5 * equal, above + 0.5 * equal))


def verdict(probability: float) -> str:
    """What a two-sided probability means in words."""
    return VERDICTS[0] if probability >= TYPICAL else VERDICTS[1] if probability >= EDGE else VERDICTS[2]


@dataclass(frozen=True)
class Typicality:
    """Whether the real data set as a whole looks like one of the model's.

    probability: share of replicates that lie as far from the others as the real data set does; outside: share of
    its numbers outside their 90% interval; usual_low and usual_high: where that share lies for 90% of replicates.
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
        """False if the fitted model would hardly ever give data like the real ones."""
        return self.probability >= 0.05


def typicality(found: Replicates, block: str | None = None) -> Typicality:
    """The real data set among replicates, by its distance from their centre (Mahalanobis, all numbers at once).

    Numbers that are fitted and not all alike count. Counts are compared by square root, levels in logarithms, shares in
    log-odds.
    """
    places = [
        place
        for place, target in enumerate(found.targets)
        if target.fitted and (block is None or target.block == block) and np.ptp(found.sampled[:, place]) > 0
    ]
    chosen = [found.targets[place] for place in places]
    whole = found.sampled[:, places]
    whole = whole[np.isfinite(whole).all(axis=1)]
    data = np.stack([*whole, found.real[places]])
    scale = np.stack([_scale(target, data[:, column]) for column, target in enumerate(chosen)], axis=1)
    own, others = _distances(scale)
    outside = _outside(scale)
    return Typicality(
        block=block or "all",
        numbers=len(places),
        distance=float(own.mean()),
        usual_distance=float(np.median(others)),
        probability=float((1 + np.count_nonzero(others >= own)) / (1 + others.size)),
        outside=float(outside[-1]),
        usual_low=float(np.quantile(outside[:-1], 0.05)),
        usual_high=float(np.quantile(outside[:-1], 0.95)),
    )


def _scale(target: Target, values: F64) -> F64:
    """Numbers on a scale on which their luck is about the same everywhere."""
    if target.family == "share":
        n = float(target.n or 1)
        return np.asarray(logit((values * n + 0.5) / (n + 1.0)))
    return np.sqrt(values) if target.family == "count" else np.log(values)


def _distances(data: F64) -> tuple[F64, F64]:
    """Distances of the real data set (the last row) and of replicates, (2,) and (2, half of them).

    Centre and spread come from one half of the replicates, and the real data set is held against the other half; then
    the halves change places. So no data set is measured by a spread that it has itself been fitted into.
    """
    from sklearn.covariance import LedoitWolf

    half = (len(data) - 1) // 2
    halves = data[:half], data[half : 2 * half]
    own, others = [], []
    for known, held in (halves, halves[::-1]):
        scale = np.where(known.std(axis=0) > 0, known.std(axis=0), 1.0)
        spread = LedoitWolf().fit((known - known.mean(axis=0)) / scale)
        measured = spread.mahalanobis((np.concatenate([held, data[-1:]]) - known.mean(axis=0)) / scale)
        own.append(np.sqrt(measured[-1]))
        others.append(np.sqrt(measured[:-1]))
    return np.array(own)[:, None], np.array(others)


def _outside(data: F64) -> F64:
    """Share of each data set's numbers outside the replicates' 90% intervals."""
    low, high = np.quantile(data[:-1], [0.05, 0.95], axis=0)
    return np.asarray(((data < low) | (data > high)).mean(axis=1))


def typicality_frame(found: Replicates) -> pd.DataFrame:
    """`typicality` of all numbers and by block: one row each, columns as its fields, and `typical`."""
    blocks = dict.fromkeys(target.block for target in found.targets if target.fitted)
    rows = [typicality(found, block) for block in (None, *blocks)]
    return pd.DataFrame([{**vars(row), "typical": row.typical} for row in rows])
