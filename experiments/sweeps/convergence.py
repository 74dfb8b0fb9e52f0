"""Say whether a sweep was large enough (whether its indices are settled), and which ranks can be read off.

A design of n blocks begins with the designs of fewer, so the same runs show how the indices came to stand. They are
settled at n if two things hold there and at every larger size: no 90% interval is wider than the tolerance, and no
index lies further than half of it from where it stands at the end (after Sarrazin, Pianosi & Wagener 2016).
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.runs.measures import INTERVAL
from experiments.sweeps.indices import MAIN_INDEX, analyse, whole_only
from experiments.sweeps.methods import Method, block_rows
from simulator.parameters import F64

SIZES = 4  # doublings of blocks, the whole sweep the last
LEAST = 8  # blocks of the smallest size
NEXT_TO_NOTHING = 0.05  # of the strongest factor's effect
IN_UNITS = ("mu_star", "swing", "bound")  # indices that are compared with that of the strongest factor


class Settled(NamedTuple):
    """The verdict on a sweep's size.

    Attributes
    ----------
    ranked_by, luck : str
        The main index, and whether luck is taken out of it.
    after : int or None
        Blocks after which it is settled; None if it is not.
    n : int
        Blocks of the sweep.
    widest, tolerance : float
        The widest interval, and how wide it may be.
    needed : int or None
        About how many blocks it takes; None if that cannot be told.
    """

    ranked_by: str
    luck: str
    after: int | None
    n: int
    widest: float
    tolerance: float
    needed: int | None

    @property
    def in_words(self) -> str:
        """The verdict in words."""
        if self.after is not None:
            return f"settled after {self.after:,} of {self.n:,} blocks"
        if not math.isfinite(self.widest):
            return "not settled: what varies beyond luck is not told apart from nothing"
        more = f"; about {self.needed:,} blocks would be needed" if self.needed and self.needed > self.n else ""
        return f"not yet settled after {self.n:,} blocks{more}"


def paths(method: Method, design: F64, y: F64, seed: int = 0) -> pd.DataFrame:
    """Return the method's main index at growing numbers of blocks.

    Parameters
    ----------
    method : Method
        The method.
    design, y : ndarray of float64
        The points, (rows, factors), and their outcomes, (rows, runs).
    seed : int, optional
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        Column n (blocks) and the columns of `indices.analyse`.
    """
    if method.name not in MAIN_INDEX:
        return pd.DataFrame()
    design, y = whole_only(method, design, y)
    size = block_rows(method, design.shape[1])
    frames = []
    for n in sizes(len(y) // size):
        table = analyse(method, design[: n * size], y[: n * size], seed)
        frames.append(main_rows(method, table).assign(n=n))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def sizes(blocks: int) -> list[int]:
    """Return the numbers of blocks at which the indices are computed, from the smallest."""
    halves = {blocks >> halved for halved in range(SIZES)}
    return sorted(n for n in halves if n >= min(LEAST, blocks) and n >= 2)


def main_rows(method: Method, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `indices.analyse` by which factors are ranked: the main index, luck out where possible."""
    rows = table[(table["index"] == MAIN_INDEX[method.name]) & (table["factor"] >= 0)]
    luck = "out" if (rows["luck"] == "out").any() else "in"
    return rows[rows["luck"] == luck]


def settled(path: pd.DataFrame, tolerance: float = 0.1) -> Settled:
    """Return the verdict on the main index.

    Parameters
    ----------
    path : DataFrame
        As of `paths`.
    tolerance : float, optional
        How wide 90% intervals may be, in units of the index, or of that of the strongest factor if it has a unit.
    """
    last = path[path["n"] == path["n"].max()].set_index("factor")
    scale = float(last["value"].abs().max()) if path["index"].iloc[0] in IN_UNITS else 1.0
    after, widest, n = None, math.nan, int(path["n"].max())
    for size in sorted(path["n"].unique(), reverse=True):
        rows = path[path["n"] == size].set_index("factor")
        wide = float(_scaled((rows["high"] - rows["low"]).to_numpy(), scale).max())
        off = float(_scaled((rows["value"] - last["value"]).abs().to_numpy(), scale).max())
        widest = wide if size == n else widest
        if not (wide <= tolerance and off <= tolerance / 2):
            break
        after = int(size)
    first = path.iloc[0]
    return Settled(str(first["index"]), str(first["luck"]), after, n, widest, tolerance, _needed(n, widest, tolerance))


def _scaled(x: F64, scale: float) -> F64:
    return x / scale if scale > 0.0 else np.full_like(x, np.nan)


def _needed(n: int, widest: float, tolerance: float) -> int | None:
    """Return the blocks that are needed, a power of two, since widths fall with the root of n; None if unknown."""
    if not (math.isfinite(widest) and widest > 0.0):
        return None
    return 1 << math.ceil(math.log2(max(2.0, n * (widest / tolerance) ** 2)))


def tiers(rows: pd.DataFrame) -> list[list[int]]:
    """Group factors whose order cannot be read off since their intervals overlap, the strongest first.

    A factor joins the group before it if its interval reaches that of the group's weakest member.

    Parameters
    ----------
    rows : DataFrame
        Rows of one index: columns factor, value, low and high.
    """
    ordered = rows.dropna(subset=["value"])
    ordered = ordered.iloc[np.argsort(-ordered["value"].abs().to_numpy(), kind="stable")]
    groups: list[list[int]] = []
    floor = math.inf
    for row in ordered.itertuples():
        low, high = _sizes(row.low, row.high)
        if groups and high >= floor:
            groups[-1].append(int(row.factor))
            floor = min(floor, low)
        else:
            groups.append([int(row.factor)])
            floor = low
    return groups


def _sizes(low: float, high: float) -> tuple[float, float]:
    """Return the smallest and the largest size that an interval holds."""
    if low * high > 0.0:
        return min(abs(low), abs(high)), max(abs(low), abs(high))
    return 0.0, max(-low, high)


def above_nothing(rows: pd.DataFrame, table: pd.DataFrame, least: float = 0.01) -> list[int]:
    """Return the factors that are told apart from doing nothing.

    Indices of PAWN and delta are never zero, so they must be above what chance gives. Of many factors, chance counts
    over all at once: by intervals of their own, one idle factor in ten would be told apart.

    Parameters
    ----------
    rows : DataFrame
        Rows of one index.
    table : DataFrame
        All rows, as of `indices.analyse`.
    least : float, optional
        What the lower end of an interval must reach, of indices that have no other rule.
    """
    index = rows["index"].iloc[0]
    by_luck_alone = table[table["index"] == "chance"].set_index("factor")["value"]
    rows = rows[~(rows["factor"].map(by_luck_alone) > 1.0 - INTERVAL)]
    idle = table[(table["factor"] < 0) & (table["index"] == index)]
    if len(idle):
        return _factors(rows[rows["value"] > idle["high"].iloc[0]])
    if index in ("swing", "mu"):
        return _factors(rows[rows["low"] * rows["high"] > 0.0])
    if index == "mu_star":
        beyond = table[table["index"] == "beyond_luck"].set_index("factor")["low"]
        return _factors(rows[rows["factor"].map(beyond) > NEXT_TO_NOTHING * float(rows["value"].max())])
    return _factors(rows[rows["low"] > least])


def _factors(rows: pd.DataFrame) -> list[int]:
    return [int(place) for place in rows["factor"]]
