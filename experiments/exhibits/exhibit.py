"""An exhibit: one thing that a report shows, as a figure, in words and in tables.

What is shown is computed once (`data`) and then drawn, captioned and tabulated; none of these computes anything anew.
So a page, a slide and an interactive page show the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from matplotlib.figure import Figure

from experiments.exhibits.style import WIDTH, draw_in_style
from experiments.exhibits.table import Table

Frames = TypeVar("Frames")  # what a report is made from: the tables of a comparison, a finding of a sweep, ...


class Caption(NamedTuple):
    """How to read a figure, and what it shows in words (the alternative text, with the numbers that it shows)."""

    reading: str
    alt: str


@dataclass(frozen=True)
class Exhibit(Generic[Frames]):
    """An exhibit; one record serves every report.

    Attributes
    ----------
    name : str
        Its name, which is part of the figure's file name.
    data : callable
        Takes the frames of a report; returns what is shown, None if there is nothing to show.
    draw : callable or None
        Takes the data; returns the figure, None if there is nothing to draw. Without it the exhibit has no figure.
    caption : callable or None
        Takes the data; returns the figure's caption. Needed where there is `draw`.
    tables : callable
        Takes the data; returns the tables that hold what is shown.
    narrow : bool
        Whether the figure is drawn for phones too.
    """

    name: str
    data: Callable[[Frames], Any]
    draw: Callable[[Any], Figure | None] | None = None
    caption: Callable[[Any], Caption] | None = None
    tables: Callable[[Any], Sequence[Table]] = lambda _: ()
    narrow: bool = False

    def figure(self, data: Any, width: float = WIDTH) -> Figure | None:
        """Draw the figure in the style of the house.

        Parameters
        ----------
        data
            What `self.data` returned.
        width : float, optional
            Inches: `style.WIDTH` or `style.NARROW`.
        """
        return None if self.draw is None else draw_in_style(self.draw, data, width)
