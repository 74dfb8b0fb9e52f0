"""Order among numbers: against Python's own sort, with equals, with minus infinity, in any size."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator.ordering import bar_for, best_first

# whole numbers for equals, minus infinity for those that cannot be chosen
VALUES = arrays(
    np.float64,
    st.integers(1, 70),
    elements=st.floats(-50.0, 50.0) | st.sampled_from([-3.0, 0.0, 1.0, 2.0, -math.inf]),
)


@pytest.mark.slow
@given(VALUES, st.data())
def test_the_bar_is_reached_by_the_k_largest(values, data):
    k = data.draw(st.integers(1, len(values)))
    kth = sorted(values, reverse=True)[k - 1]
    bar = bar_for(values, k)
    assert (values >= bar).tolist() == (values >= kth).tolist()


@pytest.mark.slow
@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e12, 1e12)))
def test_the_bar_does_not_mind_the_scale(values):
    for k in (1, len(values)):
        assert (values >= bar_for(values, k)).sum() >= k


@pytest.mark.slow
@given(VALUES)
def test_best_first_is_a_stable_sort(values):
    assert best_first(values).tolist() == sorted(range(len(values)), key=lambda row: -values[row])


def test_nobody_to_put_in_order():
    assert best_first(np.empty(0)).tolist() == []
    assert best_first(np.full(3, -math.inf)).tolist() == [0, 1, 2]
