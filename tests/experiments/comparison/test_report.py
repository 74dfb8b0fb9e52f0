"""The report: one file that needs nothing else, whole for many scenarios and few, with and without each part."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from experiments.comparison import report, views
from experiments.comparison.compare import Comparison
from experiments.comparison.exhibits.figures import STAGES, answer
from experiments.comparison.report import DRAWINGS, content, html, write_report
from experiments.exhibits import style as figure_style
from experiments.exhibits import words
from experiments.runs.measures import all_measures
from simulator.observe import MEASURES, MONTHLY
from simulator.state import OUTCOMES

COUNTRIES = ("DK", "SE", "NO", "LT", "DE", "PL")
FUNDERS = COUNTRIES[:4]
CAUSES = ("below_threshold", "purse_empty", "partner_refused", "common_purse_empty")
DRAWS, RUNS, MONTHS = 12, 2, 144
VOID = {"meta", "br", "hr", "img", "input", "link", "path", "use", "rect", "circle"}


def made(scenarios: int, *, base_contracts: float = 500.0, parts: bool = True) -> Comparison:
    """A comparison with made-up numbers: scenario k has about 8% more or fewer of all things than scenario k - 1."""
    keys = ("base", *(f"case_{k}" for k in range(1, scenarios)))
    level = {key: 1.0 + 0.08 * ((-1) ** k) * k for k, key in enumerate(keys)}
    level["base"] = base_contracts / 500.0
    chance = np.random.default_rng(1)
    effects, shifts = [], {key: chance.normal(0, 0.02, DRAWS) for key in keys[1:]}
    for key in keys[1:]:
        bases = ("equal budget", "equal spending") if parts else ("equal budget",)
        for basis in bases:
            effects += [_effect(key, basis, name, level, shifts[key]) for name in all_measures()]
    about = {key: _about(key, level[key]) for key in keys}
    return Comparison(
        base="base", scenarios=keys, about=about, measures=pd.DataFrame(), monthly_measures=pd.DataFrame(),
        parameters=pd.DataFrame(), by_call=pd.DataFrame(), **_tables(keys, level, chance),
        effects=pd.DataFrame(effects), **_parts(keys[1:], parts), answers=[], manifest=_manifest(),
    )  # fmt: skip


def _effect(key: str, basis: str, name: str, level: dict[str, float], shift: np.ndarray) -> dict[str, object]:
    unit = all_measures()[name].unit
    size = 6e6 if unit == "EUR" else 500.0
    base, value = size * level["base"], size * level[key] * (1 + shift.mean())
    difference = size * (level[key] - level["base"]) + size * shift
    relative = difference / base if base > 0 else np.full(DRAWS, np.nan)
    low, high = np.quantile(difference, (0.05, 0.95))
    return {
        "scenario": key, "basis": basis, "measure": name, "unit": unit, "base": base, "value": value,
        "difference": difference.mean(), "difference_low": low, "difference_high": high,
        "relative": relative.mean(), "relative_low": np.quantile(relative, 0.05),
        "relative_high": np.quantile(relative, 0.95), "p_better": (difference > 0).mean(), "draws": DRAWS,
    }  # fmt: skip


def _about(key: str, level: float) -> dict[str, object]:
    change = {
        "call": 2016, "funder": None, "lever": "project_months", "label": "Project length", "unit": "months",
        "base_value": 15.0, "value": 15.0 * level, "effect_evidence": "assumed", "why": "Nothing was measured",
    }  # fmt: skip
    changes = [] if key == "base" else [change]
    title = f"Rule <{key}> & others"
    return {"title": title, "question": f"What if {key}?", "parent": None, "changes": changes, "evidence": "assumed"}


def _grid(keys: tuple[str, ...], **levels: object) -> pd.DataFrame:
    named = {"scenario": keys, "draw": range(DRAWS), "run": range(RUNS), **levels}
    return pd.MultiIndex.from_product(list(named.values()), names=list(named)).to_frame(index=False)


def _tables(keys: tuple[str, ...], level: dict[str, float], chance: np.random.Generator) -> dict[str, pd.DataFrame]:
    def filled(frame: pd.DataFrame, columns: list[str], size: float) -> pd.DataFrame:
        rate = size * frame["scenario"].map(level).to_numpy()
        return frame.assign(**{column: chance.poisson(rate).astype(float) for column in columns})

    by_country = filled(_grid(keys, country=COUNTRIES), [measure.name for measure in MEASURES], 40.0)
    paying = by_country["country"].isin(FUNDERS)
    for column in ("outlay_eur", "admin_eur", "spent_eur"):
        by_country[column] = by_country[column] * 10_000.0 * paying
    groups = _grid(keys, place=range(4))
    groups["kind"] = np.where(groups["place"] < 2, "sector", "size")
    groups["group"] = groups["place"].map(dict(enumerate(("Energy", "Food", "micro", "small"))))
    links = [(key, a, b, 5.0 * level[key]) for key in keys for a in COUNTRIES for b in COUNTRIES if a < b]
    return {
        "by_country": by_country,
        "by_month": filled(_grid(keys, month=range(MONTHS)), [measure.name for measure in MONTHLY], 9.0),
        "by_group": filled(groups, ["smes_engaged", "smes_active", *OUTCOMES], 30.0),
        "lost": filled(_grid(keys, funder=FUNDERS, cause=CAUSES), ["applications"], 2.0),
        "short": filled(_grid(keys, funder=FUNDERS), ["short_eur"], 30_000.0),
        "network": pd.DataFrame(links, columns=["scenario", "country", "other", "links"]),
    }


def _parts(keys: tuple[str, ...], parts: bool) -> dict[str, pd.DataFrame]:
    if not parts:
        columns = {"spending": ["scenario", "note"], "reasons": ["scenario"], "variance": [], "hangs_on": ["scenario"]}
        return {name: pd.DataFrame(columns=names) for name, names in columns.items()}
    note = "In 25% of draws spending could not be matched."
    spending = [{"scenario": k, "draws": 8, "matched": 0.75, "scale_mean": 1.1, "note": note} for k in keys]
    reasons = [
        {
            "scenario": key, "mechanism": name, "label": f"what {name} does", "effect": 0.2, "effect_without": 0.1,
            "contribution": 0.1 * sign, "share": 0.5, "standard_error": 0.01,
        }
        for key in keys
        for name, sign in (("waiting", 1), ("fatigue", -1))
    ]  # fmt: skip
    variance = [{"scenario": key, "ratio": np.inf if place else 9.0} for place, key in enumerate(keys)]
    hangs_on = [
        {"scenario": key, "parameter": "overhead", "label": "Overhead", "correlation": -0.7, "evidence": "assumption"}
        for key in keys
    ]
    return {
        "spending": pd.DataFrame(spending), "reasons": pd.DataFrame(reasons), "variance": pd.DataFrame(variance),
        "hangs_on": pd.DataFrame(hangs_on),
    }  # fmt: skip


def _manifest() -> dict[str, object]:
    return {
        "question": "What would longer projects bring?", "draws": DRAWS, "runs": RUNS, "seed": 1, "horizon_months": 60,
        "counted_calls": [2016, 2017], "complete": True, "finished_draws": DRAWS,
        "parameters_from": "draws from priors, not calibrated", "versions": {"numpy": "2"}, "python": "3.11",
    }  # fmt: skip


class Page(HTMLParser):
    """What a page holds: tags in balance, ids, what it would load, headers, pictures, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.pictures: list[str] = []
        self.headers: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if told.get("id"):
            self.ids.append(str(told["id"]))
        self.refers += [str(told[key]) for key in ("src", "href", "xlink:href") if key in told]
        if tag == "svg":
            self.pictures.append(told.get("aria-label") or "")
        if tag == "th":
            self.headers.append(told)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, (tag, self.open[-5:])
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def drawn(comparison: Comparison, *names: str) -> str:
    """The page without its figures; those named are drawn and told all the same."""
    for drawing in DRAWINGS:
        if drawing.name in names:
            assert drawing.draw(comparison) is not None
            assert len(drawing.tell(comparison).alt) > 60
    return html(comparison, {})


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures for slides are drawn coarsely: it is quicker."""
    monkeypatch.setattr(report, "png_of", lambda figure: figure_style.png_of(figure, dpi=30))


@cache
def many() -> tuple[Comparison, str, Path]:
    """The report on four scenarios."""
    import tempfile

    comparison = made(4)
    path = write_report(comparison, Path(tempfile.mkdtemp()))
    return comparison, path.read_text(encoding="utf-8"), path


def test_it_is_one_file_that_loads_nothing() -> None:
    _, text, _ = many()
    page = Page(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert all(target.startswith("#") for target in page.refers)
    assert "http://" not in text and "https://" not in text and "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_it_is_well_formed() -> None:
    _, text, _ = many()
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {target[1:] for target in page.refers} <= set(page.ids)
    assert '<html lang="en">' in text
    assert all(header.get("scope") in ("row", "col") for header in page.headers)


def test_every_scenario_and_unit_occurs() -> None:
    comparison, text, _ = many()
    words_of_it = Page(text).text
    for scenario in comparison.scenarios:
        assert words_of_it.count(views.title(comparison, scenario)) > 2
    for unit in ("EUR", "months", "SME contracts", "% of draws", "points", "million"):
        assert unit in words_of_it, unit


def test_the_answer_comes_first() -> None:
    _, text, _ = many()
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert headings[0] == "The answer"
    assert len(headings) == 9
    assert text.index("Clearly better") < text.index("Clearly worse") < text.index("<figure")


def test_every_figure_is_told_in_words_and_lies_beside_the_page() -> None:
    comparison, text, path = many()
    pictures = Page(text).pictures
    assert len(pictures) == len(DRAWINGS) + sum(drawing.narrow for drawing in DRAWINGS)  # those once more for phones
    assert all(len(alt) > 60 for alt in pictures)
    assert views.title(comparison, "case_1") in pictures[0]
    stems = {file.stem for file in (path.parent / "figures").glob("*.svg")}
    assert stems == {file.stem for file in (path.parent / "figures").glob("*.png")}
    assert len(stems) == len(DRAWINGS)


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [drawing for drawing in DRAWINGS if drawing.name == "network"]
    monkeypatch.setattr(report, "DRAWINGS", chosen)
    first, second = (write_report(made(2), tmp_path / name) for name in "ab")
    for file in sorted(path for path in first.parent.rglob("*") if path.is_file()):
        assert file.read_bytes() == (second.parent / file.relative_to(first.parent)).read_bytes(), file.name


def test_two_scenarios_without_reasons_and_spending() -> None:
    text = drawn(made(2, parts=False), "answer")
    assert "The reasons were not computed" in text
    assert "equal spending was not computed" in text
    undrawn = [drawing.name for drawing in DRAWINGS[-2:] if drawing.draw(made(2, parts=False)) is None]
    assert undrawn == ["reasons", "hangs_on"]
    assert "What would longer projects bring?" in text


def test_a_base_without_contracts_is_told_in_numbers() -> None:
    comparison = made(3, base_contracts=0.0)
    assert not views.uses_relative(comparison)
    text = drawn(comparison, "answer", "split", "funnel", "reasons", "countries", "paths")
    assert "nan" not in Page(text).text.lower().replace("finance", "")
    assert "+580" in content(comparison)["differences"][0].rows[1].cells[0].small


def test_one_scenario_alone() -> None:
    whole = made(2)
    own = whole.effects.assign(scenario="base", base=0.0)
    alone = replace(whole, scenarios=("base",), effects=own[own["basis"] == "equal budget"], **_parts(("base",), False))
    text = drawn(alone, "split", "countries", "network", "paths", "lost")
    assert answer(alone) is None
    assert "Nothing is compared in this run" in text
    assert "(base)" not in Page(text).text
    assert content(alone)["differences"][0].heads[0] == "Net contracts"


def test_missing_numbers_are_said_to_be_missing() -> None:
    whole = made(3)
    effects = whole.effects.copy()
    numbers = ["value", "difference", "difference_low", "difference_high", "relative", "relative_low", "relative_high"]
    effects.loc[effects["scenario"] == "case_1", [*numbers, "p_better"]] = np.nan
    text = drawn(replace(whole, effects=effects), "answer", "split", "funnel")
    assert "n/a" in text and ">nan" not in text


def test_an_interrupted_run_says_so_at_the_top() -> None:
    stopped = made(2)
    stopped.manifest.update({"complete": False, "draws": 200, "missing": ["draws", "reasons"]})
    text = drawn(stopped)
    assert text.index("This run was interrupted. 12 of 200 draws") < text.index("The answer")
    assert "Not computed: reasons." in text
    assert "interrupted" not in many()[1]


def test_a_change_of_nothing_is_neither_better_nor_worse() -> None:
    same = made(2)
    kinds = [f"{kind}{end}" for kind in ("difference", "relative") for end in ("", "_low", "_high")]
    same.effects.loc[:, [*kinds, "p_better"]] = 0.0
    assert views.verdicts(same) == {"case_1": "open"}


def test_verdicts_follow_the_share_of_draws() -> None:
    effects = made(3).effects
    row = effects[effects["measure"] == views.NET].iloc[0].copy()
    told = []
    for share, difference in ((0.95, 4.0), (0.9, 4.0), (0.5, 4.0), (0.1, -4.0), (0.0, -4.0)):
        row["p_better"], row["difference"] = share, difference
        told.append(views.verdict(row))
    assert told == ["better", "better", "open", "worse", "worse"]


def test_scenarios_without_contracts_are_not_looked_at_closely() -> None:
    comparison = made(4)
    none = comparison.effects["scenario"] == "case_3"
    comparison.effects.loc[none & (comparison.effects["measure"] == "contracts"), "value"] = 0.0
    assert "case_3" not in views.telling(comparison)


def test_an_outlier_does_not_flatten_the_others() -> None:
    assert figure_style.reach([-1.0, 0.1, 0.2, -0.15, 0.1]) == pytest.approx(0.216)
    assert figure_style.reach([30.0, 0.1, 0.2, -0.15, 0.1]) == pytest.approx(0.216)
    assert figure_style.reach([]) == 1.0


def test_figures_leave_matplotlib_as_it_was() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    assert answer(made(2)) is not None
    assert dict(matplotlib.rcParams) == before


def test_letters_in_figures_are_nine_points_or_more() -> None:
    comparison = made(4)
    for drawing in DRAWINGS:
        for width in (figure_style.WIDTH, figure_style.NARROW)[: 1 + drawing.narrow]:
            figure = drawing.draw(comparison, width=width)
            assert figure is not None
            texts = [each for each in figure.findobj(Text) if each.get_text()]
            assert min(each.get_fontsize() for each in texts) >= 9, drawing.name
            assert figure.get_figwidth() == width
            if width == figure_style.NARROW:
                assert figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).x1 < width + 0.02, drawing.name


@pytest.mark.parametrize(
    ("told", "expected"),
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
        (words.country("DK"), "Denmark"),
        (words.country("XX"), "XX"),
    ],
)
def test_numbers_and_names_in_plain_words(told: str, expected: str) -> None:
    assert told == expected


def test_the_funnel_knows_its_measures() -> None:
    assert {key for key, _ in STAGES} <= set(all_measures())
    assert report.TEMPLATE == "comparison/report.html.j2"
