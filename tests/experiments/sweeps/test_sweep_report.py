"""From an experiment to its page: known indices come out at the end, luck and failures are told as they are."""

import re
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from experiments.exhibits.style import NARROW, WIDTH
from experiments.sweeps import sweep
from experiments.sweeps.convergence import above_nothing
from experiments.sweeps.exhibits import (
    answer,
    boxes,
    courses,
    interactions,
    ranking,
    regret,
    screening,
    settling,
    shifts,
)
from experiments.sweeps.exhibits.looks import form_of
from experiments.sweeps.findings import findings
from experiments.sweeps.indices import LABELS, MAIN_INDEX
from experiments.sweeps.report import EXHIBITS, write_report
from tests import analytic

pytestmark = pytest.mark.slow  # reports take seconds

FACTORS = {name: {"low": 0.0, "high": 1.0} for name in ("x1", "x2", "x3", "x4")}


def asked(method, contrasts=(("base", "option"),), runs=2, factors=FACTORS, **settings):
    return {
        "title": "A known function",
        "question": "Does it come out?",
        "contrast": [{"base": base, "option": option, "name": f"{option} less {base}"} for base, option in contrasts],
        "vary": factors,
        "method": {"name": method, **settings},
        "measures": ["y"],
        "runs": runs,
    }


def text_of(path):
    page = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", path.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return sweep(asked("sobol", n=256), tmp_path_factory.mktemp("known"), evaluate=analytic.noisy_ishigami)


def test_the_indices_of_a_difference_come_out_of_the_whole_machinery(known):
    """Luck of the two arms (sd 20) is shared and leaves no trace; luck of the option (sd 3) is taken out."""
    found = findings(known).each[0]
    total, first = found.rows("ST")["value"], found.rows("S1")["value"]
    assert np.abs(total - analytic.ISHIGAMI_TOTAL).max() < 0.12
    assert np.abs(first - analytic.ISHIGAMI_FIRST).max() < 0.12
    true = 9.0 / (9.0 + analytic.ISHIGAMI_VARIANCE)
    assert found.luck.share == pytest.approx(true, abs=0.05)
    assert found.saving == pytest.approx((400 + 400 + 9) / 9, rel=0.1)
    naive = found.indices[(found.indices["index"] == "ST") & (found.indices["luck"] == "in")].set_index("factor")[
        "value"
    ]
    assert naive[3] < 0.05  # a block shares its luck, so even means lose it here; tests of indices have the other case


@pytest.fixture(scope="module")
def page(known):
    return write_report(known)


def test_the_page_answers_first_and_says_what_is_luck(page):
    text = text_of(page)
    order = [text.index(part) for part in ("The answer", "most goes with", "How far this can be trusted", "mere luck",
                                           "What it hangs on", "Runs that failed", "To repeat it")]  # fmt: skip
    assert order == sorted(order)
    assert "No run failed, of 5,120 finished." in text
    assert "x1 (5" in text and "Not told apart from doing nothing: x4." in text
    assert len([*(page.parent / "figures").glob("*.svg")]) == 4
    assert not re.search(r'(src|href)="http', page.read_text()) and "nan" not in text.lower().split()
    table = pd.read_parquet(page.parent / "indices.parquet")
    assert set(table["index"]) == {"S1", "ST", "S2"} and set(table["factor"]) == set(FACTORS)


def test_the_same_sweep_gives_the_same_page(known, page, tmp_path):
    assert write_report(known, tmp_path).read_bytes() == page.read_bytes()


def nothing(case, values, seed):
    return {"y": float(np.random.default_rng(seed).normal())}


def luck_alone(case, values, seed):
    return {"y": float(np.random.default_rng((seed, len(case))).normal())}


def test_a_contrast_of_nothing_has_no_effect_and_no_share_of_luck(tmp_path):
    found = sweep(asked("sobol", n=32), tmp_path, evaluate=nothing)
    each = findings(found).each[0]
    assert tuple(each.effect.mean) == (0.0, 0.0, 0.0) and each.effect.better == 0.0
    assert np.isnan(each.luck.share) and each.why_not
    text = text_of(write_report(found))
    assert "Nothing varies here" in text and "most goes with" not in text


def test_a_contrast_of_luck_is_told_as_luck(tmp_path):
    found = sweep(asked("sobol", n=64), tmp_path, evaluate=luck_alone)
    each = findings(found).each[0]
    assert each.effect.mean.low < 0.0 < each.effect.mean.high
    assert each.luck.share > 0.8 and not each.luck.beyond_luck
    assert "what the factors do is not told apart from luck" in text_of(write_report(found))


