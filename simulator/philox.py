"""The second generator behind the keyed draws: Philox4x32-10, to check that no result hangs on the first one.

Its block is a bijection of 128 bits under a key of 64: ten rounds of two multiplications (Salmon, Moraes, Dror &
Shaw 2011). `key` and `word` take the place of those in `simulator.draws` where `INNOVEX_GENERATOR` says
`philox`. Names (identities) stay as they are: they are not luck.
"""

import numpy as np

from simulator.jit import inline

_ROUNDS = 10
_MULTIPLY_0, _MULTIPLY_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def block(c0, c1, c2, c3, k0, k1):
    """Return four words of 32 bits, made of a counter of four and a key of two; all are unsigned 64-bit words."""
    for _ in range(_ROUNDS):
        one, other = _MULTIPLY_0 * c0, _MULTIPLY_1 * c2
        c0, c1, c2, c3 = (other >> _32) ^ c1 ^ k0, other & _LOW, (one >> _32) ^ c3 ^ k1, one & _LOW
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@inline
def key(seed, decision, time):
    """Return the word (unsigned 64-bit) from which all draws of one decision at one time start."""
    chosen, none = np.uint64(seed), np.uint64(0)
    a, b, _, _ = block(chosen & _LOW, chosen >> _32, np.uint64(decision), np.uint64(time), none, none)
    return (b << _32) | a


@inline
def word(start, who, whom):
    """Return the 64 random bits of (`who`, `whom`), identities in this order; `whom` is 0 for nobody."""
    a, b, _, _ = block(who & _LOW, who >> _32, whom & _LOW, whom >> _32, start & _LOW, start >> _32)
    return (b << _32) | a
