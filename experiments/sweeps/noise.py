"""Luck told apart from effects: what is left of a sweep's numbers when the luck of single runs is taken out.

A run gives y = f(x) + luck, where f is the mean over all courses of luck. Squares of y hold the variance of luck and
inflate whatever is made of them (total indices most of all). Products of two *different* runs do not: with r and s
independent, E[y_r(x) y_s(x')] = E[f(x) f(x')]. Inside a block all rows meet the same luck in the same run, so
differences between its rows lose most of the luck before they are multiplied. What is said here holds for the paired
difference of two scenarios as for the outcome of one; the difference has its own luck, a small one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import fdtrc, ndtr, ndtri, stdtr, stdtrit

from simulator.parameters import F64

INTERVAL = 0.9  # of the bootstrap: 90% intervals, as everywhere in innovex
RESAMPLES = 400
ROUNDING = 1e-20  # of a variance: below it differences are due to the computer's numbers alone
STANDARD = float(ndtri(0.5 + INTERVAL / 2))  # standard errors that a 90% interval reaches to either side


class Range(NamedTuple):
    """A number and its 90% interval; arrays of the same shape where there are many."""

    value: F64
    low: F64
    high: F64


class Luck(NamedTuple):
    """How much of the spread of single runs is mere luck.

    `variance` is that of the expected outcome over the space of factors, `luck` that of single runs at one point;
    `share` = luck / (variance + luck), `share_of_means` the same for means over a point's runs. NaN where one run a
    point tells nothing, or where nothing varies at all.
    """

    variance: float
    luck: float
    share: float
    share_low: float
    share_high: float
    share_of_means: float
    beyond_luck: bool


def product(a: F64, b: F64) -> F64:
    """Mean of a_r b_s over pairs of different runs, (..., R) each -> (...); with one run, the plain product."""
    runs = a.shape[-1]
    if runs == 1:
        return a[..., 0] * b[..., 0]
    return (a.sum(-1) * b.sum(-1) - (a * b).sum(-1)) / (runs * (runs - 1))


def luck_of(y: F64) -> F64:
    """Variance between runs at the same point, (..., R) -> (...); NaN with one run."""
    if y.shape[-1] < 2:
        return np.full(y.shape[:-1], np.nan)
    return y.var(axis=-1, ddof=1)


def bootstrap(terms: F64, statistic: Callable[[F64], F64], seed: int, resamples: int = RESAMPLES) -> Range:
    """A statistic of mean terms and its interval, blocks (rows of `terms`) drawn anew with replacement.

    Percentiles stand further out the fewer the blocks, else intervals of few blocks are too narrow (Hesterberg 2015).
    """
    rng = np.random.default_rng(seed)
    n = len(terms)
    drawn = np.stack(
        [
            statistic(np.bincount(rng.integers(n, size=n), minlength=n) @ terms / n)
            for _ in range(resamples)
        ]
    )
    tail = float(ndtr(-np.sqrt(n / (n - 1)) * reach_of(n))) if n > 1 else (1.0 - INTERVAL) / 2
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(drawn, (tail, 1.0 - tail), axis=0)
    return Range(statistic(terms.mean(axis=0)), low, high)


def reach_of(n: int) -> float:
    """Standard errors that a 90% interval of a mean of `n` reaches to either side (Student 1908)."""
    return float(stdtrit(n - 1, 0.5 + INTERVAL / 2))


def chance_of_mean(x: F64) -> F64:
    """How often luck alone gives a mean of at least such a size, (n, factors) -> (factors,), by Student's t.

    The larger of two: with the luck of all factors together, that it gives it to any of them (Bonferroni), as of many
    that do nothing some look strong; and with the factor's own luck, which may be larger, to this one.
    """
    n, factors = x.shape
    mean, own = np.abs(x.mean(axis=0)), x.var(axis=0, ddof=1) / n
    alone = 2.0 * stdtr(n - 1, -_ratio(mean, np.sqrt(own)))
    any_of_all = 2.0 * stdtr((n - 1) * factors, -_ratio(mean, np.sqrt(own.mean()))) * factors
    return np.minimum(1.0, np.maximum(alone, any_of_all))


def chance_of_size(effects: F64) -> F64:
    """How often luck alone gives effects of at least such a size, (n, factors, R) -> (factors,), by Fisher's F.

    Squares of means over runs are held against the variance between runs; of two, as above. NaN with one run, where
    luck is not known.
    """
    n, factors, runs = effects.shape
    if runs < 2:
        return np.full(factors, np.nan)
    size, own = (effects.mean(axis=2) ** 2).mean(axis=0), luck_of(effects).mean(axis=0) / runs
    alone = fdtrc(n, n * (runs - 1), _ratio(size, own))
    any_of_all = fdtrc(n, n * (runs - 1) * factors, _ratio(size, own.mean())) * factors
    return np.minimum(1.0, np.maximum(alone, any_of_all))


def _ratio(size: F64, luck: F64 | float) -> F64:
    """Size over luck: infinite where there is a size and no luck, 0 where there is neither."""
    luck = np.broadcast_to(np.asarray(luck, dtype=float), size.shape)
    return np.divide(size, luck, out=np.where(size > 0.0, np.inf, 0.0), where=luck > ROUNDING * size)


def chance_among(value: F64, idle: F64) -> F64:
    """How often some factor that does nothing gets at least such a value, told from those of some `idle` factors."""
    spread = idle.std(ddof=1) * np.sqrt(1.0 + 1.0 / len(idle))
    if not spread > 0.0:
        return np.where(value > idle.mean(), 0.0, 1.0)
    return np.minimum(1.0, stdtr(len(idle) - 1, (idle.mean() - value) / spread) * len(value))


def separated(y: F64, rows: tuple[int, ...] = (0,), seed: int = 0) -> Luck:
    """How much is luck, from blocks (n, rows, R); `rows` of each block are independent points of the space."""
    spread = y[:, list(rows), :]
    centred = spread - spread.mean()
    runs = y.shape[-1]
    luck = luck_of(y).mean(axis=1) if runs > 1 else np.full(len(y), np.nan)
    terms = np.stack([centred.mean(axis=(1, 2)), product(centred, centred).mean(axis=1), luck], axis=1)
    found = bootstrap(terms, _shares, seed)
    variance, _, share, of_means = found.value
    return Luck(
        float(variance), float(terms[:, 2].mean()), float(share), float(found.low[2]), float(found.high[2]),
        float(of_means / runs / (1.0 - of_means + of_means / runs)) if runs > 1 else float("nan"),
        bool(found.low[0] > 0.0),
    )  # fmt: skip


def _shares(mean: F64) -> F64:
    """Variance, luck, and luck's share, from means of (outcome, its cross product, luck)."""
    variance = mean[1] - mean[0] ** 2
    luck = mean[2]
    known = max(variance, 0.0)
    share = luck / (known + luck) if known + luck > 0.0 else np.nan
    return np.array([variance, luck, share, share])