def fails_in_a_corner(case, values, seed):
    if case == "option" and values["x1"] > 0.7 and values["x2"] < 0.5:
        raise ArithmeticError("table overflow")
    return {"y": values["x1"] + 0.1 * float(np.random.default_rng(seed).normal())}


def test_failures_are_counted_and_it_is_said_where_they_lie(tmp_path):
    found = sweep(asked("pawn", n=256), tmp_path, evaluate=fails_in_a_corner)
    told = findings(found)
    assert told.failures.count == 2 * int(((found.unit[:, 0] > 0.7) & (found.unit[:, 1] < 0.5)).sum())
    box = told.failures.boxes.discovery.boxes[0]
    assert set(box.bounds) == {0, 1} and box.density > 0.9
    text = text_of(write_report(found))
    assert "table overflow" in text and re.search(r"Where x1 is above 0\.(69|7)", text)
    assert "blocks are left out of these numbers" in text


def rules(case, values, seed):
    luck = float(np.random.default_rng(seed).normal(0.0, 0.05))
    better = values["x1"] > 0.6 and values["x2"] > 0.4
    return {"y": {"base": 1.0, "second": 1.5 if better else 0.2, "third": 0.5}[case] + luck}


def test_where_the_ranking_of_options_turns_round_is_found(tmp_path):
    contrasts = (("base", "second"), ("base", "third"))
    found = sweep(asked("discovery", contrasts, n=512), tmp_path, evaluate=rules)
    told = findings(found)
    turning = told.turning[0]
    assert turning.favourite == "base"
    assert turning.boxes.discovery.boxes[0].bounds == {
        0: pytest.approx((0.6, 1.0), abs=0.02), 1: pytest.approx((0.4, 1.0), abs=0.02),
    }  # fmt: skip
    assert turning.table.set_index("option").loc["third less base", "best_in"] == 0.0
    assert turning.table.set_index("option").loc["base", "max_regret"] == pytest.approx(0.5, abs=0.05)
    text = text_of(write_report(found))
    order = [text.index(part) for part in ("base is regretted least", "Another option is better than base in",
                                           "second less base:", "third less base:", "How far this can be trusted",
                                           "what is lost by it against", "Over these ranges")]  # fmt: skip
    assert order == sorted(order) and "coverage" in text


def alike(case, values, seed):
    luck = np.random.default_rng((seed, len(case))).normal(0.0, 1.0)
    return {"y": (0.0 if case == "base" else 3.0) + float(luck)}


def test_options_that_luck_alone_tells_apart_are_not_told_apart(tmp_path):
    contrasts = (("base", "second"), ("base", "third one"))
    found = sweep(asked("discovery", contrasts, n=128), tmp_path, evaluate=alike)
    text = text_of(write_report(found))
    assert re.search(r"Y: (second less base and third one|third one less base and second) less base are not told", text)
    assert "regretted least:" not in text and "about 0" in text
    assert re.search(r"In which worlds another option is better than \S+( one)? less base is not told apart from", text)
    assert "how far points differ from one another is not told apart from luck" in text
    assert "better than the base" not in text and "luck alone makes no regret" not in text


def test_shares_of_worlds_hold_luck_with_one_run_and_say_so(tmp_path):
    contrasts = (("base", "second"), ("base", "third"))
    found = sweep(asked("discovery", contrasts, n=128, runs=1), tmp_path, evaluate=rules)
    text = text_of(write_report(found))
    assert "(with the luck of their one run)" in text and "the luck of their one run included" in text
    assert "in one world in twenty its regret is above" in text and "worst twentieth" not in text


def slightly(case, values, seed):
    rng = np.random.default_rng(seed)
    return {"y": (0.3 * values["x1"] if case == "option" else 0.0) + float(rng.normal(0.0, len(case)))}


@pytest.mark.parametrize(("method", "n"), [("morris", 4), ("morris", 12), ("dgsm", 4), ("dgsm", 12)])
def test_sentences_on_few_blocks_do_not_contradict_one_another(method, n, tmp_path):
    found = sweep(asked(method, n=n), tmp_path, evaluate=slightly)
    text = text_of(write_report(found))
    assert "nothing varies beyond luck" not in text and "100% to 100%" not in text
    if n < 6:
        assert "is luck cannot be told from so few blocks" in text and "cannot be told from so few blocks." in text
        assert "better than the base" not in text
    else:
        assert "is mere luck" in text


