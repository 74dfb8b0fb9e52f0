"""Compute the indices of a method from the outcomes of a sweep: a tidy table with 90% intervals.

It has a row for each factor (or pair) and index: `factor`, `other` (of a pair), `index`, `value`, `low`, `high`, and
`luck`: "out" if the luck of single runs is taken out, "in" if the number is of means over runs. SALib (Iwanaga, Usher
& Herman 2022; Herman & Usher 2017) analyses the means; what is "out" is ours (see `noise`).
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.runs.measures import INTERVAL
from experiments.sweeps import noise
from experiments.sweeps.methods import Method, block_rows, from_quantiles, in_blocks, problem
from experiments.sweeps.noise import STANDARD, Range
from simulator.parameters import F64

IDLE = 20  # factors that do nothing, to see what delta gives them
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
    """Return the indices of every factor.

    Parameters
    ----------
    method : Method
        Any method but `discovery`, which has no indices.
    design : ndarray of float64
        The points, (rows, factors), between 0 and 1.
    y : ndarray of float64
        Outcomes, (rows, runs). A block with a row that is not finite in every run is left out.
    seed : int, optional
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`; factors are numbered as the design's columns.

    Raises
    ------
    ValueError
        If fewer than two blocks are whole.
    """
    design, y = whole_only(method, design, y)
    if len(y) < 2 * block_rows(method, design.shape[1]):
        raise ValueError(f"{method.kind.title}: fewer than two blocks of rows are whole, so nothing can be told")
    return ANALYSES[method.name](method, design, y, seed)[COLUMNS]


def whole_blocks(method: Method, factors: int, y: F64) -> npt.NDArray[np.bool_]:
    """Return which blocks have a finite outcome in every row and run; rows beyond the last block count for none."""
    blocks = in_blocks(method, factors, y)
    return np.asarray(np.isfinite(blocks).all(axis=(1, 2)))


def whole_only(method: Method, design: F64, y: F64) -> tuple[F64, F64]:
    """Return design and outcomes of whole blocks: one NaN would turn every index into a wrong number in silence."""
    y = np.asarray(y, dtype=np.float64)
    y = y[:, None] if y.ndim == 1 else y
    rows = np.repeat(whole_blocks(method, design.shape[1], y), block_rows(method, design.shape[1]))
    chosen = np.flatnonzero(rows)
    return design[chosen], y[chosen]


def _rows(index: str, values: Range, luck: str, others: npt.NDArray[Any] | None = None) -> pd.DataFrame:
    """Return the rows of one index, for all factors."""
    count = len(values.value)
    factor = np.arange(count) if others is None else others[0]
    other = np.full(count, -1) if others is None else others[1]
    ranges = {name: np.asarray(end, dtype=float) for name, end in zip(Range._fields, values)}
    return pd.DataFrame({"factor": factor, "other": other, "index": index, **ranges, "luck": luck})


def _about(value: Any, reach: Any, floor: float = -np.inf) -> Range:
    """Return a number with an interval that goes `reach` to either side, but not below `floor`."""
    value, reach = np.asarray(value, dtype=float), np.asarray(reach, dtype=float)
    return Range(value, np.maximum(value - reach, floor), value + reach)


def _taken_out(y: F64) -> str:
    return "out" if y.shape[-1] > 1 else "in"


def _sobol(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return S1, ST and S2 with luck out (two runs or more), and SALib's with luck in."""
    from SALib.analyze import sobol

    d, second = design.shape[1], bool(method["second_order"])
    frames = []
    if y.shape[-1] > 1:
        frames.append(_sobol_rows(noise.sobol(in_blocks(method, d, y), second, seed), "out"))
    means = y.mean(axis=1)
    if np.ptp(means) == 0.0:
        values: dict[str, Any] = {name: np.full(d, np.nan) for name in ("S1", "S1_conf", "ST", "ST_conf")}
        values |= {"S2": np.full((d, d), np.nan), "S2_conf": np.full((d, d), np.nan)}
    else:
        values = sobol.analyze(problem(d), means, calc_second_order=second, conf_level=INTERVAL, seed=seed + 1)
    names = ("S1", "ST", "S2") if second else ("S1", "ST")
    as_run = {name: _about(values[name], values[f"{name}_conf"]) for name in names}
    return pd.concat([*frames, _sobol_rows(as_run, "in")], ignore_index=True)


def _sobol_rows(values: dict[str, Range], luck: str) -> pd.DataFrame:
    frames = [_rows(name, values[name], luck) for name in ("S1", "ST")]
    if "S2" in values:
        pairs = np.array(np.triu_indices(len(values["S1"].value), 1))
        frames.append(_rows("S2", Range(*(end[tuple(pairs)] for end in values["S2"])), luck, pairs))
    return pd.concat(frames, ignore_index=True)


def elementary_effects(method: Method, design: F64, y: F64) -> F64:
    """Return changes of the outcome per full length of the grid (of steps: per unit of probability).

    Each factor moves once, from a row to the next (Morris) or from the first row (DGSM).

    Parameters
    ----------
    method : Method
        Morris or DGSM.
    design, y : ndarray of float64
        The points, (rows, factors), and their outcomes, (rows, runs).

    Returns
    -------
    ndarray of float64
        (blocks, factors, runs).
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
    """Return mu, mu* and sigma of means over runs (SALib), and the size of effects beyond luck.

    The size beyond luck is the root of the mean product of an effect in two different runs: 0 if luck alone moves the
    outcome, about mu* if there is no luck.
    """
    from SALib.analyze import morris

    d, levels = design.shape[1], int(method["levels"])
    grid = from_quantiles(design, levels)
    sizes = morris.analyze(
        problem(d), grid, y.mean(axis=1), num_levels=levels, conf_level=INTERVAL, num_resamples=200, seed=seed
    )
    effects = elementary_effects(method, design, y)
    means = effects.mean(axis=2)
    whole = noise.bootstrap(np.hstack([means, means**2]), lambda mean: _moments(mean, d), seed)
    frames = [
        _rows("mu_star", _about(sizes["mu_star"], sizes["mu_star_conf"], 0.0), "in"),
        _rows("mu", Range(np.asarray(sizes["mu"]), *(end[:d] for end in whole[1:])), "in"),
        _rows("sigma", Range(np.asarray(sizes["sigma"]), *(end[d:] for end in whole[1:])), "in"),
        _rows("beyond_luck", noise.bootstrap(noise.product(effects, effects), _root, seed), _taken_out(y)),
        _by_chance(noise.chance_of_size(effects)),
    ]
    return pd.concat(frames, ignore_index=True)


def _by_chance(chance: F64) -> pd.DataFrame:
    """Return rows on how often luck alone gives any factor as much; they have no interval."""
    nothing = np.full_like(chance, np.nan)
    return _rows("chance", Range(chance, nothing, nothing), "in")


def _moments(mean: F64, d: int) -> F64:
    return np.concatenate([mean[:d], np.sqrt(np.maximum(mean[d:] - mean[:d] ** 2, 0.0))])


def _root(mean: F64) -> F64:
    return np.asarray(np.sqrt(np.maximum(mean, 0.0)))


def _dgsm(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return mean squared slopes (Sobol' & Kucherenko 2009) and the bounds of ST that follow, luck out if possible.

    With x uniform on [0, 1], ST <= nu / (pi^2 V). V is that of `noise.separated`, over all rows of the blocks. The
    bounds have no intervals if V is not told apart from nothing.
    """
    d = design.shape[1]
    effects, blocks = elementary_effects(method, design, y), in_blocks(method, d, y)
    n, squares = len(blocks), noise.product(effects, effects)
    terms = np.column_stack([squares, noise.spread_terms(blocks - blocks.mean())])
    slope = noise.bootstrap(squares, lambda mean: mean, seed)
    bound = noise.bootstrap(terms, lambda mean: _bounds(mean, d, n), seed)
    luck = _taken_out(y)
    frames = [_rows("slope", slope, luck), _rows("bound", bound, luck), _by_chance(noise.chance_of_size(effects))]
    return pd.concat(frames, ignore_index=True)


def _bounds(mean: F64, d: int, n: int) -> F64:
    """Return the bounds of d factors from the means over n blocks of squared slopes and of the terms of V."""
    variance = noise.variance_of(mean[d:], n)
    return mean[:d] / (np.pi**2 * variance) if variance > 0.0 else np.full(d, np.nan)


def _tornado(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return mean changes from the middle to the low and the high end, and from end to end, with their intervals.

    Around the centre all blocks are the same points, so each run of a block is a trial of its own.
    """
    blocks = in_blocks(method, design.shape[1], y)
    still = method["around"] == "centre"
    blocks = np.moveaxis(blocks, 2, 1).reshape(-1, blocks.shape[1]) if still else blocks.mean(axis=2)
    low, high = blocks[:, 1::2] - blocks[:, :1], blocks[:, 2::2] - blocks[:, :1]
    ends = {"low": low, "high": high, "swing": high - low}
    frames = [_rows(name, _mean(changes), "in") for name, changes in ends.items()]
    return pd.concat([*frames, _by_chance(noise.chance_of_mean(high - low))], ignore_index=True)


def _mean(x: F64) -> Range:
    return _about(x.mean(axis=0), noise.reach_of(len(x)) * x.std(axis=0, ddof=1) / np.sqrt(len(x)))


def _pawn(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return median distances of conditional from unconditional distributions (SALib), and what chance alone gives."""
    from SALib.analyze import pawn

    slides, means = int(method["slides"]), y.mean(axis=1)
    rng = np.random.default_rng(seed)
    median = pawn.analyze(problem(design.shape[1]), design, means, S=slides)["median"]
    again = np.stack(
        [_distances(design[chosen], means[chosen], slides) for chosen in rng.integers(len(y), size=(100, len(y)))]
    )
    chance = [_distances(rng.random((len(y), 1)), means, slides)[0] for _ in range(200)]
    rows = _rows("median", _about(median, STANDARD * again.std(axis=0, ddof=1), 0.0), "in")
    by_chance = _by_chance(noise.chance_among(median, np.array(chance)))
    return pd.concat([rows, _chance("median", chance), by_chance], ignore_index=True)


def _distances(u: F64, y: F64, slides: int) -> F64:
    """Return median Kolmogorov-Smirnov distances over equal-frequency slides, (factors,) (Pianosi & Wagener 2018)."""
    order = np.argsort(y, kind="stable")
    last = np.append(np.diff(y[order]) > 0.0, True)
    whole = (np.arange(len(y)) + 1.0)[last] / len(y)
    slide = np.argsort(np.argsort(u[order], axis=0, kind="stable"), axis=0) * slides // len(y)
    distances = []
    for place in range(slides):
        inside = slide == place
        share = inside.cumsum(axis=0)[last] / inside.sum(axis=0)
        distances.append(np.abs(share - whole[:, None]).max(axis=0))
    return np.asarray(np.median(distances, axis=0))


def _chance(index: str, values: list[float]) -> pd.DataFrame:
    """Return a row without factor: what a factor that does nothing gets, with the interval that chance gives it."""
    low, middle, high = np.quantile(values, ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2))
    return _rows(index, Range(*(np.array([end]) for end in (middle, low, high))), "in", np.array([[-1], [-1]]))


def _delta(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return Borgonovo's (2007) delta, of idle factors too (SALib, bias-reduced by bootstrap: Plischke et al. 2013)."""
    idle = np.random.default_rng(seed).random((len(y), IDLE))
    d = design.shape[1]
    value, reach = _delta_of(np.column_stack([design, idle]), y.mean(axis=1), seed)
    rows = _rows("delta", _about(value[:d], reach[:d], 0.0), "in")
    by_chance = _by_chance(noise.chance_among(value[:d], value[d:]))
    return pd.concat([rows, _chance("delta", list(value[d:])), by_chance], ignore_index=True)


def _delta_of(u: F64, y: F64, seed: int) -> tuple[F64, F64]:
    """Return delta and half its interval; restore what SALib sets for the whole process."""
    from SALib.analyze import delta

    before, form = np.random.get_state(), warnings.formatwarning
    try:
        with warnings.catch_warnings(record=True):  # it turns warnings on again by itself
            values = delta.analyze(
                problem(u.shape[1]), u, y, num_resamples=20, conf_level=INTERVAL, method="delta", seed=seed + 1
            )
    finally:
        np.random.set_state(before)
        warnings.formatwarning = form
    name = "delta" if "delta" in values else "delta_raw"  # SALib 1.5, 1.6
    return np.asarray(values[name]), np.asarray(values[f"{name}_conf"])


def _rbd_fast(method: Method, design: F64, y: F64, seed: int) -> pd.DataFrame:
    """Return first-order indices by random balance designs (Tarantola et al. 2006; Plischke 2010), luck out if known.

    Luck adds to the variance in the denominator and to nothing else, so its share is divided out.
    """
    from SALib.analyze import rbd_fast

    d, means = design.shape[1], y.mean(axis=1)
    harmonics = int(method["harmonics"])
    values = rbd_fast.analyze(problem(d), design, means, M=harmonics, conf_level=INTERVAL, seed=seed)
    as_run = _about(values["S1"], values["S1_conf"])
    frames = [_rows("S1", as_run, "in")]
    if y.shape[-1] > 1:
        share = noise.separated(y[:, None, :], seed=seed).share_of_means
        rest = 1.0 - share if share < 1.0 else np.nan  # if all is luck, there is nothing to share out
        frames.insert(0, _rows("S1", Range(*(end / rest for end in as_run)), "out"))
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
