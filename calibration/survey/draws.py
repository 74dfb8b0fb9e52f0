"""Luck of the survey: the simulator's keyed draws, for many firms at once."""

import numpy as np
import numpy.typing as npt

from simulator import draws

# What a draw is for. Numbers are part of the results: never renumber, only append; the simulator's are below 1000.
ANSWERS, NUMBER, PICKED, PASSED_ON, TICKED, CHOSEN, REPORTED = range(1001, 1008)

U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]


def uniforms(seed: int, decision: int, time: int, who: U64, whom: U64) -> F64:
    """Numbers strictly between 0 and 1 for (`who`, `whom`): those of `simulator.draws.uniform`, array by array."""
    start = np.uint64(draws.key(seed, decision, time))
    word = _mix(_mix(start + who) + whom)
    return ((word >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _mix(word: U64) -> U64:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(word ^ (word >> np.uint64(31)))
