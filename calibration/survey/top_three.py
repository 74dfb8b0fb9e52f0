"""A question with "select top three": which kinds of support an SME finds most helpful (Wise 2017, Appendix II)."""

from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

HELP_ITEMS = (
    "market information",
    "networking",
    "exposure",
    "visibility",
    "new markets",
    "knowledge sources",
    "infrastructure",
    "joint R&D",
    "other",
)
# The result (knowledge, contact, R&I, contract, contact in another sector) that each kind of support stands for.
_RESULT_OF = {"market information": 0, "networking": 1, "exposure": 4, "new markets": 3, "joint R&D": 2}
_RESULTS = 5


def top_three_chances(worth: F64) -> F64:
    """Chance (n, items) of each item to be among the three that are chosen one after the other by worth (n, items).

    Each choice goes to an item in proportion to its worth among those left (Luce 1959; Plackett 1975).
    """
    worth = np.asarray(worth, np.float64)
    orders, chosen = _orders(worth.shape[-1])
    one, two, three = (worth[:, orders[:, place]] for place in range(3))
    total = worth.sum(axis=-1, keepdims=True)
    return np.asarray(one / total * two / (total - one) * three / (total - one - two) @ chosen)


@lru_cache(maxsize=8)
def _orders(items: int) -> tuple[npt.NDArray[np.int64], F64]:
    """All orders of three items (orders, 3), and which items each holds (orders, items)."""
    orders = np.array(list(permutations(range(items), 3)))
    chosen = np.zeros((len(orders), items))
    for place in range(3):
        chosen[np.arange(len(orders)), orders[:, place]] = 1.0
    return orders, chosen


def worths(profile: int, match: float) -> F64:
    """Worth (items,) of each kind of support to a firm with these results (bits of the five)."""
    given = [item in _RESULT_OF and bool(profile >> _RESULT_OF[item] & 1) for item in HELP_ITEMS]
    return np.where(given, np.exp(match), 1.0)


@lru_cache(maxsize=8)
def chances_by_profile(match: float) -> F64:
    """Chances (profiles, items) for every set of results a firm may have; cached, never change it."""
    return top_three_chances(np.stack([worths(profile, match) for profile in range(2**_RESULTS)]))
