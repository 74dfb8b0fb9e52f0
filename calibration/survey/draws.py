"""Keyed draws for the survey: those of `simulator.draws`, for many firms or partners at once."""

import numpy as np
import numpy.typing as npt

from simulator import draws
from simulator.jit import kernel

# What a draw is for. Numbers are part of the results: never renumber, only append; the simulator's are below 1000.
ANSWERS, NUMBER, PICKED, PASSED_ON, TICKED, CHOSEN, REPORTED = range(1001, 1008)

U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]


def uniforms(seed: int, decision: int, time: int, who: U64, whom: U64) -> F64:
    """Return numbers strictly between 0 and 1: `simulator.draws.uniform` for each pair of (`who`, `whom`).

    Parameters
    ----------
    seed : int
    decision : int
        What the draws are for, such as `PICKED`.
    time : int
        The time of the decision, or another number that keeps its draws apart.
    who, whom : ndarray of uint64, shape (n,)
        Identities.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    values = np.empty(len(who))
    _fill(np.int64(seed), np.int64(decision), np.int64(time), who, whom, values)
    return values


@kernel
def _fill(seed: np.int64, decision: np.int64, time: np.int64, who: U64, whom: U64, values: F64) -> None:
    """Write one draw for each pair into `values`."""
    start = draws.key(seed, decision, time)
    for row in range(len(values)):
        values[row] = draws.uniform(start, who[row], whom[row])
