"""Regret: what an option loses in a plausible world, against the best option for that world.

Minimax regret: Savage (1951). Choosing and valuing the best option on the same runs is optimistic (winner's curse). So
the best option of a world is chosen on one half of its runs and valued on the other. This takes luck out of the mean,
not out of the spread: quantiles and shares of worlds are those of outcomes with luck taken out.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.sweeps.noise import bootstrap, separated, without_luck
from simulator.parameters import F64

REDRAWN = 100  # sweeps over which the share of worlds in which an option is best is averaged


def regret(outcomes: Sequence[F64], higher_is_better: bool = True) -> F64:
    """Return the regret of each option in each world.

    With two runs or more, the best option is chosen on one half of the runs and valued on the other, both ways, and
    the two are averaged. So luck may put a regret below zero, but moves no mean.

    Parameters
    ----------
    outcomes : sequence of ndarray of float64
        For each option its outcomes, (worlds, runs).
    higher_is_better : bool, optional
        Whether more of the outcome is better.

    Returns
    -------
    ndarray of float64
        (options, worlds); NaN in a world in which an option has no finite outcome.
    """
    y = np.stack([np.asarray(values, dtype=float) for values in outcomes])
    y = y if higher_is_better else -y
    y = np.where(np.isfinite(y).all(axis=(0, 2))[None, :, None], y, np.nan)
    runs = y.shape[2]
    if runs < 2:
        return np.asarray(y.max(axis=0)[None, :, 0] - y[:, :, 0])
    halves = y[:, :, : runs // 2].mean(axis=2), y[:, :, runs // 2 :].mean(axis=2)
    return 0.5 * (_valued(halves[0], halves[1]) + _valued(halves[1], halves[0]))


def _valued(chosen_on: F64, valued_on: F64) -> F64:
    """Return the regret against the option that is best on one half, in values of the other half, (options, worlds)."""
    usable = np.isfinite(chosen_on).all(axis=0)
    best = np.where(usable, np.nan_to_num(chosen_on).argmax(axis=0), 0)
    return np.take_along_axis(valued_on, best[None], axis=0) - valued_on


def table(names: Sequence[str], outcomes: Sequence[F64], higher_is_better: bool = True, seed: int = 0) -> pd.DataFrame:
    """Compare options over the worlds in which all have an outcome.

    Parameters
    ----------
    names : sequence of str
        Names of the options.
    outcomes : sequence of ndarray of float64
        For each option its outcomes, (worlds, runs).
    higher_is_better : bool, optional
        Whether more of the outcome is better.
    seed : int, optional
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        A row for each option, from the least to the largest mean regret. Columns: option; worlds; mean (outcome);
        mean_regret; behind_low and behind_high (90% interval of what it is regretted more than the first, over worlds
        drawn anew, paired); regret_95 (quantile), max_regret and best_in (share of worlds), with luck taken out.
    """
    y = np.stack([np.asarray(values, dtype=float) for values in outcomes])
    y = y[:, np.isfinite(y).all(axis=(0, 2))]
    rows = pd.DataFrame({"option": list(names), "worlds": y.shape[1]})
    columns = ["mean", "mean_regret", "regret_95", "max_regret", "best_in", "behind_low", "behind_high"]
    if not y.shape[1]:
        return rows.assign(**dict.fromkeys(columns, np.nan))
    signed = y if higher_is_better else -y
    likely = expected(signed, seed)
    lost = likely.max(axis=0) - likely
    rows["mean"], rows["mean_regret"] = y.mean(axis=(1, 2)), regret(list(signed)).mean(axis=1)
    rows["regret_95"], rows["max_regret"] = np.quantile(lost, 0.95, axis=1), lost.max(axis=1)
    rows["best_in"] = _best_in(likely, signed, seed)
    rows["behind_low"], rows["behind_high"] = _behind(regret(list(signed)), seed)
    return rows.sort_values("mean_regret", kind="stable", ignore_index=True)


def expected(y: F64, seed: int = 0) -> F64:
    """Return how options stand to one another in each world, with luck taken out.

    Only differences between options count, so the mean of all, whose luck they share, is subtracted. How far worlds
    differ is then shrunk to what luck leaves (`noise.without_luck`), option by option.

    Parameters
    ----------
    y : ndarray of float64
        Outcomes, (options, worlds, runs).
    seed : int, optional
        Seed of the bootstrap.

    Returns
    -------
    ndarray of float64
        (options, worlds).
    """
    apart = y - y.mean(axis=0)
    if y.shape[2] < 2 or y.shape[1] < 2:
        return np.asarray(apart.mean(axis=2))
    return np.stack([without_luck(values, separated(values[:, None, :], seed=seed)) for values in apart])


def _best_in(likely: F64, y: F64, seed: int) -> F64:
    """Return the share of worlds in which each option is best, ties shared, (options,); `likely`: as of `expected`.

    With two runs or more it is averaged over what the mean differences may be (worlds drawn anew). Else, of options
    that are the same, the one that luck put first would be best everywhere.
    """
    rng, means, worlds = np.random.default_rng(seed), y.mean(axis=2), y.shape[1]
    drawn = rng.integers(worlds, size=(REDRAWN, worlds)) if y.shape[2] > 1 else np.arange(worlds)[None]
    shares = []
    for places in drawn:
        there = likely + (means[:, places].mean(axis=1) - means.mean(axis=1))[:, None]
        best = there == there.max(axis=0)
        shares.append((best / best.sum(axis=0)).mean(axis=1))
    return np.asarray(np.mean(shares, axis=0))


def _behind(regrets: F64, seed: int) -> tuple[F64, F64]:
    """Return the 90% interval of each option's mean regret less the least, (options, worlds) -> (options,) each."""
    first = int(regrets.mean(axis=1).argmin())
    behind = bootstrap((regrets - regrets[first]).T, lambda mean: mean, seed)
    return behind.low, behind.high
