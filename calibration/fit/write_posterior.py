"""Write the result of a fit: the posterior's draws, and the manifest with what was learned about each parameter."""

import hashlib
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from calibration.fit.pipeline import Fit
from calibration.fit.problem import F64, values_of
from calibration.posterior import Posterior, prior_in_words, read, write
from simulator.jobs import code_of

PACKAGES = ("innovex", "numpy", "scipy", "scikit-learn", "emcee", "arviz-stats")
UNIFORM_VARIANCE = 1.0 / 12.0


def save(fit: Fit, path: Path, unidentified_below: float) -> Posterior:
    """Write the posterior and its manifest.

    Parameters
    ----------
    fit : Fit
    path : Path
        Of the draws; the manifest lies beside it.
    unidentified_below : float
        The contraction below which a parameter counts as unidentified.

    Returns
    -------
    Posterior
        As read back from the files, with all checks.
    """
    names = fit.chains.parameters
    scores = fit.chains.thinned(fit.settings.draws)
    scores = scores[np.random.default_rng([fit.settings.seed, 3]).permutation(len(scores))]
    weight = np.full(len(scores), 1.0 / len(scores))
    units = [fit.problem.entries[name].unit for name in names]
    write(path, values_of(fit.problem.entries, names, scores), weight, _manifest(fit, unidentified_below), units)
    return read(path)


def parameter_frame(fit: Fit) -> pd.DataFrame:
    """Return what was learned about each fitted parameter, one row each.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        parameter, label, unit, evidence, blocks; prior (in words), prior_low, prior_median, prior_high (5%, 50%, 95%);
        low, median, high (of the posterior); contraction (see `contraction`), ess, rhat.
    """
    rows = []
    for column, name in enumerate(fit.chains.parameters):
        entry = fit.problem.entries[name]
        scores = fit.chains.scores[..., column].reshape(-1, 1)
        value = values_of(fit.problem.entries, (name,), scores)[name]
        low, median, high = np.quantile(value, [0.05, 0.5, 0.95])
        rows.append(
            {
                "parameter": name,
                "label": entry.label,
                "unit": entry.unit,
                "evidence": entry.evidence,
                "blocks": ", ".join(b for b in fit.problem.used_blocks if name in fit.problem.blocks[b]),
                "prior": prior_in_words(entry),
                **_prior_quantiles(fit, name),
                "low": float(low),
                "median": float(median),
                "high": float(high),
                "contraction": contraction(scores[:, 0]),
                "ess": float(fit.chains.ess[column]),
                "rhat": float(fit.chains.rhat[column]),
            }
        )
    return pd.DataFrame(rows)


def contraction(scores: F64) -> float:
    """Return how much narrower the posterior is than the prior: 0 if the evidence says nothing, 1 if everything.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Normal scores of the parameter in the posterior.

    Returns
    -------
    float
        1 - the variance of the parameter's place in its prior, relative to the prior's own.
    """
    return float(1.0 - ndtr(scores).var() / UNIFORM_VARIANCE)


def _prior_quantiles(fit: Fit, name: str) -> dict[str, float]:
    low, median, high = values_of(fit.problem.entries, (name,), np.array([[-1.6448536], [0.0], [1.6448536]]))[name]
    return {"prior_low": float(low), "prior_median": float(median), "prior_high": float(high)}


def _code(fit: Fit) -> str:
    """Return a hash of the code of the worlds and of the fit."""
    parts = f"{fit.problem.simulate.identity} {code_of('calibration.fit.pipeline')}"
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


def _manifest(fit: Fit, unidentified_below: float) -> dict[str, Any]:
    """Return all that determines the posterior, and how well it converged."""
    settings, effort = fit.settings, fit.settings.effort
    return {
        "what": "weighted draws of the posterior of the fitted parameters; all others stay at their priors",
        "command": f"innovex calibrate --bank {settings.bank} --seed {settings.seed}",
        "code": _code(fit),
        "settings": {
            "bank": settings.bank, "near": settings.near, "held_out": settings.held_out, "draws": settings.draws,
            "seed": settings.seed, "ensembles": effort.ensembles, "walkers_per_parameter": effort.walkers_per_parameter,
            "burn_in": effort.burn_in, "steps": effort.steps,
        },
        "blocks": {name: list(parameters) for name, parameters in fit.problem.blocks.items()},
        "targets": [
            {"name": target.name, "value": target.value, "effective_n": target.effective_n}
            for target in (fit.problem.targets[index] for index in fit.problem.used)
        ],
        "unidentified_below": unidentified_below,
        "smallest_ess": float(fit.chains.ess.min()),
        "largest_rhat": float(np.nanmax(fit.chains.rhat)),
        "parameters": parameter_frame(fit).to_dict("records"),
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
