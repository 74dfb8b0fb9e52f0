"""The bits of the keyed draws on standard output, along one way of walking through the keys.

    python -m benchmarks.battery.feed sme | RNG_test stdin64 -tlmin 1KB -tlmax 32GB
    python -m benchmarks.battery.feed sme | benchmarks/battery/testu01 crush

Each walk is a function of a running number, made of the model's own draws: the identities, the order of
the words of a key and the ranges are the simulator's. The walks of the last two groups
are harder than anything that the model does: they hand raw counters in where it hands identities in,
or add up (exclusive or) two draws that ought to have nothing to do with each other.
"""

import sys
from collections.abc import Callable

import numba
import numpy as np

from simulator import draws

SEED, YEAR = 20160301, 2015
COUNTRY = np.uint64(0x444B)  # "DK"
NOBODY = np.uint64(0)
WORDS = 1 << 16
_WHOLE_32, _WHOLE_52, _LOW_32 = 4294967296.0, 4503599627370496.0, np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@numba.njit
def _sme(number):
    """Return the identity of an SME: a million to a cluster, so that clusters change on the way."""
    return draws.identity(draws.identity(COUNTRY, number >> 20), number & 0xFFFFF)


@numba.njit
def _lead():
    """Return the identity of a cluster that leads a project."""
    return draws.identity(COUNTRY, 7)


# As the model walks


@numba.njit
def sme(i):
    """SME after SME, as when a world is founded: `who` changes."""
    return draws.word(draws.key(SEED, draws.READINESS, 0), _sme(i), NOBODY)


@numba.njit
def counterpart(i):
    """One SME looks at SME after SME abroad: `whom` changes."""
    return draws.word(draws.key(SEED, draws.COUNTERPART, draws.since(YEAR, 0)), _lead(), _sme(i))


@numba.njit
def pair(i):
    """All pairs of clusters, a thousand a row: both change."""
    one, other = draws.identity(COUNTRY, i >> 10), draws.identity(COUNTRY + NOBODY + np.uint64(1), i & 1023)
    return draws.word(draws.key(SEED, draws.ACQUAINTED, 0), min(one, other), max(one, other))


