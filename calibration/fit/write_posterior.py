"""What comes out of a fit: the posterior's draws, what each parameter has learned, and the manifest."""

import hashlib
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from calibration.fit.fit import Fit
from calibration.fit.problem import F64, values_of
from calibration.posterior import Posterior, prior_in_words, read, write

PACKAGES = ("innovex", "numpy", "scipy", "scikit-learn", "emcee", "arviz-stats")
UNIFORM_VARIANCE = 1.0 / 12.0


def save(fit: Fit, path: Path, unidentified_below: float, about: dict[str, Any] | None = None) -> Posterior:
    """Write the posterior and its manifest; return what was written, read back with all checks."""
    names = fit.chains.parameters
    scores = fit.chains.thinned(fit.settings.draws)
    scores = scores[np.random.default_rng([fit.settings.seed, 3]).permutation(len(scores))]
    weight = np.full(len(scores), 1.0 / len(scores))
    units = [fit.problem.entries[name].unit for name in names]
    write(path, values_of(fit.problem.entries, names, scores), weight, _manifest(fit, unidentified_below, about), units)
    return read(path)


def parameter_frame(fit: Fit) -> pd.DataFrame:
    """One row per fitted parameter: prior, posterior median and 90% interval, contraction, ESS and R-hat.

    contraction: the share of the variance of the parameter's place in its prior that the evidence has taken
    away; 0 where it has told nothing, 1 where it has told everything.
    """
    rows = []
    for place, name in enumerate(fit.chains.parameters):
        entry = fit.problem.entries[name]
        scores = fit.chains.scores[..., place].reshape(-1, 1)
        value = values_of(fit.problem.entries, (name,), scores)[name]
        low, median, high = np.quantile(value, [0.05, 0.5, 0.95])
        rows.append(
            {
                "parameter": name,
                "label": entry.label,
                "unit": entry.unit,
                "evidence": entry.evidence,
                "blocks": ", ".join(b for b in fit.problem.seen_blocks if name in fit.problem.blocks[b]),
                "prior": prior_in_words(entry),
                **_prior_quantiles(fit, name),
                "low": float(low),
                "median": float(median),
                "high": float(high),
                "contraction": contraction(scores[:, 0]),
                "ess": float(fit.chains.ess[place]),
                "rhat": float(fit.chains.rhat[place]),
            }
        )
    return pd.DataFrame(rows)


def contraction(scores: F64) -> float:
    """1 - variance of the place in the prior, relative to the prior's own."""
    return float(1.0 - ndtr(scores).var() / UNIFORM_VARIANCE)


def _prior_quantiles(fit: Fit, name: str) -> dict[str, float]:
    found = values_of(fit.problem.entries, (name,), np.array([[-1.6448536], [0.0], [1.6448536]]))[name]
    return {"prior_low": float(found[0]), "prior_median": float(found[1]), "prior_high": float(found[2])}


def _manifest(fit: Fit, unidentified_below: float, about: dict[str, Any] | None) -> dict[str, Any]:
    """All that determines the posterior, and how well it was found."""
    settings, effort = fit.settings, fit.settings.effort
    return {
        "what": "weighted draws of the posterior of the fitted parameters; all others stay at their priors",
        "command": f"innovex calibrate --bank {settings.bank} --seed {settings.seed}",
        "code": hashlib.blake2b(fit.problem.code.encode(), digest_size=8).hexdigest(),
        "settings": {
            "bank": settings.bank, "near": settings.near, "held_out": settings.held_out, "draws": settings.draws,
            "seed": settings.seed, "ensembles": effort.ensembles, "walkers_per_parameter": effort.walkers_per_parameter,
            "burn_in": effort.burn_in, "steps": effort.steps,
        },
        "blocks": {name: list(parameters) for name, parameters in fit.problem.blocks.items()},
        "targets": [
            {"name": target.name, "value": target.value, "effective_n": target.effective_n}
            for target in (fit.problem.targets[place] for place in fit.problem.used)
        ],
        "unidentified_below": unidentified_below,
        "smallest_ess": float(fit.chains.ess.min()),
        "largest_rhat": float(np.nanmax(fit.chains.rhat)),
        "parameters": parameter_frame(fit).to_dict("records"),
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        **(about or {}),
    }  # fmt: skip
