"""Leave one call out: the model, fitted to the calls before, forecasts it; how good is that forecast?

It is compared with two naive forecasts, last year's value and the mean of the years before, each as it stands and with
the spread of a Poisson count around it, which is more than most would claim for it.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import poisson

from calibration.checks.settings import check_settings
from calibration.fit.pipeline import Fit, Settings, fit, posterior_scores, simulate_worlds
from calibration.fit.problem import F64, Problem, run_seeds
from simulator.jobs import Runner, Stage, no_stage

LEVELS = (0.5, 0.9)
POISSON_POINTS = 400  # that represent a Poisson count


def leave_out(
    problem: Problem, settings: Settings, call: int, run: Runner, stage: Stage = no_stage, worlds: int | None = None
) -> pd.DataFrame:
    """Forecast a call from a fit to the calls before it.

    Parameters
    ----------
    problem : Problem
    settings : Settings
        Of the fit to the calls before.
    call : int
        The year of the call.
    run : Runner
    stage : callable, optional
        Displays the progress of the training.
    worlds : int, optional
        Worlds of the forecast; those of `checks.toml` unless given.

    Returns
    -------
    DataFrame
        One row per count of the call that is otherwise fitted: target, measure, value (what happened), median, low50,
        high50, low90, high90, crps (of the model), inside50, inside90, last and mean (naive forecasts; NaN where no
        call before has the count), crps_last, crps_mean (their absolute errors), crps_last_poisson, crps_mean_poisson.
    """
    before = problem.without(lambda target: target.call >= call)
    worlds = int(check_settings()["left_out"]["worlds"]) if worlds is None else worlds
    simulated = predict(fit(before, settings, run, stage), worlds, run)
    rows = []
    for column, target in enumerate(problem.targets):
        if target.fitted and target.call == call and target.family == "count":
            earlier = [t.value for t in problem.targets if t.measure == target.measure and t.call < call]
            sample = simulated[np.isfinite(simulated[:, column]), column]
            names = {"target": target.name, "measure": target.measure, "value": target.value}
            rows.append(names | _scores(sample, target.value) | _naive(earlier, target.value))
    return pd.DataFrame(rows)


def predict(fit: Fit, worlds: int, run: Runner) -> F64:
    """Return the targets in worlds drawn from the posterior, (worlds, targets): one new run of the model each.

    Parameters
    ----------
    fit : Fit
    worlds : int
        How many.
    run : Runner
    """
    problem, seed = fit.problem, fit.settings.seed
    skip = fit.settings.held_out + fit.settings.bank + fit.settings.near
    scores = posterior_scores(problem, fit.chains, skip, worlds, seed)
    return simulate_worlds(problem, scores, run_seeds(seed, skip + worlds)[skip:], run, "forecast").simulated


def _scores(sample: F64, value: float) -> dict[str, Any]:
    """Return the quantiles of a forecast, whether its intervals contain the value, and its score."""
    scores: dict[str, Any] = {"median": float(np.median(sample))}
    for level in LEVELS:
        low, high = np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2])
        name = f"{100 * level:.0f}"
        scores |= {f"low{name}": float(low), f"high{name}": float(high), f"inside{name}": bool(low <= value <= high)}
    return scores | {"crps": crps(sample, value)}


def crps(sample: F64, value: float) -> float:
    """Return the continuous ranked probability score of a forecast (Gneiting & Raftery 2007).

    Parameters
    ----------
    sample : ndarray of float64, shape (n,)
        Equally likely values of the forecast.
    value : float
        What happened.

    Returns
    -------
    float
        In the unit of the value; 0 is best. For a sample of one number it is the absolute error.
    """
    x = np.sort(sample)
    n = len(x)
    between = 2.0 * ((2.0 * np.arange(n) - n + 1.0) * x).sum() / n**2
    return float(np.abs(x - value).mean() - 0.5 * between)


def _naive(earlier: list[float], value: float) -> dict[str, float]:
    """Return last year's value and the mean of the years before, with their scores."""
    if not earlier:
        return dict.fromkeys(
            ("last", "mean", "crps_last", "crps_mean", "crps_last_poisson", "crps_mean_poisson"), float("nan")
        )
    last, mean = earlier[-1], float(np.mean(earlier))
    return {
        "last": last, "mean": mean, "crps_last": abs(last - value), "crps_mean": abs(mean - value),
        "crps_last_poisson": crps(_poisson(last), value), "crps_mean_poisson": crps(_poisson(mean), value),
    }  # fmt: skip


def _poisson(rate: float) -> F64:
    """Return a Poisson count's values at even probabilities."""
    probabilities = (np.arange(POISSON_POINTS) + 0.5) / POISSON_POINTS
    return np.asarray(poisson.ppf(probabilities, max(rate, 1e-9)), dtype=np.float64)


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean scores of the model and the naive forecasts, over the counts that all of them forecast.

    Parameters
    ----------
    frame : DataFrame
        From `leave_out`.

    Returns
    -------
    DataFrame
        One row per forecast: forecast, statistics (how many), relative_crps (mean of CRPS over value, so that large
        counts do not drown small ones), covered50, covered90 (of the model only).
    """
    common = frame[frame["last"].notna()]
    scale = np.maximum(common["value"], 1.0)
    rows = []
    for name, column in (
        ("model", "crps"), ("last year's value", "crps_last"), ("mean of the years before", "crps_mean"),
        ("last year's value, Poisson", "crps_last_poisson"), ("mean of the years before, Poisson", "crps_mean_poisson"),
    ):  # fmt: skip
        row = {"forecast": name, "statistics": len(common), "relative_crps": float((common[column] / scale).mean())}
        model = column == "crps"
        row["covered50"] = float(common["inside50"].mean()) if model else float("nan")
        row["covered90"] = float(common["inside90"].mean()) if model else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)
