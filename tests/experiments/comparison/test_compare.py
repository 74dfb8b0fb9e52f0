"""The comparison: paired worlds, identities of what is counted, equal spending, reasons and answers."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import scenarios
from experiments import compare, run
from experiments.comparison.carry_out import ENOUGH_MATCHED
from experiments.comparison.effects import effect_rows
from experiments.comparison.folder import table_hashes
from experiments.comparison.spending import TOLERANCE, Search, code_here
from experiments.comparison.tables import LARGE, SMALL
from experiments.runs.cells import Case, Draws, run_seed
from experiments.runs.measures import all_measures
from scenarios import InputError
from simulator.outcomes.tables import OUTCOMES
from tests.studies import SMES, small, tiny

KEYS = ["scenario", "draw", "run", "call", "country", "month", "kind", "group", "funder", "cause"]
FAST = "fast_and_synchronised"


def twin_of_baseline(name="the_same"):
    """The baseline under another name."""
    return dataclasses.replace(scenarios.load("baseline"), name=name, title="The same again")


def of(frame, scenario):
    """A scenario's rows, without its name."""
    return frame[frame.scenario == scenario].drop(columns="scenario").reset_index(drop=True)


# ---------- the null contrast


@pytest.fixture(scope="module")
def null():
    """The baseline against itself."""
    return compare("baseline", twin_of_baseline(), draws=3, runs=2, smes=SMES, reasons=2, spending=2)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["by_call", "by_country", "by_month", "by_group", "lost", "short", "network"])
def test_a_scenario_that_changes_nothing_differs_nowhere(null, table):
    frame = getattr(null, table)
    assert len(of(frame, "the_same")) > 0
    assert_frame_equal(of(frame, "the_same"), of(frame, "baseline"), check_exact=True)


@pytest.mark.slow
def test_the_effect_of_nothing_is_zero_and_never_better(null):
    effects = null.effects[null.effects.draws > 0]
    assert set(effects.basis) == {"equal budget", "equal spending"}
    assert (effects[["difference", "difference_low", "difference_high"]] == 0.0).all(axis=None)
    assert (effects.p_better.dropna() == 0.0).all() and effects.p_better.notna().any()
    assert null.variance.paired.item() == 0.0
    assert null.variance.ratio.item() == np.inf
    assert (null.reasons[["effect", "effect_without", "contribution"]] == 0.0).all(axis=None)


def test_nothing_is_neither_better_nor_worse_in_words(null):
    told = null.answers[0]
    assert "no difference in any of 3 plausible worlds" in told["sentence"]


# ---------- pairs


@pytest.mark.slow
def test_worlds_are_paired_before_the_first_changed_call_nothing_differs():
    found = small()
    calls = scenarios.load(FAST).resolve().rules.calls
    first_policy_close = int(calls.close_month[list(calls.year).index(2016)])
    months = found.by_month[found.by_month.month <= first_policy_close]
    assert months.spent_eur.sum() > 0.0
    assert_frame_equal(of(months, FAST), of(months, "baseline"), check_exact=True)
    assert not of(found.by_month, FAST).equals(of(found.by_month, "baseline"))


@pytest.mark.slow
def test_money_granted_in_earlier_calls_is_the_same():
    calls = small().by_call
    history = calls[calls.call < 2016]
    for column in ("applications", "approvals", "granted_eur"):
        assert history[column].sum() > 0.0
        assert of(history, FAST)[column].equals(of(history, "baseline")[column])


def test_draws_and_seeds_are_worlds_of_their_own():
    base = of(small().by_call, "baseline")
    by_world = base.groupby(["draw", "run"])[["contracts", "spent_eur"]].sum()
    assert by_world.duplicated().sum() == 0
    assert len({run_seed(1, draw, run) for draw in range(50) for run in range(20)}) == 1000
    assert run_seed(1, 0, 0) != run_seed(2, 0, 0)


