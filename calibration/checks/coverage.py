"""Is the posterior what it claims to be? Checks on worlds whose parameters are known.

A held-out world's numbers are treated as if they had been observed, with the survey's answers drawn from its shares,
and its parameters are inferred by the shipped emulators and sampler. Over many such worlds the true values must lie
anywhere in their posteriors with equal chance (Talts et al. 2018), and intervals must contain them as often as they
claim.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2

from calibration.fit.likelihood import (
    latent,
    middle_scores,
    rounding_intervals,
    sample_observations,
    simulated_latent,
)
from calibration.fit.pipeline import Fit
from calibration.fit.problem import F64
from calibration.fit.sampler import Effort, ObservedBlock, digest_of, log_posterior, sample_ensemble
from simulator.jobs import Columns, Runner, Stopped, code_of

# Reduced against the shipped fit: one ensemble, fewer steps. Ranks need fewer draws than quantiles do.
SHORT = Effort(ensembles=1, walkers_per_parameter=4, burn_in=250, steps=300)
RANKED_AMONG = 99  # draws among which the true value is ranked
LEVELS = (0.5, 0.9)
BINS = 10


@dataclass(frozen=True, eq=False)
class ReplicateJob:
    """The fit to one world whose parameters are known.

    Parameters
    ----------
    blocks : tuple of ObservedBlock
        With the world's numbers as observed.
    truth : ndarray of float64, shape (parameters,)
        The world's normal scores.
    effort : Effort
    seed : tuple of int
    """

    blocks: tuple[ObservedBlock, ...]
    truth: F64
    effort: Effort
    seed: tuple[int, ...]

    holds_gil: ClassVar[bool] = True  # most of the time, so it suits processes

    @property
    def address(self) -> str:
        """A hash of the emulators, the world's numbers and scores, the effort and the seed."""
        digest = hashlib.blake2b(code_of(__name__).encode(), digest_size=16)
        digest.update(repr((self.effort, self.seed)).encode() + digest_of(self.blocks) + self.truth.tobytes())
        return digest.hexdigest()

    @property
    def runs(self) -> int:
        """One: the fit to one world."""
        return 1

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return where the truth lies in its posterior, one row per parameter; None if stopped before the start."""
        if stopped():
            return None
        size = len(self.truth)
        flat = sample_ensemble(log_posterior(self.blocks), size, self.effort, self.seed).reshape(-1, size)
        ranked = flat[np.linspace(0, len(flat) - 1, RANKED_AMONG).round().astype(int)]
        columns: Columns = {"truth": self.truth, "mean": flat.mean(axis=0), "sd": flat.std(axis=0)}
        columns |= {"rank": (ranked < self.truth).sum(axis=0), "of": np.full(size, RANKED_AMONG)}
        for level in LEVELS:
            low, high = np.quantile(flat, [0.5 - level / 2, 0.5 + level / 2], axis=0)
            columns |= {f"low{100 * level:.0f}": low, f"high{100 * level:.0f}": high}
        return columns


def replicates(fit: Fit, n: int, run: Runner, effort: Effort = SHORT) -> pd.DataFrame:
    """Fit to held-out worlds as if they had been observed (simulation-based calibration).

    Parameters
    ----------
    fit : Fit
    n : int
        How many worlds: the first held-out ones in which all targets exist. Their parameters are drawn from the prior.
    run : Runner
        The work holds the GIL most of the time, so processes suit it.
    effort : Effort, optional

    Returns
    -------
    DataFrame
        One row per replicate and fitted parameter: replicate, parameter, truth, mean and sd (normal scores), rank (of
        the truth among draws, 0 to `of`), of, low50, high50, low90, high90 (normal scores).

    Raises
    ------
    ValueError
        If fewer than `n` worlds are held out.
    """
    used = list(fit.problem.used)
    whole = np.flatnonzero(np.isfinite(fit.held_out.simulated[:, used]).all(axis=1))[:n]
    if len(whole) < n:
        raise ValueError(f"n is {n}, but only {len(whole)} worlds are held out")
    truths = fit.held_out.of(fit.chains.parameters)
    seed = fit.settings.seed
    rng = np.random.default_rng([seed, 4])
    observed = sample_observations(fit.problem.targets, fit.held_out.simulated[whole], rng)
    jobs = [
        ReplicateJob(tuple(fit.blocks(observed[row])), truths[world], effort, (seed, 5, row))
        for row, world in enumerate(whole)
    ]
    results = run("worlds with known parameters", jobs)
    frames = [
        pd.DataFrame({"replicate": row, "parameter": fit.chains.parameters, **columns})
        for row, columns in enumerate(results)
    ]
    return pd.concat(frames, ignore_index=True)


def coverage(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return how often intervals contain the truth.

    Parameters
    ----------
    ranks : DataFrame
        From `replicates`.

    Returns
    -------
    DataFrame
        One row per parameter and level: parameter, level, replicates, covered (share), expected_low and expected_high
        (where 95% of right fits lie), fits (whether it lies there), uniform_p (of ranks as uneven as these; the same in
        both rows of a parameter).
    """
    rows = []
    for parameter, part in ranks.groupby("parameter", sort=False):
        n = len(part)
        for level in LEVELS:
            name = f"{100 * level:.0f}"
            covered = float(((part[f"low{name}"] <= part["truth"]) & (part["truth"] <= part[f"high{name}"])).mean())
            low, high = binom.ppf([0.025, 0.975], n, level) / n
            rows.append(
                {"parameter": parameter, "level": level, "replicates": n, "covered": covered, "expected_low": low,
                 "expected_high": high, "fits": bool(low <= covered <= high), "uniform_p": _uniform_p(part)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _uniform_p(part: pd.DataFrame) -> float:
    """Return the probability of ranks as uneven as these, by chi-square over bins of equal size."""
    ranks = int(part["of"].iloc[0]) + 1
    observed = np.bincount(part["rank"].to_numpy() * BINS // ranks, minlength=BINS)
    expected = len(part) / BINS
    return float(chi2.sf(((observed - expected) ** 2 / expected).sum(), BINS - 1))


def recovery(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return how well known parameters are recovered.

    Parameters
    ----------
    ranks : DataFrame
        From `replicates`.

    Returns
    -------
    DataFrame
        One row per parameter, all in normal scores (the prior has sd 1): parameter, replicates, correlation (of truth
        and posterior mean), error (root mean square; 1 is no better than the prior), claimed (mean posterior sd),
        covered90.
    """
    rows = []
    for parameter, part in ranks.groupby("parameter", sort=False):
        inside = (part["low90"] <= part["truth"]) & (part["truth"] <= part["high90"])
        rows.append(
            {
                "parameter": parameter,
                "replicates": len(part),
                "correlation": float(np.corrcoef(part["truth"], part["mean"])[0, 1]),
                "error": float(np.sqrt(((part["truth"] - part["mean"]) ** 2).mean())),
                "claimed": float(np.sqrt((part["sd"] ** 2).mean())),
                "covered90": float(inside.mean()),
            }
        )
    return pd.DataFrame(rows)


def emulator_frame(fit: Fit) -> pd.DataFrame:
    """Return how good the emulators are on held-out worlds, and where the observed numbers lie in the posterior.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        One row per fitted target: target, block, value, r2 (share of the variance between worlds that the fitted
        parameters explain; the rest is luck and parameters that are not fitted), score_mean and score_sd (of held-out
        worlds' numbers; 0 and 1 if the emulator is right), posterior_score (where the observed number lies in the
        posterior's prediction, in standard deviations).
    """
    rows = []
    values = fit.problem.observed()
    rng = np.random.default_rng([fit.settings.seed, 6])
    for name, emulator in fit.emulators.items():
        indices = fit.problem.indices_of(name)
        targets = [fit.problem.targets[index] for index in indices]
        whole = np.isfinite(fit.held_out.simulated[:, indices]).all(axis=1)
        simulated = fit.held_out.simulated[whole][:, indices]
        x = fit.held_out.of(emulator.parameters)[whole]
        y = np.stack([simulated_latent(t.family, simulated[:, k]) for k, t in enumerate(targets)], axis=1)
        mean, sd = emulator.mean(x), emulator.sd(x)
        intervals = rounding_intervals(targets, sample_observations(targets, simulated, rng))
        scores = middle_scores(mean, sd, intervals)
        columns = [fit.chains.parameters.index(parameter) for parameter in emulator.parameters]
        posterior = fit.chains.thinned(fit.settings.draws)[:, columns]
        predicted, spread = emulator.mean(posterior), emulator.sd(posterior)
        width = np.sqrt(predicted.var(axis=0) + (spread**2).mean(axis=0))
        for k, target in enumerate(targets):
            observed = float(latent(target.family, np.clip(values[indices[k]], 1e-3, None)))
            rows.append(
                {"target": target.name, "block": name, "value": target.value,
                 "r2": float(1.0 - ((y[:, k] - mean[:, k]) ** 2).mean() / y[:, k].var()),
                 "score_mean": float(scores[:, k].mean()), "score_sd": float(scores[:, k].std()),
                 "posterior_score": (observed - float(predicted[:, k].mean())) / float(width[k])}
            )  # fmt: skip
    return pd.DataFrame(rows)
