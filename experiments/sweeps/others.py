"""What a sweep does not vary: at central values or drawn for each block and run, from posterior or priors.

A draw belongs to a block and a run. So the rows of a block differ in the factors alone, and what the draws add to the
spread of the outcome is part of what is told as luck.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from scenarios import draw, register
from simulator.parameters import F64

CENTRAL, DRAWN = "central", "drawn"
POSTERIOR, PRIOR = "posterior", "prior"


def identity(draws_from: str) -> str:
    """What identifies the values that are drawn from beside the code: the shipped posterior's hash, or nothing."""
    if draws_from == PRIOR:
        return ""
    from calibration import posterior

    return posterior.read().identity


def values(others: str, draws_from: str, seed: int, first: int, last: int) -> dict[str, F64]:
    """The values of all parameters in the blocks `first` to `last`, (last - first + 1,) each; empty: the register's."""
    count = last - first + 1
    if others == CENTRAL:
        return {name: np.full(count, value) for name, value in centre(draws_from).items()}
    drawn = draw(count, seed, first)
    if draws_from == PRIOR:
        return drawn
    from calibration import posterior

    found = posterior.read()
    rows = found.rows(count, seed, first)
    return drawn | {name: column[rows] for name, column in found.values.items() if name in drawn}


@cache
def centre(draws_from: str) -> Mapping[str, float]:
    """Central values that are not the register's: medians of the posterior."""
    if draws_from == PRIOR:
        return MappingProxyType({})
    from calibration import posterior

    entries = register()
    return MappingProxyType({name: value for name, value in posterior.read().centre().items() if name in entries})


def fitted(draws_from: str) -> tuple[str, ...]:
    """Names of the parameters of the register that are fitted."""
    return tuple(centre(draws_from))


def marginal(name: str, shares: F64) -> F64:
    """Values of a fitted parameter below which these shares of the posterior lie."""
    from calibration import posterior

    found = posterior.read()
    order = np.argsort(found.values[name], kind="stable")
    weight = found.weight[order]
    below = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.interp(shares, below, found.values[name][order])


def in_words(others: str, draws_from: str) -> str:
    """Where the values come from that are not varied."""
    words: Mapping[tuple[str, str], str] = {
        (CENTRAL, PRIOR): "at the central values of the register, not calibrated",
        (CENTRAL, POSTERIOR): "at the posterior's median where it is fitted, else at the register's central value",
        (DRAWN, PRIOR): "drawn from the priors, block by block, not calibrated",
        (DRAWN, POSTERIOR): "drawn, block by block, from the posterior where it is fitted, else from its prior",
    }
    return words[others, draws_from]