def pairing(base: F64, option: F64) -> float:
    """How many times more runs independent luck would need: luck of unpaired over luck of paired differences.

    `base` and `option` are (rows, R), R at least 2. NaN where there is no luck, infinite where none is left.
    """
    if base.shape[-1] < 2:
        return float("nan")
    paired = float(luck_of(option - base).mean())
    apart = float(luck_of(option).mean() + luck_of(base).mean())
    if not apart > 0.0:
        return float("nan")
    return apart / paired if paired > ROUNDING * apart else float("inf")


# Sobol' indices


def sobol(y: F64, second_order: bool, seed: int = 0, across: bool = True) -> dict[str, Range]:
    """S1 (d,), ST (d,) and, if asked, S2 (d, d) of the expected outcome, from Saltelli blocks (n, rows, R).

    With luck's variance taken out by products across runs (`across`; with one run nothing can be taken out), or of
    means over runs as they are. First order: Saltelli et al. (2010); total: Jansen (1999); pairs: Saltelli (2002).
    Where B with columns of A was run too, each is the mean of the estimate and its mirror.
    """
    factors = (y.shape[1] - 2) // (2 if second_order else 1)
    if not across:
        y = y.mean(axis=-1, keepdims=True)
    terms = _sobol_terms(y - y[:, [0, -1]].mean(), factors, second_order)
    found = bootstrap(terms, lambda mean: _sobol_indices(mean, factors, second_order), seed)
    cut = {"S1": slice(0, factors), "ST": slice(factors, 2 * factors)}
    indices = {name: Range(*(each[place] for each in found)) for name, place in cut.items()}
    if second_order:
        indices["S2"] = Range(*(_square(each[2 * factors :], factors) for each in found))
    return indices


def _sobol_terms(y: F64, d: int, second_order: bool) -> F64:
    """What is averaged over blocks: mean, square, then products for S1, ST and pairs."""
    a, b, ab = y[:, 0], y[:, -1], y[:, 1 : d + 1]
    mean = 0.5 * (a + b).mean(axis=-1)
    square = 0.5 * (product(a, a) + product(b, b))
    first = product(b[:, None], ab - a[:, None])
    total = 0.5 * product(ab - a[:, None], ab - a[:, None])
    if not second_order:
        return np.column_stack([mean, square, first, total])
    ba = y[:, d + 1 : 2 * d + 1]
    first = 0.5 * (first + product(a[:, None], ba - b[:, None]))
    total = 0.5 * (total + 0.5 * product(ba - b[:, None], ba - b[:, None]))
    j, k = np.triu_indices(d, 1)
    pairs = 0.5 * (product(ba[:, j], ab[:, k]) + product(ba[:, k], ab[:, j])) - product(a, b)[:, None]
    return np.column_stack([mean, square, first, total, pairs])


def _sobol_indices(mean: F64, d: int, second_order: bool) -> F64:
    variance = mean[1] - mean[0] ** 2
    if variance <= 0.0:
        return np.full(len(mean) - 2, np.nan)
    shares = mean[2:] / variance
    if second_order:
        j, k = np.triu_indices(d, 1)
        shares[2 * d :] -= shares[j] + shares[k]
    return shares


def _square(pairs: F64, d: int) -> F64:
    """Pairs as the upper triangle of a matrix, NaN elsewhere."""
    matrix = np.full((d, d), np.nan)
    matrix[np.triu_indices(d, 1)] = pairs
    return matrix
