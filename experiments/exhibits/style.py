"""Give every figure one look: sizes for print, shapes that need no colour, a title, a source line, stable bytes."""

import io
import re
import textwrap
from collections.abc import Callable
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

Verdict = Literal["better", "worse", "open"]

_LINE = 0.155  # inches of a line of text at 9 points
WIDTH = 6.7  # inches: the text width of an A4 page
NARROW = 3.6  # inches: a phone's, where 9 points are about 12 pixels
_KEY = 0.55  # inches of a legend's entry beside its text, with the space to the next
_BARS = 0.34  # half the height of what stands in a row, of the distance between rows
INK, QUIET, PALE = "#1a1a1a", "#595959", "#d9d9d9"
BLUE, ORANGE, GREEN, SKY, PEACH = "#0072B2", "#D55E00", "#007a5a", "#9fd0ee", "#f6c6a3"

# The look of a verdict: shape first, colour second.
MARKS: dict[Verdict, dict[str, Any]] = {
    "better": {"marker": "^", "color": BLUE, "markerfacecolor": BLUE},
    "worse": {"marker": "v", "color": ORANGE, "markerfacecolor": ORANGE},
    "open": {"marker": "o", "color": QUIET, "markerfacecolor": "white"},
}

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "lines.markersize": 6,
    "svg.fonttype": "path",
    "svg.hashsalt": "innovex",
    "path.simplify": True,
}


def draw_in_style(draw: Callable[[Any], Figure | None], data: Any, width: float = WIDTH) -> Figure | None:
    """Draw a figure in the style of the house; matplotlib's settings are left as they were.

    Parameters
    ----------
    draw : callable
        Takes the data and returns a figure, made by `sheet`, or None.
    data
        What is drawn.
    width : float, optional
        Inches: `WIDTH` or, if the function can do with it, `NARROW`.
    """
    with matplotlib.rc_context({**STYLE, "figure.figsize": (width, width)}):
        figure = draw(data)
        return figure if figure is None else _settled(figure)


def width_now() -> float:
    """Return the width of the figure that is being drawn, in inches."""
    return float(matplotlib.rcParams["figure.figsize"][0])


def axis_label(text: str) -> str:
    """Break the label of an axis into lines that fit beside the axis."""
    return fitted(text, 0.6 * width_now())


def is_narrow() -> bool:
    """Return whether the figure that is being drawn is for a phone."""
    return width_now() < WIDTH


def _settled(figure: Figure) -> Figure:
    """Lay the figure out and round the places of its axes.

    The last bits of matplotlib's layout differ from time to time, and they would go into the file.
    """
    figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(value, 4) for value in axes.get_position().bounds))
    return figure


def sheet(
    source: str, title: str, body: float, legend: list[Any] | None = None, columns: int = 1, legend_title: str = ""
) -> Figure:
    """Return an empty figure with its title on top, and its legend and source line below.

    Parameters
    ----------
    source : str
        The source line: what the figure rests on.
    title : str
        Broken into lines if it is too long for one.
    body : float
        Inches between title and legend.
    legend : list or None, optional
        Its entries: matplotlib artists with labels.
    columns : int, optional
        Columns of the legend in a wide figure.
    legend_title : str, optional
        Stands above the legend.
    """
    width = width_now()
    title = fitted(title, width - 0.15, size=11, weight="bold")
    source = fitted(source, width - 0.15)
    columns = 1 if is_narrow() else columns
    top = 0.1 + 0.2 * len(title.splitlines())
    foot = 0.08 + _LINE * len(source.splitlines())
    below = foot + (0.12 + _legend_height(legend, columns, legend_title) if legend else 0.04)
    height = top + body + below
    figure = Figure(figsize=(width, height), layout="constrained")
    area = (0, below / height, 1, (height - below - top) / height)
    figure.get_layout_engine().set(h_pad=0.05, w_pad=0.05, rect=area)  # type: ignore[union-attr, call-arg]
    left = 0.067 / width
    figure.text(left, 1 - 0.06 / height, title, va="top", fontsize=11, fontweight="bold")
    figure.text(left, 0.05 / height, source, va="bottom", color=QUIET)
    if legend:
        figure.legend(
            handles=legend, ncols=columns, loc="lower left", bbox_to_anchor=(left / 2, foot / height),
            title=legend_title or None, alignment="left", borderpad=0.1, borderaxespad=0.2, labelspacing=0.35,
            columnspacing=1.4, handletextpad=0.6,
        )  # fmt: skip
    return figure


