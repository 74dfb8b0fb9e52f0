"""How much the answers hang on whom the coordinators picked: the same worlds, surveyed with other odds of picking.

The data do not identify the bias towards the successful, so it stays a prior; here it is swept over its range.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.evidence.targets import Evidence, Target
from calibration.fit.simulate import Progress, history, seen
from calibration.survey.register import register, split
from simulator.ensemble import simulate as run
from simulator.threads import run_jobs

F64 = npt.NDArray[np.float64]

PICKED = "survey_pick_odds"


def picking_odds() -> tuple[float, float, float]:
    """The odds that are tried: the ends of the prior's range and its central value."""
    entry = register()[PICKED]
    return float(entry.low or 0.0), float(entry.value or 0.0), float(entry.high or 0.0)


def picking_frame(
    draws: Mapping[str, F64], seed: int, known: Evidence, threads: int = 1, progress: Progress | None = None
) -> pd.DataFrame:
    """Expected shares of the SMEs' answers under each odds of picking, over draws of the posterior.

    Columns: target, measure, label, real, odds, median, low90, high90. Draw number i has run seed `seed` + i under
    all odds, so that rows of a target differ by the picking alone.
    """
    count = len(next(iter(draws.values())))

    def one(draw: int) -> list[list[float]]:
        found = _under_each({name: float(column[draw]) for name, column in draws.items()}, seed + draw, known)
        if progress:
            progress(1)
        return found

    shares = np.array(list(run_jobs(one, range(count), threads)))
    rows = [
        _row(target, odds, shares[:, tried, place])
        for place, target in enumerate(known.targets)
        if target.measure.startswith("sme_")
        for tried, odds in enumerate(picking_odds())
    ]
    return pd.DataFrame(rows)


def _under_each(values: Mapping[str, float], seed: int, known: Evidence) -> list[list[float]]:
    """Every target in one run, (odds, targets)."""
    simulator_values, survey = split(values)
    inputs = history(simulator_values, survey, known)
    state = run(inputs, seed)
    return [[*seen(state, inputs, {**survey, PICKED: odds}, known).values()] for odds in picking_odds()]


def _row(target: Target, odds: float, shares: F64) -> dict[str, object]:
    low, median, high = np.nanquantile(shares, [0.05, 0.5, 0.95])
    return {
        "target": target.name, "measure": target.measure, "label": target.label, "real": target.value,
        "odds": odds, "median": median, "low90": low, "high90": high,
    }  # fmt: skip
