"""Logarithm, exponential and power out of plain arithmetic: the same bits on every machine, in any loop.

The system's own functions differ in the last bit between systems, and stand as calls in the middle of a loop. These
consist of additions, multiplications, divisions and shifts of bits, which IEEE 754 fixes to the last bit, and the
compiler can work on several numbers at once. Errors stay below two units in the last place.

Method: take out powers of two, then a series (the odd series of the inverse hyperbolic tangent; the exponential
series), as in Muller 2016, "Elementary Functions", ch. 11; terms are added in pairs, so that none waits long.
"""

import math

import numpy as np

from simulator.jit import inline

_LN2 = math.log(2.0)
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")  # its last 21 bits are 0: times a whole power, it is exact
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")  # ln 2 less the above
_ROOT_HALF = int(np.float64(math.sqrt(0.5)).view(np.int64))  # as bits
_BITS, _BIAS = 52, 1023  # of the fraction; of the power of two
_LARGEST, _SMALLEST = 709.0, -708.0  # within which the exponential is an ordinary number


@inline
def log(x):
    """Return the natural logarithm of a positive number (from 2.3e-308); minus infinity at 0."""
    bits = np.float64(x).view(np.int64)
    power = (bits - _ROOT_HALF) >> _BITS
    f = np.int64(bits - (power << _BITS)).view(np.float64) - 1.0  # x = 2^power * (1 + f), 1 + f within root 2 of 1
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    series = z * (
        ((2.0 / 3.0 + 2.0 / 5.0 * z) + (2.0 / 7.0 + 2.0 / 9.0 * z) * z2)
        + ((2.0 / 11.0 + 2.0 / 13.0 * z) + (2.0 / 15.0 + 2.0 / 17.0 * z) * z2 + 2.0 / 19.0 * z4) * z4
    )
    whole = np.float64(power)
    natural = whole * _LN2_HIGH - ((s * (f - series) - whole * _LN2_LOW) - f)
    return natural if x > 0.0 else -math.inf


@inline
def exp(x):
    """Return e to the power of x; 0 below -708, infinity above 709."""
    inside = min(max(x, _SMALLEST), _LARGEST)
    whole = np.floor(inside / _LN2 + 0.5)
    r = (inside - whole * _LN2_HIGH) - whole * _LN2_LOW  # within ln(2)/2 of 0
    r2 = r * r
    r4 = r2 * r2
    beyond = (
        (1.0 / 2.0 + 1.0 / 6.0 * r) * r2
        + ((1.0 / 24.0 + 1.0 / 120.0 * r) + (1.0 / 720.0 + 1.0 / 5040.0 * r) * r2) * r4
        + (
            (1.0 / 40320.0 + 1.0 / 362880.0 * r) + (1.0 / 3628800.0 + 1.0 / 39916800.0 * r) * r2
            + (1.0 / 479001600.0 + 1.0 / 6227020800.0 * r) * r4
        ) * (r4 * r4)
    )  # fmt: skip
    value = (1.0 + (r + beyond)) * np.int64((np.int64(whole) + _BIAS) << _BITS).view(np.float64)
    value = value if x >= _SMALLEST else 0.0
    return value if x <= _LARGEST else math.inf


@inline
def power(base, exponent):
    """Return base^exponent for a base of 0 or more; 0^0 is 1."""
    if base == 0.0:
        return 1.0 if exponent == 0.0 else 0.0
    return exp(exponent * log(base))
