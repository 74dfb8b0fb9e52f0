"""Separate effects from run-to-run noise (luck).

A run gives y = f(x) + luck, where f is the mean over all seeds. Squares of y hold the variance of luck and inflate
whatever is computed from them (total indices most of all). Products of two *different* runs do not: with r and s
independent, E[y_r(x) y_s(x')] = E[f(x) f(x')]. Inside a block all rows meet the same luck in the same run, so
differences between its rows lose most of the luck before they are multiplied. All this holds for the outcome of one
scenario and for the paired difference of two; the difference has its own luck, a small one.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, fdtrc, ndtr, ndtri, polygamma, stdtr, stdtrit

from experiments.runs.measures import INTERVAL
from simulator.parameters import F64

RESAMPLES = 400
ROUNDING = 1e-20  # of a variance: smaller differences are rounding errors
STANDARD = float(ndtri(0.5 + INTERVAL / 2))  # standard errors from the mean to either end of a 90% interval


class Range(NamedTuple):
    """A number and its 90% interval, or arrays of the same shape."""

    value: F64
    low: F64
    high: F64


class Luck(NamedTuple):
    """How much of the spread of single runs is luck.

    Attributes
    ----------
    variance : float
        Variance of the expected outcome over the space of factors.
    luck : float
        Variance of single runs at one point.
    share, share_low, share_high : float
        luck / (variance + luck) with its 90% interval; NaN with one run a point, or if nothing varies.
    share_of_means : float
        The same for means over a point's runs.
    beyond_luck : bool
        Whether the variance of the expected outcome is told apart from nothing.
    """

    variance: float
    luck: float
    share: float
    share_low: float
    share_high: float
    share_of_means: float
    beyond_luck: bool


def product(a: F64, b: F64) -> F64:
    """Return the mean of a_r b_s over pairs of different runs, (..., R) each -> (...); with one run, the product."""
    runs = a.shape[-1]
    if runs == 1:
        return a[..., 0] * b[..., 0]
    return np.asarray((a.sum(-1) * b.sum(-1) - (a * b).sum(-1)) / (runs * (runs - 1)))


def luck_of(y: F64) -> F64:
    """Return the variance between runs at the same point, (..., R) -> (...); NaN with one run."""
    if y.shape[-1] < 2:
        return np.full(y.shape[:-1], np.nan)
    return np.asarray(y.var(axis=-1, ddof=1))


def bootstrap(terms: F64, statistic: Callable[[F64], F64], seed: int, resamples: int = RESAMPLES) -> Range:
    """Return a statistic of mean terms with its 90% interval, by drawing blocks anew with replacement.

    The fewer the blocks, the further out are the percentiles: else intervals of few blocks are too narrow (Hesterberg
    2015).

    Parameters
    ----------
    terms : ndarray of float64
        A row for each block.
    statistic : callable
        Takes the mean of the rows.
    seed : int
        Seed of the bootstrap.
    resamples : int, optional
        How often blocks are drawn anew.
    """
    rng = np.random.default_rng(seed)
    n = len(terms)
    drawn = np.stack(
        [statistic(np.bincount(rng.integers(n, size=n), minlength=n) @ terms / n) for _ in range(resamples)]
    )
    tail = float(ndtr(-np.sqrt(n / (n - 1)) * reach_of(n))) if n > 1 else (1.0 - INTERVAL) / 2
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(drawn, (tail, 1.0 - tail), axis=0)
    return Range(statistic(terms.mean(axis=0)), low, high)


def reach_of(n: int) -> float:
    """Return the standard errors from a mean of `n` to either end of its 90% interval (Student 1908)."""
    return float(stdtrit(n - 1, 0.5 + INTERVAL / 2))


def chance_of_mean(x: F64) -> F64:
    """Return how often luck alone gives any of the factors a mean of at least such a size.

    By Student's t with the variance of `moderated` (Smyth 2004), times the number of factors (Bonferroni), since some
    of many idle factors look strong. A factor must also pass by itself, with its own luck.

    Parameters
    ----------
    x : ndarray of float64
        Effects, (n, factors).

    Returns
    -------
    ndarray of float64
        (factors,).
    """
    n, factors = x.shape
    mean, own = np.abs(x.mean(axis=0)), x.var(axis=0, ddof=1) / n
    luck, freedom = moderated(own, n - 1)
    alone = 2.0 * stdtr(n - 1, -_ratio(mean, np.sqrt(own)))
    any_of_all = 2.0 * stdtr(freedom, -_ratio(mean, np.sqrt(luck))) * factors
    return np.asarray(np.minimum(1.0, np.maximum(alone, any_of_all)))


def chance_of_size(effects: F64) -> F64:
    """Return how often luck alone gives any of the factors effects of at least such a size.

    By Fisher's F: squares of means over runs against the variance between runs, moderated as in `chance_of_mean`.

    Parameters
    ----------
    effects : ndarray of float64
        (n, factors, runs).

    Returns
    -------
    ndarray of float64
        (factors,); NaN with one run, where luck is not known.
    """
    n, factors, runs = effects.shape
    if runs < 2:
        return np.full(factors, np.nan)
    size, own = (effects.mean(axis=2) ** 2).mean(axis=0), luck_of(effects).mean(axis=0) / runs
    luck, freedom = moderated(own, n * (runs - 1))
    alone = fdtrc(n, n * (runs - 1), _ratio(size, own))
    any_of_all = fdtrc(n, freedom, _ratio(size, luck)) * factors
    return np.asarray(np.minimum(1.0, np.maximum(alone, any_of_all)))


def moderated(own: F64, freedom: float) -> tuple[F64, float]:
    """Shrink variances of luck towards a common one, the more the better they agree.

    Empirical Bayes (Smyth 2004): variances come from a scaled inverse chi-square, whose degrees and scale follow from
    mean and variance of their logarithms. If luck is the same for all factors, the result is the pooled variance; if
    it is very unequal, it is nearly each factor's own. It is never less than its own: luck need not follow that
    chi-square, and with few runs large variances would be shrunk too far. Factors without any luck have no logarithm:
    they say nothing about the others, and get the common variance's part.

    Parameters
    ----------
    own : ndarray of float64
        Variances by factor, (factors,).
    freedom : float
        Degrees of freedom of each.

    Returns
    -------
    tuple of ndarray of float64 and float
        The shrunk variances, (factors,), and their degrees of freedom.
    """
    known = own[own > ROUNDING * own.max()]
    if not len(known):
        return own, freedom
    log = np.log(known) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(log.var(ddof=1) - polygamma(1, freedom / 2)) if len(known) > 1 else 0.0
    pooled = freedom * len(known)
    if excess <= 0.0:
        return np.maximum(own, known.mean()), pooled
    half = _where_trigamma_is(excess)
    common = float(np.exp(log.mean() + digamma(half) - np.log(half)))
    shrunk = (2 * half * common + freedom * own) / (2 * half + freedom)
    return np.maximum(own, shrunk), min(2 * half + freedom, pooled)


def _where_trigamma_is(value: float) -> float:
    """Return x with trigamma(x) = value: it lies where 1 / x < value < 1 / (x - 1/2)."""
    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1.0 / value, 1.0 / value + 0.5))


def _ratio(size: F64, luck: F64 | float) -> F64:
    """Return size over luck: infinite where there is a size and no luck, 0 where there is neither."""
    luck = np.broadcast_to(np.asarray(luck, dtype=float), size.shape)
    return np.asarray(np.divide(size, luck, out=np.where(size > 0.0, np.inf, 0.0), where=luck > ROUNDING * size))


def chance_among(value: F64, idle: F64) -> F64:
    """Return how often some factor that does nothing gets such a value or more, by the values of `idle` factors."""
    spread = idle.std(ddof=1) * np.sqrt(1.0 + 1.0 / len(idle))
    if not spread > 0.0:
        return np.where(value > idle.mean(), 0.0, 1.0)
    return np.asarray(np.minimum(1.0, stdtr(len(idle) - 1, (idle.mean() - value) / spread) * len(value)))


def separated(y: F64, rows: Sequence[int] = (0,), seed: int = 0) -> Luck:
    """Return how much of the spread is luck.

    Rows of a block need not be independent of one another: the interval is from blocks drawn anew.

    Parameters
    ----------
    y : ndarray of float64
        Outcomes, (blocks, rows, runs); all rows say how large luck is.
    rows : sequence of int, optional
        Rows that are points anywhere in the space; they say how large the variance of the expected outcome is.
    seed : int, optional
        Seed of the bootstrap.
    """
    spread, runs = y[:, list(rows), :], y.shape[-1]
    spread = spread - spread.mean()
    luck = luck_of(y).mean(axis=1) if runs > 1 else np.full(len(y), np.nan)
    n = len(y)
    parts = bootstrap(np.column_stack([spread_terms(spread), luck]), lambda mean: _shares(mean, n), seed)
    variance, known, share = (float(value) for value in parts.value)
    return Luck(
        variance=variance,
        luck=known,
        share=share,
        share_low=float(parts.low[2]),
        share_high=float(parts.high[2]),
        share_of_means=share / runs / (1.0 - share + share / runs) if runs > 1 else float("nan"),
        beyond_luck=bool(parts.low[0] > 0.0),
    )


def spread_terms(y: F64) -> F64:
    """Return the terms of each block whose means give the variance of the expected outcome, (n, rows, R) -> (n, R + 2).

    They are the block's mean by run, the product of these across runs, and the mean over rows of the product across
    runs.
    """
    means = y.mean(axis=1)
    return np.column_stack([means, product(means, means), product(y, y).mean(axis=1)])


def variance_of(terms: F64, n: int) -> float:
    """Return the variance of the expected outcome from the means of `spread_terms` over n blocks.

    E[f^2] across runs, less the squared mean across runs and blocks: unbiased for any n, so it may be negative by
    chance.
    """
    means, own, square = terms[:-2], terms[-2], terms[-1]
    return float(square - (n * product(means, means) - own) / (n - 1))


def _shares(mean: F64, n: int) -> F64:
    """Return variance, luck, and the share of luck, from means of the terms of spread and of luck."""
    variance, luck = variance_of(mean[:-1], n), float(mean[-1])
    known = max(variance, 0.0)
    share = luck / (known + luck) if known + luck > 0.0 else np.nan
    return np.array([variance, luck, share])


def without_luck(y: F64, luck: Luck | None) -> F64:
    """Return means over runs, moved as close together as expected outcomes are.

    Means over R runs vary by V + W/R, expected outcomes by V. Each is moved towards the mean of all by the root of
    V / (V + W/R), so that quantiles and shares of points hold no luck.

    Parameters
    ----------
    y : ndarray of float64
        Outcomes of points, (..., runs).
    luck : Luck or None
        As of `separated`; None if it is not known.

    Returns
    -------
    ndarray of float64
        (...): all at the mean if V is not told apart from nothing; means as they are if luck is not known.
    """
    means = y.mean(axis=-1)
    if luck is None or not math.isfinite(luck.share_of_means):
        return np.asarray(means)
    rest = math.sqrt(1.0 - luck.share_of_means) if luck.beyond_luck else 0.0
    return np.asarray(means.mean() + rest * (means - means.mean()))


def pairing(base: F64, option: F64) -> float:
    """Return how many times as many runs it would take without pairing.

    Parameters
    ----------
    base, option : ndarray of float64
        Outcomes, (rows, runs), two runs or more.

    Returns
    -------
    float
        Luck of unpaired over luck of paired differences: NaN if there is no luck, infinite if none is left.
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
    """Return Sobol' indices of the expected outcome.

    First order: Saltelli et al. (2010); total: Jansen (1999); pairs: Saltelli (2002). If B with columns of A was run
    too, each is the mean of the estimate and its mirror.

    Parameters
    ----------
    y : ndarray of float64
        Outcomes, (blocks, rows, runs), rows as of Saltelli's design.
    second_order : bool
        Whether to return indices of pairs.
    seed : int, optional
        Seed of the bootstrap.
    across : bool, optional
        Whether products across runs take luck out (with one run nothing can be taken out).

    Returns
    -------
    dict of str to Range
        S1 (factors,), ST (factors,) and S2 (factors, factors; NaN but for the upper triangle).
    """
    factors = (y.shape[1] - 2) // (2 if second_order else 1)
    if not across:
        y = y.mean(axis=-1, keepdims=True)
    terms = _sobol_terms(y - y[:, [0, -1]].mean(), factors, second_order)
    values = bootstrap(terms, lambda mean: _sobol_indices(mean, factors, second_order), seed)
    cut = {"S1": slice(0, factors), "ST": slice(factors, 2 * factors)}
    indices = {name: Range(*(end[place] for end in values)) for name, place in cut.items()}
    if second_order:
        indices["S2"] = Range(*(_square(end[2 * factors :], factors) for end in values))
    return indices


def _sobol_terms(y: F64, d: int, second_order: bool) -> F64:
    """Return the terms of each block: mean, square, then products for S1, ST and pairs."""
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
    return np.asarray(shares)


def _square(pairs: F64, d: int) -> F64:
    """Return pairs as the upper triangle of a matrix, NaN elsewhere."""
    matrix = np.full((d, d), np.nan)
    matrix[np.triu_indices(d, 1)] = pairs
    return matrix
