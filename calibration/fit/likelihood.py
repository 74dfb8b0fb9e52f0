"""How likely the observed numbers are under the emulated model.

Each target has a latent normal value, on the scale on which its luck has nearly the same size everywhere: angle for
shares, root for counts, logarithm for levels. The observed number is that value, rounded to a whole count. So 30 in 31
and a count of one are as likely as rounding makes them, and counts may vary more or less than Poisson's. The targets of
one block share people, projects and luck: a Gaussian copula carries their correlation, evaluated at the middle of each
rounding interval (the distributional transform of Kazianka & Pilz 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from calibration.fit.problem import F64, Observation

ROOT_SHIFT = 0.375  # Anscombe (1948)
SURE = 1e-9  # a probability nearer to 0 or 1 makes no difference
LEVEL_STEP = 1.0  # levels are printed in whole units


def latent(family: str, value: F64) -> F64:
    """Return values on the scale of their luck.

    Parameters
    ----------
    family : {"share", "count", "level"}
    value : ndarray of float64
        Shares, counts or levels.

    Returns
    -------
    ndarray of float64
        -inf or inf for shares up to 0 or from 1 on, and -inf for negative counts.

    Raises
    ------
    ValueError
        For an unknown family.
    """
    if family == "share":
        angle = np.arcsin(np.sqrt(np.clip(value, 0.0, 1.0)))
        return np.where(value <= 0.0, -np.inf, np.where(value >= 1.0, np.inf, angle))
    if family == "count":
        return np.where(value < 0.0, -np.inf, 2.0 * np.sqrt(np.maximum(value, 0.0) + ROOT_SHIFT))
    if family == "level":
        return np.asarray(np.log(np.maximum(value, SURE)))
    raise ValueError(f"{family!r} is not a family of targets; allowed: share, count, level")


def simulated_latent(family: str, value: F64) -> F64:
    """Return simulated values on the scale of their luck, finite wherever the value is.

    Parameters
    ----------
    family : {"share", "count", "level"}
    value : ndarray of float64
        Shares, counts or levels.
    """
    return latent(family, np.clip(value, 1e-6, 1.0 - 1e-6) if family == "share" else value)


def sampling_variance(target: Observation) -> float:
    """Return the variance that `effective_n` answers add to a share, on its latent scale; 0 for the others."""
    return 1.0 / (4.0 * _n(target)) if target.family == "share" else 0.0


def sample_observations(targets: Sequence[Observation], simulated: F64, rng: np.random.Generator) -> F64:
    """Return what would be observed in simulated worlds: shares from as many answers as there were.

    Parameters
    ----------
    targets : sequence of Observation
    simulated : ndarray of float64, shape (n, targets)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (n, targets)
    """
    observed = np.array(simulated, dtype=np.float64)
    for column, target in enumerate(targets):
        if target.family == "share":
            n, share = max(1, round(_n(target))), observed[:, column]
            finite = np.isfinite(share)
            observed[finite, column] = rng.binomial(n, np.clip(share[finite], 0.0, 1.0)) / n
    return observed


@dataclass(frozen=True)
class Intervals:
    """The latent interval that was rounded to each observed number.

    Parameters
    ----------
    low, high : ndarray of float64, shape (..., targets)
        Its ends.
    """

    low: F64
    high: F64


def rounding_intervals(targets: Sequence[Observation], observed: F64) -> Intervals:
    """Return the rounding intervals of observed numbers, (..., targets).

    Parameters
    ----------
    targets : sequence of Observation
    observed : ndarray of float64, shape (..., targets)
    """
    low, high = np.empty_like(observed), np.empty_like(observed)
    for column, target in enumerate(targets):
        half = 0.5 * (1.0 / _n(target) if target.family == "share" else LEVEL_STEP)
        low[..., column] = latent(target.family, observed[..., column] - half)
        high[..., column] = latent(target.family, observed[..., column] + half)
    return Intervals(low, high)


def log_marginals(mean: F64, sd: F64, observed: Intervals) -> F64:
    """Return the log-probability of each target's rounding interval.

    Parameters
    ----------
    mean, sd : ndarray of float64, shape (..., targets)
        Of the latent values.
    observed : Intervals

    Returns
    -------
    ndarray of float64, shape (..., targets)
    """
    a, b = (observed.low - mean) / sd, (observed.high - mean) / sd
    flip = a > 0.0  # the lower tail is where differences of probabilities are exact
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    upper = log_ndtr(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(upper + np.log1p(-np.exp(np.minimum(log_ndtr(a) - upper, -1e-300))))


def middle_scores(mean: F64, sd: F64, observed: Intervals) -> F64:
    """Return the normal score of the middle of each rounding interval; arguments as in `log_marginals`."""
    middle = 0.5 * (ndtr((observed.low - mean) / sd) + ndtr((observed.high - mean) / sd))
    return np.asarray(ndtri(np.clip(middle, SURE, 1.0 - SURE)))


@dataclass(frozen=True)
class Copula:
    """The correlation of the targets' luck, prepared for use.

    Parameters
    ----------
    tilt : ndarray of float64, shape (targets, targets)
        The inverse correlation less the identity.
    log_det : float
        The logarithm of the correlation's determinant.
    """

    tilt: F64
    log_det: float

    @classmethod
    def of(cls, correlation: F64) -> "Copula":
        """Return the copula of a correlation matrix, (targets, targets)."""
        return cls(np.linalg.inv(correlation) - np.eye(len(correlation)), float(np.linalg.slogdet(correlation)[1]))

    def log_density(self, scores: F64) -> F64:
        """Return the log-density at normal scores (..., targets), relative to independence."""
        return np.asarray(-0.5 * (((scores @ self.tilt) * scores).sum(axis=-1) + self.log_det))


def log_likelihood(mean: F64, sd: F64, observed: Intervals, copula: Copula) -> F64:
    """Return the log-probability of everything observed, (...,); -inf only where an interval has no probability at all.

    Parameters
    ----------
    mean, sd : ndarray of float64, shape (..., targets)
        Of the latent values.
    observed : Intervals
    copula : Copula
    """
    marginals = log_marginals(mean, sd, observed).sum(axis=-1)
    return np.asarray(marginals + copula.log_density(middle_scores(mean, sd, observed)))


def _n(target: Observation) -> float:
    if not target.effective_n or target.effective_n <= 0:
        raise ValueError(f"{target.name}: a share needs the number of answers behind it")
    return float(target.effective_n)
