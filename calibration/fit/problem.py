"""What a fit needs to know: the parameters with their priors, the targets, and how worlds are simulated.

Every drawn parameter is carried by its normal score: the standard normal quantile of its place in its prior.
So the prior of all scores is a standard normal, whatever the register's prior is, and no limit can be crossed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from scenarios import Entry, quantile, uniforms

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int], None]
Stage = Callable[[str, int], Progress]  # (what, how much to do) -> progress
# values by name (n,), one seed each (n,), progress -> the targets' values (n, targets), NaN where one does not exist
Simulate = Callable[[dict[str, F64], I64, Progress], F64]


class Seen(Protocol):
    """One observed number; `calibration.evidence.targets.Target` is one.

    family "share": `value` is a share of `effective_n` answers and the model gives the expected share. "count": a
    whole number, as the model gives it. "level": a positive number, told to a whole unit.
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
    """All that is fitted at once.

    `targets` is what `simulate` gives, in order; `used` the places of those that are held against the data (a call
    may be left out). `blocks` names the parameters that the emulator of each block of targets takes; together they
    are what is fitted. `code` is a hash of what `simulate` computes.
    """

    entries: Mapping[str, Entry]
    targets: Sequence[Seen]
    used: tuple[int, ...]
    blocks: Mapping[str, tuple[str, ...]]
    simulate: Simulate
    code: str

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of all parameters that have more than one value."""
        return tuple(name for name, entry in self.entries.items() if entry.prior != "fixed" and entry.low != entry.high)

    @property
    def seen_blocks(self) -> tuple[str, ...]:
        """The blocks that hold a target that is used."""
        return tuple(name for name in self.blocks if self.of_block(name))

    @property
    def fitted(self) -> tuple[str, ...]:
        """Names of the fitted parameters, each once."""
        return tuple(dict.fromkeys(name for block in self.seen_blocks for name in self.blocks[block]))

    def of_block(self, block: str) -> list[int]:
        """Places of the targets that the block is fitted to."""
        return [place for place in self.used if self.targets[place].block == block]

    def observed(self, places: Sequence[int]) -> F64:
        """The numbers that are known."""
        return np.array([self.targets[place].value for place in places], dtype=np.float64)

    def without(self, leave_out: Callable[[Seen], bool]) -> "Problem":
        """The same problem held against fewer targets."""
        return replace(self, used=tuple(place for place in self.used if not leave_out(self.targets[place])))


def prior_scores(names: Sequence[str], n: int, seed: int) -> F64:
    """Normal scores of the first `n` prior draws, (n, names): those of `calibration.draw(n, seed)`."""
    return np.stack([ndtri(uniforms(n, seed, name)) for name in names], axis=1)


def values_of(entries: Mapping[str, Entry], names: Sequence[str], scores: F64) -> dict[str, F64]:
    """Values by name from normal scores (n, names)."""
    return {name: quantile(entries[name], ndtr(scores[:, place])) for place, name in enumerate(names)}


def run_seeds(seed: int, n: int) -> I64:
    """A seed for each world of a bank, pure functions of the fit's seed and the number of the world."""
    digests = [hashlib.blake2b(f"bank/{seed}/{each}".encode(), digest_size=8).digest() for each in range(n)]
    return np.array([int.from_bytes(digest, "big") >> 1 for digest in digests], dtype=np.int64)
