"""When a scenario is called better or worse than the base: one rule for sentences, tables and figures."""

import numpy as np
import pandas as pd

from experiments.exhibits.style import Verdict
from experiments.runs.measures import all_measures

TOLD_APART = 0.9  # share of draws from which on a scenario counts as better or worse
ROUNDED = 1e-12  # 1 - 0.9 is a little less than a share of 0.1


def verdict(row: pd.Series) -> Verdict:
    """Return whether a scenario is better or worse than the base, or neither clearly (`open`).

    Parameters
    ----------
    row : Series
        A row of `effects_of`. Draws without any difference count for neither side.
    """
    if not np.isfinite(row["p_better"]) or row["difference"] == 0:
        return "open"
    better = all_measures()[row["measure"]].better
    nearest = row["difference_high"] if better > 0 else row["difference_low"]  # the end of the interval next to 0
    if row["p_better"] >= TOLD_APART:
        return "better"
    if row["p_better"] <= ROUNDED + 1.0 - TOLD_APART and better * row["difference"] < 0 and nearest != 0:
        return "worse"
    return "open"