def test_the_method_of_several_indices_is_a_plural(page):
    assert "indices tell which share" in text_of(page)


def slope(case, values, seed):
    x = values["x1"] + 0.7 * values["x2"]
    return {"y": (x if case == "option" else 0.0) + 0.1 * float(np.random.default_rng(seed).normal())}


@pytest.mark.parametrize("method", [{"method": "morris", "n": 8}, {"method": "tornado", "n": 4},
                                    {"method": "dgsm", "n": 32}, {"method": "pawn", "n": 128},
                                    {"method": "rbd_fast", "n": 256}])  # fmt: skip
def test_every_method_has_its_page(method, tmp_path):
    found = sweep(asked(**method), tmp_path, evaluate=slope)
    text = text_of(write_report(found))
    first, second = (text.index(f"{name} (") for name in ("x1", "x2"))
    assert first < second < text.index("How far this can be trusted") < text.index(found.method.kind.title + " tell")


@pytest.mark.parametrize(
    ("n", "method", "runs", "few"),
    [(5, "morris", 2, True), (6, "morris", 2, False), (2, "tornado", 2, True), (2, "tornado", 3, False)],
)
def test_intervals_of_few_blocks_are_said_to_be_too_narrow(n, method, runs, few, tmp_path):
    """Around the centre every run is a trial of its own, so there few runs of few blocks will do."""
    found = sweep(asked(method, n=n, runs=runs), tmp_path, evaluate=slope)
    assert ("are too narrow" in text_of(write_report(found))) == few


def test_a_sweep_that_is_not_finished_says_so(known, tmp_path):
    part = sweep(asked("sobol", n=16), tmp_path, evaluate=analytic.noisy_ishigami)
    lost, cut_short = sorted((part.folder / "parts").glob("*.parquet"))[:2]
    lost.unlink()
    cut_short.write_bytes(cut_short.read_bytes()[:-99])
    again = partial(sweep, part.folder, evaluate=analytic.noisy_ishigami)
    from experiments.sweeps import load

    page = text_of(write_report(load(part.folder, analytic.noisy_ishigami)))
    assert "This sweep is not finished" in page
    assert f"Damaged, to be done again by --resume: {cut_short.name}." in " ".join(page.split())
    assert "This sweep is not finished" not in text_of(write_report(again(tmp_path)))


# Figures, at the width of a page and at that of a phone

LONG = {f"a_factor_with_a_name_that_goes_on_and_on_{place}": {"low": 0.0, "high": 1.0} for place in range(20)}
METHODS = {
    "sobol": {"n": 16}, "morris": {"n": 6}, "tornado": {"n": 4}, "dgsm": {"n": 16}, "pawn": {"n": 64},
    "discovery": {"n": 128},
}  # fmt: skip


def first_two(case, values, seed):
    """The first factor works, the second more where the first is high; all others do nothing."""
    first, second = list(values.values())[:2]
    y = 900.0 * first * (0.3 + second) + 5.0 * float(np.random.default_rng((seed, len(case))).normal())
    return {"y": y if case == "option" else 0.0}


@pytest.fixture(scope="module")
def of_method(tmp_path_factory):
    """The finding of a method, each made once."""
    folder = tmp_path_factory.mktemp("methods")

    @cache
    def found(method):
        return findings(sweep(asked(method, factors=LONG, **METHODS[method]), folder, evaluate=first_two)).each[0]

    return found


def drawn(finding, width):
    figures = {exhibit.name: exhibit.figure(finding, width) for exhibit in EXHIBITS if exhibit.data(finding)}
    if finding.boxes is not None and boxes.data(finding.boxes):
        figures["boxes"] = boxes.EXHIBIT.figure(finding.boxes, width)
    return {name: figure for name, figure in figures.items() if figure is not None}


@pytest.mark.parametrize("width", [WIDTH, NARROW])
@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_a_figure_is_cut_off_and_all_can_be_read_on_a_phone(of_method, method, width):
    """A phone shows a narrow figure on 364 pixels, of which 8 points are 11 pixels."""
    for name, figure in drawn(of_method(method), width).items():
        renderer = FigureCanvasAgg(figure).get_renderer()
        whole = figure.get_tightbbox(renderer)
        assert whole.x0 > -0.02 and whole.y0 > -0.02, name
        assert whole.x1 < width + 0.02 and whole.y1 < figure.get_figheight() + 0.02, name
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) >= 8
        for text in (text for axes in figure.axes for text in axes.texts):
            assert text.get_window_extent(renderer).x1 < figure.bbox.x1 + 1, (name, text.get_text())


