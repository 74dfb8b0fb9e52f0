"""Predictive checks, outside checks, forecast and their report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import calibration
from calibration import posterior
from calibration.checks.forecast import MEASURES, forecast
from calibration.checks.predictive import (
    Replicates,
    predictive_frame,
    replicates,
    tail_probability,
    typicality,
    typicality_frame,
    verdict,
)
from calibration.checks.settings import forecast_calls
from calibration.checks.shipped_forecast import FILE as SHIPPED
from calibration.evidence.load import load_evidence
from calibration.fit import shipped_problem as shipped
from experiments.cli.validate import _check
from experiments.runs.engines import Where
from experiments.runs.runner import runner
from experiments.validation.exhibits import ahead, calls, coverage, learned, survey
from experiments.validation.exhibits.looks import number
from experiments.validation.folder import save
from experiments.validation.outside import ABSENT, AGREES, DIFFERS, FILE, _judged, outside_values
from experiments.validation.sentences import findings, inside
from experiments.validation.study import Ask, Validation, can_be_left_out, commands
from scenarios import InputError

YEARS = forecast_calls()


def synthetic(shift=0.0, draws=200, seed=1, width=12):
    """Replicates of the shipped targets with luck of known size; the real data are moved by `shift` deviations."""
    chosen = tuple(target for target in load_evidence().targets if target.family == "count" and target.fitted)[:width]
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, (draws + 1, 1))
    data = np.rint(100 + 10 * (0.7 * common + 0.7 * rng.normal(0, 1, (draws + 1, len(chosen)))))
    real = data[-1] + shift * 10 * np.where(np.arange(len(chosen)) % 2, 1, -1)
    chosen = tuple(target._replace(value=float(value)) for target, value in zip(chosen, real, strict=True))
    return Replicates(chosen, data[:-1], data[:-1])


def test_probability_of_a_number_as_far_out():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert tail_probability(values, 2.5) == 1.0
    assert tail_probability(values, 4.0) == pytest.approx(2 * 0.125)  # the one that is equal counts half
    assert tail_probability(values, 5.0) == 0.0
    assert tail_probability(np.array([0.104, 0.10]), 0.1, 0.005) == 1.0  # both round to the printed 10%


def test_verdicts_follow_the_probability():
    assert [verdict(p) for p in (0.5, 0.1, 0.09, 0.01, 0.009)] == [
        "typical", "typical", "at the edge", "at the edge", "not reproduced",
    ]  # fmt: skip


def test_real_data_that_come_from_the_model_are_typical():
    """Even with as many numbers as the evidence has and few replicates, where a spread is easily overfitted."""
    found = [typicality(synthetic(seed=seed, width=40)).probability for seed in range(16)]
    assert sum(p < 0.05 for p in found) <= 3
    assert np.mean(found) == pytest.approx(0.5, abs=0.2)


def test_numbers_that_are_each_in_reach_but_do_not_go_together_are_found():
    """Neighbours move together in the model; in these data they move apart, each within its 90% interval or nearly."""
    found = typicality(synthetic(shift=1.0))
    assert not found.typical and found.probability < 0.01
    assert found.outside < 0.5


def test_predictive_rows_tell_real_beside_simulated():
    frame = predictive_frame(synthetic(shift=6.0))
    assert set(frame["verdict"]) == {"not reproduced"}
    assert (frame["low90"] <= frame["low50"]).all() and (frame["high50"] <= frame["high90"]).all()
    typical = [(predictive_frame(synthetic(seed=seed))["verdict"] == "typical").mean() for seed in range(8)]
    assert 0.75 < np.mean(typical) <= 1.0  # nine of ten, by what the word means


def test_replicates_carry_the_luck_of_the_survey_in_shares_only(tmp_path):
    draws = {name: values[:3] for name, values in calibration.draw(3, 1).items()}
    one, two = (
        replicates(draws, 5, load_evidence(), runner(tmp_path / str(threads), Where("threads", threads)))
        for threads in (1, 2)
    )
    assert np.array_equal(one.sampled, two.sampled, equal_nan=True)
    for place, target in enumerate(one.targets):
        same = np.array_equal(one.expected[:, place], one.sampled[:, place], equal_nan=True)
        assert same == (target.block == "programme") or np.isnan(one.sampled[:, place]).all(), target.name


@pytest.mark.parametrize(
    ("kind", "low", "high", "values", "expected"),
    [
        ("positive", "", "", [0.1] * 19 + [-0.1], AGREES),
        ("positive", "", "", [0.1] * 3 + [-0.1], DIFFERS),
        ("zero", "", "", [-0.1, 0.1, 0.2], AGREES),
        ("zero", "", "", [0.1, 0.2, 0.3], DIFFERS),
        ("range", "0.2", "0.3", [0.25, 0.6, 0.7], AGREES),
        ("range", "0.2", "0.3", [0.5, 0.6, 0.7], DIFFERS),
        ("range", "0.2", "0.3", [float("nan")], ABSENT),
        ("none", "", "", [0.5], ABSENT),
    ],
)
def test_agreement_with_a_study(kind, low, high, values, expected):
    assert _judged({"kind": kind, "low": low, "high": high}, np.array(values))["verdict"] == expected


@pytest.mark.slow
def test_meetings_that_make_nobody_familiar_bring_no_joint_proposals(tmp_path):
    """Without weight on familiarity the event cannot matter for who proposes together; with it, it does."""
    draws = {"weight_familiarity": np.array([0.0, 4.0]), "meeting_familiarity_gain": np.array([0.8, 0.8])}
    found = outside_values(draws, 3, runner(tmp_path, Where("threads", 1)))["event_meeting"]
    assert found[0] == 0.0 and found[1] > 0.1


def test_the_forecast_is_the_same_on_any_number_of_threads_and_holds_what_is_asked(tmp_path):
    draws = {name: values[:4] for name, values in calibration.draw(4, 2).items()}
    one, two = (forecast(draws, 9, runner(tmp_path / str(threads), Where("threads", threads))) for threads in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert [(row.call, row.measure) for row in one.itertuples()] == [(y, m) for y in YEARS for m in MEASURES]
    assert (one["low90"] <= one["median"]).all() and (one["median"] <= one["high90"]).all()
    assert (one.set_index(["call", "measure"])["median"].unstack()[["approvals"]] > 0).all().all()


# The report


def checked(covered=0.9, shift=0.0):
    """A validation whose tables are made up: the real data `shift` deviations off, intervals that hold `covered`."""
    found = synthetic(shift)
    parameters = pd.DataFrame(
        {
            "parameter": ["idea_rate", "acceptance"], "label": ["Ideas per call", "Acceptance of invitations"],
            "unit": ["ideas per call", "probability"], "prior_low": [0.5, 0.3], "prior_high": [1.0, 0.7],
            "low": [0.7, 0.3], "median": [0.8, 0.5], "high": [0.9, 0.7], "contraction": [0.6, 0.02],
        }
    )  # fmt: skip
    coverage = pd.DataFrame(
        [
            {"parameter": name, "level": level, "replicates": 200, "covered": level if level < 0.9 else covered,
             "expected_low": level - 0.05, "expected_high": level + 0.05, "uniform_p": 0.4,
             "fits": level < 0.9 or abs(covered - 0.9) < 0.05}
            for name in parameters["parameter"] for level in (0.5, 0.9)
        ]
    )  # fmt: skip
    recovery = pd.DataFrame(
        {"parameter": parameters["parameter"], "replicates": 200, "correlation": 0.8, "error": 0.6, "claimed": 0.6}
    )
    totals = pd.DataFrame(
        {"forecast": ["model", "last year\u2019s value"], "statistics": 8, "relative_crps": [0.15, 0.3],
         "covered50": [0.5, np.nan], "covered90": [1.0, np.nan]}
    )  # fmt: skip
    left = pd.DataFrame(
        [{"target": "projects_2015", "value": 27.0, "median": 26.0, "low90": 20.0, "high90": 33.0, "last": 35.0,
          "mean": 31.5, "crps": 1.0, "crps_last": 8.0, "crps_mean": 4.5}]
    )  # fmt: skip
    rows = [
        {"call": year, "measure": name, "label": name, "median": 30.0, "low50": 27.0, "high50": 33.0, "low90": 20.0,
         "high90": 40.0, "mean": 30.0, "draws": 4}
        for year in YEARS for name in MEASURES
    ]  # fmt: skip
    picking = [
        {"target": "sme_rni_2015", "measure": "sme_rni", "label": "SMEs: R&I", "real": 0.13, "odds": odds,
         "median": 0.1 + odds / 100, "low90": 0.08, "high90": 0.2}
        for odds in (1.0, 2.0, 6.0)
    ]  # fmt: skip
    outside = pd.read_csv(FILE, keep_default_na=False, dtype=str).to_dict("records")
    judged = [{**row, **_judged(row, np.array([0.1, 0.2, 0.3]))} for row in outside]
    tables = {
        "predictive": predictive_frame(found), "typicality": typicality_frame(found), "parameters": parameters,
        "coverage": coverage, "recovery": recovery, "left_out": left, "left_out_totals": totals,
        "forecast": pd.DataFrame(rows), "outside": pd.DataFrame(judged), "picking": pd.DataFrame(picking),
    }  # fmt: skip
    manifest = {"draws": 400, "checked": 200, "outside": 60, "seed": 1, "posterior": "abcd", "evidence": "shipped",
                "reduced": "none", "code": "0", "commands": commands(Ask(bank=500))}  # fmt: skip
    return Validation(tables, manifest)


def verdicts(found):
    return {finding.title: finding.verdict for finding in findings(found)}


def test_the_answer_says_when_the_model_does_not_hold():
    good, off, narrow = verdicts(checked()), verdicts(checked(shift=1.5)), verdicts(checked(covered=0.7))
    assert good["The real data look like the model\u2019s."] == "better"
    assert good["Intervals are as wide as they claim."] == "better"
    assert off["The real data are not typical of what the fitted model produces."] == "worse"
    assert narrow["Some intervals are not as wide as they claim."] == "worse"


def test_a_part_that_is_not_typical_is_not_hidden_by_the_whole():
    found = checked()
    frame = found.tables["typicality"].copy()
    frame.loc[frame["block"] == "programme", ["typical", "probability"]] = [False, 0.02]
    (first, *_) = findings(Validation({**found.tables, "typicality": frame}, found.manifest))
    assert first.verdict == "open" and "the statistics of the calls (2% as far)" in first.sentence


def test_what_is_not_identified_is_named():
    told = " ".join(finding.sentence for finding in findings(checked()))
    assert "As good as unidentified: acceptance of invitations." in told


@pytest.mark.slow
def test_the_report_opens_with_the_answer_and_needs_nothing_else(tmp_path):
    found = checked()
    folder = save(found, tmp_path)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index(findings(found)[0].title) < page.index("<nav")
    assert "odds 6" in page and "16%" in page
    assert "http" not in page.replace("http://www.w3.org", "") and "left out of this run" not in page
    assert {path.stem for path in folder.glob("*.csv")} == set(found.tables)
    assert save(found, tmp_path) == folder and not list(tmp_path.glob("*.unfinished"))


@pytest.mark.slow
def test_a_report_tells_the_size_of_the_fit_that_it_checked(tmp_path):
    page = (save(checked(), tmp_path) / "report.html").read_text(encoding="utf-8")
    assert page.count("--bank 500") == 2


def shown(exhibit, validation):
    """The panel of an exhibit's figure, its title, its alternative text and its tables."""
    data = exhibit.data(validation)
    figure = exhibit.figure(data)
    title = figure.texts[0].get_text().replace("\n", " ")
    return figure.axes[0], title, exhibit.caption(data).alt, exhibit.tables(data)


