"""The fit, from the bank to the posterior, block by block.

First the bank is drawn from the priors; then, with a first posterior, more worlds are simulated where the evidence
points, and the emulators are trained again on both. A regression on the fitted parameters may take its worlds
from wherever it likes, so this costs no bias and buys accuracy where it counts.
"""

import hashlib
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from calibration.fit.bank import bank
from calibration.fit.emulator import Emulator, train
from calibration.fit.likelihood import steps
from calibration.fit.problem import F64, Problem, Progress, Stage, prior_scores, run_seeds
from calibration.fit.sampler import Chains, Effort, Part, diagnosed, log_posterior, sample_ensemble

# How much further than their priors the fitted parameters reach in the bank: emulators are worst where worlds are few,
# and with 1 intervals missed true values in the tails of the priors.
WIDER = 1.35


@dataclass(frozen=True)
class Settings:
    """How much is done: worlds in the bank, worlds near the posterior, worlds held out for checks, draws kept."""

    bank: int
    near: int
    held_out: int
    draws: int
    seed: int = 1
    effort: Effort = field(default_factory=Effort)


@dataclass(frozen=True)
class Worlds:
    """Simulated worlds: scores (n, drawn parameters) and the targets' values (n, targets)."""

    names: tuple[str, ...]
    scores: F64
    simulated: F64

    def of(self, parameters: tuple[str, ...]) -> F64:
        """Scores of some parameters, (n, parameters)."""
        return self.scores[:, [self.names.index(name) for name in parameters]]

    def __getitem__(self, rows: slice) -> "Worlds":
        return Worlds(self.names, self.scores[rows], self.simulated[rows])

    def and_also(self, more: "Worlds") -> "Worlds":
        """Both."""
        return Worlds(
            self.names, np.concatenate([self.scores, more.scores]), np.concatenate([self.simulated, more.simulated])
        )


@dataclass(frozen=True)
class Fit:
    """The whole fit: emulators by block, the posterior's chains, and the worlds that no emulator has seen."""

    problem: Problem
    settings: Settings
    emulators: dict[str, Emulator]
    chains: Chains
    trained_on: Worlds
    held_out: Worlds

    def parts(self, observed: F64) -> list[Part]:
        """The blocks with what was seen, from numbers in the order of all targets, (targets,)."""
        return parts_of(self.problem, self.emulators, observed)


