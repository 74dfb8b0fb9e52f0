"""Whether a sweep was large enough: indices settled after n blocks, or not yet; and which ranks can be read off.

A design of n blocks begins with the designs of fewer, so the same runs tell how the indices came to stand. They are
settled at n if, there and at every larger size looked at, no 90% interval is wider than the tolerance and no index
lies further than half of it from where it stands at the end (after Sarrazin, Pianosi & Wagener 2016).
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.sweeps.indices import MAIN_INDEX, analyse, kept
from experiments.sweeps.methods import Method, block_rows
from experiments.sweeps.noise import INTERVAL
from simulator.parameters import F64

SIZES = 4  # doublings that are looked at, the whole sweep the last
LEAST = 8  # blocks below which nothing is looked at
NEXT_TO_NOTHING = 0.05  # of the strongest factor's effect
IN_UNITS = ("mu_star", "swing", "bound")  # measured against the largest factor's


class Settled(NamedTuple):
    """The verdict: `after` blocks (None: not yet), of `n`; the widest interval, and about how many blocks it takes."""

    ranked_by: str
    luck: str
    after: int | None
    n: int
    widest: float
    tolerance: float
    needed: int | None

    @property
    def told(self) -> str:
        """The verdict in words."""
        if self.after is not None:
            return f"settled after {self.after:,} of {self.n:,} blocks"
        if not math.isfinite(self.widest):
            return "not settled: what varies beyond luck is not told apart from nothing"
        more = f"; about {self.needed:,} blocks would be needed" if self.needed and self.needed > self.n else ""
        return f"not yet settled after {self.n:,} blocks{more}"


def paths(method: Method, design: F64, y: F64, seed: int = 0) -> pd.DataFrame:
    """The method's main index at growing numbers of blocks: `n` and the columns of `indices.analyse`."""
    if method.name not in MAIN_INDEX:
        return pd.DataFrame()
    design, y = kept(method, design, y)
    size = block_rows(method, design.shape[1])
    frames = []
    for n in sizes(len(y) // size):
        found = analyse(method, design[: n * size], y[: n * size], seed)
        frames.append(main_rows(method, found).assign(n=n))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def sizes(blocks: int) -> list[int]:
    """Numbers of blocks to look at, from the smallest."""
    found = {blocks >> halved for halved in range(SIZES)}
    return sorted(n for n in found if n >= min(LEAST, blocks) and n >= 2)


def main_rows(method: Method, found: pd.DataFrame) -> pd.DataFrame:
    """The rows by which factors are ranked: the method's main index, luck out where that was possible."""
    rows = found[(found["index"] == MAIN_INDEX[method.name]) & (found["factor"] >= 0)]
    luck = "out" if (rows["luck"] == "out").any() else "in"
    return rows[rows["luck"] == luck]


def settled(method: Method, path: pd.DataFrame, tolerance: float = 0.1) -> Settled:
    """The verdict on a path of indices; `tolerance` in units of the index, or of the largest where it has a unit."""
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
    """Widths fall with the root of n; rounded up to a power of two. None where that cannot be told."""
    if not (math.isfinite(widest) and widest > 0.0):
        return None
    return 1 << math.ceil(math.log2(max(2.0, n * (widest / tolerance) ** 2)))


def tiers(rows: pd.DataFrame) -> list[list[int]]:
    """Factors from the strongest down, in groups whose order cannot be read off since the intervals overlap.

    A factor joins the group before it if its interval reaches that of the group's weakest member.
    """
    ordered = rows.dropna(subset=["value"])
    ordered = ordered.iloc[np.argsort(-ordered["value"].abs().to_numpy(), kind="stable")]
    found: list[list[int]] = []
    floor = math.inf
    for row in ordered.itertuples():
        low, high = _sizes(row.low, row.high)
        if found and high >= floor:
            found[-1].append(int(row.factor))
            floor = min(floor, low)
        else:
            found.append([int(row.factor)])
            floor = low
    return found


def _sizes(low: float, high: float) -> tuple[float, float]:
    """The smallest and the largest size that an interval holds."""
    if low * high > 0.0:
        return min(abs(low), abs(high)), max(abs(low), abs(high))
    return 0.0, max(-low, high)


def above_nothing(rows: pd.DataFrame, found: pd.DataFrame, least: float = 0.01) -> list[int]:
    """Factors whose index is told apart from nothing: above `least`, or above what chance or luck alone gives.

    Chance is told for PAWN and delta, whose indices are never zero, and over all factors at once where there may be
    many: by an interval of its own one idle factor in ten would be told.
    """
    index = rows["index"].iloc[0]
    told = found[found["index"] == "chance"].set_index("factor")["value"]
    rows = rows[~(rows["factor"].map(told) > 1.0 - INTERVAL)]
    chance = found[(found["factor"] < 0) & (found["index"] == index)]
    if len(chance):
        return [int(each) for each in rows.loc[rows["value"] > chance["high"].iloc[0], "factor"]]
    if index in ("swing", "mu"):
        return [int(each) for each in rows.loc[rows["low"] * rows["high"] > 0.0, "factor"]]
    if index == "mu_star":
        beyond = found[found["index"] == "beyond_luck"].set_index("factor")["low"]
        floor = NEXT_TO_NOTHING * float(rows["value"].max())
        return [int(each) for each in rows["factor"] if beyond[each] > floor]
    return [int(each) for each in rows.loc[rows["low"] > least, "factor"]]
