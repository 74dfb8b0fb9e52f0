"""The fit, from simulated worlds to the posterior, block by block.

First, worlds are drawn from the priors. Then, with a first posterior, more worlds are simulated where the evidence
points, and the emulators are trained again on both. A regression on the fitted parameters may take its worlds from
anywhere, so this adds no bias, and accuracy where it counts.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from calibration.fit.emulator import Emulator, train
from calibration.fit.likelihood import rounding_intervals
from calibration.fit.one_thread import one_thread
from calibration.fit.problem import F64, I64, Problem, prior_scores, run_seeds, values_of
from calibration.fit.sampler import Chains, Effort, ObservedBlock, sample_posterior
from calibration.jobs import compute_draws
from simulator.jobs import Runner, Stage, no_stage

# How much further than their priors the fitted parameters reach in the bank: emulators are worst where worlds are few,
# and with 1 intervals missed true values in the tails of the priors.
WIDER = 1.35


@dataclass(frozen=True)
class Settings:
    """How much to compute.

    Parameters
    ----------
    bank : int
        Worlds drawn from the priors, for training.
    near : int
        Worlds drawn near the first posterior; 0 for one posterior only.
    held_out : int
        Worlds drawn from the priors that no emulator is trained on, for checks.
    draws : int
        Draws of the posterior that are written.
    seed : int
    effort : Effort
    """

    bank: int
    near: int
    held_out: int
    draws: int
    seed: int = 1
    effort: Effort = field(default_factory=Effort)


@dataclass(frozen=True)
class Worlds:
    """Simulated worlds.

    Parameters
    ----------
    names : tuple of str
        The drawn parameters.
    scores : ndarray of float64, shape (n, names)
        Normal scores.
    simulated : ndarray of float64, shape (n, targets)
        The targets' values.
    """

    names: tuple[str, ...]
    scores: F64
    simulated: F64

    def of(self, parameters: tuple[str, ...]) -> F64:
        """Return the scores of some parameters, (n, parameters)."""
        return np.asarray(self.scores[:, [self.names.index(name) for name in parameters]])

    def __getitem__(self, rows: slice) -> "Worlds":
        return Worlds(self.names, self.scores[rows], self.simulated[rows])

    def joined(self, others: "Worlds") -> "Worlds":
        """Return these worlds and the others after them."""
        scores = np.concatenate([self.scores, others.scores])
        return Worlds(self.names, scores, np.concatenate([self.simulated, others.simulated]))


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    emulators : dict of str to Emulator
        By block.
    chains : Chains
        Of the posterior.
    trained_on, held_out : Worlds
        Worlds that the emulators were trained on, and were not.
    """

    problem: Problem
    settings: Settings
    emulators: dict[str, Emulator]
    chains: Chains
    trained_on: Worlds
    held_out: Worlds

    def blocks(self, observed: F64) -> list[ObservedBlock]:
        """Return the blocks with other observed numbers than the evidence's, (targets,)."""
        return observed_blocks(self.problem, self.emulators, observed)


def fit(problem: Problem, settings: Settings, run: Runner, stage: Stage = no_stage) -> Fit:
    """Fit all blocks; the same problem and settings give the same bits.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    run : Runner
        Carries out worlds and ensembles as jobs.
    stage : callable, optional
        Displays the progress of the training, which is done here.
    """
    with one_thread():
        worlds = _prior_worlds(problem, settings, run)
        held_out, training = worlds[: settings.held_out], worlds[settings.held_out :]
        effort = replace(settings.effort, ensembles=1) if settings.near else settings.effort
        emulators, chains = _fit_to(problem, settings, effort, training, run, stage, "first posterior")
        if settings.near:
            training = training.joined(_near_worlds(problem, settings, chains, run))
            emulators, chains = _fit_to(problem, settings, settings.effort, training, run, stage, "posterior")
    return Fit(problem, settings, emulators, chains, training, held_out)


