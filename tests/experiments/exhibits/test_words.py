"""Numbers and names as people read them."""

import pytest

from experiments.exhibits import words
from experiments.runs.measures import all_measures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words.count(1234.4), "1,234"),
        (words.count(7.84), "7.8"),
        (words.count(-0.04), "0.0"),
        (words.count(float("nan")), "n/a"),
        (words.eur(12_345.0), "EUR 12,300"),
        (words.eur(6_849_000.0), "EUR 6.85 million"),
        (words.eur(0.0), "EUR 0"),
        (words.signed(-12_345.0, words.eur), "−EUR 12,300"),
        (words.percent(0.1249), "+12%"),
        (words.percent(-0.004), "−0.4%"),
        (words.percent(0.00001), "0%"),
        (words.share(0.999), "over 99%"),
        (words.share(1.0), "100%"),
        (words.points(0.0321), "+3.2 points"),
        (words.setting(24.0, "months"), "24 months"),
        (words.setting(1.3, "ratio"), "× 1.3"),
        (words.setting(0.3, "share"), "30%"),
        (words.setting(True, "yes or no"), "yes"),
        (words.setting("all_or_none", "choice"), "all partners or none"),
        (words.years([2016, 2017, 2018]), "2016 to 2018"),
        (words.typeset("A: -10% (-0% to +0%), CO-2"), "A: −10% (0% to 0%), CO-2"),
        (words.months(6.25), "6.2 months"),
        (words.index(float("nan")), "n/a"),
        (words.hyphenated("Net partnerships"), "Net partner\N{SOFT HYPHEN}ships"),
        (words.country("DK"), "Denmark"),
        (words.country("XX"), "XX"),
    ],
)
def test_numbers_and_names_in_plain_words(text: str, expected: str) -> None:
    assert text == expected


def test_every_form_of_a_measure_can_be_written() -> None:
    assert {measure.form for measure in all_measures().values()} <= set(words.FORMS)
