"""Draw the design of a method: the points of the space of factors at which it needs the outcome.

A design is a matrix of numbers between 0 and 1, a row for each point, a column for each factor. The plan says what a
number means for a factor (quantile of its prior, place in its range, one of its choices). Rows come in *blocks* of
`block_rows`. The rows of a block are compared with one another, so they meet the same luck (seeds are keyed by block
and run, never by row); different blocks meet different luck, and a block counts in full or not at all. A design of
more blocks begins with the design of fewer.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from simulator.parameters import F64

LEAST_BLOCKS = 2


class Setting(NamedTuple):
    """A setting of a method: its default, what is allowed (a pair of floats: a range), and what it means."""

    default: float | bool | str
    allowed: tuple[Any, ...] | tuple[float, float]
    meaning: str

    def fits(self, value: object) -> bool:
        """Return whether the value is allowed."""
        if isinstance(value, bool) is not isinstance(self.default, bool):
            return False
        if isinstance(self.default, float):
            return isinstance(value, int | float) and self.allowed[0] <= value <= self.allowed[1]
        return value in self.allowed

    @property
    def in_words(self) -> str:
        """What is allowed, in words."""
        if isinstance(self.default, float):
            return f"{self.allowed[0]:g} to {self.allowed[1]:g}"
        return ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in self.allowed)


class Kind(NamedTuple):
    """A method: title, what its indices tell, rows of a block, how blocks are drawn, and its settings."""

    title: str
    tells: str
    rows: Callable[[int, "Method"], int]
    draw: Callable[[int, "Method", int, int, int], F64]
    settings: Mapping[str, Setting] = {}


@dataclass(frozen=True)
class Method:
    """A method of an experiment: `n` blocks, and settings that differ from the defaults."""

    name: str
    n: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError with a sentence if something does not fit."""
        if self.name not in METHODS:
            raise ValueError(f"method {self.name!r} is not known; allowed: {', '.join(METHODS)}")
        if self.n < LEAST_BLOCKS:
            raise ValueError(f"n = {self.n} is too small for {self.name}; allowed: {LEAST_BLOCKS} or more")
        known = METHODS[self.name].settings
        for name, value in self.settings.items():
            if name not in known:
                raise ValueError(f"{self.name} has no setting {name!r}; allowed: {', '.join(known) or 'none'}")
            if not known[name].fits(value):
                raise ValueError(f"{name} = {value!r} does not fit; allowed: {known[name].in_words}")

    def __getitem__(self, setting: str) -> Any:
        """Return the value of a setting."""
        return self.settings.get(setting, METHODS[self.name].settings[setting].default)

    @property
    def kind(self) -> Kind:
        """The method's row in `METHODS`."""
        return METHODS[self.name]


def sample(method: Method, factors: int, seed: int, first: int = 0, last: int | None = None) -> F64:
    """Return the design, the same for the same seed; a larger n appends rows.

    Parameters
    ----------
    method : Method
        The method, with n blocks.
    factors : int
        Number of factors.
    seed : int
        Seed of the design.
    first, last : int, optional
        Blocks from `first` to before `last` alone, the same rows as of the whole design; all n by default.

    Returns
    -------
    ndarray of float64
        (blocks * block_rows, factors), between 0 and 1.
    """
    if factors < 1:
        raise ValueError("a design needs at least one factor")
    last = method.n if last is None else last
    return np.ascontiguousarray(method.kind.draw(factors, method, seed, first, last))


def block_rows(method: Method, factors: int) -> int:
    """Return how many consecutive rows of the design form a block."""
    return method.kind.rows(factors, method)


def in_blocks(method: Method, factors: int, y: F64) -> F64:
    """Reshape outcomes (rows, runs) to (blocks, rows of a block, runs), without a last block that is not whole."""
    size = block_rows(method, factors)
    whole = len(y) // size
    return y[: whole * size].reshape(whole, size, -1)


def problem(factors: int) -> dict[str, Any]:
    """Return the factors in the form of SALib: numbers between 0 and 1."""
    return {
        "num_vars": factors,
        "names": [f"x{place}" for place in range(factors)],
        "bounds": [[0.0, 1.0]] * factors,
    }


def _seed(seed: int) -> int:
    """Return a seed of 32 bits, as the generators of designs need it."""
    return seed % 2**32


def _quietly_sobol(columns: int, seed: int, first: int, last: int) -> F64:
    """Return points of a scrambled Sobol' sequence; any number is allowed, powers of two are spread best."""
    from scipy.stats import qmc  # here, since workers need none of it and it takes long to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sequence = qmc.Sobol(columns, seed=_seed(seed))
        if first:
            sequence.fast_forward(first)
        return np.asarray(sequence.random(last - first))