def simulate_worlds(problem: Problem, scores: F64, seeds: I64, run: Runner, what: str) -> Worlds:
    """Simulate the worlds at some normal scores.

    Parameters
    ----------
    problem : Problem
    scores : ndarray of float64, shape (n, drawn parameters)
        Normal scores, of n worlds; n is at least 1.
    seeds : ndarray of int64, shape (n,)
        The seed of each world.
    run : Runner
    what : str
        The name of this work in a display of progress.
    """
    columns = compute_draws(what, problem.simulate, values_of(problem.entries, problem.drawn, scores), seeds, run)
    simulated = np.stack([columns[target.name] for target in problem.targets], axis=1)
    return Worlds(problem.drawn, scores, simulated)


def _prior_worlds(problem: Problem, settings: Settings, run: Runner) -> Worlds:
    """Simulate the held-out worlds, drawn from the priors, and the bank, whose fitted parameters reach further out."""
    n = settings.held_out + settings.bank
    scores = prior_scores(problem.drawn, n, settings.seed)
    fitted = [problem.drawn.index(name) for block in problem.blocks.values() for name in block]
    scores[settings.held_out :, sorted(set(fitted))] *= WIDER
    return simulate_worlds(problem, scores, run_seeds(settings.seed, n), run, "bank of worlds")


def _near_worlds(problem: Problem, settings: Settings, chains: Chains, run: Runner) -> Worlds:
    """Simulate worlds with the fitted parameters of a first posterior and all others from their priors."""
    skip, n = settings.held_out + settings.bank, settings.near
    scores = posterior_scores(problem, chains, skip, n, settings.seed)
    seeds = run_seeds(settings.seed, skip + n)[skip:]
    return simulate_worlds(problem, scores, seeds, run, "worlds near the posterior")


def posterior_scores(problem: Problem, chains: Chains, skip: int, n: int, seed: int) -> F64:
    """Return normal scores with the fitted parameters of a posterior and all others from their priors.

    Parameters
    ----------
    problem : Problem
    chains : Chains
    skip, n : int
        The prior draws are numbers `skip` to `skip` + `n`.
    seed : int

    Returns
    -------
    ndarray of float64, shape (n, drawn parameters)
    """
    scores = prior_scores(problem.drawn, skip + n, seed)[skip:]
    scores[:, [problem.drawn.index(name) for name in chains.parameters]] = chains.thinned(n)
    return scores


def _fit_to(
    problem: Problem, settings: Settings, effort: Effort, worlds: Worlds, run: Runner, stage: Stage, what: str
) -> tuple[dict[str, Emulator], Chains]:
    """Return emulators of all blocks, trained on these worlds, and the posterior that follows from them."""
    progress = stage(f"{what}: emulators", len(problem.used_blocks))
    emulators = {}
    for name in problem.used_blocks:
        emulators[name] = _train_block(problem, name, worlds, settings.seed)
        progress(1)
    blocks = observed_blocks(problem, emulators, problem.observed())
    return emulators, sample_posterior(problem.fitted, blocks, effort, settings.seed, run, f"{what}: chains")


def _train_block(problem: Problem, block: str, worlds: Worlds, seed: int) -> Emulator:
    """Return the block's emulator, from the worlds in which all its targets exist."""
    indices, parameters = problem.indices_of(block), problem.blocks[block]
    simulated = worlds.simulated[:, indices]
    whole = np.isfinite(simulated).all(axis=1)
    targets = [problem.targets[index] for index in indices]
    return train(parameters, targets, worlds.of(parameters)[whole], simulated[whole], seed)


def observed_blocks(problem: Problem, emulators: dict[str, Emulator], observed: F64) -> list[ObservedBlock]:
    """Return the blocks with observed numbers, from numbers in the order of all targets, (targets,).

    Parameters
    ----------
    problem : Problem
    emulators : dict of str to Emulator
        By block.
    observed : ndarray of float64, shape (targets,)
        A number for each of the problem's targets.
    """
    blocks = []
    for name, emulator in emulators.items():
        indices = problem.indices_of(name)
        columns = tuple(problem.fitted.index(parameter) for parameter in emulator.parameters)
        intervals = rounding_intervals([problem.targets[index] for index in indices], observed[indices])
        blocks.append(ObservedBlock(emulator, columns, intervals))
    return blocks
