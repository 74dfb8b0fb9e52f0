"""Regret: how much is lost by an option in a plausible world, against the best option for that world.

Minimax regret: Savage (1951). With one value per world and option the best of many looks better than it is, since
its luck is chosen with it; so the best option of a world is chosen on one half of the runs and valued on the other.
That frees the mean of luck, not the spread: quantiles and shares of worlds are told of outcomes without it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.sweeps.noise import bootstrap, separated, without_luck
from simulator.parameters import F64

REDRAWN = 100  # sweeps over which the share of worlds in which an option is best is averaged


def regret(outcomes: Sequence[F64], higher_is_better: bool = True) -> F64:
    """Regret of each option in each world, (options, worlds), from outcomes (worlds, runs) of each option.

    With two runs or more, the best option is chosen on one half of the runs and valued on the other, and both ways
    are averaged; so a regret may come out below zero by luck, and luck alone moves no mean. NaN in a world where
    an option has no finite outcome.
    """
    y = np.stack([np.asarray(each, dtype=float) for each in outcomes])
    y = y if higher_is_better else -y
    y = np.where(np.isfinite(y).all(axis=(0, 2))[None, :, None], y, np.nan)
    runs = y.shape[2]
    if runs < 2:
        return y.max(axis=0)[None, :, 0] - y[:, :, 0]
    halves = y[:, :, : runs // 2].mean(axis=2), y[:, :, runs // 2 :].mean(axis=2)
    return 0.5 * (_valued(halves[0], halves[1]) + _valued(halves[1], halves[0]))


def _valued(chosen_on: F64, valued_on: F64) -> F64:
    """Regret against the option that is best on one half, in values of the other half, (options, worlds)."""
    usable = np.isfinite(chosen_on).all(axis=0)
    best = np.where(usable, np.nan_to_num(chosen_on).argmax(axis=0), 0)
    return np.take_along_axis(valued_on, best[None], axis=0) - valued_on


def table(names: Sequence[str], outcomes: Sequence[F64], higher_is_better: bool = True, seed: int = 0) -> pd.DataFrame:
    """One row per option, from the least to the largest mean regret; over worlds in which each has an outcome.

    `mean` outcome; `mean_regret`; `behind_low` and `behind_high`, the 90% interval of what it is regretted more than
    the first (worlds drawn anew, paired); the 95% quantile and the largest regret and the share of worlds it is best
    in, luck taken out (see `expected`); `worlds`, how many.
    """
    y = np.stack([np.asarray(each, dtype=float) for each in outcomes])
    y = y[:, np.isfinite(y).all(axis=(0, 2))]
    found = pd.DataFrame({"option": list(names), "worlds": y.shape[1]})
    columns = ["mean", "mean_regret", "regret_95", "max_regret", "best_in", "behind_low", "behind_high"]
    if not y.shape[1]:
        return found.assign(**dict.fromkeys(columns, np.nan))
    signed = y if higher_is_better else -y
    likely = expected(signed, seed)
    lost = likely.max(axis=0) - likely
    found["mean"], found["mean_regret"] = y.mean(axis=(1, 2)), regret(list(signed)).mean(axis=1)
    found["regret_95"], found["max_regret"] = np.quantile(lost, 0.95, axis=1), lost.max(axis=1)
    found["best_in"] = _best_in(likely, signed, seed)
    found["behind_low"], found["behind_high"] = _behind(regret(list(signed)), seed)
    return found.sort_values("mean_regret", kind="stable", ignore_index=True)


def expected(y: F64, seed: int = 0) -> F64:
    """How options stand to one another in each world, luck taken out, (options, worlds, R) -> (options, worlds).

    Only differences between options count, so each is told less the mean of all, whose luck they share; how far worlds
    differ in it is then shrunk to what luck leaves (`noise.without_luck`), option by option.
    """
    apart = y - y.mean(axis=0)
    if y.shape[2] < 2 or y.shape[1] < 2:
        return apart.mean(axis=2)
    return np.stack([without_luck(each, separated(each[:, None, :], seed=seed)) for each in apart])


def _best_in(likely: F64, y: F64, seed: int) -> F64:
    """Share of worlds in which each option is best, ties shared, from what `expected` makes of y -> (options,).

    Averaged over what the mean differences may be (worlds drawn anew), or of options that are the same the one that
    luck put first would be best everywhere. With one run, as it is.
    """
    rng, means, worlds = np.random.default_rng(seed), y.mean(axis=2), y.shape[1]
    drawn = rng.integers(worlds, size=(REDRAWN, worlds)) if y.shape[2] > 1 else np.arange(worlds)[None]
    found = []
    for places in drawn:
        there = likely + (means[:, places].mean(axis=1) - means.mean(axis=1))[:, None]
        best = there == there.max(axis=0)
        found.append((best / best.sum(axis=0)).mean(axis=1))
    return np.mean(found, axis=0)


def _behind(regrets: F64, seed: int) -> tuple[F64, F64]:
    """The 90% interval of each option's mean regret less that of the least, (options, worlds) -> (options,) each."""
    first = int(regrets.mean(axis=1).argmin())
    found = bootstrap((regrets - regrets[first]).T, lambda mean: mean, seed)
    return found.low, found.high
