"""The look of figures: fixed sizes, nothing of matplotlib changed for others, the same bytes each time."""

import matplotlib
import pytest
from matplotlib.figure import Figure

from experiments.exhibits.style import NARROW, WIDTH, draw_in_style, inline, png_of, reach, sheet, svg_of


def dots(points: list[tuple[float, float]]) -> Figure:
    figure = sheet("a source", "A title that is long enough to be broken into two lines on a phone", 2.0)
    figure.subplots().plot(*zip(*points), marker="o")
    return figure


POINTS = [(0.0, 1.0), (1.0, 3.0)]


def test_an_outlier_does_not_flatten_the_others() -> None:
    assert reach([-1.0, 0.1, 0.2, -0.15, 0.1]) == pytest.approx(0.216)
    assert reach([30.0, 0.1, 0.2, -0.15, 0.1]) == pytest.approx(0.216)
    assert reach([]) == 1.0


@pytest.mark.slow
def test_figures_leave_matplotlib_as_it_was() -> None:
    before = dict(matplotlib.rcParams)
    assert draw_in_style(dots, POINTS) is not None
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_a_figure_has_its_width_and_the_same_bytes_each_time(width: float) -> None:
    first, second = (draw_in_style(dots, POINTS, width) for _ in range(2))
    assert first is not None and second is not None
    assert first.get_figwidth() == width
    assert svg_of(first) == svg_of(second) and png_of(first) == png_of(second)


def test_a_figure_inside_a_page_is_read_aloud_and_has_ids_of_its_own() -> None:
    figure = draw_in_style(dots, POINTS)
    assert figure is not None
    svg = inline(svg_of(figure), "f7", 'A "line" & more')
    assert svg.startswith('<svg role="img" aria-label="A &quot;line&quot; &amp; more"')
    assert 'id="f7-' in svg and "http" not in svg and len(svg) < len(svg_of(figure))
