"""The validation's report: one file that opens with what the calibration is worth, and its figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from experiments.comparison.exhibits.captions import Caption
from experiments.comparison.report import Shown, page, put
from experiments.validation import figures, tables, words
from experiments.validation.study import Validation

TEMPLATE = "validation/validation.html.j2"


class Drawing(NamedTuple):
    """A figure: its name, the function that draws it, and what it shows in words."""

    name: str
    draw: Callable[[Validation], Figure | None]
    told: Caption


DRAWINGS = (
    Drawing(
        "survey",
        figures.survey,
        Caption(
            alt="For each question of the survey the real share beside the 50% and 90% intervals of simulated surveys.",
            reading="Each row is one answer: the diamond is what the evaluation found, the bars are what the fitted "
            "model’s surveys give, with the luck of who is asked and who answers; the gap in a bar is the median.",
        ),
    ),
    Drawing(
        "calls",
        figures.calls,
        Caption(
            alt="For each statistic of the calls of 2013 to 2015 the simulated interval over the real number.",
            reading="Each row is one statistic, its real number in brackets. A bar that misses the line at 1 is a "
            "number that the fitted model does not give.",
        ),
    ),
    Drawing(
        "coverage",
        figures.coverage,
        Caption(
            alt="Share of known worlds in which 50% and 90% intervals hold the true value, for each fitted parameter.",
            reading="Worlds were drawn from the priors, their numbers taken as data and their parameters inferred by "
            "the same code. Dots should lie within the bands; left of them, intervals are too narrow.",
        ),
    ),
    Drawing(
        "learned",
        figures.learned,
        Caption(
            alt="For each fitted parameter, the share of the prior’s variance that the evidence has taken away.",
            reading="Hollow dots: as good as unidentified. Parameters that are not listed were not fitted.",
        ),
    ),
    Drawing(
        "ahead",
        figures.ahead,
        Caption(
            alt="Forecast intervals for the calls of 2016 and 2017.",
            reading="Made from inputs alone; the gap in a bar is the median. What came out of these calls is not known "
            "to the project.",
        ),
    ),
)


def write_report(found: Validation, folder: Path) -> Path:
    """Write `report.html` and `figures/` into the folder; return the report's path."""
    drawings = folder / "figures"
    drawings.mkdir(parents=True, exist_ok=True)
    shown: dict[str, Shown] = {}
    for number, drawing in enumerate(DRAWINGS, start=1):
        figure = drawing.draw(found)
        if figure is not None:
            shown[drawing.name] = put(figure, drawing.told, drawing.name, number, drawings)
    path = folder / "report.html"
    path.write_text(page(TEMPLATE, content(found), shown), encoding="utf-8")
    return path


def content(found: Validation) -> dict[str, Any]:
    """All that the page says."""
    return {
        "findings": words.findings(found),
        "survey": tables.survey(found),
        "picking": tables.picking(found),
        "calls": tables.calls(found),
        "typicality": tables.typicality(found),
        "fit": tables.fit(found),
        "unfitted": tables.unfitted(),
        "left_out": tables.left_out(found),
        "forecast": tables.forecast(found),
        "outside": tables.outside(found),
        "checked": found.table("coverage") is not None,
        "manifest": found.manifest,
    }
