"""From an exhibit to its page: figures in files and inline, tables, numbers, and nothing where there is nothing."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from experiments.exhibits import page
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.page import Shown, html, show, write_page
from experiments.exhibits.style import sheet
from experiments.exhibits.table import Cell, Row, Table, spanned

TEMPLATE = "exhibits/page_macros.html.j2"


def draw(values: list[float]) -> Figure | None:
    if max(values) == 0:
        return None
    figure = sheet("a source", "Bars", 1.0)
    figure.subplots().bar(range(len(values)), values)
    return figure


def caption(values: list[float]) -> Caption:
    return Caption("Higher is more.", f"Bars of {values}.")


def tables(values: list[float]) -> list[Table]:
    return [Table("Bars", "Bar", ("height",), tuple(Row(str(n), (Cell(str(x)),)) for n, x in enumerate(values)))]


BARS = Exhibit[list[float]]("two_bars", lambda values: values or None, draw, caption, tables, narrow=True)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures for slides are drawn coarsely: it is quicker."""
    monkeypatch.setattr(page, "png_of", lambda _: b"a picture")


def test_a_figure_is_written_beside_the_page_and_stands_in_it(tmp_path: Path) -> None:
    shown = show(BARS, [1.0, 2.0], tmp_path, 3)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"03-two-bars.svg", "03-two-bars.png"}
    assert shown.picture is not None and shown.picture.narrow is not None
    assert 'aria-label="Bars of [1.0, 2.0]."' in shown.picture.svg and 'id="f3-' in shown.picture.svg
    assert 'id="n3-' in shown.picture.narrow and shown.picture.reading == "Higher is more."
    assert [row.cells[0].text for row in shown.tables[0].rows] == ["1.0", "2.0"]


def test_where_there_is_nothing_to_show_nothing_is_written(tmp_path: Path) -> None:
    assert show(BARS, [], tmp_path, 1) == Shown("two_bars")
    undrawn = show(BARS, [0.0], tmp_path, 1)
    assert undrawn.picture is None and len(undrawn.tables) == 1
    assert [*tmp_path.iterdir()] == []


def test_tables_of_a_page_are_numbered_and_its_words_escaped(tmp_path: Path) -> None:
    (tmp_path / "t.html.j2").write_text(
        "{% from 'exhibits/page_macros.html.j2' import table, figure with context %}"
        "<p>{{ title }}</p>{% for t in shown.two_bars.tables + shown.two_bars.tables %}{{ table(t) }}{% endfor %}"
        "{{ figure('two_bars') }}"
    )
    shown = {"two_bars": show(BARS, [1.0], tmp_path, 1)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "TEMPLATES", [tmp_path, page.TEMPLATES])
        text = html("t.html.j2", {"title": "<more> & less"}, shown)
        written = write_page(tmp_path / "out", "t.html.j2", {"title": "<more> & less"}, shown)
    assert "&lt;more&gt; &amp; less" in text and 'id="t1"' in text and 'id="t2"' in text
    assert '<figure id="figure-two_bars">' in text and 'class="box narrow"' in text
    assert written.name == "report.html" and written.read_text(encoding="utf-8") == text


def test_rows_with_one_header_share_it() -> None:
    rows = [Row(head, ()) for head in ("a", "a", "b", "a")]
    assert [(row.head, row.span) for row in spanned(rows)] == [("a", 2), ("a", 0), ("b", 1), ("a", 1)]
