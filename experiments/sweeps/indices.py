"""What a method makes of a sweep's outcomes: a tidy table of indices with 90% intervals.

One row per factor (pair of factors) and index: `factor`, `other` (of a pair), `index`, `value`, `low`, `high`, and
`luck`: "out" where the luck of single runs is taken out, "in" where the number is of means over runs as they are.
SALib (Iwanaga, Usher & Herman 2022; Herman & Usher 2017) analyses the means; what is "out" is ours (see `noise`).
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.sweeps import noise
from experiments.sweeps.methods import Method, block_rows, from_quantiles, in_blocks, problem
from experiments.sweeps.noise import INTERVAL, STANDARD, Range
from simulator.parameters import F64

COLUMNS = ["factor", "other", "index", "value", "low", "high", "luck"]
MAIN_INDEX = {
    "sobol": "ST", "morris": "mu_star", "dgsm": "bound", "tornado": "swing", "pawn": "median", "delta": "delta",
    "rbd_fast": "S1",
}  # fmt: skip
LABELS = {
    "S1": "alone (S1)",
    "ST": "in all (ST)",
    "S2": "together (S2)",
    "mu": "mean effect (μ)",
    "mu_star": "mean size of effect (μ*)",
    "sigma": "spread of effect (σ)",
    "beyond_luck": "size of effect beyond luck",
    "slope": "mean squared slope (ν)",
    "bound": "upper bound of ST",
    "low": "change at the low end",
    "high": "change at the high end",
    "swing": "change from low to high end",
    "median": "distance (PAWN, median)",
    "delta": "distance of densities (δ)",
    "chance": "chance of as much by luck alone, in any factor",
}
Parts = Callable[[Method, F64, F64, int], pd.DataFrame]


def analyse(method: Method, design: F64, y: F64, seed: int = 0) -> pd.DataFrame:
    """The indices of every factor (numbered as the design's columns), from outcomes (rows, runs).

    Rows that are not finite in every run are left out with their block; raises ValueError where fewer than two
    blocks are left. `discovery` has no indices.
    """
    design, y = kept(method, design, y)
    if len(y) < 2 * block_rows(method, design.shape[1]):
        raise ValueError(f"{method.kind.title}: fewer than two blocks of rows are whole, so nothing can be told")
    return ANALYSES[method.name](method, design, y, seed)[COLUMNS]


def whole_blocks(method: Method, factors: int, y: F64) -> npt.NDArray[np.bool_]:
    """Which blocks have a finite outcome in every row and run; those beyond the last whole block have not."""
    blocks = in_blocks(method, factors, y)
    return np.asarray(np.isfinite(blocks).all(axis=(1, 2)))


def kept(method: Method, design: F64, y: F64) -> tuple[F64, F64]:
    """Design and outcomes of whole blocks alone: one NaN would turn every index into a wrong number in silence."""
    y = np.asarray(y, dtype=np.float64)
    y = y[:, None] if y.ndim == 1 else y
    rows = np.repeat(whole_blocks(method, design.shape[1], y), block_rows(method, design.shape[1]))
    chosen = np.flatnonzero(rows)
    return design[chosen], y[chosen]


def _rows(index: str, found: Range, luck: str, others: npt.NDArray[Any] | None = None) -> pd.DataFrame:
    """Rows of one index, for all factors."""
    count = len(found.value)
    factor = np.arange(count) if others is None else others[0]
    other = np.full(count, -1) if others is None else others[1]
    ranges = {name: np.asarray(each, dtype=float) for name, each in zip(Range._fields, found)}
    return pd.DataFrame({"factor": factor, "other": other, "index": index, **ranges, "luck": luck})


def _about(value: Any, reach: Any, floor: float = -np.inf) -> Range:
    """A number with as much to either side, not below `floor`."""
    value, reach = np.asarray(value, dtype=float), np.asarray(reach, dtype=float)
    return Range(value, np.maximum(value - reach, floor), value + reach)


def _taken_out(y: F64) -> str:
    return "out" if y.shape[-1] > 1 else "in"


def _sobol(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """S1, ST, S2 with luck out (two runs or more), and SALib's with luck in."""
    from SALib.analyze import sobol

    d, second = design.shape[1], bool(method["second_order"])
    frames = []
    if y.shape[-1] > 1:
        frames.append(_sobol_rows(noise.sobol(in_blocks(method, d, y), second, seed), "out"))
    means = y.mean(axis=1)
    if np.ptp(means) == 0.0:
        found: dict[str, Any] = {name: np.full(d, np.nan) for name in ("S1", "S1_conf", "ST", "ST_conf")}
        found |= {"S2": np.full((d, d), np.nan), "S2_conf": np.full((d, d), np.nan)}
    else:
        found = sobol.analyze(problem(d), means, calc_second_order=second, conf_level=INTERVAL, seed=seed + 1)
    names = ("S1", "ST", "S2") if second else ("S1", "ST")
    as_run = {name: _about(found[name], found[f"{name}_conf"]) for name in names}
    return pd.concat([*frames, _sobol_rows(as_run, "in")], ignore_index=True)


def _sobol_rows(found: dict[str, Range], luck: str) -> pd.DataFrame:
    frames = [_rows(name, found[name], luck) for name in ("S1", "ST")]
    if "S2" in found:
        pairs = np.array(np.triu_indices(len(found["S1"].value), 1))
        frames.append(_rows("S2", Range(*(each[tuple(pairs)] for each in found["S2"])), luck, pairs))
    return pd.concat(frames, ignore_index=True)


def elementary_effects(method: Method, design: F64, y: F64) -> F64:
    """Changes per full length of the grid (steps: per unit of probability), (blocks, factors, runs).

    Each factor moves once from a row to the next (Morris) or from the first row (DGSM).
    """
    d = design.shape[1]
    if method.name == "morris":
        design = from_quantiles(design, int(method["levels"]))
    u, blocks = in_blocks(method, d, design), in_blocks(method, d, y)
    chained = method.name == "morris"
    moved = np.diff(u, axis=1) if chained else u[:, 1:] - u[:, :1]
    changed = np.diff(blocks, axis=1) if chained else blocks[:, 1:] - blocks[:, :1]
    which = np.abs(moved).argmax(axis=2)
    n = np.arange(len(u))[:, None]
    effects = np.empty((len(u), d, blocks.shape[2]))
    effects[n, which] = changed / np.take_along_axis(moved, which[..., None], axis=2)
    return effects


def _morris(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Mu, mu*, sigma of means over runs (SALib), and the size of effects that is beyond luck.

    The size beyond luck is the root of the mean product of an effect in two different runs: 0 where luck alone
    moves the outcome, about mu* where there is no luck.
    """
    from SALib.analyze import morris

    d, levels = design.shape[1], int(method["levels"])
    grid = from_quantiles(design, levels)
    found = morris.analyze(
        problem(d), grid, y.mean(axis=1), num_levels=levels, conf_level=INTERVAL, num_resamples=200, seed=seed
    )
    effects = elementary_effects(method, design, y)
    means = effects.mean(axis=2)
    whole = noise.bootstrap(np.hstack([means, means**2]), lambda mean: _moments(mean, d), seed)
    frames = [
        _rows("mu_star", _about(found["mu_star"], found["mu_star_conf"], 0.0), "in"),
        _rows("mu", Range(np.asarray(found["mu"]), *(each[:d] for each in whole[1:])), "in"),
        _rows("sigma", Range(np.asarray(found["sigma"]), *(each[d:] for each in whole[1:])), "in"),
        _rows("beyond_luck", noise.bootstrap(noise.product(effects, effects), _root, seed), _taken_out(y)),
        _by_chance(noise.chance_of_size(effects)),
    ]
    return pd.concat(frames, ignore_index=True)


def _by_chance(chance: F64) -> pd.DataFrame:
    """What tells a factor apart from one that does nothing, over all factors at once; no interval."""
    nothing = np.full_like(chance, np.nan)
    return _rows("chance", Range(chance, nothing, nothing), "in")


def _moments(mean: F64, d: int) -> F64:
    return np.concatenate([mean[:d], np.sqrt(np.maximum(mean[d:] - mean[:d] ** 2, 0.0))])


def _root(mean: F64) -> F64:
    return np.sqrt(np.maximum(mean, 0.0))


def _dgsm(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Mean squared slopes (Sobol' & Kucherenko 2009) and the bounds of ST that follow, luck out where possible.

    With x uniform on [0, 1], ST <= nu / (pi^2 V). V is that of `noise.separated`, over all rows of the blocks. The
    bounds have no intervals where V is not told apart from nothing.
    """
    d = design.shape[1]
    effects, blocks = elementary_effects(method, design, y), in_blocks(method, d, y)
    n, squares = len(blocks), noise.product(effects, effects)
    terms = np.column_stack([squares, noise.spread_terms(blocks - blocks.mean())])
    slope = noise.bootstrap(squares, lambda mean: mean, seed)
    bound = noise.bootstrap(terms, lambda mean: _bounds(mean, d, n), seed)
    luck = _taken_out(y)
    told = [_rows("slope", slope, luck), _rows("bound", bound, luck), _by_chance(noise.chance_of_size(effects))]
    return pd.concat(told, ignore_index=True)


def _bounds(mean: F64, d: int, n: int) -> F64:
    """Of d factors, from the means over n blocks of squared slopes and of the terms of V."""
    variance = noise.variance_of(mean[d:], n)
    return mean[:d] / (np.pi**2 * variance) if variance > 0.0 else np.full(d, np.nan)


def _tornado(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Mean changes from the middle to the low and the high end, and from end to end; intervals of the means.

    Around the centre all blocks are the same points, so each run of each is a trial of its own.
    """
    blocks = in_blocks(method, design.shape[1], y)
    still = method["around"] == "centre"
    blocks = np.moveaxis(blocks, 2, 1).reshape(-1, blocks.shape[1]) if still else blocks.mean(axis=2)
    low, high = blocks[:, 1::2] - blocks[:, :1], blocks[:, 2::2] - blocks[:, :1]
    ends = {"low": low, "high": high, "swing": high - low}
    told = [_rows(name, _mean(each), "in") for name, each in ends.items()]
    return pd.concat([*told, _by_chance(noise.chance_of_mean(high - low))], ignore_index=True)


def _mean(x: F64) -> Range:
    return _about(x.mean(axis=0), noise.reach_of(len(x)) * x.std(axis=0, ddof=1) / np.sqrt(len(x)))


def _pawn(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Median distance of conditional from unconditional distributions (SALib), and what chance alone gives."""
    from SALib.analyze import pawn

    slides, means = int(method["slides"]), y.mean(axis=1)
    rng = np.random.default_rng(seed)
    found = pawn.analyze(problem(design.shape[1]), design, means, S=slides)["median"]
    again = np.stack(
        [_distances(design[chosen], means[chosen], slides) for chosen in rng.integers(len(y), size=(100, len(y)))]
    )
    chance = [_distances(rng.random((len(y), 1)), means, slides)[0] for _ in range(200)]
    rows = _rows("median", _about(found, STANDARD * again.std(axis=0, ddof=1), 0.0), "in")
    told = _by_chance(noise.chance_among(found, np.array(chance)))
    return pd.concat([rows, _chance("median", chance), told], ignore_index=True)


def _distances(u: F64, y: F64, slides: int) -> F64:
    """Median Kolmogorov-Smirnov distance over equal-frequency slides, (factors,): PAWN of Pianosi & Wagener (2018)."""
    order = np.argsort(y, kind="stable")
    last = np.append(np.diff(y[order]) > 0.0, True)
    whole = (np.arange(len(y)) + 1.0)[last] / len(y)
    slide = np.argsort(np.argsort(u[order], axis=0, kind="stable"), axis=0) * slides // len(y)
    distances = []
    for place in range(slides):
        inside = slide == place
        share = inside.cumsum(axis=0)[last] / inside.sum(axis=0)
        distances.append(np.abs(share - whole[:, None]).max(axis=0))
    return np.median(distances, axis=0)


def _chance(index: str, values: list[float]) -> pd.DataFrame:
    """A row without factor: what a factor that does nothing gets, with the interval that chance gives it."""
    low, middle, high = np.quantile(values, ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2))
    return _rows(index, Range(*(np.array([each]) for each in (middle, low, high))), "in", np.array([[-1], [-1]]))


def _delta(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Borgonovo's (2007) delta (SALib, bias-reduced by bootstrap: Plischke et al. 2013), beside some idle factors'."""
    idle = np.random.default_rng(seed).random((len(y), IDLE))
    found = _delta_of(np.column_stack([design, idle]), y.mean(axis=1), seed)
    d = design.shape[1]
    value, reach = found
    rows = _rows("delta", _about(value[:d], reach[:d], 0.0), "in")
    told = _by_chance(noise.chance_among(value[:d], value[d:]))
    return pd.concat([rows, _chance("delta", list(value[d:])), told], ignore_index=True)


IDLE = 20  # factors that do nothing, to see what delta gives them


def _delta_of(u: F64, y: F64, seed: int) -> tuple[F64, F64]:
    """Delta and its half interval; what SALib sets for the whole process is left as it was."""
    from SALib.analyze import delta

    before, form = np.random.get_state(), warnings.formatwarning
    try:
        with warnings.catch_warnings(record=True):  # it turns warnings on again by itself
            found = delta.analyze(
                problem(u.shape[1]), u, y, num_resamples=20, conf_level=INTERVAL, method="delta", seed=seed + 1
            )
    finally:
        np.random.set_state(before)
        warnings.formatwarning = form
    name = "delta" if "delta" in found else "delta_raw"  # SALib 1.5, 1.6
    return np.asarray(found[name]), np.asarray(found[f"{name}_conf"])


def _rbd_fast(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """First-order indices by random balance designs (Tarantola et al. 2006; Plischke 2010), luck out where possible.

    Luck adds to the variance that is divided by and to nothing else, so its share is divided out.
    """
    from SALib.analyze import rbd_fast

    d, means = design.shape[1], y.mean(axis=1)
    harmonics = int(method["harmonics"])
    found = rbd_fast.analyze(problem(d), design, means, M=harmonics, conf_level=INTERVAL, seed=seed)
    as_run = _about(found["S1"], found["S1_conf"])
    frames = [_rows("S1", as_run, "in")]
    if y.shape[-1] > 1:
        share = noise.separated(y[:, None, :], seed=seed).share_of_means
        rest = 1.0 - share if share < 1.0 else np.nan  # where all is luck, there is nothing to share out
        frames.insert(0, _rows("S1", Range(*(each / rest for each in as_run)), "out"))
    return pd.concat(frames, ignore_index=True)


ANALYSES: dict[str, Parts] = {
    "sobol": _sobol,
    "morris": _morris,
    "dgsm": _dgsm,
    "tornado": _tornado,
    "pawn": _pawn,
    "delta": _delta,
    "rbd_fast": _rbd_fast,
}
