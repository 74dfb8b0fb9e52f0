"""Where a study's draws come from: the shipped posterior, the priors, or a posterior of one's own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import scenarios as library
from calibration import posterior
from scenarios import InputError
from scenarios.errors import echo
from simulator.parameters import F64

POSTERIOR, PRIOR = "posterior", "prior"


@dataclass(frozen=True)
class Drawn:
    """A study's draws: values by name (draws,), in words where they come from, and what the evidence has informed."""

    values: dict[str, F64]
    words: str
    informed: tuple[str, ...] = ()


def drawn(draws_from: str, draws: int, seed: int) -> Drawn:
    """`draws` draws (0: one, at the centre) from "posterior", "prior" or a posterior's file; raises InputError."""
    names = [name for name, entry in library.register().items() if entry.kind != "lever"]
    if draws_from == PRIOR:
        values = library.draw(draws, seed) if draws else _centre(names, {})
        words = "draws from the register's priors" if draws else "the register's central values"
        return Drawn(values, f"{words}, not calibrated")
    found = posterior.read(None if draws_from == POSTERIOR else _path(draws_from))
    values = found.draw(draws, seed) if draws else _centre(names, found.centre())
    words = f"draws from posterior {found.identity}" if draws else f"the medians of posterior {found.identity}"
    rest = "their priors" if draws else "central values"
    words += f"; {len(found.fitted)} parameters are fitted, the others have {rest}"
    return Drawn({name: values[name] for name in names}, words, found.informed)


def is_calibrated(manifest: dict[str, Any]) -> bool:
    """Whether a study's draws come from a posterior."""
    return manifest.get("draws_from", PRIOR) != PRIOR


def _centre(names: list[str], fitted: dict[str, float]) -> dict[str, F64]:
    """One draw at the central values."""
    entries = library.register()
    return {name: np.array([fitted.get(name, entries[name].value)], dtype=np.float64) for name in names}


def _path(draws_from: str) -> str:
    if not draws_from.endswith(".parquet"):
        raise InputError(
            f"--draws-from is {echo(draws_from)!r}: it takes {POSTERIOR}, {PRIOR} or the path of a .parquet file "
            "that innovex calibrate has made"
        )
    return draws_from