def _saltelli(factors: int, method: Method, seed: int, first: int, last: int) -> F64:
    """Return rows A, A with one column of B each, (B with one of A each,) B (Saltelli 2002, Saltelli et al. 2010)."""
    from SALib.sample import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        design = sobol.sample(
            problem(factors), last - first, calc_second_order=bool(method["second_order"]), skip_values=first,
            seed=_seed(seed),
        )  # fmt: skip
    return np.asarray(design)


def _saltelli_rows(factors: int, method: Method) -> int:
    return 2 * factors + 2 if method["second_order"] else factors + 2


def _trajectories(factors: int, method: Method, seed: int, first: int, last: int) -> F64:
    """Return Morris's (1991) trajectories, each drawn by itself so that more may be added.

    The grid of p levels lies at the quantiles (k + 1/2)/p: the ends of a prior are no plausible worlds.
    """
    from SALib.sample import morris

    levels = int(method["levels"])
    grid = [
        morris.sample(problem(factors), 1, num_levels=levels, seed=np.random.default_rng((_seed(seed), number)))
        for number in range(first, last)
    ]
    return on_quantiles(np.concatenate(grid), levels)


def on_quantiles(grid: F64, levels: int) -> F64:
    """Move Morris's grid on [0, 1] to the middles of `levels` equal shares."""
    return (grid * (levels - 1) + 0.5) / levels


def from_quantiles(u: F64, levels: int) -> F64:
    """Move points of `on_quantiles` back to the exact grid."""
    return np.round(u * levels - 0.5) / (levels - 1)


def _anywhere(factors: int, method: Method, seed: int, first: int, last: int) -> F64:
    """Return points spread evenly over the whole space."""
    return _quietly_sobol(factors, seed, first, last)


def _steps(factors: int, method: Method, seed: int, first: int, last: int) -> F64:
    """Return a point anywhere, then a step in each factor by itself, inwards where it would leave the space."""
    start, step = _quietly_sobol(factors, seed, first, last), float(method["step"])
    rows = np.repeat(start[:, None, :], factors + 1, axis=1)
    for place in range(factors):
        at = start[:, place]
        rows[:, place + 1, place] = np.where(at + step <= 1.0, at + step, at - step)
    return rows.reshape(-1, factors)


def _one_at_a_time(factors: int, method: Method, seed: int, first: int, last: int) -> F64:
    """Return all factors in the middle (or anywhere), then each by itself at its low and at its high quantile."""
    centre = method["around"] == "centre"
    start = np.full((last - first, factors), 0.5) if centre else _quietly_sobol(factors, seed, first, last)
    tail = float(method["tail"])
    rows = np.repeat(start[:, None, :], 2 * factors + 1, axis=1)
    for place in range(factors):
        rows[:, 2 * place + 1, place] = tail
        rows[:, 2 * place + 2, place] = 1.0 - tail
    return rows.reshape(-1, factors)


def _one(factors: int, method: Method) -> int:
    return 1


METHODS: dict[str, Kind] = {
    "sobol": Kind(
        "Sobol' indices",
        "which share of the variance goes when a factor is known, alone (S1), in pairs (S2), in all (ST)",
        _saltelli_rows,
        _saltelli,
        {"second_order": Setting(True, (True, False), "whether pairs are told, at twice the rows")},
    ),
    "morris": Kind(
        "Morris screening",
        "how much the outcome moves with each of many factors, and whether it depends on the others",
        lambda factors, method: factors + 1,
        _trajectories,
        {"levels": Setting(4, (4, 6, 8, 10), "levels of the grid; even")},
    ),
    "dgsm": Kind(
        "Derivative-based measures (DGSM)",
        "how steep the outcome is in each factor, an upper bound of its total Sobol' index",
        lambda factors, method: factors + 1,
        _steps,
        {"step": Setting(0.1, (0.001, 0.5), "length of a step, as a share of the factor's probability")},
    ),
    "tornado": Kind(
        "One at a time (tornado)",
        "what each factor does by itself at the low and high end of what is plausible",
        lambda factors, method: 2 * factors + 1,
        _one_at_a_time,
        {
            "tail": Setting(0.05, (0.001, 0.4), "quantile of the low end; the high end is its mirror"),
            "around": Setting("centre", ("centre", "anywhere"), "where the other factors stay"),
        },
    ),
    "pawn": Kind(
        "PAWN",
        "how far the distribution of the outcome moves when a factor is known",
        _one,
        _anywhere,
        {"slides": Setting(10, tuple(range(2, 51)), "intervals into which each factor is cut")},
    ),
    "delta": Kind(
        "Borgonovo's delta",
        "how far the density of the outcome moves when a factor is known",
        _one,
        _anywhere,
    ),
    "rbd_fast": Kind(
        "RBD-FAST",
        "first-order Sobol' indices from any sample, by Fourier series",
        _one,
        _anywhere,
        {"harmonics": Setting(10, tuple(range(2, 21)), "harmonics that are summed")},
    ),
    "discovery": Kind(
        "Scenario discovery",
        "where in the space of factors the option stops being better",
        _one,
        _anywhere,
    ),
}
