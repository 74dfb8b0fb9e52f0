"""Leave one call out: the model, fitted to the calls before, forecasts the next; how good is that?

It is held against two naive forecasts, last year's value and the mean of the years before, each as it stands and
with the spread of a Poisson count around it, which is more than most would claim for it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import poisson

from calibration.fit.fit import Fit, Settings, fit
from calibration.fit.problem import F64, Problem, Stage, prior_scores, run_seeds

LEVELS = (0.5, 0.9)
WORLDS = 400  # worlds that are simulated for a forecast


def leave_out(
    problem: Problem, settings: Settings, call: int, folder: Path, stage: Stage, worlds: int = WORLDS
) -> pd.DataFrame:
    """Forecast a call from a fit that knows only the calls before it: one row per statistic that is fitted otherwise.

    Columns: target, measure, value (what happened), median, low50, high50, low90, high90, crps (of the model),
    inside50, inside90, last and mean (naive forecasts; NaN where no call before has the statistic), crps_last,
    crps_mean (their absolute errors), crps_last_poisson, crps_mean_poisson.
    """
    before = problem.without(lambda target: target.call >= call)
    simulated = predict(fit(before, settings, folder, stage), worlds, folder, stage)
    rows = []
    for place, target in enumerate(problem.targets):
        if target.fitted and target.call == call and target.family == "count":
            told = [t.value for t in problem.targets if t.measure == target.measure and t.call < call]
            sample = simulated[np.isfinite(simulated[:, place]), place]
            names = {"target": target.name, "measure": target.measure, "value": target.value}
            rows.append(names | _scored(sample, target.value) | _naive(told, target.value))
    return pd.DataFrame(rows)


def predict(found: Fit, worlds: int, folder: Path, stage: Stage) -> F64:
    """The targets in worlds drawn from the posterior, (worlds, targets): one new run each, by the model itself."""
    from calibration.fit.bank import bank

    problem, seed = found.problem, found.settings.seed
    skip = found.settings.held_out + found.settings.bank + found.settings.near
    scores = prior_scores(problem.drawn, skip + worlds, seed)[skip:]
    scores[:, [problem.drawn.index(name) for name in found.chains.parameters]] = found.chains.thinned(worlds)
    return bank(problem, scores, run_seeds(seed, skip + worlds)[skip:], folder / "bank", stage("forecast", worlds))


def _scored(sample: F64, value: float) -> dict[str, Any]:
    """The forecast's quantiles and what they were worth."""
    found: dict[str, Any] = {"median": float(np.median(sample))}
    for level in LEVELS:
        low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2])
        name = f"{100 * level:.0f}"
        found |= {f"low{name}": float(low), f"high{name}": float(high), f"inside{name}": bool(low <= value <= high)}
    return found | {"crps": crps(sample, value)}


def crps(sample: F64, value: float) -> float:
    """Continuous ranked probability score of a sample (Gneiting & Raftery 2007): 0 is best, in the value's unit.

    It is the absolute error where the sample is one number.
    """
    x = np.sort(sample)
    n = len(x)
    between = 2.0 * ((2.0 * np.arange(n) - n + 1.0) * x).sum() / n**2
    return float(np.abs(x - value).mean() - 0.5 * between)


def _naive(before: list[float], value: float) -> dict[str, float]:
    """Last year's value and the mean of the years before."""
    if not before:
        return dict.fromkeys(
            ("last", "mean", "crps_last", "crps_mean", "crps_last_poisson", "crps_mean_poisson"), float("nan")
        )
    last, mean = before[-1], float(np.mean(before))
    return {
        "last": last, "mean": mean, "crps_last": abs(last - value), "crps_mean": abs(mean - value),
        "crps_last_poisson": crps(_poisson(last), value), "crps_mean_poisson": crps(_poisson(mean), value),
    }  # fmt: skip


def _poisson(rate: float) -> F64:
    """A count's values at even probabilities around a forecast."""
    return np.asarray(poisson.ppf((np.arange(400) + 0.5) / 400, max(rate, 1e-9)), dtype=np.float64)


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per forecast, over the statistics that all of them can tell.

    Columns: forecast, statistics, relative_crps (mean of CRPS over value, so that large counts do not drown small
    ones), covered50, covered90 (of the model only).
    """
    known = frame[frame["last"].notna()]
    scale = np.maximum(known["value"], 1.0)
    rows = []
    for name, column in (
        ("model", "crps"), ("last year's value", "crps_last"), ("mean of the years before", "crps_mean"),
        ("last year's value, Poisson", "crps_last_poisson"), ("mean of the years before, Poisson", "crps_mean_poisson"),
    ):  # fmt: skip
        row = {"forecast": name, "statistics": len(known), "relative_crps": float((known[column] / scale).mean())}
        model = column == "crps"
        row["covered50"] = float(known["inside50"].mean()) if model else float("nan")
        row["covered90"] = float(known["inside90"].mean()) if model else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)
