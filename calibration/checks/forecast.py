"""What the fitted model expects of calls to come, from their inputs alone.

Written before the outcomes of these calls are known to the project: nothing here may be changed after them. The model
is not made to forecast single calls; this is a test that it can fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.checks.settings import check_settings, forecast_calls
from calibration.evidence.measures import measures
from calibration.hindcast.past_calls import PAST
from calibration.hindcast.programme_statistics import programme_statistics
from calibration.jobs import compute_draws
from calibration.parameters import split
from scenarios import load
from simulator.ensemble import simulate
from simulator.jobs import Runner, code_of

F64 = npt.NDArray[np.float64]

MEASURES = (
    "applications",
    "approvals",
    "projects",
    "clusters",
    "countries",
    "clusters_in_two_projects",
    "clusters_with_two_grants",
    "clusters_outside_bsr",
    "financed_partners",
)
# A financed partner is a partner with a grant, so this repeats the approvals under the name of the reports.
_SAME_AS = {"financed_partners": "approvals"}
_LABELS = {"financed_partners": "Partners with a grant (the same as applications approved)"}


def forecast(draws: Mapping[str, F64], seed: int, run: Runner) -> pd.DataFrame:
    """Forecast the calls of `forecast_calls()`.

    Parameters
    ----------
    draws : mapping of str to ndarray of float64, shape (n,)
        Of the posterior, by parameter.
    seed : int
        Draw number i has run seed `seed` + i.
    run : Runner

    Returns
    -------
    DataFrame
        One row per call and measure: call, measure, label, median, low50, high50, low90, high90, mean, draws; quantiles
        over draws and luck.
    """
    seeds = seed + np.arange(len(next(iter(draws.values()))), dtype=np.int64)
    outcomes = CallOutcomes(forecast_calls(), int(check_settings()["forecast"]["horizon_months"]))
    what = f"forecast of {' and '.join(map(str, outcomes.calls))}"
    columns = compute_draws(what, outcomes, draws, seeds, run)
    rows = [_row(call, measure, columns[f"{measure}_{call}"]) for call in outcomes.calls for measure in MEASURES]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class CallOutcomes:
    """The statistics of some calls in one run, as a picklable function of (values, seed).

    Parameters
    ----------
    calls : tuple of int
        Years, in order.
    horizon_months : int
        How long the run goes on after the close of the last call.
    """

    calls: tuple[int, ...]
    horizon_months: int

    @property
    def identity(self) -> str:
        """All that determines the numbers beside draw and seed."""
        return f"{code_of(__name__)} {load(PAST).settings} {self!r}"

    def __call__(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return every measure of every call, by "measure_year"."""
        simulator_values, _ = split(values)
        inputs = load(PAST).resolve(simulator_values, last_call=self.calls[-1], horizon_months=self.horizon_months)
        state = simulate(inputs, seed)
        numbers: dict[str, float] = {}
        for call in self.calls:
            statistics = programme_statistics(state, inputs, inputs.call_years.index(call))
            numbers |= {f"{name}_{call}": statistics[_SAME_AS.get(name, name)] for name in MEASURES}
        return numbers


def _row(call: int, measure: str, values: F64) -> dict[str, object]:
    low90, low50, median, high50, high90 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    label = _LABELS.get(measure) or measures()[measure].label
    return {
        "call": call, "measure": measure, "label": label, "median": median, "low50": low50, "high50": high50,
        "low90": low90, "high90": high90, "mean": round(float(values.mean()), 2), "draws": len(values),
    }  # fmt: skip
