"""Luck told apart from effects: what is left of a sweep's numbers when the luck of single runs is taken out.

A run gives y = f(x) + luck, where f is the mean over all courses of luck. Squares of y hold the variance of luck and
inflate whatever is made of them (total indices most of all). Products of two *different* runs do not: with r and s
independent, E[y_r(x) y_s(x')] = E[f(x) f(x')]. Inside a block all rows meet the same luck in the same run, so
differences between its rows lose most of the luck before they are multiplied. What is said here holds for the paired
difference of two scenarios as for the outcome of one; the difference has its own luck, a small one.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, fdtrc, ndtr, ndtri, polygamma, stdtr, stdtrit

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
        [statistic(np.bincount(rng.integers(n, size=n), minlength=n) @ terms / n) for _ in range(resamples)]
    )
    tail = float(ndtr(-np.sqrt(n / (n - 1)) * reach_of(n))) if n > 1 else (1.0 - INTERVAL) / 2
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(drawn, (tail, 1.0 - tail), axis=0)
    return Range(statistic(terms.mean(axis=0)), low, high)


def reach_of(n: int) -> float:
    """Standard errors that a 90% interval of a mean of `n` reaches to either side (Student 1908)."""
    return float(stdtrit(n - 1, 0.5 + INTERVAL / 2))


def chance_of_mean(x: F64) -> F64:
    """How often luck alone gives any of the factors a mean of at least such a size, (n, factors) -> (factors,).

    By Student's t with luck as `moderated` has it (Smyth 2004), times the number of factors (Bonferroni), as of many
    that do nothing some look strong. By its own luck, by itself, a factor must pass too.
    """
    n, factors = x.shape
    mean, own = np.abs(x.mean(axis=0)), x.var(axis=0, ddof=1) / n
    luck, freedom = moderated(own, n - 1)
    alone = 2.0 * stdtr(n - 1, -_ratio(mean, np.sqrt(own)))
    any_of_all = 2.0 * stdtr(freedom, -_ratio(mean, np.sqrt(luck))) * factors
    return np.minimum(1.0, np.maximum(alone, any_of_all))


def chance_of_size(effects: F64) -> F64:
    """How often luck alone gives any of the factors effects of at least such a size, (n, factors, R) -> (factors,).

    By Fisher's F: squares of means over runs are held against the variance between runs, that as above. NaN with one
    run, where luck is not known.
    """
    n, factors, runs = effects.shape
    if runs < 2:
        return np.full(factors, np.nan)
    size, own = (effects.mean(axis=2) ** 2).mean(axis=0), luck_of(effects).mean(axis=0) / runs
    luck, freedom = moderated(own, n * (runs - 1))
    alone = fdtrc(n, n * (runs - 1), _ratio(size, own))
    any_of_all = fdtrc(n, freedom, _ratio(size, luck)) * factors
    return np.minimum(1.0, np.maximum(alone, any_of_all))


def moderated(own: F64, freedom: float) -> tuple[F64, float]:
    """Variances of luck by factor, shrunk towards a common one by as much as they agree, and their degrees of freedom.

    Empirical Bayes (Smyth 2004): variances (factors,), each of `freedom` degrees, come from a scaled inverse
    chi-square, whose own degrees and scale follow from mean and variance of their logarithms. Where luck is the same
    for all, this is the pooled variance; where it is very unequal, nearly each factor's own. Never less than its own:
    luck need not be spread as that chi-square, and with few runs large ones would be shrunk too far. Factors without
    any luck have no logarithm: they tell nothing of the others, and get the common variance's part.
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
    """The place x with trigamma(x) = value: it lies where 1 / x < value < 1 / (x - 1/2)."""
    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1.0 / value, 1.0 / value + 0.5))


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


def separated(y: F64, rows: Sequence[int] = (0,), seed: int = 0) -> Luck:
    """How much is luck, from blocks (n, rows, R); each of `rows` by itself is a point anywhere in the space.

    All of these tell the variance of the expected outcome, since one row a block says little where blocks are few;
    all rows of a block tell luck. Rows of a block need not be independent: the interval is from blocks drawn anew.
    """
    spread, runs = y[:, list(rows), :], y.shape[-1]
    spread = spread - spread.mean()
    luck = luck_of(y).mean(axis=1) if runs > 1 else np.full(len(y), np.nan)
    n = len(y)
    found = bootstrap(np.column_stack([spread_terms(spread), luck]), lambda mean: _shares(mean, n), seed)
    variance, known, share = (float(each) for each in found.value)
    return Luck(
        variance, known, share, float(found.low[2]), float(found.high[2]),
        share / runs / (1.0 - share + share / runs) if runs > 1 else float("nan"),
        bool(found.low[0] > 0.0),
    )  # fmt: skip


def spread_terms(y: F64) -> F64:
    """What is averaged over blocks to know the variance of the expected outcome, (n, rows, R) -> (n, R + 2).

    A block's mean by run, the product of these across runs, and the mean over rows of the product across runs.
    """
    means = y.mean(axis=1)
    return np.column_stack([means, product(means, means), product(y, y).mean(axis=1)])


def variance_of(terms: F64, n: int) -> float:
    """Variance of the expected outcome from the means of `spread_terms` over n blocks; by chance it may be negative.

    E[f^2] across runs, less the squared mean, that one across runs and across blocks: unbiased for any n.
    """
    means, own, square = terms[:-2], terms[-2], terms[-1]
    return float(square - (n * product(means, means) - own) / (n - 1))


def _shares(mean: F64, n: int) -> F64:
    """Variance, luck, and luck's share, from means of spread's terms and of luck."""
    variance, luck = variance_of(mean[:-1], n), float(mean[-1])
    known = max(variance, 0.0)
    share = luck / (known + luck) if known + luck > 0.0 else np.nan
    return np.array([variance, luck, share])


def without_luck(y: F64, luck: Luck | None) -> F64:
    """Outcomes of points, (..., R) -> (...): means over runs, as far from one another as expected outcomes are.

    Means over runs vary by V + W/R, expected outcomes by V: each is moved towards the mean of all by the root of
    V / (V + W/R), so that quantiles and shares of points hold no luck. All stand at the mean where V is not told apart
    from nothing; as they are with one run, where luck is not known.
    """
    means = y.mean(axis=-1)
    if luck is None or not math.isfinite(luck.share_of_means):
        return means
    kept = math.sqrt(1.0 - luck.share_of_means) if luck.beyond_luck else 0.0
    return means.mean() + kept * (means - means.mean())


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