@numba.njit
def month(i):
    """Call after call (from a year 0 on), within it month after month, or contact after contact: the time changes."""
    time = draws.since(i // 4096, i % 4096)
    return draws.word(draws.key(SEED, draws.CONTACT, time), _sme(5), _lead())


@numba.njit
def need(i):
    """Need after need on the own paths of SME after SME: as many times as outcomes."""
    start = draws.key(SEED, draws.OWN_PATH, draws.since(0, (i >> 2) & 15))
    return draws.word(start, _sme(i >> 6), np.uint64((i & 3) + 1))


@numba.njit
def seed(i):
    """One trait of one SME in run after run: the seed counts 0, 1, 2 ..."""
    return draws.word(draws.key(i, draws.READINESS, 0), _sme(5), NOBODY)


@numba.njit
def decision(i):
    """All decisions of SME after SME, in the order of their numbers."""
    return draws.word(draws.key(SEED, 1 + i % draws.MILESTONE, draws.since(YEAR, 0)), _sme(i // 43), _lead())


@numba.njit
def world(i):
    """World after world: four traits of 16,384 SMEs, then the next seed."""
    return draws.word(draws.key(i >> 16, draws.SME_SECTOR + (i & 3), 0), _sme((i >> 2) & 16383), NOBODY)


# What becomes of the bits


@numba.njit
def _u(i):
    return draws.uniform(draws.key(SEED, draws.SPARE_TIME, 0), _sme(i), NOBODY)


@numba.njit
def u_high(i):
    """Return the upper 32 bits of the numbers between 0 and 1, two numbers a word."""
    return (np.uint64(_u(2 * i) * _WHOLE_32) << _32) | np.uint64(_u(2 * i + 1) * _WHOLE_32)


@numba.njit
def u_low(i):
    """Return the lower 32 of their 52 bits."""
    one, other = np.uint64(_u(2 * i) * _WHOLE_52), np.uint64(_u(2 * i + 1) * _WHOLE_52)
    return ((one & _LOW_32) << _32) | (other & _LOW_32)


@numba.njit
def _waited(i):
    threshold = draws.exponential(draws.uniform(draws.key(SEED, draws.KNOW, draws.since(YEAR, 0)), _sme(i), _lead()))
    return np.uint64(np.exp(-threshold) * _WHOLE_32)


@numba.njit
def threshold(i):
    """Exp(1) thresholds of waiting times, turned back into even numbers by their distribution: 32 bits of each."""
    return (_waited(2 * i) << _32) | _waited(2 * i + 1)


# Two draws that have nothing to do with each other, bit by bit


@numba.njit
def two_seeds(i):
    """Return the same SME under neighbouring seeds."""
    one, other = draws.key(SEED, draws.KNOW, 0), draws.key(SEED + 1, draws.KNOW, 0)
    return draws.word(one, _sme(i), _lead()) ^ draws.word(other, _sme(i), _lead())


@numba.njit
def two_decisions(i):
    """Knowledge and contact of the same SME."""
    one, other = draws.key(SEED, draws.KNOW, 0), draws.key(SEED, draws.CONTACT, 0)
    return draws.word(one, _sme(i), _lead()) ^ draws.word(other, _sme(i), _lead())


@numba.njit
def two_times(i):
    """Return the same SME in neighbouring months."""
    one, other = draws.key(SEED, draws.CONTACT, 5), draws.key(SEED, draws.CONTACT, 6)
    return draws.word(one, _sme(i), _lead()) ^ draws.word(other, _sme(i), _lead())


@numba.njit
def both_ways(i):
    """Return the pair and the pair the other way round."""
    start = draws.key(SEED, draws.ACCEPT, 0)
    return draws.word(start, _sme(i), _lead()) ^ draws.word(start, _lead(), _sme(i))


# Harder than anything that the model does: raw counters


@numba.njit
def raw_who(i):
    """`who` counts 0, 1, 2 ..."""
    return draws.word(draws.key(SEED, draws.READINESS, 0), np.uint64(i), NOBODY)


@numba.njit
def raw_whom(i):
    """`whom` counts 0, 1, 2 ...: one mixing round alone lies between it and the bits."""
    return draws.word(draws.key(SEED, draws.READINESS, 0), _lead(), np.uint64(i))


@numba.njit
def raw_high(i):
    """`who` counts in the upper half of the word, `whom` in the upper bits."""
    return draws.word(draws.key(SEED, draws.READINESS, 0), np.uint64(i) << _32, np.uint64(i & 15) << np.uint64(60))


@numba.njit
def raw_all(i):
    """All five words of the key count at once, each with a stride of its own."""
    start = draws.key(i & 255, 1 + ((i >> 8) & 63), (i >> 14) & 63)
    return draws.word(start, np.uint64((i >> 20) & 1023), np.uint64(i >> 30))


AS_USED = (sme, counterpart, pair, month, need, seed, decision, world)
AS_NUMBERS = (u_high, u_low, threshold)
IN_TWOS = (two_seeds, two_decisions, two_times, both_ways)
RAW = (raw_who, raw_whom, raw_high, raw_all)
WALKS = {walk.__name__: walk for walk in AS_USED + AS_NUMBERS + IN_TWOS + RAW}


def filler(walk: Callable[[int], int]) -> Callable[[int, np.ndarray], None]:
    """Return a compiled loop that writes a walk's words from a running number on."""

    @numba.njit(nogil=True)
    def fill(first, words):
        for place in range(words.shape[0]):
            words[place] = walk(first + place)

    return fill


def main(name: str) -> None:
    """Write words until the reader has enough."""
    fill, words, first = filler(WALKS[name]), np.empty(WORDS, np.uint64), 0
    try:
        while True:
            fill(first, words)
            sys.stdout.buffer.write(words)
            first += WORDS
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in WALKS:
        sys.exit(f"one of: {', '.join(WALKS)}")
    main(sys.argv[1])
