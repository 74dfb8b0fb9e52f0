"""How likely the observed numbers are under the emulated model.

Each target has a latent normal value, on the scale on which its luck has nearly the same size everywhere (angle
for shares, root for counts, logarithm for levels); what is observed is that value, rounded to a whole count. So a
share of 30 in 31 and a count of one are as likely as rounding makes them, and counts may vary more or less than
Poisson's. The targets of one block share people, projects and luck: a Gaussian copula carries their correlation,
taken at the middle of each rounded step (the distributional transform of Kazianka & Pilz 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from calibration.fit.problem import F64, Seen

ROOT_SHIFT = 0.375  # Anscombe (1948)
SURE = 1e-9  # a probability nearer to 0 or 1 tells nothing more
LEVEL_STEP = 1.0  # levels are told in whole units


def latent(family: str, value: F64) -> F64:
    """A share, count or level on the scale of its luck; -inf and inf beyond the first and last step."""
    if family == "share":
        angle = np.arcsin(np.sqrt(np.clip(value, 0.0, 1.0)))
        return np.where(value <= 0.0, -np.inf, np.where(value >= 1.0, np.inf, angle))
    if family == "count":
        return np.where(value < 0.0, -np.inf, 2.0 * np.sqrt(np.maximum(value, 0.0) + ROOT_SHIFT))
    if family == "level":
        return np.log(np.maximum(value, SURE))
    raise ValueError(f"{family!r} is no family of targets; allowed: share, count, level")


def simulated_latent(family: str, value: F64) -> F64:
    """A simulated value on the scale of its luck, always finite where the value is."""
    return latent(family, np.clip(value, 1e-6, 1.0 - 1e-6) if family == "share" else value)


def sampling_variance(target: Seen) -> float:
    """Variance that asking `effective_n` people adds to a share, on its latent scale; 0 for the others."""
    return 1.0 / (4.0 * _n(target)) if target.family == "share" else 0.0


def observe(targets: Sequence[Seen], simulated: F64, rng: np.random.Generator) -> F64:
    """What would be observed in simulated worlds (n, targets): shares from as many answers as there were."""
    seen = np.array(simulated, dtype=np.float64)
    for place, target in enumerate(targets):
        if target.family == "share":
            n, share = max(1, round(_n(target))), seen[:, place]
            known = np.isfinite(share)
            seen[known, place] = rng.binomial(n, np.clip(share[known], 0.0, 1.0)) / n
    return seen


@dataclass(frozen=True)
class Steps:
    """Lower and upper end of the step that each observed number was rounded to, latent, (..., targets)."""

    low: F64
    high: F64


def steps(targets: Sequence[Seen], observed: F64) -> Steps:
    """The rounding steps of observed numbers, shape (..., targets)."""
    low, high = np.empty_like(observed), np.empty_like(observed)
    for place, target in enumerate(targets):
        half = 0.5 * (1.0 / _n(target) if target.family == "share" else LEVEL_STEP)
        low[..., place] = latent(target.family, observed[..., place] - half)
        high[..., place] = latent(target.family, observed[..., place] + half)
    return Steps(low, high)


def log_marginals(mean: F64, sd: F64, seen: Steps) -> F64:
    """Log-probability of each target's step, (..., targets)."""
    a, b = (seen.low - mean) / sd, (seen.high - mean) / sd
    flip = a > 0.0  # the lower tail is where differences of probabilities are exact
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    upper = log_ndtr(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return upper + np.log1p(-np.exp(np.minimum(log_ndtr(a) - upper, -1e-300)))


def middle_scores(mean: F64, sd: F64, seen: Steps) -> F64:
    """Normal score of the middle of each target's step, (..., targets)."""
    middle = 0.5 * (ndtr((seen.low - mean) / sd) + ndtr((seen.high - mean) / sd))
    return ndtri(np.clip(middle, SURE, 1.0 - SURE))


@dataclass(frozen=True)
class Copula:
    """Correlation of the targets' luck, ready for use."""

    tilt: F64  # inverse correlation less identity
    log_det: float

    @classmethod
    def of(cls, correlation: F64) -> "Copula":
        """From a correlation matrix."""
        return cls(np.linalg.inv(correlation) - np.eye(len(correlation)), float(np.linalg.slogdet(correlation)[1]))

    def log_density(self, scores: F64) -> F64:
        """Log-density at normal scores (..., targets), against independence."""
        return -0.5 * (((scores @ self.tilt) * scores).sum(axis=-1) + self.log_det)


def log_likelihood(mean: F64, sd: F64, seen: Steps, copula: Copula) -> F64:
    """Log-probability of everything observed, (...,); -inf only where a step has no probability at all."""
    return log_marginals(mean, sd, seen).sum(axis=-1) + copula.log_density(middle_scores(mean, sd, seen))


def _n(target: Seen) -> float:
    if not target.effective_n or target.effective_n <= 0:
        raise ValueError(f"{target.name}: a share needs the number of answers behind it")
    return float(target.effective_n)
