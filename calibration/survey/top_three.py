"""A question with "select top three": which kinds of support an SME finds most helpful (Wise 2017, Appendix II)."""

from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

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
# The items whose shares survive, by name of measure.
TOP_ITEMS = {"sme_top_networking": "networking", "sme_top_market": "market information", "sme_top_exposure": "exposure"}
# The result (knowledge, contact, R&I, contract, contact in another sector) that corresponds to each kind of support.
_RESULT_OF = {"market information": 0, "networking": 1, "exposure": 4, "new markets": 3, "joint R&D": 2}
_RESULTS = 5


def top_three_chances(worth: F64) -> F64:
    """Return the chance of each item to be among the three that are chosen one after the other.

    Each choice falls on an item in proportion to its worth among those left (Luce 1959; Plackett 1975).

    Parameters
    ----------
    worth : ndarray of float64, shape (n, items)

    Returns
    -------
    ndarray of float64, shape (n, items)
    """
    worth = np.asarray(worth, np.float64)
    orders, chosen = _orders(worth.shape[-1])
    one, two, three = (worth[:, orders[:, choice]] for choice in range(3))
    total = worth.sum(axis=-1, keepdims=True)
    return np.asarray(one / total * two / (total - one) * three / (total - one - two) @ chosen)


@lru_cache(maxsize=8)
def _orders(items: int) -> tuple[I64, F64]:
    """Return all orders of three items (orders, 3), and which items each order contains (orders, items)."""
    orders = np.array(list(permutations(range(items), 3)))
    chosen = np.zeros((len(orders), items))
    for choice in range(3):
        chosen[np.arange(len(orders)), orders[:, choice]] = 1.0
    return orders, chosen


def profiles(results: F64) -> I64:
    """Return the profile (n,) of each firm: its results (n, 5) of 0 and 1 as the bits of a number."""
    return np.asarray((results @ (2 ** np.arange(results.shape[1]))).astype(np.int64))


@lru_cache(maxsize=8)
def worths_by_profile(match: float) -> F64:
    """Return the worth (profiles, items) of each kind of support to a firm of each profile. Cached: never change it.

    Support that corresponds to a result of the firm has worth exp(`match`), all other support 1.
    """
    has_result = np.array(
        [
            [item in _RESULT_OF and bool(profile >> _RESULT_OF[item] & 1) for item in HELP_ITEMS]
            for profile in range(2**_RESULTS)
        ]
    )
    return np.where(has_result, np.exp(match), 1.0)


@lru_cache(maxsize=8)
def chances_by_profile(match: float) -> F64:
    """Return the chance (profiles, items) of each kind of support for each profile. Cached: never change it."""
    return top_three_chances(worths_by_profile(match))
