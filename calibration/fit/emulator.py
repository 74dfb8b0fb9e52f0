"""The emulator: what the model says about each target, as a smooth function of the fitted parameters.

Mean: small neural networks, each trained without one fold of the worlds. Spread: from their residuals on that fold.
So it holds the luck of a run, the parameters that are not fitted (they vary between worlds as their priors say, which
integrates them out) and the emulator's own error. scikit-learn's single-threaded numerics and fixed seeds: the same
worlds give the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.fit.likelihood import (
    Copula,
    middle_scores,
    rounding_intervals,
    sample_observations,
    sampling_variance,
    simulated_latent,
)
from calibration.fit.problem import F64, Observation

FOLDS = 4
HIDDEN = (48, 48)
PENALTY = 1e-3  # weight decay of the networks
RIDGE = 10.0  # of the spread's regression
LOG_CHI2_MEAN = -1.2703628454614782  # mean of the logarithm of a squared standard normal
SMALLEST_SD = 1e-3

Layers = list[tuple[F64, F64]]  # weights (folds, in, out) and biases (folds, 1, out)


@dataclass(frozen=True)
class Emulator:
    """Mean and spread of each target's latent value, as functions of normal scores.

    Parameters
    ----------
    parameters : tuple of str
        What the scores are of.
    layers : list of (weights, biases)
        Of the networks, (folds, in, out) and (folds, 1, out).
    centre, width : ndarray of float64, shape (targets,)
        Mean and standard deviation of the latent values in the training worlds.
    spread : ndarray of float64, shape (features, targets)
        Coefficients of the log variance of a run.
    spread_limits : ndarray of float64, shape (2, targets)
        Limits of that log variance.
    sampling : ndarray of float64, shape (targets,)
        The variance that few answers add.
    copula : Copula
    """

    parameters: tuple[str, ...]
    layers: Layers
    centre: F64
    width: F64
    spread: F64
    spread_limits: F64
    sampling: F64
    copula: Copula

    def mean(self, scores: F64) -> F64:
        """Return the latent mean, (n, targets), at normal scores (n, parameters)."""
        return np.asarray(_forward(self.layers, scores).mean(axis=0) * self.width + self.centre)

    def sd(self, scores: F64) -> F64:
        """Return the latent standard deviation of an observation, (n, targets), at normal scores (n, parameters)."""
        log_variance = np.clip(_features(scores) @ self.spread, *self.spread_limits)
        return np.asarray(np.sqrt(np.exp(log_variance) + self.sampling))


def _forward(layers: Layers, scores: F64) -> F64:
    """Return the output of all networks, (folds, n, targets)."""
    x = np.broadcast_to(scores, (len(layers[0][0]), *scores.shape))
    for number, (weights, bias) in enumerate(layers):
        x = x @ weights + bias
        if number < len(layers) - 1:
            x = np.tanh(x)
    return x


def _features(scores: F64) -> F64:
    """Return what the spread may depend on: a constant, the scores and their squares."""
    return np.concatenate([np.ones((len(scores), 1)), scores, scores**2], axis=1)


def train(
    parameters: Sequence[str], targets: Sequence[Observation], scores: F64, simulated: F64, seed: int
) -> Emulator:
    """Train an emulator on simulated worlds.

    Parameters
    ----------
    parameters : sequence of str
        What the scores are of.
    targets : sequence of Observation
    scores : ndarray of float64, shape (n, parameters)
        Normal scores of the worlds.
    simulated : ndarray of float64, shape (n, targets)
        The targets' values in the worlds, without NaN.
    seed : int
    """
    y = np.stack([simulated_latent(t.family, simulated[:, k]) for k, t in enumerate(targets)], axis=1)
    centre, width = y.mean(axis=0), np.maximum(y.std(axis=0), SMALLEST_SD)
    layers, residuals = _cross_fit(scores, (y - centre) / width, seed)
    spread, limits = _spread(scores, residuals * width)
    sampling = np.array([sampling_variance(target) for target in targets])
    independent = Copula.of(np.eye(len(targets)))
    emulator = Emulator(tuple(parameters), layers, centre, width, spread, limits, sampling, independent)
    predicted = y - residuals * width  # each network's mean on the fold that it was not trained on
    observed = sample_observations(targets, simulated, np.random.default_rng([seed, 1]))
    luck = middle_scores(predicted, emulator.sd(scores), rounding_intervals(targets, observed))
    return replace(emulator, copula=Copula.of(_correlation(luck)))


def _cross_fit(scores: F64, y: F64, seed: int) -> tuple[Layers, F64]:
    """Return networks, each trained without one fold, and their residuals on that fold, (n, targets)."""
    from sklearn.neural_network import MLPRegressor

    fold = np.random.default_rng([seed, 0]).permutation(len(y)) % FOLDS
    residuals = np.empty_like(y)
    networks = []
    for k in range(FOLDS):
        network = MLPRegressor(
            hidden_layer_sizes=HIDDEN, activation="tanh", alpha=PENALTY, batch_size=128, learning_rate_init=2e-3,
            early_stopping=True, n_iter_no_change=8, max_iter=120, random_state=(seed + k) % 2**32,
        )  # fmt: skip
        network.fit(scores[fold != k], y[fold != k] if y.shape[1] > 1 else y[fold != k, 0])
        residuals[fold == k] = y[fold == k] - network.predict(scores[fold == k]).reshape(-1, y.shape[1])
        networks.append(network)
    depth = len(networks[0].coefs_)
    layers = [
        (np.stack([n.coefs_[i] for n in networks]), np.stack([n.intercepts_[i] for n in networks])[:, None, :])
        for i in range(depth)
    ]
    return layers, residuals


def _spread(scores: F64, residuals: F64) -> tuple[F64, F64]:
    """Return coefficients of the log variance, scaled so that squared scores average one, and its limits."""
    x = _features(scores)
    y = np.log(residuals**2 + SMALLEST_SD**2) - LOG_CHI2_MEAN
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    spread = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    fitted = x @ spread
    limits = np.quantile(fitted, [0.005, 0.995], axis=0)
    shift = np.log((residuals**2 / np.exp(np.clip(fitted, *limits))).mean(axis=0))
    spread[0] += shift
    return np.asarray(spread, np.float64), np.asarray(limits + shift, np.float64)


def _correlation(scores: F64) -> F64:
    """Return the correlation of the targets' luck, shrunk (Ledoit & Wolf 2004) so that it can be inverted."""
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(scores)
    sd = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(sd, sd))