def rows_of(tables):
    return {row.head: [cell.text for cell in row.cells] for table in tables for row in table.rows}


def surveyed():
    """A validation with two shares of the survey: one typical, one not."""
    whole = checked()
    shares = whole.tables["predictive"].iloc[:2].assign(
        block="survey", call=2015, real=[0.3, 0.9], low90=0.2, low50=0.25, median=0.35, high50=0.4, high90=0.5,
        verdict=["typical", "not reproduced"], label=["Met a partner, 2015", "Signed a contract, 2015"],
    )  # fmt: skip
    return Validation({**whole.tables, "predictive": shares}, whole.manifest)


def test_the_survey_draws_says_and_lists_real_beside_simulated_shares():
    axes, title, alt, tables = shown(survey.EXHIBIT, surveyed())
    (real,) = (line for line in axes.lines if line.get_marker() == "D")
    assert list(real.get_xdata()) == [30.0, 90.0]
    assert "1 of 2 real shares are typical" in title
    assert "1 of 2 are typical; not: Signed a contract, 2015 90% (20% to 50%)." in alt
    assert rows_of(tables)["Signed a contract, 2015"][:3] == ["90%", "35%", "20% to 50%"]


def test_calls_are_drawn_as_multiples_of_the_real_number_and_those_off_are_named():
    validation = checked(shift=6.0)
    rows = validation.tables["predictive"]
    axes, title, alt, tables = shown(calls.EXHIBIT, validation)
    low, high = (rows[end].iloc[0] / rows["real"].iloc[0] for end in ("low90", "high90"))
    assert list(axes.lines[0].get_xdata()) == pytest.approx([low, min(2.6, high)])
    assert f"0 of {len(rows)} real numbers are typical" in title and f"0 of {len(rows)} are typical; not:" in alt
    for row in rows.itertuples():
        assert f"{row.label} {number(row.real, False)} (" in alt
        assert rows_of(tables)[row.label][0] == number(row.real, False)