@pytest.mark.slow
def test_no_bit_depends_on_the_number_of_threads():
    asked = {"draws": 3, "runs": 2, "smes": SMES, "reasons": 1, "spending": 2}
    one = compare("baseline", FAST, threads=1, **asked)
    two = compare("baseline", FAST, threads=2, **asked)
    assert table_hashes(one) == table_hashes(two)
    assert one.answers == two.answers


@pytest.mark.slow
def test_no_bit_depends_on_what_else_is_compared():
    alone = compare("baseline", FAST, draws=2, runs=2, smes=SMES, reasons=0, spending=0)
    among = compare("baseline", "staggered_more", FAST, draws=2, runs=2, smes=SMES, reasons=0, spending=0)
    assert_frame_equal(of(alone.by_call, FAST), of(among.by_call, FAST), check_exact=True)


@pytest.mark.slow
def test_a_longer_study_begins_with_the_shorter_one():
    longer = compare("baseline", FAST, draws=8, runs=2, smes=SMES, reasons=0, spending=0)
    for table in ("parameters", "by_call", "by_country", "by_month", "by_group", "lost", "short"):
        whole = getattr(longer, table)
        assert_frame_equal(whole[whole.draw < 4].reset_index(drop=True), getattr(small(), table), check_exact=True)


@pytest.mark.slow
def test_more_seeds_begin_with_the_fewer():
    more = compare("baseline", "projects_24", draws=2, runs=2, smes=SMES, reasons=0, spending=0)
    first = more.by_call[more.by_call.run == 0].reset_index(drop=True)
    assert_frame_equal(first, tiny().by_call, check_exact=True)


def test_another_seed_is_another_study():
    other = compare("baseline", "projects_24", draws=2, runs=1, smes=SMES, seed=2, reasons=0, spending=0)
    assert not other.parameters.equals(tiny().parameters)
    assert not other.by_call.equals(tiny().by_call)


