"""Luck: known answers of the generator, keys that do not collide, numbers that look like chance."""

import math

import numba
import numpy as np
import pytest

from simulator import draws
from tests.small_worlds import shipped, simulate

WEYL = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def of(rule, *words):
    """A draw in plain Python, words of 64 bits in."""
    with np.errstate(over="ignore"):
        return getattr(rule, "py_func", rule)(*(np.uint64(word) for word in words))


# Known answers


@pytest.mark.parametrize(
    "seed, stream",
    [
        # as published: Rosetta Code, "Pseudo-random numbers/Splitmix64"; Java's SplittableRandom
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]),
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]),
    ],
)
def test_identities_are_the_stream_of_splitmix64(seed, stream):
    assert [int(of(draws.identity, seed, number)) for number in range(len(stream))] == stream
    assert [int(of(draws.mix, (seed + WEYL * (n + 1)) & MASK)) for n in range(len(stream))] == stream


def unmixed(word):
    """The word that `mix` turns into `word`: its steps backwards."""
    word ^= (word >> 31) ^ (word >> 62)
    word = word * pow(0x94D049BB133111EB, -1, 2**64) & MASK
    word ^= (word >> 27) ^ (word >> 54)
    word = word * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK
    return word ^ (word >> 30) ^ (word >> 60)


@pytest.mark.parametrize("word", [0, 1, 2**63, MASK, 0x0123456789ABCDEF])
def test_mixing_can_be_undone_so_it_loses_nothing(word):
    assert int(of(draws.mix, unmixed(word))) == word


def test_a_draw_follows_its_words_backwards():
    key = unmixed(0)  # worked backwards: for start `key` and who 0, the second word is whom alone
    assert of(draws.uniform, key, 0, unmixed(2**63)) == 0.5 + 2.0**-53
    assert of(draws.key, 5, 7, 11) == of(draws.mix, (int(of(draws.mix, 5 + WEYL * 7 & MASK)) + WEYL * 11) & MASK)


def test_a_draw_is_strictly_between_0_and_1():
    """Even for the smallest and the largest word there is."""
    key = unmixed(0)
    smallest, largest = (of(draws.uniform, key, 0, unmixed(word)) for word in (0, MASK))
    assert smallest == 2.0**-53
    assert largest == 1.0 - 2.0**-53
    for transform in (draws.exponential, draws.logistic, draws.gumbel):
        for u in (smallest, largest):
            assert math.isfinite(getattr(transform, "py_func", transform)(u))


def test_a_pair_has_one_luck_and_an_ordered_pair_two():
    assert of(draws.uniform_of_pair, 1, 22, 333) == of(draws.uniform_of_pair, 1, 333, 22)
    assert of(draws.uniform, 1, 22, 333) != of(draws.uniform, 1, 333, 22)


def test_a_month_since_the_start_is_no_month_of_another_call():
    since = getattr(draws.since, "py_func", draws.since)
    moments = [since(year, months) for year in range(2013, 2030) for months in range(4096)]
    assert len(set(moments)) == len(moments)


def test_decisions_have_numbers_of_their_own():
    names = [name for name in vars(draws) if name.isupper() and not name.startswith("_")]
    numbers = [getattr(draws, name) for name in names]
    assert len(names) > 40 and sorted(numbers) == list(range(1, len(names) + 1))


# No two keys, and no two identities, are the same over the ranges in use


@numba.njit
def every_key(seeds, decisions, times):
    found = np.empty(seeds * decisions * len(times), np.uint64)
    row = 0
    for seed in range(seeds):
        for decision in range(1, decisions + 1):
            for time in times:
                found[row] = draws.key(seed, decision, time)
                row += 1
    return found


@pytest.mark.slow
def test_keys_do_not_collide():
    since = getattr(draws.since, "py_func", draws.since)
    times = np.array([*range(60), *(since(year, months) for year in range(2013, 2024) for months in range(40))])
    keys = every_key(60, draws.MILESTONE, times)
    assert len(np.unique(keys)) == len(keys) > 1_000_000


def test_everybody_has_an_identity():
    resolved = shipped()
    state = simulate(resolved)
    identities = np.concatenate(
        [
            resolved.world.country_key,
            state.clusters.identity,
            state.smes.identity,
            state.projects.identity[: state.used.projects],
        ]
    )
    assert len(np.unique(identities)) == len(identities) > 16_000
    assert (identities != 0).all()  # 0 stands for nobody


# They look like chance: along each word of the key, with the others held


@numba.njit
def along(word, n):
    found = np.empty(n)
    for i in range(n):
        seed, decision, time, who, whom = 1, 5, 7, np.uint64(11), np.uint64(13)
        if word == 0:
            seed = i
        elif word == 1:
            decision = i + 1
        elif word == 2:
            time = i
        elif word == 3:
            who = np.uint64(i)
        elif word == 4:
            whom = np.uint64(i)
        elif word == 5:
            who = draws.identity(np.uint64(0x444B), i)
        found[i] = draws.uniform(draws.key(seed, decision, time), who, whom)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("word", range(6), ids=["seed", "decision", "time", "who", "whom", "identity"])
def test_draws_along_one_word_look_like_chance(word):
    """Mean, variance, neighbours and spread over 64 boxes, each within five standard errors."""
    n = 200_000
    u = along(word, n)
    assert (u > 0).all() and (u < 1).all()
    assert abs(u.mean() - 1 / 2) < 5 * math.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    z = (u - 0.5) * math.sqrt(12)
    for lag in (1, 2, 3, 7, 12, 16, 60, 256, 4096):
        assert abs((z[lag:] * z[:-lag]).mean()) < 5 / math.sqrt(n - lag), lag
    boxes = np.bincount((u * 64).astype(int), minlength=64)
    chi_squared = ((boxes - n / 64) ** 2 / (n / 64)).sum()
    assert abs(chi_squared - 63) < 5 * math.sqrt(2 * 63)
    in_eight = (u * 8).astype(int)
    pairs = np.bincount(in_eight[1:] * 8 + in_eight[:-1], minlength=64)
    chi_squared = ((pairs - n / 64) ** 2 / (n / 64)).sum()
    assert abs(chi_squared - 63) < 5 * math.sqrt(2 * 63)


def test_two_decisions_of_one_sme_have_nothing_to_do_with_each_other():
    @numba.njit
    def two(n):
        found = np.empty((2, n))
        for i in range(n):
            who = draws.identity(np.uint64(1), i)
            found[0, i] = draws.uniform(draws.key(3, draws.KNOW, draws.since(2015, 0)), who, np.uint64(9))
            found[1, i] = draws.uniform(draws.key(3, draws.CONTACT, draws.since(2015, 0)), who, np.uint64(9))
        return found

    know, contact = two(200_000)
    assert abs(np.corrcoef(know, contact)[0, 1]) < 5 / math.sqrt(200_000)


@pytest.mark.parametrize(
    "transform, mean, variance",
    [
        (draws.exponential, 1.0, 1.0),
        (draws.logistic, 0.0, 1.0),
        (draws.gumbel, 0.5772156649015329, math.pi**2 / 6),
    ],
    ids=["exponential", "logistic", "gumbel"],
)
def test_deviates_have_the_mean_and_variance_of_their_name(transform, mean, variance):
    """Over an even grid of luck: Euler's constant and pi^2/6 are the Gumbel's."""
    grid = (np.arange(400_000) + 0.5) / 400_000
    plain = getattr(transform, "py_func", transform)
    values = np.array([plain(u) for u in grid.tolist()])
    assert values.mean() == pytest.approx(mean, abs=1e-4)
    assert values.var() == pytest.approx(variance, rel=2e-3)
