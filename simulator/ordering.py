"""Order among numbers: the few best, and the best first. Plain loops, that compile in a fraction of numpy's time.

A processor that has to guess which of two numbers is the larger loses the time of twenty additions on each wrong
guess; so these count and place, where a textbook compares.
"""

import math

import numpy as np

from simulator.jit import kernel

_LOWEST = -1.7e308  # of all numbers, nearly


@kernel
def bar_for(values, k):
    """Return a threshold that exactly the k largest of `values` (n,) reach, and ties with the k-th.

    k is from 1 to n. Minus infinity where fewer than k are above it.
    """
    if _reach(_LOWEST, values) < k:
        return -math.inf
    low, high = -1.0, 1.0
    most, least = _reach(low, values), _reach(high, values)
    while most < k:
        low *= 2.0
        most = _reach(low, values)
    while least >= k:
        high *= 2.0
        least = _reach(high, values)
    halve = False  # by turns half way, and where the k-th would be if they stood evenly
    while most != k:
        part = 0.5 if halve else (most - k + 0.5) / (most - least)
        middle = low + part * (high - low)
        reach = _reach(middle, values)
        if reach >= k:
            stuck, low, most = middle <= low, middle, reach
        else:
            stuck, high, least = middle >= high, middle, reach
        if halve and stuck:  # the k-th has equals
            return low
        halve = not halve
    return low


@kernel
def _reach(bar, values):
    """Return how many are at the bar or above."""
    reach = 0
    for row in range(values.shape[0]):
        if values[row] >= bar:
            reach += 1
    return reach


@kernel
def best_first(values):
    """Return the rows of `values` (n,) from the largest to the smallest; ties in the order of their rows.

    Values are dealt into n boxes of equal width, best box first; what then stands out of order is moved by insertion.
    """
    n = values.shape[0]
    rows, box, first = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(n + 1, np.int64)
    highest, lowest = -math.inf, math.inf
    for row in range(n):
        highest = max(highest, values[row])
        if values[row] > -math.inf:
            lowest = min(lowest, values[row])
    width = (highest - lowest) / n if highest > lowest else math.inf
    for row in range(n):
        box[row] = int(min((highest - values[row]) / width, n - 1.0)) if width < math.inf else 0
        first[box[row] + 1] += 1
    for place in range(n):
        first[place + 1] += first[place]
    for row in range(n):
        rows[first[box[row]]] = row
        first[box[row]] += 1
    for place in range(1, n):
        row = rows[place]
        while place > 0 and values[rows[place - 1]] < values[row]:
            rows[place] = rows[place - 1]
            place -= 1
        rows[place] = row
    return rows
