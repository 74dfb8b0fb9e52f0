"""Every compiled step equals its own Python text, on sizes that are not multiples of 32.

`tests/simulator/test_randomness.py` compares whole runs with the compiler off; here single loops are held against their
text in this process. Where a loop calls others, these are compiled: each is compared in its own test.
"""

import copy
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numba import config
from numba.core.dispatcher import Dispatcher

import scenarios
from simulator import draws, founding, schedule
from simulator.instruments.calls import allocation, matchmaking
from simulator.parameters import FUNDING_RULES
from simulator.state import new_state, tabulate
from tests.simulator.test_allocation import Call, decided
from tests.simulator.test_rules import MODULES, RULES, worked_cases
from tests.small_worlds import columns, few_countries, simulate

CASES = Path(__file__).with_name("cases")
SIZES = (1, 2, 7, 31, 33, 65, 100)

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="the compiler is off: there is nothing to compare")


@contextmanager
def uncompiled():
    """Everything in the simulator as its plain text, in this process."""
    modules = [module for name, module in sys.modules.items() if name.startswith("simulator.")]
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        for module in modules:
            for name, value in list(vars(module).items()):
                if isinstance(value, Dispatcher):
                    patch.setattr(module, name, value.py_func)
        yield


# Rules


@pytest.mark.slow
@pytest.mark.parametrize("module, rule", sorted(RULES))
def test_a_compiled_rule_equals_its_text(module, rule):
    """On its worked cases; the values go in by place, as from a loop."""
    cases = tomllib.loads((CASES / f"rules_{module}.toml").read_text("utf-8"))[rule]
    function = RULES[module, rule]
    for case in cases:
        values = [case["given"][name] for name in function.py_func.__code__.co_varnames[: len(case["given"])]]
        assert function(*values) == pytest.approx(function.py_func(*values), rel=1e-15, abs=0)


def test_every_rule_is_compared():
    assert {param.values[:2] for param in worked_cases()} == set(RULES) and len(MODULES) >= 7


# Draws


def random_words(n, seed=1):
    """Words of 64 bits, with the ends of the range among them."""
    words = np.random.default_rng(seed).integers(0, 2**64, n, np.uint64)
    words[: min(n, 3)] = np.array([0, 2**64 - 1, 2**63], np.uint64)[: min(n, 3)]
    return words


@pytest.mark.parametrize("name", ["mix", "uniform", "uniform_of_pair", "identity", "key", "since"])
def test_a_compiled_draw_equals_its_text(name):
    function = getattr(draws, name)
    arguments = function.py_func.__code__.co_argcount
    words = random_words(100 * arguments).reshape(-1, arguments)
    with np.errstate(over="ignore"):
        for row in words:
            values = list(row)
            if name == "identity":
                values[1] = int(row[1] >> np.uint64(2))
            if name in ("key", "since"):
                values = [int(word >> np.uint64(40)) for word in row]
            assert function(*values) == function.py_func(*values)


@pytest.mark.parametrize("name", ["exponential", "logistic", "gumbel"])
def test_a_compiled_deviate_equals_its_text(name):
    function = getattr(draws, name)
    for u in [2.0**-53, 1.0 - 2.0**-53, *np.random.default_rng(2).uniform(size=97).tolist()]:
        assert function(u) == pytest.approx(function.py_func(u), rel=1e-14)


# The month


def test_a_month_runs_in_the_order_that_is_told():
    """The tuple that documents the month and the text that runs it name the same steps in the same order."""
    told = [process.__name__ for process in schedule.MONTH]
    assert [name for name in schedule.run.py_func.__code__.co_names if name in told] == told


# Allocation


def random_call(n, seed):
    """A call of n applications to 5 funders; about half of the money that is asked for."""
    chance = np.random.default_rng(seed)
    project = np.arange(n) // 3
    grant = chance.integers(50, 300, 5) * 100.0
    funder = chance.permuted(np.tile(np.arange(5), (n, 1)), axis=1)[project, np.arange(n) % 3]
    return Call(
        project=project,
        funder=funder,
        request=grant[funder],
        score=chance.normal(size=n),
        purse=np.bincount(funder, grant[funder], 5) * chance.uniform(0, 1, 5),
        threshold=chance.normal(size=5) - 1.0,
        smallest=np.floor(grant / 3),
        central=float(grant.sum()),
        partial=bool(seed % 2),
        fill_share=0.7,
    )


