"""Views of a comparison: verdicts, the order of scenarios, means per run, bands over time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.comparison import views
from experiments.comparison.answers import answers
from experiments.comparison.report import answers_by_verdict
from experiments.comparison.verdicts import verdict
from experiments.runs.measures import MAIN
from tests.made_up import DRAWS, RUNS, alone, made, with_tables
from tests.studies import small


def test_a_change_of_nothing_is_neither_better_nor_worse() -> None:
    same = made(2)
    kinds = [f"{kind}{end}" for kind in ("difference", "relative") for end in ("", "_low", "_high")]
    same.effects.loc[:, [*kinds, "p_better"]] = 0.0
    assert views.verdicts(same) == {"case_1": "open"}


def test_verdicts_follow_the_share_of_draws() -> None:
    effects = made(3).effects
    row = effects[effects["measure"] == MAIN].iloc[0].copy()
    verdicts = []
    for share, difference in ((0.95, 4.0), (0.9, 4.0), (0.5, 4.0), (0.1, -4.0), (0.0, -4.0)):
        row["p_better"], row["difference"] = share, difference
        verdicts.append(verdict(row))
    assert verdicts == ["better", "better", "open", "worse", "worse"]


def test_a_scenario_that_costs_less_is_better() -> None:
    """Made-up costs go with contracts: case_1 costs less than the base, case_2 more, in every draw."""
    frames = made(3)
    cost = views.effects_of(frames, "public_cost_eur")
    assert [verdict(cost.loc[key]) for key in ("case_1", "case_2")] == ["better", "worse"]
    contracts = views.effects_of(frames, MAIN)
    assert [verdict(contracts.loc[key]) for key in ("case_1", "case_2")] == ["worse", "better"]


@pytest.mark.slow
def test_scenarios_stand_from_most_to_fewest_net_contracts() -> None:
    """Made-up scenarios are 8% below, 16% above, 24% below the base."""
    lineup = views.lineup(made(4))
    assert lineup.everyone == ("base", "case_2", "case_1", "case_3")
    assert lineup.label("base") == "Rule <base> & others (base)" and lineup.label("case_1") == "Rule <case_1> & others"
    assert views.lineup(alone()).label("base") == "Rule <base> & others"


@pytest.mark.slow
def test_scenarios_without_contracts_are_not_looked_at_closely() -> None:
    comparison = made(4)
    none = comparison.effects["scenario"] == "case_3"
    comparison.effects.loc[none & (comparison.effects["measure"] == "contracts"), "value"] = 0.0
    assert "case_3" not in views.telling(comparison)
    assert views.telling(made(4), 1) == ("case_3",)


def test_a_base_without_contracts_has_no_relative_changes() -> None:
    assert not views.uses_relative(made(3, base_contracts=0.0)) and views.uses_relative(made(3))


def test_means_per_run_count_runs_without_a_row_as_nothing() -> None:
    frames = made(2)
    means = views.mean_per_run(frames, "lost", ["cause"], ["applications"])["applications"]
    lost = frames.lost
    expected = lost[(lost["scenario"] == "case_1") & (lost["cause"] == "purse_empty")]["applications"].sum()
    assert means["case_1", "purse_empty"] == pytest.approx(expected / (DRAWS * RUNS))
    halved = with_tables(frames, lost=lost[lost["draw"] < DRAWS / 2])
    less = views.mean_per_run(halved, "lost", ["cause"], ["applications"])["applications"]
    assert less["case_1", "purse_empty"] < 0.7 * means["case_1", "purse_empty"]


def test_large_tables_are_read_one_scenario_and_few_columns_at_a_time() -> None:
    """Whatever is shown, no more is read: so memory does not grow with scenarios."""
    frames, asked = made(3), []

    class Watched(type(frames)):  # type: ignore[misc]
        def rows(self, table, scenario, columns):  # type: ignore[no-untyped-def]
            asked.append((table, scenario, tuple(columns)))
            return super().rows(table, scenario, columns)

    watched = Watched(**{name: getattr(frames, name) for name in frames.__dataclass_fields__})
    views.mean_per_run(watched, "by_country", ["country"], ["spent_eur"])
    views.bands(watched, "case_1", "contracts", cumulative=True)
    assert ("by_country", "case_2", ("scenario", "country", "spent_eur")) in asked
    assert ("by_month", "case_1", ("draw", "month", "contracts")) in asked
    assert max(len(columns) for _, _, columns in asked) == 3


def test_bands_hold_ninety_percent_of_draws_from_the_first_counted_call_on() -> None:
    frames = made(2)
    table = views.bands(frames, "case_1", "contracts", cumulative=True)
    months = frames.by_month[frames.by_month["scenario"] == "case_1"]
    total = months.groupby(["draw", "run"])["contracts"].sum().groupby("draw").mean()
    last = table.iloc[-1]
    assert (table.index[0], table.index[-1]) == (36, 143)  # 2016 is the fourth year
    assert last["mean"] == pytest.approx(total.mean())
    assert (last["low"], last["high"]) == pytest.approx(tuple(total.quantile([0.05, 0.95])))
    spent = views.bands(frames, "base", "spent_eur", cumulative=False)
    assert spent["mean"].iloc[0] == pytest.approx(
        frames.by_month.query("scenario == 'base' and 25 <= month <= 36")["spent_eur"].mean()
    )


def test_missing_effects_are_rows_without_numbers() -> None:
    frames = made(3)
    effects = frames.effects[frames.effects["scenario"] != "case_2"]
    table = views.effects_of(with_tables(frames, effects=effects), MAIN)
    assert list(table.index) == ["case_1", "case_2"] and np.isnan(table.loc["case_2", "difference"])
    assert isinstance(table, pd.DataFrame) and table["draws"].dtype == float


def test_figures_name_the_calls_that_draws_are_fitted_to() -> None:
    frames = made(2)
    assert "calls of 2016 to 2017; not calibrated;" in views.source_line(frames)
    fitted = replace(frames, manifest={**frames.manifest, "draws_from": "posterior", "fitted_calls": [2011, 2014]})
    assert "draws fitted to the calls of 2011-2014;" in views.source_line(fitted)
    assert small().manifest["fitted_calls"] == [2013, 2014, 2015]


def test_what_differs_in_no_world_is_a_group_of_its_own() -> None:
    """It is never said of it that the draws do not agree."""
    frames = made(3)
    of_one = frames.effects.scenario == "case_1"
    frames.effects.loc[of_one, ["difference", "difference_low", "difference_high"]] = 0.0
    titles = {group.verdict: [answer.title for answer in group.answers] for group in answers_by_verdict(frames)}
    assert titles["same"] == [views.title(frames, "case_1")]
    assert sum(map(len, titles.values())) == 2


def test_a_scenario_that_is_better_in_one_draw_of_ten_is_worse_in_words_too() -> None:
    """1 - 0.9 is a little less than 0.1: sentence, heading and mark follow one rule."""
    frames = made(2)
    row = (frames.effects.scenario == "case_1") & (frames.effects.measure == MAIN)
    frames.effects.loc[row, ["p_better", "difference", "difference_low", "difference_high"]] = 0.1, -4.0, -9.0, 1.0
    assert views.verdicts(frames) == {"case_1": "worse"}
    (answer,) = answers(replace(frames, reasons=frames.reasons.iloc[:0]))
    assert "do not agree" not in answer["sentence"]