def test_coverage_is_drawn_said_and_listed():
    validation = checked(covered=0.7)
    table = validation.tables["coverage"].copy()
    table.loc[(table["parameter"] == "acceptance") & (table["level"] == 0.9), "covered"] = 0.8
    whole = Validation({**validation.tables, "coverage": table}, validation.manifest)
    axes, title, alt, tables = shown(coverage.EXHIBIT, whole)
    (narrow,) = (line for line in axes.lines if line.get_marker() == "s")
    assert list(narrow.get_xdata()) == [70.0, 80.0]
    assert "In 200 known worlds, 2 of 4 kinds of interval" in title
    assert "50% intervals in 50% to 50% of worlds; 90% intervals in 70% to 80% of worlds." in alt
    assert rows_of(tables)["Ideas per call"][:2] == ["50%", "70%"]


def test_what_was_learned_is_drawn_said_and_listed_the_most_first():
    axes, title, alt, tables = shown(learned.EXHIBIT, checked())
    dots = [(line.get_xdata()[0], line.get_markerfacecolor()) for line in axes.lines if line.get_marker() == "o"]
    assert [x for x, _ in dots] == pytest.approx([60.0, 2.0]) and dots[1][1] == "white"
    assert "about 1 of 2 fitted parameters" in title
    assert "Ideas per call 60%; Acceptance of invitations 2%." in alt
    assert [row.head for row in tables[0].rows] == ["Ideas per call", "Acceptance of invitations"]
    assert rows_of(tables)["Ideas per call"][:3] == ["0.5 to 1", "0.8", "60%"]


