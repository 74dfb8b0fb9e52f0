"""How much the answers depend on whom the coordinators picked: the same worlds, surveyed with other odds of picking.

The data do not identify the preference for the successful, so it stays a prior; here it takes several values of its
range.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.evidence.targets import Evidence, Target
from calibration.hindcast.past_calls import observe, past_identity, run_past_calls
from calibration.jobs import compute_draws
from calibration.parameters import register
from simulator.jobs import Runner

F64 = npt.NDArray[np.float64]

PICK_ODDS = "survey_pick_odds"


def picking_odds() -> tuple[float, float, float]:
    """Return the odds that are tried: low end, central value and high end of the prior."""
    entry = register()[PICK_ODDS]
    return float(entry.low or 0.0), float(entry.value or 0.0), float(entry.high or 0.0)


def picking_frame(draws: Mapping[str, F64], seed: int, evidence: Evidence, run: Runner) -> pd.DataFrame:
    """Return the expected shares of the SMEs' answers under each odds of picking.

    Parameters
    ----------
    draws : mapping of str to ndarray of float64, shape (n,)
        Of the posterior, by parameter.
    seed : int
        Draw number i has run seed `seed` + i under all odds, so that rows of a target differ by the picking alone.
    evidence : Evidence
    run : Runner

    Returns
    -------
    DataFrame
        One row per SME target and odds: target, measure, label, real, odds, median, low90, high90.
    """
    seeds = seed + np.arange(len(next(iter(draws.values()))), dtype=np.int64)
    shares = SharesByOdds(evidence, picking_odds())
    columns = compute_draws("other picking of respondents", shares, draws, seeds, run)
    rows = [
        _row(target, odds, columns[f"{target.name} {number}"])
        for target in evidence.targets
        if target.measure.startswith("sme_")
        for number, odds in enumerate(shares.odds)
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class SharesByOdds:
    """The expected shares of the SMEs' answers in one run under each odds, as a picklable function of (values, seed).

    Parameters
    ----------
    evidence : Evidence
    odds : tuple of float
    """

    evidence: Evidence
    odds: tuple[float, ...]

    @property
    def identity(self) -> str:
        """All that determines the shares beside draw and seed."""
        return f"{past_identity(__name__, self.evidence)} {self.odds}"

    def __call__(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return the share of every target under all odds, by "target number-of-the-odds"."""
        run = run_past_calls(values, seed, self.evidence)
        numbers: dict[str, float] = {}
        for number, odds in enumerate(self.odds):
            shares = observe(run._replace(survey={**run.survey, PICK_ODDS: odds}), self.evidence)
            numbers |= {f"{name} {number}": share for name, share in shares.items()}
        return numbers


def _row(target: Target, odds: float, shares: F64) -> dict[str, object]:
    low, median, high = np.nanquantile(shares, [0.05, 0.5, 0.95])
    return {
        "target": target.name, "measure": target.measure, "label": target.label, "real": target.value,
        "odds": odds, "median": median, "low90": low, "high90": high,
    }  # fmt: skip
