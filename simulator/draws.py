"""Luck that belongs to the decision: every draw is a pure function of what it decides.

    u = uniform(key(seed, DECISION, time), who, whom)

No stream is consumed in order, so order, threads, other countries and other rules never change a
draw. `time` is the call's year and the months since the subject's own start (`since`), never a
running number. The generator is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, with the
constants of Stafford's variant 13), chained once per word of the key: each word enters before a
full 64-bit mixing round. Keys are built inside kernels, as unsigned 64-bit words.

`INNOVEX_GENERATOR=philox`, set before the start, puts Philox in its place (`simulator.philox`): other luck, the
same model, to check that nothing hangs on the generator. Batteries: docs/randomness.md.

Source of the principle: Pearson, Klein & Buffalo 2026; Klein et al. 2024.
"""

import os

import numpy as np

from simulator import philox
from simulator.elementary import log
from simulator.errors import SettingError
from simulator.jit import inline, kernel

_GENERATORS = ("splitmix", "philox")


def generator() -> str:
    """Return the name of this process's generator, which `INNOVEX_GENERATOR` sets.

    Raises
    ------
    SettingError
        If there is no such generator.
    """
    chosen = os.environ.get("INNOVEX_GENERATOR") or _GENERATORS[0]
    if chosen not in _GENERATORS:
        raise SettingError(f"INNOVEX_GENERATOR: {chosen!r} is no generator; allowed: {', '.join(_GENERATORS)}")
    return chosen


# What a draw is for. Numbers are part of the results: never renumber, only append.
(
    EXCELLENCE, FOCUS, SECTOR, CAPACITY, ACQUAINTED, SME_SECTOR, SIZE, READINESS, SPARE_TIME,
    OWN_PATH, ATTEND, MEETING_SLOTS, MEETING, IDEA, RIPEN, DESIRED_PARTNERS, TOP_DOWN,
    CHOICE, ACCEPT, KIND, PROJECT_EFFECT, PROJECT_SIZE, QUALITY, APPLY, ASSESS, DECISION_LAG,
    NONSTART, GO_ALONE, LEAVE_UNFUNDED, RECRUIT, RECRUITED_BEFORE, LOSE_INTEREST, ACTIVE, LEAVE,
    KNOW, CONTACT, COUNTERPART, COMPLEMENT, RNI, CONTRACT, NEED, DISPLACE, MILESTONE,
) = range(1, 44)  # fmt: skip

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_UNIT = 1.0 / 4503599627370496.0  # 2**-52: with one bit more the largest number would be rounded to 1


@inline
def mix(word):
    """Return a word spread over all 64 bits: a bijection on unsigned 64-bit words."""
    word = (word ^ (word >> _30)) * _MIX_1
    word = (word ^ (word >> _27)) * _MIX_2
    return word ^ (word >> _31)


@inline
def identity(parent, number):
    """Return the lasting identity of member `number` (from 0) of `parent`; identities are unsigned 64-bit words."""
    return mix(parent + _WEYL * (np.uint64(number) + np.uint64(1)))


@inline
def since(call_year, months):
    """Return the time key of what happens `months` (below 4096) after the start of something that belongs to a call."""
    return np.int64(call_year) * np.int64(4096) + np.int64(months)


@inline
def _mixed_key(seed, decision, time):
    """Return the word (unsigned 64-bit) from which all draws of one decision at one time start."""
    return mix(mix(np.uint64(seed) + _WEYL * np.uint64(decision)) + _WEYL * np.uint64(time))


@inline
def _mixed_word(start, who, whom):
    """Return the 64 random bits of (`who`, `whom`), identities in this order; `whom` is 0 for nobody."""
    return mix(mix(start + who) + whom)


key, word = (philox.key, philox.word) if generator() == "philox" else (_mixed_key, _mixed_word)


@inline
def uniform(start, who, whom):
    """Return a number strictly between 0 and 1 for (`who`, `whom`), in this order; `whom` is 0 for nobody."""
    return (np.float64(word(start, who, whom) >> _12) + 0.5) * _UNIT


@inline
def uniform_of_pair(start, one, other):
    """Return the same number for (`one`, `other`) and (`other`, `one`)."""
    return uniform(start, min(one, other), max(one, other))


@inline
def exponential(u):
    """Return the threshold of a waiting time: Exp(1) from a uniform `u`."""
    return -log(u)


@inline
def logistic(u):
    """Return a logistic deviate with variance 1 (a bell curve with a simple closed form)."""
    return 0.5513288954217921 * log(u / (1.0 - u))


@inline
def gumbel(u):
    """Return a Gumbel deviate: the largest of score + Gumbel is a logit choice (Luce 1959; McFadden 1974)."""
    return -log(-log(u))


@kernel
def gumbels(u):
    """Turn many uniforms into Gumbel deviates in place; quickest where their number is a `roomy` one."""
    for row in range(u.shape[0]):
        u[row] = gumbel(u[row])


@inline
def roomy(n):
    """Return `n` rounded up to whole blocks of what a processor works on at once (32 numbers)."""
    return (n + 31) // 32 * 32
