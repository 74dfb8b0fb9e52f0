"""The posterior: emcee's ensembles, several and independent, and whether they agree.

Walkers of one ensemble move relative to one another (Foreman-Mackey et al. 2013; differential evolution moves of ter
Braak 2006), so agreement is judged between independent ensembles.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from calibration.fit.emulator import Emulator
from calibration.fit.likelihood import Intervals, log_likelihood
from calibration.fit.one_thread import one_thread
from calibration.fit.problem import F64
from simulator.jobs import Columns, Runner, Stopped, code_of

STARTS = 4000  # prior draws among which an ensemble's starting points are chosen
THIN = 5  # one of so many steps is kept: neighbours are almost the same
FEWEST_WALKERS = 24


@dataclass(frozen=True)
class Effort:
    """How long to sample.

    Parameters
    ----------
    ensembles : int
        Independent ensembles.
    walkers_per_parameter : int
        Per fitted parameter.
    burn_in, steps : int
        Steps that are discarded, and steps after them.
    """

    ensembles: int = 4
    walkers_per_parameter: int = 4
    burn_in: int = 1000
    steps: int = 3000


@dataclass(frozen=True)
class Chains:
    """Samples of the posterior, with the diagnostics of each parameter.

    Parameters
    ----------
    parameters : tuple of str
    scores : ndarray of float64, shape (ensembles, steps, walkers, parameters)
        Normal scores.
    ess, rhat : ndarray of float64, shape (parameters,)
        Effective sample size and R-hat.
    """

    parameters: tuple[str, ...]
    scores: F64
    ess: F64
    rhat: F64

    def thinned(self, n: int) -> F64:
        """Return `n` of the samples, evenly apart and from all ensembles, (n, parameters)."""
        flat = self.scores.reshape(-1, self.scores.shape[-1])
        return np.asarray(flat[np.linspace(0, len(flat) - 1, n).round().astype(int)])


@dataclass(frozen=True)
class ObservedBlock:
    """A block of targets as the posterior needs it.

    Parameters
    ----------
    emulator : Emulator
    columns : tuple of int
        Of the fitted parameters that the emulator takes.
    observed : Intervals
        The rounding intervals of the observed numbers.
    """

    emulator: Emulator
    columns: tuple[int, ...]
    observed: Intervals


def log_posterior(blocks: Sequence[ObservedBlock]) -> Callable[[F64], F64]:
    """Return the log-density of the posterior up to a constant, as a function of normal scores (n, parameters).

    If the parameters are known, the luck of one block says nothing about another's.
    """

    def density(scores: F64) -> F64:
        log_density = -0.5 * (scores**2).sum(axis=1)
        for block in blocks:
            emulator, x = block.emulator, scores[:, block.columns]
            log_density += log_likelihood(emulator.mean(x), emulator.sd(x), block.observed, emulator.copula)
        return np.where(np.isfinite(log_density), log_density, -np.inf)

    return density


def sample_posterior(
    parameters: tuple[str, ...], blocks: Sequence[ObservedBlock], effort: Effort, seed: int, run: Runner, what: str
) -> Chains:
    """Sample the posterior by several ensembles, each a job.

    Parameters
    ----------
    parameters : tuple of str
        The fitted parameters.
    blocks : sequence of ObservedBlock
    effort : Effort
    seed : int
    run : Runner
    what : str
        The name of this work in a display of progress.
    """
    size = len(parameters)
    jobs = [EnsembleJob(tuple(blocks), size, effort, (seed, number)) for number in range(effort.ensembles)]
    flat = [np.stack([columns[f"{k}"] for k in range(size)], axis=1) for columns in run(what, jobs)]
    walkers = _walkers(effort, size)
    return diagnose(parameters, np.stack([scores.reshape(-1, walkers, size) for scores in flat]))


@dataclass(frozen=True, eq=False)
class EnsembleJob:
    """One ensemble of the posterior.

    Parameters
    ----------
    blocks : tuple of ObservedBlock
    size : int
        The number of fitted parameters.
    effort : Effort
    seed : tuple of int
    """

    blocks: tuple[ObservedBlock, ...]
    size: int
    effort: Effort
    seed: tuple[int, ...]

    holds_gil: ClassVar[bool] = True  # most of the time, so it suits processes

    @property
    def address(self) -> str:
        """A hash of the emulators, the observed numbers, the effort and the seed."""
        digest = hashlib.blake2b(code_of(__name__).encode(), digest_size=16)
        digest.update(repr((self.size, self.effort, self.seed)).encode())
        digest.update(digest_of(self.blocks))
        return digest.hexdigest()

    @property
    def runs(self) -> int:
        """One: the ensemble."""
        return 1

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return the samples, one column per parameter, (steps x walkers,); None if stopped before the start."""
        if stopped():
            return None
        samples = sample_ensemble(log_posterior(self.blocks), self.size, self.effort, self.seed)
        return {f"{k}": np.ascontiguousarray(samples[..., k].ravel()) for k in range(self.size)}


