"""The problem that is fitted: the register with the survey layer, the evidence, and the model's target values."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from calibration.evidence.load import load_evidence
from calibration.fit.pipeline import Settings
from calibration.fit.problem import Problem
from calibration.fit.sampler import Effort
from calibration.hindcast.past_calls import TargetValues
from calibration.parameters import register

FIT_FILE = Path(__file__).with_name("fit.toml")


def problem(folder: str | Path | None = None) -> Problem:
    """Return the shipped problem.

    Parameters
    ----------
    folder : str or Path, optional
        With other evidence than the shipped one.

    Raises
    ------
    InputError
        For evidence that cannot be used.
    """
    evidence = load_evidence(folder)
    fitted = tuple(index for index, target in enumerate(evidence.targets) if target.fitted)
    blocks = {name: tuple(parameters) for name, parameters in fit_file()["blocks"].items()}
    return Problem(register(), evidence.targets, fitted, blocks, TargetValues(evidence))


def settings(bank: int | None = None, seed: int | None = None) -> Settings:
    """Return the shipped settings, with another size or seed if given.

    Parameters
    ----------
    bank : int, optional
        Another number of worlds drawn from the priors.
    seed : int, optional
        Another seed.
    """
    rows = fit_file()["settings"]
    effort = Effort(rows["ensembles"], rows["walkers_per_parameter"], rows["burn_in"], rows["steps"])
    return Settings(
        rows["bank"] if bank is None else bank, rows["near"], rows["held_out"], rows["draws"],
        rows["seed"] if seed is None else seed, effort,
    )  # fmt: skip


@cache
def fit_file() -> dict[str, Any]:
    """Return the content of `fit.toml`: what is fitted, and how much is computed."""
    return tomllib.loads(FIT_FILE.read_text(encoding="utf-8"))
