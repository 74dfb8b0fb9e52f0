"""Is the posterior what it claims to be? Checks on worlds whose parameters are known.

A held-out world's numbers are taken as if they had been observed, with the survey's answers drawn from its shares,
and its parameters are inferred by the shipped emulators and sampler. Over many such worlds the true values must
fall anywhere in their posteriors alike (Talts et al. 2018), and intervals must hold as often as they say.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2

from calibration.fit.fit import Fit
from calibration.fit.likelihood import latent, middle_scores, observe, simulated_latent, steps
from calibration.fit.problem import F64, Progress
from calibration.fit.sampler import Effort, Part, log_posterior, sample_ensemble

# Reduced against the shipped fit: one ensemble, fewer steps. Ranks need fewer draws than quantiles do.
SHORT = Effort(ensembles=1, walkers_per_parameter=4, burn_in=250, steps=300)
KEPT = 99  # draws among which the true value is ranked
LEVELS = (0.5, 0.9)
BINS = 10


class _Task(NamedTuple):
    """One replicate: what is fitted to, and the truth."""

    parts: list[Part]
    truth: F64
    effort: Effort
    seed: tuple[int, ...]


def replicates(
    fit: Fit, n: int, effort: Effort = SHORT, workers: int = 1, tell: Progress | None = None
) -> pd.DataFrame:
    """Simulation-based calibration: one row per replicate and fitted parameter.

    Columns: replicate, parameter, truth and mean and sd (normal scores), rank (0 to `of`, of the truth among draws),
    low50, high50, low90, high90 (normal scores). The truth is drawn from the prior. Replicates are held-out worlds in
    which all targets exist; ValueError if there are fewer than `n`.
    """
    used = list(fit.problem.used)
    whole = np.flatnonzero(np.isfinite(fit.held_out.simulated[:, used]).all(axis=1))[:n]
    if len(whole) < n:
        raise ValueError(f"{n} replicates are asked for, but only {len(whole)} worlds are held out")
    truths = fit.held_out.of(fit.chains.parameters)
    rng = np.random.default_rng([fit.settings.seed, 4])
    seen = observe(fit.problem.targets, fit.held_out.simulated[whole], rng)
    seed = fit.settings.seed
    tasks = [_Task(fit.parts(seen[row]), truths[world], effort, (seed, 5, row)) for row, world in enumerate(whole)]
    frames = []
    for row, summary in enumerate(_each(tasks, workers)):
        frames.append(pd.DataFrame({"replicate": row, "parameter": fit.chains.parameters, **summary}))
        if tell:
            tell(1)
    return pd.concat(frames, ignore_index=True)


def _each(tasks: list[_Task], workers: int) -> Iterator[dict[str, F64]]:
    """Results in order, by processes of their own where there are several workers."""
    if workers < 2:
        yield from map(_replicate, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        yield from pool.map(_replicate, tasks, chunksize=4)


def _end_with_parent() -> None:
    """Ask Linux to end this worker when its parent is gone, however that ended."""
    import ctypes
    import signal
    import sys

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _replicate(task: _Task) -> dict[str, F64]:
    """Where the truth lies in its posterior."""
    from threadpoolctl import threadpool_limits

    parts, truth, effort, seed = task
    with threadpool_limits(1):  # as in the fit; and workers would be in one another's way
        flat = sample_ensemble(log_posterior(parts), len(truth), effort, seed).reshape(-1, len(truth))
    kept = flat[np.linspace(0, len(flat) - 1, KEPT).round().astype(int)]
    found = {"truth": truth, "mean": flat.mean(axis=0), "sd": flat.std(axis=0)}
    found |= {"rank": (kept < truth).sum(axis=0), "of": np.full(len(truth), KEPT)}
    for level in LEVELS:
        low, high = np.quantile(flat, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        found |= {f"low{100 * level:.0f}": low, f"high{100 * level:.0f}": high}
    return found


def coverage(found: pd.DataFrame) -> pd.DataFrame:
    """How often intervals held the truth: one row per parameter and level.

    Columns: parameter, level, replicates, covered (share), expected_low and expected_high (where 95% of right
    fits lie), fits, uniform_p (that ranks are uniform; the same in both rows of a parameter).
    """
    rows = []
    for parameter, part in found.groupby("parameter", sort=False):
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
    """Probability of ranks as uneven as these, by chi-square over bins of equal size."""
    places = int(part["of"].iloc[0]) + 1
    seen = np.bincount(part["rank"].to_numpy() * BINS // places, minlength=BINS)
    expected = len(part) / BINS
    return float(chi2.sf(((seen - expected) ** 2 / expected).sum(), BINS - 1))


def recovery(found: pd.DataFrame) -> pd.DataFrame:
    """How well known parameters come back: one row per parameter, all in normal scores (the prior has sd 1).

    Columns: parameter, replicates, correlation (of truth and posterior mean), error (root mean square; 1 is no better
    than the prior), claimed (mean posterior sd), covered90.
    """
    rows = []
    for parameter, part in found.groupby("parameter", sort=False):
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
    """The emulators on held-out worlds, and what was seen against the posterior: one row per fitted target.

    Columns: target, block, value, r2 (share of the variance between worlds that the fitted parameters explain; the
    rest is luck and parameters that are not fitted), score_mean and score_sd (of held-out worlds' numbers; 0 and 1
    where the emulator is right), posterior_score (where what was seen lies in the posterior's prediction, in standard
    deviations).
    """
    rows = []
    observed = fit.problem.observed(range(len(fit.problem.targets)))
    rng = np.random.default_rng([fit.settings.seed, 6])
    for name, emulator in fit.emulators.items():
        places = fit.problem.of_block(name)
        targets = [fit.problem.targets[place] for place in places]
        whole = np.isfinite(fit.held_out.simulated[:, places]).all(axis=1)
        simulated = fit.held_out.simulated[whole][:, places]
        x = fit.held_out.of(emulator.parameters)[whole]
        y = np.stack([simulated_latent(t.family, simulated[:, k]) for k, t in enumerate(targets)], axis=1)
        mean, sd = emulator.mean(x), emulator.sd(x)
        scores = middle_scores(mean, sd, steps(targets, observe(targets, simulated, rng)))
        columns = [fit.chains.parameters.index(parameter) for parameter in emulator.parameters]
        posterior = fit.chains.thinned(fit.settings.draws)[:, columns]
        there, spread = emulator.mean(posterior), emulator.sd(posterior)
        width = np.sqrt(there.var(axis=0) + (spread**2).mean(axis=0))
        for k, target in enumerate(targets):
            seen = float(latent(target.family, np.clip(observed[places[k]], 1e-3, None)))
            rows.append(
                {"target": target.name, "block": name, "value": target.value,
                 "r2": float(1.0 - ((y[:, k] - mean[:, k]) ** 2).mean() / y[:, k].var()),
                 "score_mean": float(scores[:, k].mean()), "score_sd": float(scores[:, k].std()),
                 "posterior_score": (seen - float(there[:, k].mean())) / float(width[k])}
            )  # fmt: skip
    return pd.DataFrame(rows)
