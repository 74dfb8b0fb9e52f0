"""The project's own logarithm, exponential and power: close to the truth, and the same bits everywhere."""

import hashlib
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from simulator import elementary

POSITIVE = st.floats(1e-300, 1e300)


def units_off(found: float, true: Decimal) -> float:
    """Error in units in the last place."""
    return float(abs(Decimal(found) - true) / Decimal(math.ulp(float(true)))) if true else abs(found)


@pytest.mark.slow
@given(POSITIVE | st.floats(0.5, 2.0) | st.floats(1.0 - 1e-12, 1.0 + 1e-12))
def test_logarithm_is_right_to_the_last_place(x):
    with localcontext() as context:
        context.prec = 50
        assert units_off(elementary.log(x), Decimal(x).ln()) < 1.0


@given(st.floats(-700.0, 700.0))
def test_exponential_is_right_to_the_last_place(x):
    with localcontext() as context:
        context.prec = 50
        assert units_off(elementary.exp(x), Decimal(x).exp()) < 1.0


@given(st.floats(0.01, 100.0), st.floats(-3.0, 3.0))
def test_power_is_right_to_a_few_places(base, exponent):
    assert elementary.power(base, exponent) == pytest.approx(base**exponent, rel=1e-14)


def test_ends_of_the_range():
    assert elementary.log(1.0) == 0.0
    assert elementary.log(0.0) == -math.inf
    assert elementary.exp(0.0) == 1.0
    assert (elementary.exp(-1000.0), elementary.exp(1000.0)) == (0.0, math.inf)
    assert (elementary.power(0.0, 0.5), elementary.power(0.0, 0.0), elementary.power(3.0, 0.0)) == (0.0, 1.0, 1.0)


def test_bits_are_the_same_alone_in_a_loop_and_uncompiled():
    log, exp = elementary.log, elementary.exp

    @njit(error_model="numpy")
    def in_a_loop(x, logs, exps):
        for row in range(x.shape[0]):
            logs[row] = log(x[row])
            exps[row] = exp(x[row])

    x = np.random.default_rng(1).random(1000) * 50.0
    logs, exps = np.empty(1000), np.empty(1000)
    in_a_loop(x, logs, exps)
    for function, found in ((log, logs), (exp, exps)):
        text = getattr(function, "py_func", function)
        assert found.tolist() == [function(each) for each in x] == [float(text(each)) for each in x]


def test_bits_are_those_of_every_other_machine():
    """A run is the same on any processor only if these are."""
    x = (np.arange(1, 4001) / 4001.0).tolist()
    seal = hashlib.sha256()
    for each in x:
        for found in (elementary.log(each), elementary.exp(20.0 * each - 10.0), elementary.power(each, 1.7)):
            seal.update(np.float64(found).tobytes())
    assert seal.hexdigest()[:16] == "d8f2779cea71299d"
