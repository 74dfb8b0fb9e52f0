"""The draws as a stream: the fastest sequential generator in the place of the keyed ones, to be timed against them.

xoroshiro128+ (Blackman & Vigna 2021): its two words of state lie at an address that is compiled in, so nothing of a
key is computed and nothing is passed around. A run with it is no run of innovex: luck depends on the order.
Kernels made with it must never be kept: their folder is thrown away.
"""

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

STATE = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9], np.uint64)
_ADDRESS = STATE.ctypes.data
_NONE = np.uint64(0)
_24, _16, _37, _40, _27 = (np.uint64(shift) for shift in (24, 16, 37, 40, 27))


@intrinsic
def _words_at(typing, address):  # type: ignore[no-untyped-def]
    """Return the words of 64 bits at an address."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.uint64)(types.uintp), generate


@numba.njit(nogil=True)
def key(seed, decision, time):  # type: ignore[no-untyped-def]
    """Return nothing of use: a stream needs no key."""
    return _NONE


@numba.njit(nogil=True)
def word(start, who, whom):  # type: ignore[no-untyped-def]
    """Return the next 64 bits of the stream."""
    state = _words_at(np.uintp(_ADDRESS))
    one, other = state[0], state[1]
    total = one + other
    other ^= one
    state[0] = ((one << _24) | (one >> _40)) ^ other ^ (other << _16)
    state[1] = (other << _37) | (other >> _27)
    return total


def put_in_place() -> None:
    """Make every draw from now on come from the stream; call it before the kernels are imported."""
    from simulator import draws

    draws.key, draws.word = key, word