# ---------- what is counted


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("table", ["by_call", "by_country"])
def test_gross_is_additional_accelerated_and_deadweight(table, outcome):
    frame = getattr(small(), table)
    parts = sum(frame[f"{outcome}_{part}"] for part in ("additional", "accelerated", "deadweight"))
    assert frame[outcome].sum() > 0.0
    np.testing.assert_allclose(parts, frame[outcome], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_net_is_additional_less_displaced(outcome):
    effects = small().effects
    effects = effects[effects.basis == "equal budget"].set_index("measure")
    for column in ("base", "value", "difference"):
        net = effects.loc[f"{outcome}_additional", column] - effects.loc[f"{outcome}_displaced", column]
        assert effects.loc[f"{outcome}_net", column] == pytest.approx(net, rel=1e-9, abs=1e-9)


def test_calls_and_countries_sum_to_the_same():
    found = small()
    counted = found.manifest["counted_calls"]
    world = ["scenario", "draw", "run"]
    by_call = found.by_call[found.by_call.call.isin(counted)].groupby(world).sum().drop(columns="call")
    by_country = found.by_country.drop(columns="country").groupby(world).sum()
    assert (by_call.spent_eur > 0.0).all()
    np.testing.assert_allclose(by_country[by_call.columns], by_call, rtol=1e-9, atol=1e-6)


def test_groups_sum_to_all_firms_once_by_sector_and_once_by_size():
    groups = small().by_group.groupby(["scenario", "draw", "run", "kind"])[["contracts"]].sum().unstack("kind")
    np.testing.assert_allclose(groups["contracts", "sector"], groups["contracts", "size"], rtol=1e-9)


@pytest.mark.parametrize("measure", ["spent_eur", "contracts", "knowledge", "smes_lost_waiting", "admin_eur"])
def test_effects_are_the_means_of_paired_differences(measure):
    found = small()
    total = found.by_country.groupby(["scenario", "draw", "run"])[measure].sum().groupby(["scenario", "draw"]).mean()
    difference = total[FAST] - total["baseline"]
    row = found.effects[(found.effects.measure == measure) & (found.effects.basis == "equal budget")].iloc[0]
    assert row["difference"] == pytest.approx(difference.mean(), rel=1e-9)
    assert row["difference_low"] == pytest.approx(difference.quantile(0.05), rel=1e-9)
    better = all_measures()[measure].better
    assert np.isnan(row["p_better"]) if better == 0 else row["p_better"] == (better * difference > 0.0).mean()
    assert row["draws"] == 4


def test_a_draw_is_held_against_itself():
    """By hand: draws of 3, 1 and 8 against 1, 2 and 8 are better by 2, -1 and 0, whatever their order of size."""
    ours, base = np.array([[3.0, 3.0], [0.0, 2.0], [8.0, 8.0]]), np.array([[1.0, 1.0], [2.0, 2.0], [9.0, 7.0]])
    rows = effect_rows("b", "s", dict.fromkeys(all_measures(), ours), dict.fromkeys(all_measures(), base))
    assert len(rows) == len(all_measures())
    by_name = {row["measure"]: row for row in rows}
    row, cost = by_name["contracts_net"], by_name["public_cost_eur"]
    assert (row["value"], row["base"], row["draws"]) == (4.0, pytest.approx(11 / 3), 3)
    assert cost["p_better"] == pytest.approx(1 / 3) and cost["difference"] == row["difference"]  # less is better
    assert (row["difference"], row["difference_low"], row["difference_high"]) == pytest.approx((1 / 3, -0.9, 1.8))
    assert row["relative"] == pytest.approx(1 / 11) and row["p_better"] == pytest.approx(1 / 3)


def test_pairing_pays():
    assert (small().variance.ratio > 1.0).all()


# ---------- equal spending


@pytest.mark.slow
def test_equal_spending_is_within_a_hundredth_where_it_says_so():
    found = compare("baseline", "budget_plus_30", "projects_24", draws=3, runs=2, smes=SMES, reasons=0, spending=3)
    spent = found.effects[(found.effects.basis == "equal spending") & (found.effects.measure == "spent_eur")]
    assert len(found.spending) == 2
    for row in found.spending.itertuples():
        told = spent[spent.scenario == row.scenario]
        assert len(told) == (1 if row.matched >= ENOUGH_MATCHED else 0)  # effects are told of matched draws alone
        for effect in told.itertuples():
            assert effect.draws == round(row.matched * row.draws)
            assert abs(effect.difference_low) <= TOLERANCE * effect.base * 1.5
            assert abs(effect.relative) <= TOLERANCE
        assert ("could not be brought within 1%" in row.note) == (row.matched < 1.0)
    plus = found.spending.set_index("scenario").loc["budget_plus_30"]
    assert plus["scale_mean"] < 1.0


def test_a_scenario_that_cannot_spend_so_much_stays_unmatched_and_says_so():
    case = Case.of(scenarios.load("baseline"), 2016, smes=SMES)
    draws = Draws.of(scenarios.draw(2, 1))
    target, start = np.array([1e12, 1e6]), np.array([1e6, 1e6 + 1])
    found = Search(case, draws, 1, 1, 3, target, start, code_here()).carry_out(lambda: False)
    assert found["gap"][0] > TOLERANCE and 1 / 16 <= found["scale"][0] <= 16.0 and found["unscaled"][0] == 0
    assert found["by_country"][0].sum() > 0.0
    assert (found["scale"][1], found["unscaled"][1]) == (1.0, 1)  # it spends the same as it is: nothing is run
    assert found["by_country"][1].sum() == 0.0


def test_a_scenario_without_spending_is_left_out_of_equal_spending():
    found = compare("baseline", "no_programme", draws=2, runs=1, smes=SMES, reasons=0, spending=2)
    assert found.spending.empty
    assert set(found.effects.basis) == {"equal budget"}
    net = found.by_country[found.by_country.scenario == "no_programme"]
    assert net.spent_eur.sum() == 0.0 and net.contracts.sum() == 0.0


# ---------- reasons and answers


def test_without_staggered_starts_one_early_date_is_worth_little():
    reasons = small().reasons.set_index("mechanism")
    staggered = reasons.loc["staggered_starts"]
    assert staggered["effect"] > 0.0
    assert staggered["share"] > 0.5
    assert staggered["effect_without"] == pytest.approx(staggered["effect"] - staggered["contribution"])
    assert reasons.loc["purses", "share"] < staggered["share"]


# ---------- the face


def test_one_scenario_is_held_against_the_world_without_the_programme():
    found = run("baseline", draws=0, runs=3, smes=SMES)
    assert found.answers == []
    row = found.effects.set_index("measure").loc["spent_eur"]
    spent = found.by_country.groupby("run").spent_eur.sum().mean()
    assert row["value"] == row["difference"] == pytest.approx(spent)


def test_central_values_make_one_draw():
    asked = {"draws": 0, "runs": 2, "smes": SMES, "reasons": 0, "spending": 0}
    found = compare("baseline", "projects_24", **asked, draws_from="prior")
    assert len(found.parameters) == 1
    register = scenarios.register()
    assert found.parameters["trust_months"].item() == register["trust_months"].value
    assert found.manifest["parameters_from"] == "the register's central values, not calibrated"


def test_a_parameter_that_a_scenario_holds_holds_in_every_draw(tmp_path):
    path = tmp_path / "idle.toml"
    path.write_text('title = "Idle"\nquestion = "What if nobody applied?"\n[parameters]\nidea_rate = 0\np_apply = 0\n')
    found = compare("baseline", path, draws=2, runs=1, smes=SMES, reasons=0, spending=0)
    assert of(found.by_country, "idle").spent_eur.sum() < of(found.by_country, "baseline").spent_eur.sum()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"draws": -1}, "--draws is -1: it takes a whole number from 0"),
        ({"runs": 0}, "--runs is 0: it takes a whole number from 1"),
        ({"runs": True}, "--runs is True"),
        ({"runs": 1.5}, "--runs is 1.5"),
        ({"seed": "1"}, "--seed is '1'"),
        ({"horizon": 0}, "--horizon is 0: it takes a whole number from 12 to 240"),
        ({"threads": 0}, "--threads is 0"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_python_too(asked, words):
    with pytest.raises(InputError, match=re.escape(words)):
        compare("baseline", "projects_24", **asked)


def test_every_table_is_tidy():
    found = small()
    for table in LARGE + SMALL:
        frame = getattr(found, table)
        keys = [key for key in KEYS if key in frame]
        assert isinstance(frame.index, pd.RangeIndex)
        if table in ("by_call", "by_country", "by_month", "by_group", "lost", "short"):
            assert not frame.duplicated(keys).any()
            assert not frame.isna().any(axis=None)


@pytest.mark.slow
def test_ctrl_c_leaves_the_draws_that_are_finished():
    """Interrupted in the middle, a study holds the draws that all its runs are done of, the same bits as ever."""
    asked = {"runs": 2, "smes": SMES, "reasons": 0, "spending": 0, "threads": 1}
    left = 40

    def stop_after_some(what, todo):
        def advance(runs):
            nonlocal left
            left -= runs
            if left <= 0:
                raise KeyboardInterrupt

        return advance

    whole = compare("baseline", "projects_24", draws=20, **asked)
    part = compare("baseline", "projects_24", draws=20, **asked, stage=stop_after_some)
    assert part.manifest["missing"] == ["draws"] and not part.manifest["complete"]
    assert sorted(set(part.by_call.draw)) == list(range(8))  # one block of eight draws, in two scenarios and two runs
    first = whole.by_call[whole.by_call.draw < 8].reset_index(drop=True)
    assert_frame_equal(part.by_call, first, check_exact=True)
    with pytest.raises(KeyboardInterrupt):
        left = 1
        compare("baseline", "projects_24", draws=20, **asked, stage=stop_after_some)
