"""The report on a sweep: the answer first, how far it can be trusted, what it hangs on, and how to repeat it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.page import Shown, show, write_page
from experiments.exhibits.table import Table
from experiments.runs.provenance import machine
from experiments.sweeps.exhibits import (
    answer,
    boxes,
    courses,
    factors,
    failures,
    interactions,
    ranking,
    regret,
    screening,
    settling,
    shifts,
    trust,
)
from experiments.sweeps.findings import Event, Finding, Findings, Turning, findings
from experiments.sweeps.indices import MAIN_INDEX
from scenarios.errors import listed

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep

TEMPLATE = "sweeps/sweep.html.j2"
INDICES = "indices.parquet"
# Of each contrast and measure, in this order.
EXHIBITS: tuple[Exhibit[Finding], ...] = (
    ranking.EXHIBIT,
    screening.EXHIBIT,
    interactions.EXHIBIT,
    courses.EXHIBIT,
    shifts.EXHIBIT,
    settling.EXHIBIT,
    ranking.LUCK,
)
# Of measures but the first only the ranking is drawn.
BRIEFLY = tuple(exhibit if exhibit is ranking.EXHIBIT else replace(exhibit, draw=None) for exhibit in EXHIBITS)
MANY_FAILED = 0.01  # share of runs from which on the page warns of them

Show = Callable[[Exhibit[Any], Any, str], Shown]  # exhibit, what it shows, name of the figure


class Part(NamedTuple):
    """What the page says of one contrast and measure."""

    title: str
    effect: str
    hangs_on: str
    together: str
    cautions: list[str]
    boxes: list[str]
    shown: list[Shown]

    @property
    def tables(self) -> list[Table]:
        """The tables of all exhibits."""
        return [table for exhibit in self.shown for table in exhibit.tables]


class Choice(NamedTuple):
    """What the page says of the choice between options by one measure."""

    sentence: str
    where: list[str]
    regret: Shown
    boxes: Shown


def write_report(sweep: "Sweep", folder: Path | None = None) -> Path:
    """Analyse a sweep and write its report; of a sweep that is not finished, as far as it has come.

    Parameters
    ----------
    sweep : Sweep
        The sweep in its folder.
    folder : Path or None, optional
        Gets `report.html`, `figures/` and `indices.parquet`; the sweep's own unless given.

    Returns
    -------
    Path
        The path of `report.html`.
    """
    folder = sweep.folder if folder is None else folder
    results = findings(sweep)
    path = write_page(folder, TEMPLATE, content(results, _numbered(folder)), {})
    index_table(results).to_parquet(folder / INDICES)
    return path


def index_table(results: Findings) -> pd.DataFrame:
    """Return all indices of a sweep in one table, factors by name."""
    names = [factor.name for factor in results.sweep.factors]
    frames = [
        finding.indices.assign(
            contrast=finding.contrast, measure=finding.measure,
            factor=[names[place] if place >= 0 else "" for place in finding.indices["factor"]],
            other=[names[place] if place >= 0 else "" for place in finding.indices["other"]],
        )
        for finding in results.each
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _numbered(folder: Path) -> Show:
    """Return a function that shows exhibits and numbers the figures in the order in which they are drawn."""
    drawn = 0

    def show_next(exhibit: Exhibit[Any], frames: Any, name: str) -> Shown:
        nonlocal drawn
        shown = show(exhibit, frames, folder, drawn + 1, name)
        drawn += shown.picture is not None
        return shown

    return show_next


def content(results: Findings, show: Show) -> dict[str, Any]:
    """Return what the page says, by the names that the template uses; figures are numbered as they are shown."""
    sweep, main = results.sweep, results.sweep.experiment.measures[0]
    parts = [_part(finding, EXHIBITS, show) for finding in results.each if finding.measure == main]
    others = [_part(finding, BRIEFLY, show) for finding in results.each if finding.measure != main]
    return {
        "title": sweep.experiment.title,
        "question": sweep.experiment.question,
        "rests_on": rests_on(results),
        "warning": warning(results),
        "parts": parts,
        "others": others,
        "choices": [_choice(turning, show) for turning in results.turning],
        "choices_first": sweep.method.name == "discovery",
        "failures": failures.sentences(results.failures),
        "failed": show(failures.EXHIBIT, results, "").tables,
        "factors": show(factors.EXHIBIT, results, "").tables,
        "method": sweep.method.kind,
        "method_name": sweep.method.name,
        "runs": sweep.experiment.runs,
        "facts": facts(sweep),
        "command": f"innovex sweep {sweep.folder}",
    }


def _part(finding: Finding, exhibits: tuple[Exhibit[Finding], ...], show: Show) -> Part:
    shown = [
        show(exhibit, finding, _slug(f"{finding.contrast}-{finding.measure}-{exhibit.name}")) for exhibit in exhibits
    ]
    if finding.boxes is not None:
        shown.append(_boxes(finding.boxes, show))
    return Part(
        title=f"{words.capital(finding.label.split(':')[0])}: {finding.contrast}",
        effect=answer.effect(finding),
        hangs_on=answer.hangs_on(finding),
        together=interactions.sentence(finding),
        cautions=trust.cautions(finding),
        boxes=boxes.sentences(finding.boxes) if finding.boxes else [],
        shown=shown,
    )


def _boxes(event: Event, show: Show) -> Shown:
    return show(boxes.EXHIBIT, event, _slug(f"boxes-{event.in_words}"))


def _choice(turning: Turning, show: Show) -> Choice:
    return Choice(
        sentence=regret.sentence(turning),
        where=boxes.sentences(turning.boxes),
        regret=show(regret.EXHIBIT, turning, ""),
        boxes=_boxes(turning.boxes, show),
    )


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())[:80]


def rests_on(results: Findings) -> str:
    """Return in one line how much was run, of what."""
    sweep = results.sweep
    method, runs = sweep.method, sweep.experiment.runs
    blocks = f"{words.plural(method.n, 'block')} of {words.plural(sweep.plan.block, 'point')}"
    varied, scenarios = words.plural(len(sweep.factors), "factor"), words.plural(len(sweep.cases), "scenario")
    return (
        f"{method.kind.title}: {varied}, {blocks}, {words.plural(runs, 'run')} with different luck at each: "
        f"{sweep.plan.cells:,} in all, each of {scenarios}."
    )


def warning(results: Findings) -> str:
    """Return what must be known before anything else; "" if there is nothing."""
    failed = results.failures
    text = []
    if failed.finished < failed.planned:
        text.append(
            f"This sweep is not finished: {failed.finished:,} of {failed.planned:,} points and runs are there, and all "
            f"numbers rest on these alone."
        )
        if damaged := [part.file for part in results.sweep.damaged]:
            text.append(f"Damaged, to be done again by --resume: {listed(damaged, 3)}.")
    if failed.count > MANY_FAILED * max(1, failed.finished):
        text.append(f"{failed.count / failed.finished:.0%} of its runs failed: see below where they lie.")
    return " ".join(text)


def facts(sweep: "Sweep") -> list[tuple[str, str]]:
    """Return what is needed to repeat the sweep, and what it ran on."""
    experiment, about = sweep.experiment, machine()
    rows: list[tuple[str, Any]] = [
        ("Contrasts", "; ".join(sweep.contrasts)),
        ("Scenarios run", ", ".join(sweep.cases)),
        ("Measures", ", ".join(experiment.measures)),
        ("What is not varied", experiment.others_in_words),
        ("Method", f"{sweep.method.name}, n = {sweep.method.n:,}"),
        *((f"Setting: {name}", sweep.method[name]) for name in sweep.method.kind.settings),
        ("Ranked by", MAIN_INDEX.get(sweep.method.name)),
        ("Seed", experiment.seed),
        ("Identity", sweep.plan.base),
        ("Code", sweep.plan.work.code),
        ("Python", about["python"]),
        *sorted(about["versions"].items()),
    ]
    return [(name, str(value)) for name, value in rows if value is not None]