@pytest.mark.slow
@pytest.mark.parametrize("rule", range(len(FUNDING_RULES)), ids=FUNDING_RULES)
@pytest.mark.parametrize("size", SIZES)
def test_a_call_is_decided_as_its_text_says(rule, size):
    refused = 0
    for seed in range(6):
        call = random_call(size, seed)
        compiled = decided(rule, call)
        with uncompiled():
            plain = decided(rule, call, by=allocation.allocate)
        for name, column in compiled._asdict().items():
            np.testing.assert_array_equal(column, getattr(plain, name), err_msg=name)
        refused += (plain.grant == 0).sum()
    assert refused > 0


# Founding


def world_of(members):
    """Six countries with two clusters each; the first cluster has so many members."""
    resolved = scenarios.load("baseline").resolve(
        {"own_h_contract": 0.02}, last_call=2013, programme_as_it_was=few_countries(clusters=2)
    )
    resolved.world.cluster_members[0] = members
    return resolved


@pytest.mark.parametrize("members", [1, 33, 101])
def test_a_world_is_founded_as_its_text_says(members):
    resolved = world_of(members)
    inputs = tabulate(resolved.parameters, resolved.rules, resolved.world)
    compiled, plain = (new_state(resolved.world, resolved.rules, resolved.months) for _ in range(2))
    founding.found_world(3, *inputs, compiled)
    with uncompiled():
        founding.found_world(3, *inputs, plain)
    assert len(compiled.smes) % 32 != 0
    assert_same_columns(compiled, plain)


def assert_same_columns(compiled, plain):
    """Bits of whole numbers, floats to the last digits."""
    expected = columns(plain)
    for name, column in columns(compiled).items():
        np.testing.assert_allclose(column, expected[name], rtol=1e-13, atol=0, err_msg=name)


# The event


def random_scores(n, seed):
    """Symmetric appeal of n guests, some pairs of one nation."""
    chance = np.random.default_rng(seed)
    score = chance.normal(size=(n, n))
    score = np.tril(score, -1) + np.tril(score, -1).T
    score[chance.uniform(size=(n, n)) < 0.1] = -np.inf
    score = np.minimum(score, score.T)
    np.fill_diagonal(score, -np.inf)
    return score


@pytest.mark.parametrize("size", [2, 7, 31, 33, 65, 101])
def test_wishes_are_picked_as_their_text_says(size):
    score = random_scores(size, size)
    free = np.random.default_rng(size).integers(0, 4, size)
    compiled = matchmaking._wishes(score, free)
    with uncompiled():
        plain = matchmaking._wishes(score, free)
    assert len(plain[0]) > 0
    for one, other in zip(compiled, plain):
        np.testing.assert_array_equal(one, other)
    listed = {tuple(sorted(pair)) for pair in zip(plain[0].tolist(), plain[1].tolist())}
    assert len(listed) == len(plain[0])  # each pair once


@pytest.mark.parametrize("places", [2, 5, 11, 12, 40])
def test_places_at_the_event_are_filled_as_the_text_says(places):
    resolved = world_of(33)
    resolved.rules.calls.event_clusters[0] = places
    inputs = tabulate(resolved.parameters, resolved.rules, resolved.world)
    compiled = simulate(resolved, 3, last=1).clusters
    plain = copy.deepcopy(compiled)
    guests = matchmaking._guests(0, 3, *inputs, compiled)
    with uncompiled():
        expected = matchmaking._guests(0, 3, *inputs, plain)
    np.testing.assert_array_equal(guests, expected)
    np.testing.assert_array_equal(compiled.attended_call, plain.attended_call)
    assert len(guests) == min(places, 12)
