"""Regret: how much is lost by an option in a plausible world, against the best option for that world.

Minimax regret: Savage (1951). With one value per world and option the best of many looks better than it is, since
its luck is chosen with it; so the best option of a world is chosen on one half of the runs and valued on the other.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from simulator.parameters import F64


def regret(outcomes: Sequence[F64], higher_is_better: bool = True) -> F64:
    """Regret of each option in each world, (options, worlds), from outcomes (worlds, runs) of each option.

    With two runs or more, the best option is chosen on one half of the runs and valued on the other, and both ways
    are averaged; so a regret may come out below zero by luck, and luck alone does not make one. NaN in a world where
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


def table(names: Sequence[str], outcomes: Sequence[F64], higher_is_better: bool = True) -> pd.DataFrame:
    """One row per option: mean outcome, mean and largest regret, the 95% quantile, the share of worlds it is best in.

    From the least to the largest mean regret. `worlds`: those in which every option has an outcome.
    """
    found = regret(outcomes, higher_is_better)
    usable = np.isfinite(found).all(axis=0)
    means = np.stack([np.asarray(each, dtype=float).mean(axis=1) for each in outcomes])[:, usable]
    signed = means if higher_is_better else -means
    best = signed == signed.max(axis=0) if usable.any() else signed.astype(bool)
    rows = [
        {
            "option": name,
            "mean": float(means[place].mean()) if usable.any() else np.nan,
            "mean_regret": float(found[place, usable].mean()) if usable.any() else np.nan,
            "regret_95": float(np.quantile(found[place, usable], 0.95)) if usable.any() else np.nan,
            "max_regret": float(found[place, usable].max()) if usable.any() else np.nan,
            "best_in": float((best[place] / best.sum(axis=0)).mean()) if usable.any() else np.nan,
            "worlds": int(usable.sum()),
        }
        for place, name in enumerate(names)
    ]
    return pd.DataFrame(rows).sort_values("mean_regret", kind="stable", ignore_index=True)
