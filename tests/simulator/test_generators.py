"""The second generator: known answers, and the same model under other luck."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator import draws, philox
from simulator.ensemble import measure
from simulator.observe import MEASURES
from tests.small_worlds import shipped

ROOT = Path(__file__).parents[2]
RUNS = 60
PHILOX = os.environ | {"INNOVEX_GENERATOR": "philox"}


@pytest.mark.parametrize(
    "counter_and_key, answer",
    [  # published: kat_vectors of Random123 (Salmon, Moraes, Dror & Shaw 2011), philox4x32 with 10 rounds
        ([0] * 6, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 6, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_its_published_answers(counter_and_key, answer):
    words = [np.uint64(each) for each in counter_and_key]
    for block in (philox.block, getattr(philox.block, "py_func", philox.block)):
        with np.errstate(over="ignore"):
            assert " ".join(f"{int(word):08x}" for word in block(*words)) == answer


def test_philox_words_hold_both_halves_of_every_part_of_the_key():
    """Seed, decision, time, who and whom: to change any one half of any of them changes the draw."""
    half = np.uint64(1 << 32)
    one, zero = np.uint64(1), np.uint64(0)
    found = {int(philox.word(*words)) for words in [(zero,) * 3, *np.eye(3, dtype=np.uint64)]}
    found |= {int(philox.word(*(word * half for word in words))) for words in np.eye(3, dtype=np.uint64)}
    assert len(found) == 7
    keys = [(0, 1, 1), (1, 1, 1), (1 << 32, 1, 1), (0, 2, 1), (0, 1, 2), (0, 1, -1)]
    assert len({int(philox.key(*words)) for words in keys}) == len(keys)
    a, b, _, _ = philox.block(one, zero, zero, zero, zero, zero)
    assert int(philox.word(zero, one, zero)) == int(b) << 32 | int(a)


def measures(runs=RUNS):
    """Every measure summed over calls and countries, shape (runs, measures)."""
    inputs = shipped()
    return np.array([measure(inputs, seed).cells.sum(axis=(0, 1)) for seed in range(runs)])


@pytest.mark.slow
def test_no_measure_depends_on_the_generator():
    """Means over runs within what chance allows for the largest of 50 differences, spreads within a half."""
    code = """
import sys, json

from tests.simulator import test_generators
print(json.dumps(test_generators.measures().tolist()))
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=PHILOX, stdout=subprocess.PIPE, check=True).stdout
    mine, theirs = measures(), np.array(json.loads(told))
    assert draws.generator() == "splitmix" and not np.array_equal(mine, theirs)
    error = np.sqrt((mine.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / RUNS)
    gap = mine.mean(axis=0) - theirs.mean(axis=0)
    apart = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    names = [measure.name for measure in MEASURES]
    assert (error > 0).sum() >= 40
    assert np.abs(gap[error == 0]).max(initial=0.0) == 0.0
    assert np.abs(apart).max() < 4.0, names[int(np.abs(apart).argmax())]
    assert math.sqrt((apart[error > 0] ** 2).mean()) < 1.7  # measures hang together: no chi-squared holds exactly
    ratio = theirs.std(axis=0)[error > 0] / mine.std(axis=0)[error > 0]
    assert 0.5 < np.median(ratio) < 1.5


@pytest.mark.slow
def test_a_generator_that_is_not_there_gets_a_sentence(tmp_path):
    command = [Path(sys.executable).with_name("innovex"), "run", "baseline", "--out", tmp_path / "out"]
    environment = os.environ | {"INNOVEX_GENERATOR": "mt19937"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert done.stderr == "innovex: INNOVEX_GENERATOR: 'mt19937' is no generator; allowed: splitmix, philox\n"
