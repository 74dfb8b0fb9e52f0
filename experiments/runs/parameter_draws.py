"""Where a study's draws come from: the shipped posterior, the priors, or a posterior of one's own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

import scenarios as library
from calibration import posterior
from experiments.runs.cells import Draws
from scenarios import InputError
from scenarios.errors import echo
from simulator.parameters import F64

POSTERIOR, PRIOR = "posterior", "prior"
BLOCK = 1024  # draws that are made at a time, about 1 MB
BLOCKS_KEPT = 8  # draws on which threads may be at work at a time


@dataclass(frozen=True)
class Drawn:
    """A study's draws: values by name (draws,), in words where they come from, and what the evidence has informed."""

    values: dict[str, F64]
    words: str
    informed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What draws are taken from: a posterior, or (None) the priors."""

    posterior: posterior.Posterior | None

    @property
    def identity(self) -> str:
        """What identifies it beside the code: the posterior's hash, or nothing."""
        return self.posterior.identity if self.posterior else ""

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the parameters of the register that are fitted."""
        entries = library.register()
        return tuple(name for name in self.posterior.values if name in entries) if self.posterior else ()

    def quantiles(self, name: str, shares: F64) -> F64:
        """Return the values of a fitted parameter below which these shares of the posterior lie."""
        assert self.posterior is not None
        return self.posterior.quantiles(name, shares)

    def draw(self, draws: int, seed: int, first: int = 0) -> dict[str, F64]:
        """Draw `draws` sets from number `first` on: draw k is the same however many are asked for."""
        if self.posterior is None:
            return library.draw(draws, seed, first)
        values = self.posterior.draw(draws, seed, first)
        return {name: values[name] for name in _names()}

    def centre(self) -> dict[str, F64]:
        """Return one draw at the central values."""
        fitted = self.posterior.centre() if self.posterior else {}
        entries = library.register()
        return {name: np.array([fitted.get(name, entries[name].value)], dtype=np.float64) for name in _names()}


def draw_source(draws_from: str) -> Source:
    """Return the source "posterior" (the shipped one), "prior", or a posterior's file; raises InputError."""
    if draws_from == PRIOR:
        return Source(None)
    return Source(posterior.read(None if draws_from == POSTERIOR else _path(draws_from)))


def drawn(draws_from: str, draws: int, seed: int) -> Drawn:
    """Draw `draws` sets (0: one, central) from "posterior", "prior" or a posterior's file; raises InputError."""
    taken = draw_source(draws_from)
    values, posterior = taken.draw(draws, seed) if draws else taken.centre(), taken.posterior
    if posterior is None:
        words = "draws from the register's priors" if draws else "the register's central values"
        return Drawn(values, f"{words}, not calibrated")
    words = f"draws from posterior {posterior.identity}" if draws else f"the medians of posterior {posterior.identity}"
    rest = "their priors" if draws else "central values"
    words += f"; {len(posterior.fitted)} parameters are fitted, the others have {rest}"
    return Drawn(values, words, posterior.informed)


class Blocks:
    """Draws made block by block when they are asked for: memory stays flat however many there are.

    `make(first, last)` gives the values of the draws `first` to `last` - 1; there are `number` of them.
    """

    def __init__(self, number: int, make: Callable[[int, int], dict[str, F64]]) -> None:
        self.number, self.make = number, make
        self._kept = lru_cache(BLOCKS_KEPT)(self._block)
        self._alone = Lock()  # or all threads would make the same block when they come to its first draw

    def __getitem__(self, draw: int) -> dict[str, float]:
        """Return the values of one draw, by name."""
        block, row = divmod(draw, BLOCK)
        return {name: float(column[row]) for name, column in self.block(block).items()}

    def rows(self, start: int, stop: int, first: int) -> Draws:
        """Return the draws `start` to before `stop`; the draw 0 has the number `first`."""
        columns: dict[str, list[F64]] = {}
        for block in range(start // BLOCK, (stop - 1) // BLOCK + 1):
            part = slice(max(0, start - block * BLOCK), stop - block * BLOCK)
            for name, column in self.block(block).items():
                columns.setdefault(name, []).append(column[part])
        return Draws.of({name: np.concatenate(pieces) for name, pieces in columns.items()}, first + start)

    def block(self, block: int) -> dict[str, F64]:
        """Return the values of a block of draws, by name."""
        with self._alone:
            return self._kept(block)

    def _block(self, block: int) -> dict[str, F64]:
        return self.make(block * BLOCK, min((block + 1) * BLOCK, self.number))


def fitted_calls(draws_from: str) -> list[int]:
    """Return the years of the calls that the draws are fitted to; raises InputError."""
    posterior = draw_source(draws_from).posterior
    return [] if posterior is None else list(posterior.calls)


def is_calibrated(manifest: dict[str, Any]) -> bool:
    """Tell whether a study's draws come from a posterior."""
    return bool(manifest.get("draws_from", PRIOR) != PRIOR)


def _names() -> list[str]:
    """Return the names of the parameters that have draws."""
    return [name for name, entry in library.register().items() if entry.kind != "lever"]


def _path(draws_from: str) -> str:
    if not isinstance(draws_from, str) or not draws_from.endswith(".parquet"):
        raise InputError(
            f"--draws-from is {echo(str(draws_from))!r}: it takes {POSTERIOR}, {PRIOR} or the path of a .parquet file "
            "that innovex calibrate has made"
        )
    return draws_from
