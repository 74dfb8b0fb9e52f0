"""Order among numbers: the few best, and the best first. Plain loops, that compile in a fraction of numpy's time."""

import numpy as np

from simulator.jit import jit

_SHORT = 8  # rows that are put in order by insertion, before longer stretches are merged


@jit
def kth_largest(values, k):
    """The k-th largest (k from 1 to n) of `values` (n,), which come out in another order (Hoare 1961)."""
    low, high, place = 0, values.shape[0] - 1, k - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break
    return values[place]


@jit
def best_first(values):
    """Rows of `values` (n,) from the largest to the smallest; equal ones in the order of their rows."""
    n = values.shape[0]
    rows, other = np.empty(n, np.int64), np.empty(n, np.int64)
    for start in range(0, n, _SHORT):
        for row in range(start, min(start + _SHORT, n)):
            place = row
            while place > start and values[rows[place - 1]] < values[row]:
                rows[place] = rows[place - 1]
                place -= 1
            rows[place] = row
    width = _SHORT
    while width < n:
        for start in range(0, n, 2 * width):
            _merge(rows, other, start, min(start + width, n), min(start + 2 * width, n), values)
        rows, other = other, rows
        width *= 2
    return rows


@jit
def _merge(rows, merged, first, second, end, values):
    """Two ordered stretches of rows, from `first` and from `second` to before `end`, become one."""
    left, right = first, second
    for place in range(first, end):
        if right >= end or (left < second and values[rows[left]] >= values[rows[right]]):
            merged[place] = rows[left]
            left += 1
        else:
            merged[place] = rows[right]
            right += 1
