"""The emulator: what the model says of each target, as a smooth function of the fitted parameters.

Mean: small neural networks, each trained without a fold of the bank. Spread: from what they miss on their own
fold, so that it holds the luck of a run, the parameters that are not fitted (they vary in the bank as their
priors say, and are so integrated out) and the emulator's own error. scikit-learn's single-threaded numerics and
fixed seeds: the same bank gives the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.fit.likelihood import Copula, middle_scores, observe, sampling_variance, simulated_latent, steps
from calibration.fit.problem import F64, Seen

FOLDS = 4
HIDDEN = (48, 48)
PENALTY = 1e-3  # weight decay of the networks
RIDGE = 10.0  # of the spread's regression
LOG_CHI2_MEAN = -1.2703628454614782  # mean of the logarithm of a squared standard normal
SMALLEST_SD = 1e-3

Layers = list[tuple[F64, F64]]  # weights (folds, in, out) and biases (folds, 1, out)


@dataclass(frozen=True)
class Emulator:
    """Mean and spread of each target's latent value at normal scores (n, parameters)."""

    parameters: tuple[str, ...]
    layers: Layers
    centre: F64
    width: F64
    spread: F64  # (features, targets): log variance of a run
    spread_limits: F64  # (2, targets)
    sampling: F64  # (targets,): variance that asking few people adds
    copula: Copula

    def mean(self, scores: F64) -> F64:
        """Latent mean, (n, targets)."""
        return _forward(self.layers, scores).mean(axis=0) * self.width + self.centre

    def sd(self, scores: F64) -> F64:
        """Latent standard deviation of what is observed, (n, targets)."""
        log_variance = np.clip(_features(scores) @ self.spread, *self.spread_limits)
        return np.sqrt(np.exp(log_variance) + self.sampling)


def _forward(layers: Layers, scores: F64) -> F64:
    """Output of all networks, (folds, n, targets)."""
    x = np.broadcast_to(scores, (len(layers[0][0]), *scores.shape))
    for place, (weights, bias) in enumerate(layers):
        x = x @ weights + bias
        if place < len(layers) - 1:
            x = np.tanh(x)
    return x


def _features(scores: F64) -> F64:
    """What the spread may depend on: a constant, the scores and their squares."""
    return np.concatenate([np.ones((len(scores), 1)), scores, scores**2], axis=1)


def train(parameters: Sequence[str], targets: Sequence[Seen], scores: F64, simulated: F64, seed: int) -> Emulator:
    """Train on a bank: scores (n, parameters) and simulated targets (n, targets) without NaN."""
    y = np.stack([simulated_latent(t.family, simulated[:, k]) for k, t in enumerate(targets)], axis=1)
    centre, width = y.mean(axis=0), np.maximum(y.std(axis=0), SMALLEST_SD)
    layers, missed = _cross_fitted(scores, (y - centre) / width, seed)
    spread, limits = _spread(scores, missed * width)
    sampling = np.array([sampling_variance(target) for target in targets])
    none = Copula.of(np.eye(len(targets)))
    alone = Emulator(tuple(parameters), layers, centre, width, spread, limits, sampling, none)
    held_out = y - missed * width  # what each network says of the fold that it has not seen
    seen = steps(targets, observe(targets, simulated, np.random.default_rng([seed, 1])))
    luck = middle_scores(held_out, alone.sd(scores), seen)
    return Emulator(tuple(parameters), layers, centre, width, spread, limits, sampling, Copula.of(_correlation(luck)))


def _cross_fitted(scores: F64, y: F64, seed: int) -> tuple[Layers, F64]:
    """Networks, each trained without one fold, and what each misses on that fold, (n, targets)."""
    from sklearn.neural_network import MLPRegressor

    fold = np.random.default_rng([seed, 0]).permutation(len(y)) % FOLDS
    missed = np.empty_like(y)
    networks = []
    for k in range(FOLDS):
        network = MLPRegressor(
            hidden_layer_sizes=HIDDEN, activation="tanh", alpha=PENALTY, batch_size=128, learning_rate_init=2e-3,
            early_stopping=True, n_iter_no_change=8, max_iter=120, random_state=(seed + k) % 2**32,
        )  # fmt: skip
        network.fit(scores[fold != k], y[fold != k] if y.shape[1] > 1 else y[fold != k, 0])
        missed[fold == k] = y[fold == k] - network.predict(scores[fold == k]).reshape(-1, y.shape[1])
        networks.append(network)
    depth = len(networks[0].coefs_)
    layers = [
        (np.stack([n.coefs_[i] for n in networks]), np.stack([n.intercepts_[i] for n in networks])[:, None, :])
        for i in range(depth)
    ]
    return layers, missed


def _spread(scores: F64, missed: F64) -> tuple[F64, F64]:
    """Coefficients of the log variance, scaled so that squared scores average one; and limits seen in the bank."""
    x = _features(scores)
    y = np.log(missed**2 + SMALLEST_SD**2) - LOG_CHI2_MEAN
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    spread = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    fitted = x @ spread
    limits = np.quantile(fitted, [0.005, 0.995], axis=0)
    shift = np.log((missed**2 / np.exp(np.clip(fitted, *limits))).mean(axis=0))
    spread[0] += shift
    return np.asarray(spread, np.float64), np.asarray(limits + shift, np.float64)


def _correlation(scores: F64) -> F64:
    """Correlation of the targets' luck, shrunk (Ledoit & Wolf 2004) so that it can be inverted."""
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(scores)
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)