def test_every_figure_of_a_page_has_a_form_for_phones(page):
    text = page.read_text(encoding="utf-8")
    figures = re.findall(r"<figure>.*?</figure>", text, flags=re.S)
    assert len(figures) == len([*(page.parent / "figures").glob("*.svg")])
    for figure in figures:
        wide, narrow = (float(found) for found in re.findall(r'viewBox="0 0 ([\d.]+)', figure))
        assert (wide, narrow) == pytest.approx((72 * WIDTH, 72 * NARROW)) and "swipe" not in figure
        assert figure.index('class="box wide"') < figure.index('class="box narrow"')
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) and set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def is_white(colour):
    return to_rgb(colour) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("method", ["sobol", "morris", "tornado", "dgsm"])
def test_factors_that_are_not_told_apart_look_hollow(of_method, method):
    finding = of_method(method)
    axes = drawn(finding, WIDTH)["ranking"].axes[0]
    clear = above_nothing(finding.main, finding.indices)
    assert 0 in clear and 0 < len(clear) < 16
    if method in ("sobol", "tornado"):  # the first of the two bars of each factor
        hollow = [is_white(bar.get_facecolor()) for bar in axes.patches[:16]]
    else:
        hollow = [is_white(dot.get_markerfacecolor()) for dot in axes.lines if dot.get_marker() == "o"]
    assert sum(hollow) == 16 - len(clear) and not hollow[0]
    if method == "morris":
        dots = [dot for dot in drawn(finding, WIDTH)["screening"].axes[0].lines if dot.get_marker() == "o"]
        assert [not is_white(dot.get_markerfacecolor()) for dot in dots] == [place in clear for place in range(20)]


def test_the_tornado_shows_the_ends_and_the_swing_that_the_answer_tells(of_method):
    finding = of_method("tornado")
    shown = [text.get_text() for text in drawn(finding, WIDTH)["ranking"].axes[0].texts]
    first = int(finding.main["factor"].iloc[0])
    told = [form_of("swing")(finding.rows(index)["value"][first]) for index in ("low", "high", "swing")]
    assert set(told) <= set(shown) and {"ends", "swing"} <= set(shown)
    assert f"the swing) comes from {finding.factors[first].label} ({told[-1]}," in answer.hangs_on(finding)


def test_bounds_of_shares_are_not_below_zero_and_intervals_are_promised_where_there_are_any(of_method):
    finding = of_method("dgsm")
    found = finding.indices
    finding = replace(finding, indices=found.assign(value=found["value"] - 0.1, low=found["low"] - 0.1))
    assert form_of("bound")(-0.08) == "0%" and finding.main["value"].min() == pytest.approx(-0.1)
    figure = drawn(finding, WIDTH)["ranking"]
    assert min(float(np.min(line.get_xdata())) for line in figure.axes[0].lines) >= 0.0
    assert "90% interval" in [text.get_text() for text in figure.legends[0].get_texts()]
    without = replace(finding, indices=found.assign(low=np.nan, high=np.nan))
    promised = [text.get_text() for text in drawn(without, WIDTH)["ranking"].legends[0].get_texts()]
    assert "90% interval" not in promised and "no 90% intervals: too few blocks" in promised


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_the_axis_of_a_contrast_says_from_what_it_differs(of_method, width):
    found = drawn(of_method("pawn"), width)
    assert found["courses"].axes[0].get_ylabel() == "difference from base in y"
    assert found["shifts"].axes[-1].get_xlabel() == "difference from base in y"
    label = drawn(of_method("tornado"), width)["ranking"].axes[0].get_xlabel()
    assert "difference from base in y" in label.replace("\n", " ")
    alone = courses.EXHIBIT.figure(replace(of_method("pawn"), base=""), width)
    assert alone.axes[0].get_ylabel() == "y"


# What a figure shows is said in its words and stands in its tables


def words_and_panels(exhibit, finding):
    """The alternative text of an exhibit, and its figure's panels."""
    return exhibit.caption(finding).alt, exhibit.figure(finding).axes