def test_the_forecast_is_drawn_said_and_listed_call_by_call():
    validation = checked()
    table = validation.tables["forecast"]
    moved = table.assign(low90=table["low90"] + table["call"] - 2016)
    axes, title, alt, tables = shown(ahead.EXHIBIT, Validation({**validation.tables, "forecast": moved}, {}))
    assert title.endswith("expects of the calls of 2016 and 2017")
    assert [line.get_xdata()[0] for line in axes.lines[:4:3]] == [20.0, 21.0]  # the calls of one number, in order
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"{name}, {year}" for name in MEASURES if name != "financed_partners" for year in YEARS]
    assert "applications in 2016 20 to 40; applications in 2017 21 to 40" in alt
    assert rows_of(tables)["applications, 2017"] == ["30", "27 to 33", "21 to 40"]


def test_calls_are_named_by_the_data():
    validation = checked()
    predictive = validation.tables["predictive"].assign(call=2011)
    forecast = validation.tables["forecast"].assign(call=2031)
    other = Validation({**validation.tables, "predictive": predictive, "forecast": forecast}, validation.manifest)
    assert "the calls of 2031" in shown(ahead.EXHIBIT, other)[1]
    assert "the calls of 2011" in shown(calls.EXHIBIT, other)[2]
    assert "Fitted to 2011 alone, it forecasts 8 statistics of 2015" in " ".join(f.sentence for f in findings(other))


@pytest.mark.parametrize(
    ("years", "can"), [((2013, 2014, 2015), True), ((2014, 2015), True), ((2015,), False), ((2014,), False)]
)
def test_a_call_is_left_out_only_where_there_is_one_before_it(years, can):
    """Evidence of one's own may be of a single call: then there is nothing to forecast it from."""
    whole = shipped.problem()
    held = [place for place, target in enumerate(whole.targets) if target.call in years]
    targets = [whole.targets[place] for place in held]
    used = tuple(place for place, target in enumerate(targets) if target.fitted)
    assert can_be_left_out(replace(whole, targets=targets, used=used)) is can


def test_labels_inside_a_sentence_keep_names():
    labels = ("Typical grant", "SMEs per partner", "R&I collaboration", "Swedish partner funded")
    assert [inside(label) for label in labels] == [
        "typical grant", "SMEs per partner", "R&I collaboration", "Swedish partner funded"
    ]  # fmt: skip


@pytest.mark.slow
def test_a_report_without_the_checks_of_the_fit_says_so(tmp_path):
    whole = checked()
    names = ("predictive", "typicality", "parameters", "forecast", "outside", "picking")
    rest = {name: whole.tables[name] for name in names}
    page = (save(Validation(rest, whole.manifest), tmp_path) / "report.html").read_text(encoding="utf-8")
    assert "were left out of this run" in page


def test_the_shipped_forecast_is_made_from_the_shipped_posterior():
    """After `innovex calibrate --ship` comes `innovex validate --forecast --ship`."""
    kept = pd.read_csv(SHIPPED)
    assert [(row.call, row.measure) for row in kept.itertuples()] == [(y, m) for y in YEARS for m in MEASURES]
    assert set(kept["posterior"].astype(str)) == {posterior.read().identity}
    assert (kept["low90"] < kept["high90"]).all() and (kept["draws"] >= 1000).all()


@pytest.mark.parametrize(
    "wrong", [{"draws": 5}, {"checked": -1}, {"checked": 301}, {"outside": 0}, {"bank": 10}, {"threads": 0}]
)
def test_options_out_of_range_are_told(wrong):
    right = {"draws": 400, "checked": 200, "outside": 60, "seed": 1, "threads": None, "bank": None}
    _check(**right)
    with pytest.raises(InputError, match=f"--{next(iter(wrong))} is .*it takes a whole number from"):
        _check(**{**right, **wrong})
