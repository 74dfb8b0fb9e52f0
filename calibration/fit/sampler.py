"""The posterior: emcee's ensembles, several and independent, and whether they agree.

Walkers of one ensemble move by one another (Foreman-Mackey et al. 2013; differential evolution moves of ter Braak
2006), so agreement is judged between ensembles that know nothing of one another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from calibration.fit.emulator import Emulator
from calibration.fit.likelihood import Steps, log_likelihood
from calibration.fit.problem import F64

STARTS = 4000  # prior draws among which an ensemble's first places are chosen
THIN = 5  # steps from one that is kept to the next: neighbours are almost the same


@dataclass(frozen=True)
class Effort:
    """How long is sampled: independent ensembles, walkers per fitted parameter, steps kept and before them."""

    ensembles: int = 4
    walkers_per_parameter: int = 4
    burn_in: int = 1000
    steps: int = 3000


@dataclass(frozen=True)
class Chains:
    """Normal scores (ensembles, steps, walkers, parameters) with the diagnostics of each parameter."""

    parameters: tuple[str, ...]
    scores: F64
    ess: F64
    rhat: F64

    def thinned(self, n: int) -> F64:
        """`n` of the samples, evenly apart and from all ensembles, (n, parameters)."""
        flat = self.scores.reshape(-1, self.scores.shape[-1])
        return flat[np.linspace(0, len(flat) - 1, n).round().astype(int)]


@dataclass(frozen=True)
class Part:
    """One block of targets: its emulator, the columns of the fitted parameters that it takes, and what was seen."""

    emulator: Emulator
    columns: tuple[int, ...]
    seen: Steps


def log_posterior(parts: Sequence[Part]) -> Callable[[F64], F64]:
    """Log-density of the posterior at normal scores (n, fitted parameters), up to a constant.

    Given the parameters, the luck of one block tells nothing about another's.
    """

    def of(scores: F64) -> F64:
        found = -0.5 * (scores**2).sum(axis=1)
        for part in parts:
            emulator, x = part.emulator, scores[:, part.columns]
            found += log_likelihood(emulator.mean(x), emulator.sd(x), part.seen, emulator.copula)
        return np.where(np.isfinite(found), found, -np.inf)

    return of


def sample_ensemble(log_density: Callable[[F64], F64], size: int, effort: Effort, seed: Sequence[int]) -> F64:
    """One ensemble after its burn-in, (steps / THIN, walkers, parameters)."""
    import emcee

    rng = np.random.default_rng(seed)
    walkers = max(24, effort.walkers_per_parameter * size)
    start = _start(log_density, size, walkers, rng)
    moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.DESnookerMove(), 0.1), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(walkers, size, log_density, vectorize=True, moves=moves)
    sampler.random_state = np.random.RandomState(int(rng.integers(2**32))).get_state()
    sampler.run_mcmc(start, effort.burn_in + effort.steps, progress=False)
    return sampler.get_chain(discard=effort.burn_in, thin=THIN)


def _start(log_density: Callable[[F64], F64], size: int, walkers: int, rng: np.random.Generator) -> F64:
    """First places: prior draws, the likelier the sooner chosen, each once."""
    draws = rng.standard_normal((STARTS, size))
    density = log_density(draws) + 0.5 * (draws**2).sum(axis=1)
    keys = density / 4.0 + rng.gumbel(size=STARTS)  # tempered, so that no few draws take all the places
    return draws[np.argsort(keys)[-walkers:]]


def diagnosed(parameters: tuple[str, ...], scores: F64) -> Chains:
    """Chains with effective sample size (walkers as chains) and R-hat (ensembles as chains), by arviz-stats."""
    from arviz_stats.base import array_stats

    ensembles, steps, walkers, size = scores.shape
    each = np.moveaxis(scores, 3, 0)  # (parameters, ensembles, steps, walkers)
    chains = each.transpose(0, 1, 3, 2).reshape(size, ensembles * walkers, steps)
    ess = np.array([float(array_stats.ess(chain)) for chain in chains])
    apart = max(1, int(ensembles * walkers * steps / max(1.0, ess.min())))  # one autocorrelation time
    kept = each[:, :, ::apart].reshape(size, ensembles, -1)
    rhat = np.array([float(array_stats.rhat(chain)) if ensembles > 1 else np.nan for chain in kept])
    return Chains(parameters, scores, ess, rhat)
