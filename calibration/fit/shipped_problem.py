"""The problem that is fitted: the register with the survey layer, the evidence, and what the model says of it."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from calibration.evidence.targets import evidence
from calibration.fit.fit import Settings
from calibration.fit.problem import F64, I64, Problem, Progress
from calibration.fit.sampler import Effort
from calibration.fit.simulate import simulate_many
from calibration.survey.register import register
from simulator import sources

FIT_FILE = Path(__file__).with_name("fit.toml")


def problem(folder: str | Path | None = None, threads: int | None = None) -> Problem:
    """The shipped problem, or the same with the evidence of a folder; raises InputError for wrong evidence."""
    known = evidence(folder)

    def simulate(values: dict[str, F64], seeds: I64, tell: Progress) -> F64:
        return simulate_many(values, seeds[:, None], threads or os.cpu_count() or 1, tell, known)[:, 0]

    fitted = tuple(place for place, target in enumerate(known.targets) if target.fitted)
    blocks = {name: tuple(parameters) for name, parameters in fit_file()["blocks"].items()}
    asked = repr(sorted((year, sorted(rows.items())) for year, rows in known.responses.items()))
    return Problem(register(), known.targets, fitted, blocks, simulate, f"{code_version()} {asked}")


def settings(bank: int | None = None, seed: int | None = None) -> Settings:
    """The shipped settings, with another size of the bank or another seed."""
    told = fit_file()["settings"]
    effort = Effort(told["ensembles"], told["walkers_per_parameter"], told["burn_in"], told["steps"])
    return Settings(
        told["bank"] if bank is None else bank, told["near"], told["held_out"], told["draws"],
        told["seed"] if seed is None else seed, effort,
    )  # fmt: skip


@cache
def fit_file() -> dict[str, Any]:
    """What is fitted, and how long."""
    return tomllib.loads(FIT_FILE.read_text(encoding="utf-8"))


def code_version() -> str:
    """Return a hash of all sources that determine a simulated target."""
    return sources.digest("calibration.fit.simulate")