@pytest.mark.parametrize("method", ["sobol", "morris", "tornado", "dgsm", "pawn"])
def test_the_ranking_writes_says_and_lists_the_main_index(of_method, method):
    finding = of_method(method)
    alt, (axes, *_) = words_and_panels(ranking.EXHIBIT, finding)
    index = MAIN_INDEX[method]
    form = form_of(index, finding.unit)
    (table,) = ranking.tables(finding)
    column = table.heads.index(LABELS[index])
    values = finding.rows(index)["value"]
    shown = [text.get_text() for text in axes.texts]
    for row, place in zip(table.rows[:5], finding.order, strict=False):
        assert row.head == finding.factors[place].label
        assert row.cells[column].text == form(values[place]) and form(values[place]) in shown
    first = finding.order[0]
    low, high = (form(finding.rows(index).loc[first, end]) for end in ("low", "high"))
    assert f"{finding.factors[first].label} ({form(values[first])}, {low} to {high})" in alt


def test_pairs_are_drawn_said_and_listed_with_the_same_shares(known):
    finding = findings(known).each[0]
    alt, (axes,) = words_and_panels(interactions.EXHIBIT, finding)
    (table,) = interactions.tables(finding)
    written = " ".join(text.get_text() for text in axes.texts)
    for row in table.rows[:3]:
        share, interval = row.cells[0].text, row.cells[0].small
        assert f"{row.head} ({share}, {interval})" in alt and f"{share} ({interval})" in written.replace("\n", " ")
    assert table.rows[0].head == "x1 with x3" and table.rows[0].cells[0].text != "0%"


def test_morris_plane_says_where_the_strongest_factors_stand(of_method):
    finding = of_method("morris")
    alt, (axes,) = words_and_panels(screening.EXHIBIT, finding)
    form = form_of("mu_star", finding.unit)
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"]
    star, sigma = points[finding.order[0]]
    assert star == finding.rows("mu_star")["value"].max()
    assert f"{finding.factors[finding.order[0]].label}: μ* {form(star)}, σ {form(sigma)}" in alt


@pytest.mark.parametrize("method", ["sobol", "pawn"])
def test_courses_say_from_where_to_where_they_go(of_method, method):
    finding = of_method(method)
    alt, panels = words_and_panels(courses.EXHIBIT, finding)
    form = form_of("mu_star", finding.unit)
    for place, axes in zip(finding.order, panels, strict=False):
        (mean,) = (line for line in axes.lines if line.get_marker() == "o")
        first, last = mean.get_ydata()[[0, -1]]
        assert f"{finding.factors[place].label} {form(first)} to {form(last)}" in alt
    strong = panels[0].lines[0].get_ydata()
    assert finding.order[0] == 0 and strong[-1] > strong[0]  # the first factor drives the outcome up


def test_shifts_say_the_medians_of_the_curves(of_method):
    finding = of_method("pawn")
    alt, (axes, *_) = words_and_panels(shifts.EXHIBIT, finding)
    form = form_of("mu_star", finding.unit)
    medians = [float(np.median(line.get_xdata())) for line in axes.lines[1:]]
    assert f"{finding.factors[finding.order[0]].label} {', '.join(form(m) for m in medians)}" in alt
    assert medians == sorted(medians)


def test_settling_says_how_the_strongest_came_to_stand(of_method):
    finding = of_method("sobol")
    alt, (axes,) = words_and_panels(settling.EXHIBIT, finding)
    form = form_of("ST", finding.unit)
    sizes = [label.get_text() for label in axes.get_xticklabels()]
    values = [f"{form(y)} at {size}" for y, size in zip(axes.lines[0].get_ydata(), sizes, strict=True)]
    assert f"{finding.factors[finding.order[0]].label}, by blocks: {', '.join(values)}." in alt
    assert finding.settled.in_words in axes.figure.texts[0].get_text().replace("\n", " ")


def test_boxes_are_drawn_where_the_words_put_them(tmp_path):
    contrasts = (("base", "second"), ("base", "third"))
    turning = findings(sweep(asked("discovery", contrasts, n=512), tmp_path, evaluate=rules)).turning[0]
    alt, (axes,) = words_and_panels(boxes.EXHIBIT, turning.boxes)
    (box,) = axes.patches
    left, low = box.get_xy()
    assert f"x1 is above {left:.3g} and x2 is above {low:.3g}" in alt
    inside = next(line for line in axes.lines if line.get_marker() == "^")
    points = np.column_stack([inside.get_xdata(), inside.get_ydata()])
    assert np.array_equal(points, turning.boxes.design[turning.boxes.happens][:, :2])
    assert (points > (left, low)).all(axis=1).mean() == pytest.approx(1.0, abs=0.03)
    (table,) = regret.tables(turning)
    best = {row.head: row.cells[-1].text for row in table.rows}
    assert best["third less base"] == "0%" and f"It is best in {best['base']} of" in regret.sentence(turning)
    assert [row.head for row in table.rows] == list(turning.table["option"])
