"""The problem of a fit: the parameters with their priors, the targets, and the function that simulates a world.

Each drawn parameter is represented by its normal score: the standard normal quantile of its place in its prior. So
the prior of all scores is a standard normal, whatever the register's prior is, and no limit can be crossed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from calibration.jobs import OfDraw
from scenarios import Entry, quantile, uniforms

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Observation(Protocol):
    """An observed number; `calibration.evidence.targets.Target` is one.

    family "share": `value` is a share of `effective_n` answers, and the model returns the expected share. "count": a
    whole number, of one run. "level": a positive number of one run, rounded to a whole unit.
    """

    @property
    def name(self) -> str: ...
    @property
    def block(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def effective_n(self) -> float | None: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def measure(self) -> str: ...
    @property
    def call(self) -> int: ...


@dataclass(frozen=True)
class Problem:
    """Everything that is fitted at once. It can be pickled if `simulate` can.

    Parameters
    ----------
    entries : mapping of str to Entry
        The parameters with their priors, by name.
    targets : sequence of Observation
        One for each number that `simulate` returns, in this order.
    used : tuple of int
        Indices of the targets that are fitted to; a call may be left out.
    blocks : mapping of str to tuple of str
        By block of targets, the parameters that its emulator takes. Together they are what is fitted.
    simulate : OfDraw
        Returns the value of every target, by name, from values by parameter and a seed; NaN for a target that does not
        exist in this world.
    """

    entries: Mapping[str, Entry]
    targets: Sequence[Observation]
    used: tuple[int, ...]
    blocks: Mapping[str, tuple[str, ...]]
    simulate: OfDraw

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of all parameters that have more than one value."""
        return tuple(name for name, entry in self.entries.items() if entry.prior != "fixed" and entry.low != entry.high)

    @property
    def used_blocks(self) -> tuple[str, ...]:
        """The blocks with a target that is used."""
        return tuple(name for name in self.blocks if self.indices_of(name))

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the fitted parameters, each once."""
        return tuple(dict.fromkeys(name for block in self.used_blocks for name in self.blocks[block]))

    def indices_of(self, block: str) -> list[int]:
        """Return the indices of the targets that a block is fitted to."""
        return [index for index in self.used if self.targets[index].block == block]

    def observed(self) -> F64:
        """Return the observed numbers, (targets,)."""
        return np.array([target.value for target in self.targets], dtype=np.float64)

    def without(self, leave_out: Callable[[Observation], bool]) -> "Problem":
        """Return the same problem, fitted to the targets for which `leave_out` is false."""
        return replace(self, used=tuple(index for index in self.used if not leave_out(self.targets[index])))


def prior_scores(names: Sequence[str], n: int, seed: int) -> F64:
    """Return normal scores of the first `n` draws from the priors: those of `calibration.draw(n, seed)`.

    Parameters
    ----------
    names : sequence of str
        The parameters.
    n, seed : int

    Returns
    -------
    ndarray of float64, shape (n, names)
    """
    return np.stack([ndtri(uniforms(n, seed, name)) for name in names], axis=1)


def values_of(entries: Mapping[str, Entry], names: Sequence[str], scores: F64) -> dict[str, F64]:
    """Return values from normal scores.

    Parameters
    ----------
    entries : mapping of str to Entry
    names : sequence of str
    scores : ndarray of float64, shape (n, names)

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        By name, in the units of the register.
    """
    return {name: quantile(entries[name], ndtr(scores[:, column])) for column, name in enumerate(names)}


def run_seeds(seed: int, n: int) -> I64:
    """Return a seed for each of `n` worlds: a pure function of the fit's seed and the number of the world.

    Parameters
    ----------
    seed : int
        Of the fit.
    n : int

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    digests = [hashlib.blake2b(f"bank/{seed}/{world}".encode(), digest_size=8).digest() for world in range(n)]
    return np.array([int.from_bytes(digest, "big") >> 1 for digest in digests], dtype=np.int64)
