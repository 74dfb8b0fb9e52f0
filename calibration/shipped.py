"""The problem that is fitted: the register with the survey layer, the evidence, and what the model says of it."""

import hashlib
import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from calibration.calibrate import Settings
from calibration.problem import F64, I64, Problem, Progress
from calibration.register import register
from calibration.sampler import Effort
from calibration.simulate import simulate_many
from calibration.targets import evidence

FIT_FILE = Path(__file__).with_name("fit.toml")
# of this package, what determines a simulated target
_SIMULATES = (
    "asked.py", "measures.py", "programme_statistics.py", "register.py", "responses.py", "simulate.py", "survey.py",
    "survey.toml", "top_three.py",
)  # fmt: skip


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


@cache
def code_version() -> str:
    """Hash of all sources that determine a simulated target."""
    here = Path(__file__).parent
    root = here.parent
    sources = [*(root / "simulator").rglob("*.py"), *(root / "scenarios").rglob("*.py")]
    sources += [root / "scenarios" / name for name in ("parameters.toml", "programme.toml", "library/baseline.toml")]
    sources += [here / name for name in _SIMULATES]
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(sources, key=lambda path: path.relative_to(root).as_posix()):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
