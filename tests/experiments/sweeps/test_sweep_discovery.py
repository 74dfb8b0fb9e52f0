"""Scenario discovery and regret: planted boxes are found, noise gives none, regret is as by hand."""

import numpy as np
import pytest

from experiments.sweeps.discovery import best_box, discover
from experiments.sweeps.methods import Method, sample
from experiments.sweeps.regret import regret, table

WORLDS = sample(Method("discovery", 1000), 8, 1)


def by_chance(share, seed=0):
    return np.random.default_rng(seed).random(len(WORLDS)) < share


@pytest.mark.slow
def test_a_planted_box_is_found_with_its_bounds_coverage_and_density():
    inside = (WORLDS[:, 2] > 0.6) & (WORLDS[:, 5] < 0.5)
    found = discover(WORLDS, inside ^ by_chance(0.05))
    box = found.boxes[0]
    assert set(box.bounds) == {2, 5}
    assert box.bounds[2] == pytest.approx((0.6, 1.0), abs=0.03) and box.bounds[5] == pytest.approx((0.0, 0.5), abs=0.03)
    assert box.density == pytest.approx(0.95, abs=0.03) and box.coverage == pytest.approx(0.19 / 0.23, abs=0.06)
    assert box.held_out.density == pytest.approx(box.density, abs=0.05) and box.held_out.low < box.held_out.density


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_chance_gives_no_box(share):
    for seed in range(5):
        found = discover(WORLDS, by_chance(share, seed))
        assert found.boxes == () and found.why_none


def test_two_boxes_are_told_apart():
    first = (WORLDS[:, 2] > 0.7) & (WORLDS[:, 5] < 0.4)
    second = (WORLDS[:, 7] < 0.2) & (WORLDS[:, 0] > 0.3)
    found = discover(WORLDS, first | second)
    assert {frozenset(box.bounds) for box in found.boxes} == {frozenset({2, 5}), frozenset({0, 7})}


def test_a_bound_that_tells_nothing_is_left_out():
    assert set(best_box(WORLDS, WORLDS[:, 3] > 0.7).bounds) == {3}


def test_bounds_fall_between_choices():
    event = np.floor(WORLDS[:, 1] * 3) == 2
    box = discover(WORLDS, event, choices=[0, 3, 0, 0, 0, 0, 0, 0]).boxes[0]
    assert box.bounds == {1: pytest.approx((2 / 3, 1.0))}
    assert (box.coverage, box.density) == (1.0, 1.0)


@pytest.mark.parametrize("event, why", [(np.zeros(1000, bool), "never"), (np.ones(1000, bool), "everywhere"),
                                        (np.arange(1000) < 5, "too few")])  # fmt: skip
def test_where_there_is_nothing_to_tell_apart_it_says_so(event, why):
    found = discover(WORLDS, event)
    assert found.boxes == () and why in found.why_none


def test_regret_by_hand():
    a, b = np.array([[10.0], [2.0], [5.0]]), np.array([[7.0], [8.0], [5.0]])
    assert regret([a, b]).tolist() == [[0.0, 6.0, 0.0], [3.0, 0.0, 0.0]]
    assert regret([a, b], higher_is_better=False).tolist() == [[3.0, 0.0, 0.0], [0.0, 6.0, 0.0]]
    found = table(["a", "b"], [a, b]).set_index("option")
    assert list(found.index) == ["b", "a"]
    assert found.loc["a", "max_regret"] == 6.0 and found.loc["b", "mean_regret"] == 1.0
    assert found["best_in"].to_dict() == {"a": 0.5, "b": 0.5}


def test_luck_alone_makes_no_regret():
    rng = np.random.default_rng(1)
    alike = [rng.normal(0.0, 1.0, (4000, 4)) for _ in range(3)]
    honest = table(["a", "b", "c"], alike)["mean_regret"]
    assert honest.abs().max() < 0.05
    naive = table(["a", "b", "c"], [y[:, :1] for y in alike])["mean_regret"]
    assert naive.min() > 0.7


@pytest.mark.slow
def test_luck_alone_makes_no_tail_of_regret_and_no_winner():
    """Two options that are the same had a regret of 158 in one world in twenty."""
    tails, best, apart = [], [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = table(["a", "b"], [rng.normal(500.0, 100.0, (500, 2)) for _ in range(2)])
        tails.append(found["regret_95"].max())
        best.append(found.set_index("option").loc["a", "best_in"])
        apart.append(found["behind_low"].iloc[1] > 0.0)
    assert np.median(tails) < 20.0 and np.mean(best) == pytest.approx(0.5, abs=0.2)
    assert np.mean(apart) <= 0.25  # one in ten


def test_tails_of_regret_and_best_in_are_those_of_expected_outcomes():
    rng = np.random.default_rng(3)
    f = np.stack([rng.normal(mean, sd, 1000) for mean, sd in ((500.0, 60.0), (520.0, 60.0), (300.0, 10.0))])
    lost = f.max(axis=0) - f
    found = table(["a", "b", "c"], [each[:, None] + rng.normal(0.0, 100.0, (1000, 2)) for each in f])
    found = found.set_index("option").loc[["a", "b", "c"]]
    assert found["regret_95"].to_numpy() == pytest.approx(np.quantile(lost, 0.95, axis=1), rel=0.15)
    assert found["best_in"].to_numpy() == pytest.approx((lost == 0.0).mean(axis=1), abs=0.06)
    assert found.loc["a", "behind_low"] > 0.0


def test_worlds_where_an_option_failed_are_left_out_for_all():
    a, b = np.array([[1.0, 1.0], [np.nan, 3.0]]), np.array([[2.0, 2.0], [9.0, 9.0]])
    found = table(["a", "b"], [a, b]).set_index("option")
    assert found["worlds"].tolist() == [1, 1]
    assert found.loc["a", "mean_regret"] == 1.0 and found.loc["b", "mean"] == 2.0
