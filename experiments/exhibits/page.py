"""Make a page: write the figures of exhibits to its folder, and fill its template."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from experiments.exhibits.exhibit import Caption, Exhibit, Frames
from experiments.exhibits.style import NARROW, inline, png_of, svg_of
from experiments.exhibits.table import Table

REPORT, FIGURES = "report.html", "figures"
TEMPLATES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Picture:
    """A figure inside a page; `narrow` stands there on a phone, if it is drawn for phones."""

    svg: Markup
    reading: str
    narrow: Markup | None = None


@dataclass(frozen=True)
class Shown:
    """An exhibit as it stands in a page: its picture, if it has one, and its tables."""

    name: str
    picture: Picture | None = None
    tables: tuple[Table, ...] = ()


def show(exhibit: Exhibit[Frames], frames: Frames, folder: Path, number: int, name: str = "") -> Shown:
    """Draw an exhibit and write its figure as `figures/<number>-<name>.svg` and `.png`.

    Parameters
    ----------
    exhibit : Exhibit
        What to show.
    frames : Frames
        What it is shown of.
    folder : Path
        The folder of the page.
    number : int
        The figure's number in the page, from 1 on.
    name : str, optional
        The figure's name; that of the exhibit if empty.

    Returns
    -------
    Shown
        The exhibit as it stands in the page; without picture and tables if there is nothing to show.
    """
    data = exhibit.data(frames)
    if data is None:
        return Shown(exhibit.name)
    picture = _picture(exhibit, data, folder / FIGURES, number, name or exhibit.name)
    return Shown(exhibit.name, picture, tuple(exhibit.tables(data)))


def _picture(exhibit: Exhibit[Any], data: Any, folder: Path, number: int, name: str) -> Picture | None:
    """Draw the figure, wide and (for phones) narrow; write the wide one; return both as they stand in the page."""
    figure = exhibit.figure(data)
    if figure is None or exhibit.caption is None:
        return None
    narrow = exhibit.figure(data, NARROW) if exhibit.narrow else None
    return _written(figure, narrow, exhibit.caption(data), folder, number, name)


def _written(
    figure: Figure, narrow: Figure | None, caption: Caption, folder: Path, number: int, name: str
) -> Picture:  # fmt: skip
    svg = svg_of(figure)
    stem = f"{number:02d}-{name.replace('_', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.svg").write_text(svg, encoding="utf-8")
    (folder / f"{stem}.png").write_bytes(png_of(figure))
    small = None if narrow is None else Markup(inline(svg_of(narrow), f"n{number}", caption.alt))
    return Picture(Markup(inline(svg, f"f{number}", caption.alt)), caption.reading, small)


def html(template: str, content: Mapping[str, Any], shown: Mapping[str, Shown]) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        Its path below `experiments`.
    content : mapping of str to object
        What the page says, by the names that the template uses.
    shown : mapping of str to Shown
        The exhibits of the page, by name.

    Returns
    -------
    str
        The page; it needs no other file.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["table_id"] = partial(_next_number, [0])
    return environment.get_template(template).render(**content, shown=shown) + "\n"


def write_page(folder: Path, template: str, content: Mapping[str, Any], shown: Mapping[str, Shown]) -> Path:
    """Fill a template and write it as `report.html` to the folder; return the file's path. Arguments as for `html`."""
    path = folder / REPORT
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(html(template, content, shown), encoding="utf-8")
    return path


def _next_number(last: list[int]) -> int:
    last[0] += 1
    return last[0]