def digest_of(blocks: Sequence[ObservedBlock]) -> bytes:
    """Return a hash of emulators and observed numbers."""
    digest = hashlib.blake2b(digest_size=16)
    for block in blocks:
        emulator = block.emulator
        arrays = [array for layer in emulator.layers for array in layer]
        arrays += [emulator.centre, emulator.width, emulator.spread, emulator.spread_limits, emulator.sampling]
        arrays += [emulator.copula.tilt, block.observed.low, block.observed.high]
        digest.update(repr((emulator.parameters, block.columns, emulator.copula.log_det)).encode())
        for array in arrays:
            digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.digest()


def sample_ensemble(log_density: Callable[[F64], F64], size: int, effort: Effort, seed: Sequence[int]) -> F64:
    """Sample one ensemble.

    Parameters
    ----------
    log_density : callable
        Of normal scores (n, size).
    size : int
        The number of parameters.
    effort : Effort
    seed : sequence of int

    Returns
    -------
    ndarray of float64, shape (steps / THIN, walkers, size)
        After the burn-in.
    """
    import emcee

    rng = np.random.default_rng(seed)
    walkers = _walkers(effort, size)
    with one_thread():
        start = _start(log_density, size, walkers, rng)
        moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.DESnookerMove(), 0.1), (emcee.moves.StretchMove(), 0.2)]
        sampler = emcee.EnsembleSampler(walkers, size, log_density, vectorize=True, moves=moves)
        sampler.random_state = np.random.RandomState(int(rng.integers(2**32))).get_state()
        sampler.run_mcmc(start, effort.burn_in + effort.steps, progress=False)
    return np.asarray(sampler.get_chain(discard=effort.burn_in, thin=THIN))


def _walkers(effort: Effort, size: int) -> int:
    return max(FEWEST_WALKERS, effort.walkers_per_parameter * size)


def _start(log_density: Callable[[F64], F64], size: int, walkers: int, rng: np.random.Generator) -> F64:
    """Return starting points: different prior draws, likely ones rather than others."""
    draws = rng.standard_normal((STARTS, size))
    density = log_density(draws) + 0.5 * (draws**2).sum(axis=1)
    keys = density / 4.0 + rng.gumbel(size=STARTS)  # tempered, so that a few draws do not take all places
    return np.asarray(draws[np.argsort(keys)[-walkers:]])


def diagnose(parameters: tuple[str, ...], scores: F64) -> Chains:
    """Return chains with effective sample size (walkers as chains) and R-hat (ensembles as chains), by arviz-stats.

    Parameters
    ----------
    parameters : tuple of str
    scores : ndarray of float64, shape (ensembles, steps, walkers, parameters)
    """
    from arviz_stats.base.array import BaseArray

    arviz: Any = BaseArray()
    ensembles, steps, walkers, size = scores.shape
    by_parameter = np.moveaxis(scores, 3, 0)  # (parameters, ensembles, steps, walkers)
    chains = by_parameter.transpose(0, 1, 3, 2).reshape(size, ensembles * walkers, steps)
    ess = np.array([float(arviz.ess(chain)) for chain in chains])
    apart = max(1, int(ensembles * walkers * steps / max(1.0, ess.min())))  # one autocorrelation time
    independent = by_parameter[:, :, ::apart].reshape(size, ensembles, -1)
    rhat = np.array([float(arviz.rhat(chain)) if ensembles > 1 else np.nan for chain in independent])
    return Chains(parameters, scores, ess, rhat)
