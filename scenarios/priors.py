"""Draws from the priors: each value is a pure function of (seed, name of the entry, number of the draw).

The generator is Philox 4x64-10 (Salmon et al. 2011), keyed by a BLAKE2b hash of seed and name. Draw number i is the
prior's quantile at the i-th number of that key's sequence. So a longer sequence of draws begins with the shorter
one, and a new entry in the register changes no other.
"""

import hashlib
import math

import numpy as np
import numpy.typing as npt

from scenarios.entries import Entry, drawn

F64 = npt.NDArray[np.float64]

WORDS_PER_STEP = 4  # of Philox 4x64
QUANTILE_95 = 1.645  # of the standard normal, rounded as at the head of the register


def draw(n: int, seed: int, first: int = 0) -> dict[str, F64]:
    """Draw every behaviour and funder entry from its prior.

    Parameters
    ----------
    n : int
        How many draws.
    seed : int
    first : int, optional
        The number of the first draw.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        By name, in the units of the register.
    """
    return {name: quantile(entry, uniforms(n, seed, name, first)) for name, entry in drawn().items()}


def uniforms(n: int, seed: int, name: str, first: int = 0) -> F64:
    """Return numbers strictly between 0 and 1 from the sequence of a seed and a name.

    Parameters
    ----------
    n : int
        How many numbers.
    seed : int
    name : str
    first : int, optional
        The place of the first number in the sequence.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If `n` or `first` is negative.
    """
    if n < 0 or first < 0:
        raise ValueError(f"n is {n} and first is {first}; allowed: 0 or more")
    digest = hashlib.blake2b(f"{int(seed)}:{name}".encode(), digest_size=16).digest()
    generator = np.random.Philox(key=int.from_bytes(digest, "little"))
    steps, skipped = divmod(first, WORDS_PER_STEP)
    words = (generator.advance(steps) if steps else generator).random_raw(skipped + n)[skipped:]
    return (np.asarray(words, dtype=np.uint64) >> np.uint64(12)).astype(np.float64) * 2.0**-52 + 2.0**-53


def quantile(entry: Entry, u: npt.ArrayLike) -> F64:
    """Return quantiles of an entry's prior.

    Parameters
    ----------
    entry : Entry
        An entry with a prior.
    u : array_like of float
        Probabilities, between 0 and 1.

    Returns
    -------
    ndarray of float64, of the shape of `u`
        In the unit of the entry, inside its hard limits.

    Raises
    ------
    ValueError
        If the entry has no prior.
    """
    u = np.asarray(u, dtype=np.float64)
    value, low, high = _numbers(entry)
    if entry.prior == "fixed" or low == high:
        return np.full(u.shape, value)
    if entry.prior == "triangular":
        return _triangular(u, low, value, high)
    if entry.prior == "beta":
        return _beta(entry, u, low, value, high)
    return _lognormal(entry, u, value, low, high)


def _numbers(entry: Entry) -> tuple[float, float, float]:
    if entry.low is None or entry.high is None or not isinstance(entry.value, float | int):
        raise ValueError(f"{entry.name} has no prior")
    return float(entry.value), float(entry.low), float(entry.high)


def _triangular(u: F64, low: float, mode: float, high: float) -> F64:
    below = (mode - low) / (high - low)
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return _within(np.where(u < below, rising, falling), low, high)


def _beta(entry: Entry, u: F64, low: float, mode: float, high: float) -> F64:
    from scipy import special  # here, since it costs more to import than all the rest

    if entry.shape is None:
        a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
        return _within(low + (high - low) * special.betaincinv(a, b, u), low, high)
    a, b = entry.shape
    start, end = special.betainc(a, b, low), special.betainc(a, b, high)
    return _within(special.betaincinv(a, b, start + u * (end - start)), low, high)


def _lognormal(entry: Entry, u: F64, median: float, low: float, high: float) -> F64:
    from scipy import special

    sd = math.log(high / low) / (2 * QUANTILE_95)
    smallest, largest = entry.limits
    start = special.ndtr(math.log(smallest / median) / sd) if smallest > 0 else 0.0
    end = special.ndtr(math.log(largest / median) / sd)
    return _within(median * np.exp(sd * special.ndtri(start + u * (end - start))), smallest, largest)


def _within(values: F64, smallest: float, largest: float) -> F64:
    """Clip what rounding may have put outside the limits."""
    return np.asarray(np.minimum(np.maximum(values, smallest), largest))