def inches_of(text: str, **look: Any) -> float:
    """Return the width of a line of text, in inches."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(**({"size": 9} | look)), False)
    return float(width) / 72


def fitted(text: str, width: float, **look: Any) -> str:
    """Break the text into lines no wider than `width` inches, as measured: letters differ. `look`: as for a font."""
    for letters in range(max(8, min(len(text), int(25 * width))), 8, -1):
        lines = textwrap.fill(text, letters)
        if max(inches_of(line, **look) for line in lines.splitlines() or [""]) <= width:
            return lines
    return textwrap.fill(text, 8)


def _legend_height(legend: list[Any], columns: int, title: str) -> float:
    """Return the inches that a legend needs; break its texts into lines if they would not fit side by side."""
    parts = [list(part) for part in np.array_split(np.array(legend, dtype=object), columns)]
    needed = sum(max((inches_of(str(key.get_label())) for key in part), default=0.0) + _KEY for part in parts)
    if needed > width_now() - 0.1:
        for key in legend:
            key.set_label(fitted(str(key.get_label()), (width_now() - 0.1) / columns - _KEY))
    lines = max(sum(str(key.get_label()).count("\n") for key in part) for part in parts)
    return 0.185 * (len(parts[0]) + (1 if title else 0)) + _LINE * lines


def row_label(text: str, letters: int = 27) -> str:
    """Break the label of a row into lines that fit beside it."""
    return textwrap.fill(text, letters)


def rows_height(labels: list[str], wide: float) -> float:
    """Return the inches for rows, each `wide` inches high in a wide figure; in a narrow one labels stand above rows."""
    if not is_narrow():
        return wide * len(labels)
    lines = max(len(_above(label).splitlines()) for label in labels)
    return max(wide, (_LINE * lines + 0.05) / (1 - 2 * _BARS)) * (len(labels) + 0.3)


def _above(label: str) -> str:
    """Break the label of a row into lines that fit above it."""
    return fitted(label, width_now() - 0.25)


def label_rows(axes: Any, labels: list[str], letters: int = 27) -> None:
    """Set rows from top to bottom, thin lines between them, labels at the left (in a narrow figure above the rows)."""
    rows = len(labels)
    axes.tick_params(axis="y", length=0)
    if is_narrow():
        axes.set_ylim(rows - 0.5, -0.8)
        axes.set_yticks([])
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # no line of the grid crosses a label
        for row, label in enumerate(labels):
            axes.annotate(
                _above(label), (0, row - _BARS), (0, 1), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", va="bottom", annotation_clip=False, in_layout=False, bbox=ground,
            )  # fmt: skip
        rule_rows(axes, rows, _BARS)
    else:
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_yticks(range(rows), [row_label(label, letters) for label in labels])
        rule_rows(axes, rows)


def rule_rows(axes: Any, rows: int, below: float = 0.5) -> None:
    """Draw thin lines between rows, each `below` a row."""
    for row in range(1, rows):
        axes.axhline(row - 1 + below, color=PALE, linewidth=0.5, zorder=0)


def beside(axes: Any, y: float, points: float, text: str, va: str = "center", **look: Any) -> None:
    """Write a text that ends `points` points right of the axes, at row `y`."""
    axes.annotate(
        text, (1, y), (points, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points", ha="right",
        va=va, annotation_clip=False, **look,
    )  # fmt: skip


def over(axes: Any, points: float, text: str, **look: Any) -> None:
    """Write the head of a column: it ends `points` points right of the axes, just above them."""
    axes.annotate(
        text, (1, 1), (points, 3), xycoords="axes fraction", textcoords="offset points", ha="right", va="bottom",
        annotation_clip=False, **look,
    )  # fmt: skip


def column(axes: Any, start: float, rows: list[tuple[float, str]], head: str = "", **look: Any) -> float:
    """Write texts (row, text) in a column that begins `start` points right of the axes; return where it ends."""
    weight = look.get("fontweight", "normal")
    end = start + 72 * max(inches_of(text, weight=weight) for text in [head, *(text for _, text in rows)])
    for y, text in rows:
        beside(axes, y, end, text, **look)
    if head:
        over(axes, end, head, **look)
    return end


def plain(axes: Any, *, spine: str = "") -> None:
    """Hide all spines but `spine`."""
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(side == spine)


def reach(values: list[float]) -> float:
    """Return how far an axis goes from 0, so that a few outliers do not flatten the others (they get arrowheads).

    A complete loss (-1) counts only if there is nothing else.
    """
    sizes = sorted((abs(value) for value in values if value == value and value > -0.99), reverse=True)
    while len(sizes) > 3 and sizes[0] > 4 * sizes[len(sizes) // 3] > 0:
        sizes = sizes[1:]
    return 1.08 * sizes[0] if sizes and sizes[0] > 0 else 1.0


_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def svg_of(figure: Figure) -> str:
    """Return the figure as an SVG document; the same figure gives the same bytes."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return re.sub(r"[ \t]+\n", "\n", buffer.getvalue())


def png_of(figure: Figure, dpi: int = 150) -> bytes:
    """Return the figure as a PNG file for slides."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def inline(svg: str, name: str, alt: str) -> str:
    """Return an SVG document as an element of an HTML page.

    Parameters
    ----------
    svg : str
        The document.
    name : str
        Makes its ids unique in the page.
    alt : str
        The alternative text, which is read aloud.

    Returns
    -------
    str
        The element: shorter than the document, with the same look.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", body)
    body = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"\sheight="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    # Half of a figure's bytes place its letters.
    body = body.replace("xlink:href", "href").replace("DejaVuSans-Bold-", "b").replace("DejaVuSans-", "d")
    body = re.sub(r'(<use [^>]*)transform="translate\((\d+(?:\.\d)?)\d*(?: 0)?\)"', r'\1x="\2"', body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r' d="([^"]*)"', _short_path, body)
    body = re.sub(r"\n\s*", "\n", body)
    safe = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return body.replace("<svg", f'<svg role="img" aria-label="{safe}"', 1)


_LONG_NUMBER = re.compile(r"(\d+\.\d\d)\d+")


def _short_path(match: re.Match[str]) -> str:
    """Return the outline of a path on one line, to a hundredth of a point."""
    line = _LONG_NUMBER.sub(r"\1", " ".join(match[1].split()))
    return f' d="{line}"'
