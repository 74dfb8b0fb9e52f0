"""`innovex validate`: every check of what the calibration is worth, carried out and gathered as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.checks.forecast import forecast
from calibration.checks.picking import picking_frame
from calibration.checks.predictive import predictive_frame, replicates, typicality_frame
from calibration.checks.settings import left_out_call
from calibration.evidence.load import load_evidence
from calibration.posterior import Posterior
from experiments.runs.engines import Where
from experiments.runs.provenance import machine
from experiments.runs.runner import runner
from experiments.validation.outside import outside_frame
from simulator.jobs import Runner, Stage, code_of

if TYPE_CHECKING:
    from calibration.fit.problem import Problem

F64 = npt.NDArray[np.float64]

FORECAST_DRAWS = 1_000  # of the forecast that ships
OUTSIDE_DRAWS = 60
LEFT_OUT = left_out_call()
NEAR = 1_000  # worlds near the posterior of the fit without that call: fewer, since it is one check among several


@dataclass(frozen=True)
class Ask:
    """How much is checked, and on what.

    Parameters
    ----------
    draws
        Draws of the posterior for predictions and forecast.
    checked
        Worlds on which the fit is checked; 0 leaves the checks of the fit out.
    outside
        Draws for the checks against other studies.
    where
        Engine and workers; no number depends on it.
    fit
        The folder of the calibration, whose worlds and chains are used again.
    store
        The folder in which finished runs are kept, so that stopped checks go on.
    bank
        Worlds of the fit, unless those of the shipped settings.
    """

    draws: int = 400
    checked: int = 200
    outside: int = OUTSIDE_DRAWS
    seed: int = 1
    where: Where = field(default_factory=Where)
    fit: Path = Path("results/calibration")
    store: Path = Path("results/runs/checks")
    posterior: Path | None = None
    evidence: Path | None = None
    bank: int | None = None


@dataclass(frozen=True)
class Validation:
    """What was found, as tables by name, and the manifest. Checks of the fit are missing where they were left out."""

    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table, None if its check was left out."""
        return self.tables.get(name)


def validate(ask: Ask, posterior: Posterior, stage: Stage) -> Validation:
    """Carry out all checks; the same ask and posterior give the same numbers on any number of threads."""
    evidence, run = load_evidence(ask.evidence), runner(ask.store, ask.where, stage)
    draws = posterior.draw(ask.draws, ask.seed)
    replicated = replicates(draws, ask.seed, evidence, run)
    few = {name: values[: ask.outside] for name, values in draws.items()}
    tables = {
        "predictive": predictive_frame(replicated),
        "typicality": typicality_frame(replicated),
        "forecast": forecast(draws, ask.seed, run),
        "picking": picking_frame(few, ask.seed, evidence, run),
        "outside": outside_frame(few, ask.seed, run),
        "parameters": pd.DataFrame(posterior.manifest["parameters"]),
    }
    if ask.checked:
        tables |= _checks_of_the_fit(ask, run, stage)
    return Validation(tables, _manifest(ask, posterior))


def shipped_forecast(posterior: Posterior, seed: int, run: Runner) -> pd.DataFrame:
    """Return the forecast of 2016 and 2017 that ships with the package."""
    return forecast(posterior.draw(FORECAST_DRAWS, seed), seed, run)


def commands(ask: Ask) -> list[str]:
    """Return what is typed to repeat it: the fit, then its checks."""
    shared = {"bank": ask.bank, "evidence": ask.evidence}
    checks = {"draws": ask.draws, "checked": ask.checked, "outside": ask.outside, "seed": ask.seed}
    return [
        f"innovex calibrate{_typed({**shared, 'out': ask.fit})}",
        f"innovex validate{_typed({**checks, **shared, 'posterior': ask.posterior, 'fit': ask.fit})}",
    ]


def _typed(options: Mapping[str, object]) -> str:
    return "".join(f" --{name} {value}" for name, value in options.items() if value is not None)


def _checks_of_the_fit(ask: Ask, run: Runner, stage: Stage) -> dict[str, pd.DataFrame]:
    """Check coverage, recovery, emulators, and a call left out; the fit's folder holds what is done already."""
    from dataclasses import replace

    from calibration.checks import coverage as checks
    from calibration.checks.leave_out import leave_out, totals
    from calibration.fit import shipped_problem as shipped
    from calibration.fit.pipeline import fit

    problem, settings = shipped.problem(ask.evidence), shipped.settings(ask.bank)
    of_fit = runner(ask.fit, ask.where, stage)
    whole = fit(problem, settings, of_fit, stage)
    ranks = checks.replicates(whole, ask.checked, run)
    tables = {
        "coverage": checks.coverage(ranks),
        "recovery": checks.recovery(ranks),
        "emulators": checks.emulator_frame(whole),
    }
    if can_be_left_out(problem):
        left = leave_out(problem, replace(settings, near=min(settings.near, NEAR)), LEFT_OUT, of_fit, stage)
        tables |= {"left_out": left, "left_out_totals": totals(left)}
    return tables


def can_be_left_out(problem: "Problem") -> bool:
    """Tell whether there is a call to fit to before the one that is left out, and a count of both."""
    counts = {(target.measure, target.call) for target in problem.targets if target.family == "count"}
    known = any(problem.targets[place].call < LEFT_OUT for place in problem.used)
    measures = {measure for measure, call in counts if call < LEFT_OUT}
    return known and any((measure, LEFT_OUT) in counts for measure in measures)


def _manifest(ask: Ask, posterior: Posterior) -> dict[str, Any]:

    return {
        "what": "checks of what the calibration is worth",
        "draws": ask.draws,
        "checked": ask.checked,
        "outside": ask.outside,
        "seed": ask.seed,
        "posterior": posterior.identity,
        "evidence": str(ask.evidence) if ask.evidence else "shipped",
        "bank": ask.bank or "as shipped",
        "commands": commands(ask),
        "reduced": (f"the fit that is checked: a bank of {ask.bank:,} worlds; " if ask.bank else "")
        + f"the fit without the call left out: {NEAR:,} worlds near its posterior; fits to known worlds: one "
        "short ensemble each, by the emulators of the whole fit",
        "code": code_of(__name__),
        **machine(),
    }
