"""What the fitted model expects of the calls of 2016 and 2017, from their inputs alone.

Written before their outcomes are known to the project: nothing here may be changed in their light. The model is not
for forecasting single calls; this is a test that it can fail.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.evidence.measures import measures
from calibration.evidence.programme_statistics import programme_statistics
from calibration.fit.simulate import Progress
from calibration.survey.register import split
from scenarios import load
from simulator.ensemble import simulate as run
from simulator.threads import run_jobs

F64 = npt.NDArray[np.float64]

FILE = Path(__file__).with_name("forecast_2016_2017.csv")
YEARS = (2016, 2017)
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
_HORIZON_MONTHS = 12  # nothing that is forecast happens later after the close of a call


def forecast(draws: Mapping[str, F64], seed: int, threads: int = 1, progress: Progress | None = None) -> pd.DataFrame:
    """The forecast: one row per call and measure, with median, 50% and 90% intervals over draws and luck.

    Columns: call, measure, label, median, low50, high50, low90, high90, mean, draws. Draw number i has run seed
    `seed` + i.
    """
    columns = {name: np.asarray(values, np.float64) for name, values in draws.items()}
    count = len(next(iter(columns.values())))

    def one(draw: int) -> list[list[float]]:
        found = _outcomes({name: float(column[draw]) for name, column in columns.items()}, seed + draw)
        if progress:
            progress(1)
        return found

    values = np.array(list(run_jobs(one, range(count), threads)))
    rows = [_row(year, measure, values[:, y, m]) for y, year in enumerate(YEARS) for m, measure in enumerate(MEASURES)]
    return pd.DataFrame(rows)


def _outcomes(values: Mapping[str, float], seed: int) -> list[list[float]]:
    """What comes out of each call, in the order of YEARS and MEASURES."""
    inputs = load("baseline").resolve(split(values)[0], last_call=YEARS[-1], horizon_months=_HORIZON_MONTHS)
    state = run(inputs, seed)
    counted = [programme_statistics(state, inputs, inputs.call_years.index(year)) for year in YEARS]
    return [[call[_SAME_AS.get(measure, measure)] for measure in MEASURES] for call in counted]


def _row(year: int, measure: str, values: F64) -> dict[str, object]:
    low90, low50, median, high50, high90 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    label = _LABELS.get(measure) or measures()[measure].label
    return {
        "call": year, "measure": measure, "label": label, "median": median, "low50": low50, "high50": high50,
        "low90": low90, "high90": high90, "mean": round(float(values.mean()), 2), "draws": len(values),
    }  # fmt: skip
