"""The answer in plain words: every part of the sentence follows the tables."""

import re
from dataclasses import replace

import pytest

from experiments.comparison.answers import answers
from experiments.runs.measures import MAIN
from tests.studies import small

FAST = "fast_and_synchronised"


def test_the_answer_holds_the_numbers_of_the_effects():
    found = small()
    row = found.effects.query("basis == 'equal budget' and measure == @MAIN").iloc[0]
    cost = found.effects.query("basis == 'equal budget' and measure == 'cost_per_contract_eur'").iloc[0]
    sentence = found.answers[0]["sentence"]
    assert sentence.startswith(f"{found.about[FAST]['title']}: {row['relative']:+.0%} net contracts")
    assert f"(90% interval {row['relative_low']:+.0%} to {row['relative_high']:+.0%})" in sentence
    assert f"in {row['p_better']:.0%} of 4 plausible worlds" in sentence
    told = int(re.search(r"at EUR ([\d,]+) of public money", sentence)[1].replace(",", ""))
    assert told == pytest.approx(cost["value"], rel=0.01)


def answer(found, **changed):
    """The answer on a comparison with other tables."""
    (one,) = answers(replace(found, **changed))
    return one


def test_the_reason_follows_the_reasons():
    found = small()
    carried = found.reasons.assign(share=0.0, contribution=0.0)
    carried.loc[carried.mechanism == "fatigue", ["share", "contribution", "standard_error", "effect_without"]] = (
        0.9, 0.2, 0.01, -0.03,
    )  # fmt: skip
    sentence = answer(found, reasons=carried)["sentence"]
    assert re.search(r"mostly because of partners tiring of long projects \(on the \d draws of this test", sentence)
    assert "with that switched off -3%)" in sentence
    torn = found.effects.assign(p_better=0.6)
    told = answer(found, reasons=carried, effects=torn)["sentence"]
    assert "the draws do not agree, so no reason is given" in told
    partly = carried.assign(share=0.3 * (carried.mechanism == "fatigue"))
    assert "in part because of partners tiring" in answer(found, reasons=partly)["sentence"]
    none = found.reasons.assign(share=0.0)
    assert "no single mechanism carries it" in answer(found, reasons=none)["sentence"]
    assert "reasons were not computed" in answer(found, reasons=none.iloc[:0])["sentence"]


def test_a_reason_that_noise_could_give_is_not_named():
    found = small()
    noisy = found.reasons.assign(share=0.9, standard_error=1.0)
    assert "no single mechanism carries it" in answer(found, reasons=noisy)["sentence"]


def test_the_sentence_follows_the_effects():
    found = small()
    worse = found.effects.copy()
    main = worse.measure == MAIN
    worse.loc[main, ["relative", "relative_low", "relative_high", "difference", "difference_high", "p_better"]] = (
        -0.21, -0.3, -0.1, -50.0, -9.0, 0.0,
    )  # fmt: skip
    told = answer(found, effects=worse)
    assert "-21% net contracts (90% interval -30% to -10%)" in told["sentence"]
    assert "in 0% of 4 plausible worlds" in told["sentence"]
