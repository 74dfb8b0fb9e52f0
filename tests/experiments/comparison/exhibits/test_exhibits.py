"""Each exhibit of a comparison: the figure draws the numbers of the frames, its words and its tables hold the same."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.comparison import views
from experiments.comparison.exhibits import (
    answer,
    countries,
    differences,
    funnel,
    groups,
    hangs_on,
    levers,
    lost,
    network,
    paths,
    reasons,
    spending,
    split,
    variance,
    workings,
)
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Table
from experiments.runs.measures import MAIN, all_measures
from simulator.instruments.calls.tables import CAUSES
from tests.made_up import DRAWS, RUNS, alone, made, with_tables
from tests.studies import small

FRAMES = made(4)
TITLES = {key: views.title(FRAMES, key) for key in FRAMES.scenarios}
RANKED = ("case_2", "case_1", "case_3")  # 16% above, 8% below and 24% below the base


def shown(exhibit: Exhibit[Any], frames: Any = FRAMES) -> tuple[Any, Figure, str, list[Table]]:
    """The data of an exhibit, its figure, its alternative text and its tables."""
    data = exhibit.data(frames)
    figure = exhibit.figure(data)
    assert figure is not None and exhibit.caption is not None
    return data, figure, exhibit.caption(data).alt, list(exhibit.tables(data))


def written(axes: Any) -> list[str]:
    """What is written beside the rows of a panel."""
    return [text.get_text() for text in axes.texts if text.get_text()]


def marks(axes: Any, *markers: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() in markers]


def cell(table: Table, row: str, head: str) -> tuple[str, str]:
    (found,) = (r for r in table.rows if r.head == row)
    place = [*table.heads].index(head)
    return found.cells[place].text, found.cells[place].small


def effect(scenario: str, measure: str = MAIN, basis: str = views.BUDGET, frames: Any = FRAMES) -> Any:
    return views.effects_of(frames, measure, basis).loc[scenario]


# ---------- answer and differences


@pytest.mark.slow
def test_the_answer_draws_writes_and_says_how_net_contracts_change() -> None:
    _, figure, alt, _ = shown(answer.EXHIBIT)
    for axes, basis in zip(figure.axes, (views.BUDGET, views.SPENDING), strict=True):
        part = alt[alt.index(f"At {basis}:") :]
        for y, scenario in enumerate(RANKED):
            row = effect(scenario, basis=basis)
            mean, better = words.percent(row["relative"]), words.share(row["p_better"])
            (mark,) = (line for line in marks(axes, "^", "v", "o") if line.get_ydata()[0] == y)
            assert mark.get_xdata()[0] == row["relative"]
            assert mark.get_marker() == ("^" if scenario == "case_2" else "v")
            (line,) = (line for line in axes.lines if len(line.get_xdata()) == 2 and list(line.get_ydata()) == [y, y])
            assert list(line.get_xdata()) == [row["relative_low"], row["relative_high"]]
            interval = words.between(row["relative_low"], row["relative_high"])
            assert f"{TITLES[scenario]} {mean} ({interval}), better in {better} of draws" in part
            beside = [text for text in axes.texts if text.xycoords != "axes fraction" and text.xy == (1, y)]
            assert [text.get_text() for text in beside] == [mean, better]


def test_halved_effects_at_equal_spending_are_drawn_at_half() -> None:
    """Made-up effects at equal spending are half of those at equal budget: panels must not be swapped."""
    _, figure, _, _ = shown(answer.EXHIBIT)
    first, second = (marks(axes, "^")[0].get_xdata()[0] for axes in figure.axes)
    assert second == pytest.approx(first / 2) and first > 0.1


def test_differences_hold_every_measure_with_its_change() -> None:
    for basis, table in zip((views.BUDGET, views.SPENDING), differences.tables(differences.data(FRAMES)), strict=True):
        assert table.caption.startswith(f"At {basis}:") and table.rows[0].base
        assert [row.head for row in table.rows] == [f"{TITLES['base']} (base)", *(TITLES[key] for key in RANKED)]
        for column in differences.COLUMNS[1:]:
            row = effect("case_1", column.measure, basis)
            assert cell(table, TITLES["case_1"], column.head) == (
                column.form(row["value"]), words.percent(row["relative"])
            )  # fmt: skip
        assert cell(table, TITLES["case_2"], "Better in … of draws")[0] == words.share(
            effect("case_2", basis=basis)["p_better"]
        )


def test_columns_are_measures_that_are_counted() -> None:
    columns = (*differences.COLUMNS, *workings.COLUMNS, *split.COLUMNS, *funnel.COLUMNS)
    assert {column.measure for column in columns} <= set(all_measures())
    assert {stage.measure for stage in funnel.STAGES} <= {column.measure for column in funnel.COLUMNS}
    assert all(all_measures()[stage.measure].better == 1 for stage in funnel.STAGES)  # up is better, down is worse
    assert all(column.head and column.form(1.0) for column in columns)


def test_the_programme_s_workings_stand_in_their_units() -> None:
    (table,) = workings.tables(workings.data(FRAMES))
    waiting = effect("case_2", "waiting_months_mean")["value"]
    assert cell(table, TITLES["case_2"], "Wait from close to start")[0] == f"{waiting:.1f} months"
    assert cell(table, TITLES["case_2"], "Paid out")[0] == words.eur(effect("case_2", "spent_eur")["value"])


# ---------- split and funnel


@pytest.mark.slow
def test_split_stacks_what_is_additional_and_sets_apart_what_is_displaced() -> None:
    _, figure, alt, tables = shown(split.EXHIBIT)
    (axes,) = figure.axes
    rows = ("base", *RANKED)
    bars = {part.measure: axes.containers[place] for place, part in enumerate(split.PARTS)}
    net = marks(axes, "D")[0].get_xdata()
    for y, scenario in enumerate(rows):
        value = {name: views.base_value(FRAMES, name) for name in (*bars, MAIN)}
        if scenario != "base":
            value = {name: effect(scenario, name)["value"] for name in value}
        for name, container in bars.items():
            sign = -1 if name == "contracts_displaced" else 1
            assert container[y].get_width() == pytest.approx(sign * value[name])
            label = f"{TITLES[scenario]} (base)" if scenario == "base" else TITLES[scenario]
            head = name.removeprefix("contracts_").capitalize()
            assert cell(tables[0], label, head)[0] == words.count(value[name])
        assert net[y] == pytest.approx(value["contracts_additional"] - value["contracts_displaced"])
        assert f"{TITLES[scenario]} {words.count(value[MAIN])}" in alt
    accelerated, deadweight = (bars[f"contracts_{name}"][0] for name in ("accelerated", "deadweight"))
    assert accelerated.get_x() == pytest.approx(bars["contracts_additional"][0].get_width())
    assert deadweight.get_x() == pytest.approx(accelerated.get_x() + accelerated.get_width())


def test_months_by_which_contracts_come_earlier_are_a_mean_over_those_that_do() -> None:
    table = split.tables(split.data(FRAMES))[0]
    moved, forward = (effect("case_2", f"contracts_{name}")["value"] for name in ("accelerated", "months_forward"))
    assert cell(table, TITLES["case_2"], table.heads[-1])[0] == words.count(forward / moved)


@pytest.mark.slow
def test_the_funnel_shows_and_says_the_change_at_every_stage() -> None:
    _, figure, alt, (table,) = shown(funnel.EXHIBIT)
    for axes, stage in zip(figure.axes, funnel.STAGES, strict=True):
        base = words.count(views.base_value(FRAMES, stage.measure))
        assert f"base: {base}" in axes.get_title() and f"{stage.in_words} {base}" in alt
        changes = [words.percent(effect(scenario, stage.measure)["relative"]) for scenario in RANKED]
        assert written(axes) == changes
        (column,) = (column for column in funnel.COLUMNS if column.measure == stage.measure)
        assert [cell(table, TITLES[key], column.head)[1] for key in RANKED] == changes
    for scenario in RANKED:
        row = (words.percent(effect(scenario, stage.measure)["relative"]) for stage in funnel.STAGES)
        assert f"{TITLES[scenario]} {', '.join(row)}" in alt


@pytest.mark.slow
def test_a_funnel_of_a_base_without_contracts_shows_numbers() -> None:
    frames = made(3, base_contracts=0.0)
    _, figure, alt, _ = shown(funnel.EXHIBIT, frames)
    value = words.count(effect("case_2", "contracts", frames=frames)["value"])
    assert value in written(figure.axes[-1]) and "Numbers at these stages" in alt and value in alt


# ---------- countries, groups, lost


def per_run(table: pd.DataFrame, scenario: str, column: str, **where: str) -> float:
    rows = table[(table[list(where)] == pd.Series(where)).all(axis=1) & (table["scenario"] == scenario)]
    return float(rows[column].sum() / (DRAWS * RUNS))


@pytest.mark.slow
def test_countries_draw_say_and_list_what_each_pays_and_gets() -> None:
    data, figure, alt, tables = shown(countries.EXHIBIT)
    rows = FRAMES.by_country
    for place, scenario in enumerate(data.drawn):
        paid, net = figure.axes[2 * place : 2 * place + 2]
        table = next(table for table in tables if table.caption == TITLES[scenario])
        for y, code in enumerate(data.codes[:-1]):
            for key, marker in (("base", "o"), (scenario, "D")):
                pays = per_run(rows, key, "outlay_eur", country=code) + per_run(rows, key, "admin_eur", country=code)
                more, less = (per_run(rows, key, f"contracts_{n}", country=code) for n in ("additional", "displaced"))
                assert marks(paid, marker)[0].get_xdata()[y] == pytest.approx(pays / 1e6)
                assert marks(net, marker)[0].get_xdata()[y] == pytest.approx(more - less)
                if key == "base":
                    assert f"{words.country(code)} pays {words.eur(pays)} for {words.count(more - less)} net" in alt
                else:
                    assert cell(table, words.country(code), table.heads[0])[0] == words.eur(pays)
    assert data.codes[-1] == countries.ELSEWHERE and set(data.codes[:-1]) == {"DK", "SE", "NO", "LT"}


@pytest.mark.slow
def test_countries_say_where_a_scenario_changes_most() -> None:
    data, _, alt, _ = shown(countries.EXHIBIT)
    for scenario in data.drawn:
        change = data.table.loc[scenario, "net"] - data.table.loc["base", "net"]
        largest = max(change.index, key=lambda code: abs(change[code]))
        assert f"{TITLES[scenario]} {words.signed(change[largest])} in " in alt


def test_groups_hold_contracts_of_every_sector_and_size() -> None:
    (table,) = groups.tables(groups.data(FRAMES))
    assert [row.head for row in table.rows] == ["Energy", "Food", "Micro firms", "Small firms"]
    value, base = (per_run(FRAMES.by_group, key, "contracts", kind="size", group="small") for key in ("case_1", "base"))
    expected = words.count(value), words.percent(value / base - 1)
    assert cell(table, "Small firms", TITLES["case_1"]) == expected


@pytest.mark.slow
def test_lost_bars_words_and_tables_hold_the_same_applications() -> None:
    data, figure, alt, (table,) = shown(lost.EXHIBIT)
    top, bottom = figure.axes
    for y, scenario in enumerate(("base", *RANKED)):
        total = 0.0
        for place, cause in enumerate(lost.CAUSES):
            value = per_run(FRAMES.lost, scenario, "applications", cause=cause.name)
            assert top.containers[place][y].get_width() == pytest.approx(value)
            label = f"{TITLES[scenario]} (base)" if scenario == "base" else TITLES[scenario]
            assert cell(table, label, f"Applications refused: {cause.meaning}")[0] == words.count(value)
            total += value
        assert f"{TITLES[scenario]} {words.count(total)}" in alt
    funders = [label.get_text() for label in bottom.get_yticklabels()]
    ends = [sum(part[y].get_width() for part in bottom.containers) for y in range(len(funders))]
    assert ends == sorted(ends, reverse=True)
    for name, value in zip(funders, ends, strict=True):
        assert f"{name} {words.count(value)}" in alt
    short = per_run(FRAMES.short, "case_1", "short_eur")
    assert cell(table, TITLES["case_1"], "Money they were short of")[0] == words.eur(short)
    by_funder = {t.caption: t for t in lost.BY_FUNDER.tables(data)}
    value = per_run(FRAMES.lost, "case_2", "applications", funder="SE", cause="purse_empty")
    assert cell(by_funder[TITLES["case_2"]], "Sweden", "National purse empty")[0] == words.count(value)


@pytest.mark.slow
def test_the_sentence_on_lost_applications_names_the_largest_cause_and_the_shortest_funder() -> None:
    causes = {cause: per_run(FRAMES.lost, "base", "applications", cause=cause.name) for cause in lost.CAUSES}
    short = {code: per_run(FRAMES.short, "base", "short_eur", funder=code) for code in ("DK", "SE", "NO", "LT")}
    first, poorest = max(causes, key=causes.__getitem__), max(short, key=short.__getitem__)
    sentence = lost.sentence(lost.data(FRAMES))
    assert f"{words.count(sum(causes.values()))} good applications" in sentence and f"“{first.meaning}”" in sentence
    assert f"the funder of {words.country(poorest)} is shortest of money ({words.eur(short[poorest])})" in sentence
    nothing = with_tables(FRAMES, lost=FRAMES.lost.assign(applications=0.0))
    assert lost.sentence(lost.data(nothing)) == "In the base no good application is refused."
    assert lost.EXHIBIT.figure(lost.data(nothing)) is None


def test_every_cause_of_the_simulator_has_a_meaning() -> None:
    assert [cause.name for cause in lost.CAUSES] == [cause for cause in CAUSES if cause != "none"]


# ---------- network and paths


def test_the_network_draws_wider_what_is_linked_more_and_says_the_strongest() -> None:
    links = FRAMES.network.copy()
    links.loc[(links["country"] == "DK") & (links["other"] == "SE"), "links"] *= 4
    _, figure, alt, _ = shown(network.EXHIBIT, with_tables(FRAMES, network=links))
    base = links[links["scenario"] == "base"]
    widths = sorted(line.get_linewidth() for line in figure.axes[0].lines)
    assert len(widths) == len(base) and widths[-1] == pytest.approx(4 * widths[0])
    total = words.count(base["links"].sum())
    assert f"{total} pairs of partners" in figure.axes[0].get_title(loc="left") and f"{TITLES['base']} {total}" in alt
    assert alt.index("Denmark with Sweden 20") < alt.index("Denmark with Norway 5")
    assert {text.get_text() for text in figure.axes[0].texts} == {"DK", "SE", "NO", "LT", "DE", "PL"}


def test_a_comparison_without_projects_has_no_network() -> None:
    assert network.data(with_tables(FRAMES, network=FRAMES.network.iloc[:0])) is None
    assert network.data(with_tables(FRAMES, network=FRAMES.network.assign(links=0.0))) is None


@pytest.mark.slow
def test_paths_end_where_the_words_say() -> None:
    data, figure, alt, _ = shown(paths.EXHIBIT)
    panels = np.array(figure.axes).reshape(2, len(data.drawn))
    for place, scenario in enumerate(data.drawn):
        table = views.bands(FRAMES, scenario, "contracts", cumulative=True)
        last = table.iloc[-1]
        line = panels[1, place].lines[-1]
        assert line.get_ydata()[-1] == last["mean"] and line.get_xdata()[0] == 2016
        interval = words.between(last["low"], last["high"], words.count)
        assert f"{TITLES[scenario]} {words.count(last['mean'])} ({interval})" in alt
        spent = views.bands(FRAMES, scenario, "spent_eur", cumulative=False)["mean"]
        assert max(panels[0, place].lines[-1].get_ydata()) == pytest.approx(spent.max() / 1e3)
        assert f"{TITLES[scenario]} {words.eur(spent.max())} in {2013 + spent.idxmax() // 12}" in alt


@pytest.mark.slow
def test_contracts_at_the_end_of_the_paths_are_those_that_are_counted() -> None:
    """Of a real comparison: gross contracts month by month come to gross contracts by country."""
    data = paths.data(small())
    assert data is not None
    for scenario in small().scenarios:
        total = views.mean_per_run(small(), "by_country", ["country"], ["contracts"]).loc[scenario].sum().item()
        assert data.bands["contracts", scenario]["mean"].iloc[-1] == pytest.approx(total)


# ---------- reasons and what it hangs on


def dots(figure: Figure) -> dict[tuple[str, str], tuple[float, bool]]:
    """Area and whether filled, by label of row and column."""
    (axes,) = figure.axes
    rows = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    columns = [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()]
    spots = {}
    for part in axes.collections:
        (x, y) = part.get_offsets()[0]
        filled = tuple(part.get_facecolor()[0][:3]) != (1.0, 1.0, 1.0)
        spots[rows[int(y)], columns[int(x)]] = float(part.get_sizes()[0]), filled
    return spots


def test_reasons_draw_filled_what_carries_an_effect_and_hollow_what_works_against_it() -> None:
    changed = FRAMES.reasons.copy()
    changed.loc[changed["mechanism"] == "fatigue", "contribution"] = -0.05
    doubtful = changed.assign(mechanism="doubt", label="what doubt does", standard_error=0.06)
    frames = with_tables(FRAMES, reasons=pd.concat([changed, doubtful[doubtful["contribution"] > 0]]))
    _, figure, alt, tables = shown(reasons.EXHIBIT, frames)
    spots = dots(figure)
    assert spots["What waiting does", TITLES["case_1"]] == (209.0, True)
    assert spots["What fatigue does", TITLES["case_1"]] == (109.0, False)
    assert not any("doubt" in row for row, _ in spots)
    for scenario in RANKED:
        assert f"{TITLES[scenario]}: what waiting does (+10 points)" in alt
    (table,) = (table for table in tables if table.caption == TITLES["case_1"])
    assert cell(table, "What fatigue does", table.heads[2]) == ("−5.0 points", "± 2.0 points")
    assert cell(table, "What waiting does", table.heads[0])[0] == "+20%"


def test_parameters_are_drawn_by_sign_and_size_of_their_correlation() -> None:
    up = FRAMES.hangs_on.assign(parameter="trust", label="Trust", correlation=0.35, evidence="survey")
    _, figure, alt, (table,) = shown(hangs_on.EXHIBIT, with_tables(FRAMES, hangs_on=pd.concat([FRAMES.hangs_on, up])))
    spots = dots(figure)
    assert spots["Overhead (assumed)", TITLES["case_2"]] == (9 + 200 * 0.7, False)
    assert spots["Trust (guessed from the survey)", TITLES["case_2"]] == (9 + 200 * 0.35, True)
    assert f"{TITLES['case_2']}: Overhead (−0.70)" in alt
    texts = [[cell.text for cell in row.cells] for row in table.rows[:2]]
    assert texts == [
        ["Overhead", "−0.70", "effect is lower where it is higher", "assumed"],
        ["Trust", "+0.35", "effect is higher where it is higher", "guessed from the survey"],
    ]


# ---------- tables alone


def test_levers_say_what_is_changed_and_how_well_that_is_known() -> None:
    about = {key: dict(value) for key, value in FRAMES.about.items()}
    again = {**about["case_1"]["changes"][0], "call": 2018, "value": 15.0, "ends": True, "funder": "DK"}
    about["case_1"]["changes"] = [*about["case_1"]["changes"], again]
    (table,) = levers.tables(levers.data(replace(FRAMES, about=about)))
    first, second = (row for row in table.rows if row.head == TITLES["case_1"])
    assert [cell.text for cell in first.cells][:3] == ["Project length", "15 months → 13.8 months", "assumed"]
    assert first.cells[0].small == "from 2016" and first.span == 2 and second.span == 0
    assert [cell.text for cell in second.cells][:2] == ["Project length (Denmark)", "as in the base again"]


def test_spending_and_variance_hold_what_was_computed() -> None:
    (table,) = spending.tables(spending.data(FRAMES))  # type: ignore[arg-type]
    assert [cell.text for cell in table.rows[0].cells] == [
        "75%", "× 1.10", "8", "In 25% of draws spending could not be matched."
    ]  # fmt: skip
    without = with_tables(FRAMES, spending=FRAMES.spending[FRAMES.spending["scenario"] != "case_2"])
    (table,) = spending.tables(spending.data(without))  # type: ignore[arg-type]
    assert table.rows[0].cells[3].text == "Spends nothing, so nothing to match."
    (table,) = variance.tables(variance.data(FRAMES))  # type: ignore[arg-type]
    assert {row.head: row.cells[0].text for row in table.rows} == {
        TITLES["case_1"]: "9.0 times".replace(".0", ""), TITLES["case_2"]: "no noise left",
        TITLES["case_3"]: "no noise left",
    }  # fmt: skip


@pytest.mark.slow
def test_a_single_scenario_shows_what_it_has_without_a_base() -> None:
    frames = alone()
    assert answer.data(frames) is None and reasons.data(frames) is None and variance.data(frames) is None
    assert levers.tables(levers.data(frames)) == []
    for exhibit in (split.EXHIBIT, countries.EXHIBIT, lost.EXHIBIT, network.EXHIBIT, paths.EXHIBIT):
        _, _, alt, tables = shown(exhibit, frames)
        assert TITLES["base"] in alt or "In the base" in alt
        assert "(base)" not in " ".join(row.head for table in tables for row in table.rows)