def fit(problem: Problem, settings: Settings, folder: Path, stage: Stage) -> Fit:
    """Fit all blocks. What lies in `folder` from an earlier try is used; the same settings give the same bits."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # numpy's sums of matrices go in another order with other numbers of threads
        return _fit(problem, settings, folder, stage)


def _fit(problem: Problem, settings: Settings, folder: Path, stage: Stage) -> Fit:
    worlds = _prior_worlds(problem, settings, folder, stage)
    held_out, training = worlds[: settings.held_out], worlds[settings.held_out :]
    effort = replace(settings.effort, ensembles=1) if settings.near else settings.effort
    emulators, chains = _fit_to(problem, settings, effort, training, folder, stage, "first posterior")
    if settings.near:
        training = training.and_also(_near_worlds(problem, settings, chains, folder, stage))
        emulators, chains = _fit_to(problem, settings, settings.effort, training, folder, stage, "posterior")
    return Fit(problem, settings, emulators, chains, training, held_out)


def _prior_worlds(problem: Problem, settings: Settings, folder: Path, stage: Stage) -> Worlds:
    """The held-out worlds, drawn from the priors, and the bank, in which the fitted parameters reach further out."""
    n = settings.held_out + settings.bank
    scores = prior_scores(problem.drawn, n, settings.seed)
    fitted = [problem.drawn.index(name) for block in problem.blocks.values() for name in block]
    scores[settings.held_out :, sorted(set(fitted))] *= WIDER
    simulated = bank(problem, scores, run_seeds(settings.seed, n), folder / "bank", stage("bank of worlds", n))
    return Worlds(problem.drawn, scores, simulated)


def _near_worlds(problem: Problem, settings: Settings, chains: Chains, folder: Path, stage: Stage) -> Worlds:
    """Worlds with the fitted parameters of a first posterior and all others from their priors."""
    skip, n = settings.held_out + settings.bank, settings.near
    scores = prior_scores(problem.drawn, skip + n, settings.seed)[skip:]
    scores[:, [problem.drawn.index(name) for name in chains.parameters]] = chains.thinned(n)
    seeds = run_seeds(settings.seed, skip + n)[skip:]
    simulated = bank(problem, scores, seeds, folder / "bank", stage("worlds near the posterior", n))
    return Worlds(problem.drawn, scores, simulated)


def _fit_to(
    problem: Problem, settings: Settings, effort: Effort, worlds: Worlds, folder: Path, stage: Stage, what: str
) -> tuple[dict[str, Emulator], Chains]:
    """Emulators of all blocks, trained on these worlds, and the posterior that they give."""
    tell = stage(f"{what}: emulators", len(problem.seen_blocks))
    emulators = {}
    for name in problem.seen_blocks:
        emulators[name] = train_block(problem, name, worlds, settings.seed)
        tell(1)
    parts = parts_of(problem, emulators, problem.observed(range(len(problem.targets))))
    tell = stage(f"{what}: chains", effort.ensembles)
    return emulators, sample(problem.fitted, parts, effort, settings.seed, folder / "chains", tell)


def train_block(problem: Problem, block: str, worlds: Worlds, seed: int) -> Emulator:
    """The block's emulator, from the worlds in which all its targets exist."""
    places, parameters = problem.of_block(block), problem.blocks[block]
    simulated = worlds.simulated[:, places]
    whole = np.isfinite(simulated).all(axis=1)
    targets = [problem.targets[place] for place in places]
    return train(parameters, targets, worlds.of(parameters)[whole], simulated[whole], seed)


def parts_of(problem: Problem, emulators: dict[str, Emulator], observed: F64) -> list[Part]:
    """The blocks with what was seen, from numbers in the order of all targets, (targets,)."""
    parts = []
    for name, emulator in emulators.items():
        places = problem.of_block(name)
        columns = tuple(problem.fitted.index(parameter) for parameter in emulator.parameters)
        parts.append(Part(emulator, columns, steps([problem.targets[place] for place in places], observed[places])))
    return parts


def sample(
    parameters: tuple[str, ...], parts: list[Part], effort: Effort, seed: int, folder: Path, tell: Progress
) -> Chains:
    """Chains of all ensembles; each is kept in `folder` when it is finished."""
    log_density, identity = log_posterior(parts), _identity(parts, effort)
    found = []
    for number in range(effort.ensembles):

        def make(number: int = number) -> F64:
            return sample_ensemble(log_density, len(parameters), effort, (seed, number))

        found.append(_kept(folder / f"{identity}-{seed}-{number}.npy", make))
        tell(1)
    return diagnosed(parameters, np.stack(found))


def _identity(parts: list[Part], effort: Effort) -> str:
    """A hash of everything that determines the chains but the seed."""
    digest = hashlib.blake2b(repr(effort).encode(), digest_size=8)
    for part in parts:
        emulator = part.emulator
        arrays = [each for layer in emulator.layers for each in layer]
        arrays += [emulator.centre, emulator.width, emulator.spread, emulator.spread_limits, emulator.sampling]
        digest.update(repr((emulator.parameters, part.columns)).encode())
        for array in (*arrays, emulator.copula.tilt, part.seen.low, part.seen.high):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _kept(path: Path, make: Callable[[], F64]) -> F64:
    """What lies in the file, or what `make` gives, then kept."""
    try:
        return np.load(path)
    except (OSError, ValueError, EOFError):
        pass
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}.npy")
    try:
        np.save(unfinished, found)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return found
