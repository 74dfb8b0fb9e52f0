"""The report: one file that needs nothing else, whole for many scenarios and few, with and without each part."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from experiments.comparison import report, views
from experiments.comparison.exhibits import answer, differences
from experiments.comparison.frames import Frames
from experiments.comparison.report import EXHIBITS, TEMPLATE, content, write_report
from experiments.exhibits import page as pages
from experiments.exhibits.page import Shown, html
from experiments.exhibits.style import NARROW, WIDTH, png_of
from tests.made_up import alone, made
from tests.pages import Page

pytestmark = pytest.mark.slow  # reports take seconds

DRAWN = [exhibit for exhibit in EXHIBITS if exhibit.draw is not None]


def page_of(frames: Frames, *drawn: str) -> str:
    """The page without its figures; those named are drawn all the same."""
    shown = {}
    for exhibit in EXHIBITS:
        data = exhibit.data(frames)
        if exhibit.name in drawn:
            assert exhibit.figure(data) is not None
        shown[exhibit.name] = Shown(exhibit.name, None, () if data is None else tuple(exhibit.tables(data)))
    return html(TEMPLATE, content(frames), shown)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures for slides are drawn coarsely: it is quicker."""
    monkeypatch.setattr(pages, "png_of", lambda figure: png_of(figure, dpi=30))


@cache
def many() -> tuple[Frames, str, Path]:
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
    assert len(pictures) == len(DRAWN) + sum(exhibit.narrow for exhibit in DRAWN)  # those once more for phones
    assert all(len(alt) > 60 for alt in pictures)
    assert views.title(comparison, "case_1") in pictures[0]
    stems = {file.stem for file in (path.parent / "figures").glob("*.svg")}
    assert stems == {file.stem for file in (path.parent / "figures").glob("*.png")}
    assert stems == {f"{n:02d}-{exhibit.name.replace('_', '-')}" for n, exhibit in enumerate(DRAWN, start=1)}


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [replace(e, draw=e.draw if e.name == "network" else None) for e in EXHIBITS]
    monkeypatch.setattr(report, "EXHIBITS", chosen)
    first, second = (write_report(made(2), tmp_path / name) for name in "ab")
    for file in sorted(path for path in first.parent.rglob("*") if path.is_file()):
        assert file.read_bytes() == (second.parent / file.relative_to(first.parent)).read_bytes(), file.name


def test_two_scenarios_without_reasons_and_spending() -> None:
    frames = made(2, parts=False)
    text = page_of(frames, "answer")
    assert "The reasons were not computed" in text
    assert "equal spending was not computed" in text
    absent = {exhibit.name for exhibit in EXHIBITS if exhibit.data(frames) is None}
    assert absent == {"reasons", "hangs_on", "spending", "variance"}
    assert "What would longer projects bring?" in text


def test_a_base_without_contracts_is_told_in_numbers() -> None:
    comparison = made(3, base_contracts=0.0)
    text = page_of(comparison, "answer", "split", "funnel", "reasons", "countries", "paths")
    assert "nan" not in Page(text).text.lower().replace("finance", "")
    (table, _) = differences.EXHIBIT.tables(differences.data(comparison))
    net = views.effects_of(comparison, "contracts_net").loc["case_2", "difference"]
    assert f"+{net:,.0f}" in table.rows[1].cells[0].small


def test_one_scenario_alone() -> None:
    single = alone()
    text = page_of(single, "split", "countries", "network", "paths", "lost")
    assert answer.data(single) is None
    assert "Nothing is compared in this run" in text
    assert "(base)" not in Page(text).text
    assert differences.tables(differences.data(single))[0].heads[0] == "Net contracts"


def test_missing_numbers_are_said_to_be_missing() -> None:
    whole = made(3)
    effects = whole.effects.copy()
    numbers = ["value", "difference", "difference_low", "difference_high", "relative", "relative_low", "relative_high"]
    effects.loc[effects["scenario"] == "case_1", [*numbers, "p_better"]] = np.nan
    text = page_of(replace(whole, effects=effects), "answer", "split", "funnel")
    assert "n/a" in text and ">nan" not in text


def test_an_interrupted_run_says_so_at_the_top() -> None:
    stopped = made(2)
    stopped.manifest.update({"complete": False, "draws": 200, "missing": ["draws", "reasons"]})
    text = page_of(stopped)
    assert text.index("This run was interrupted. 12 of 200 draws") < text.index("The answer")
    assert "Not computed: reasons." in text
    assert "interrupted" not in many()[1]


@pytest.mark.parametrize("exhibit", DRAWN, ids=lambda exhibit: exhibit.name)
def test_letters_in_figures_are_nine_points_or_more(exhibit) -> None:  # type: ignore[no-untyped-def]
    data = exhibit.data(made(4))
    for width in (WIDTH, NARROW)[: 1 + exhibit.narrow]:
        figure = exhibit.figure(data, width)
        texts = [text for text in figure.findobj(Text) if text.get_text()]
        assert min(text.get_fontsize() for text in texts) >= 9
        assert figure.get_figwidth() == width
        if width == NARROW:
            assert figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).x1 < width + 0.02
