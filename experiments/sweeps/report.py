"""The page on a sweep: the answer first, how far it can be trusted, what it hangs on, and how to repeat it."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

from experiments.comparison.exhibits.captions import Caption
from experiments.comparison.report import Shown, page, put
from experiments.exhibits import words
from experiments.exhibits.style import NARROW
from experiments.runs.provenance import machine
from experiments.sweeps import figures, figures_space, sentences, tables
from experiments.sweeps.findings import Finding, Findings, Found, findings
from experiments.sweeps.indices import MAIN_INDEX
from experiments.sweeps.others import in_words
from scenarios.errors import listed

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep

TEMPLATE = "sweeps/sweep.html.j2"
REPORT, INDICES = "report.html", "indices.parquet"


class Drawing(NamedTuple):
    """A figure: its name, what draws it from a finding and its base, and how it is read."""

    name: str
    draw: Callable[..., Figure | None]
    reading: str


DRAWINGS: tuple[Drawing, ...] = (
    Drawing(
        "ranking", figures.ranking,
        "The factors from the strongest down. Where the intervals of two factors overlap, their order cannot be read "
        "off. Numbers at the right: the values. Hollow: not told apart from doing nothing.",
    ),
    Drawing(
        "screening", figures.screening,
        "To the right: factors with large effects. High up: factors whose effect depends on where the others stand, or "
        "is not a straight line. Hollow: not told apart from doing nothing. Small dots: all other factors.",
    ),
    Drawing(
        "interactions", figures.interactions,
        "The share of the variance that goes only when both factors are known, with its 90% interval (where there is "
        "no room for it: in the tables). Hollow: not told apart from nothing.",
    ),
    Drawing(
        "courses", figures_space.courses,
        "Each panel holds all points, grouped by one factor; all other factors vary. A flat line within a wide band is "
        "a factor that does little.",
    ),
    Drawing(
        "shifts", figures_space.shifts,
        "Each curve tells for a value on the axis below which share of points lies under it. Where the broken curves "
        "leave the black one, the factor moves the distribution.",
    ),
    Drawing(
        "settling", figures.settling,
        "The same runs, the first blocks alone at the left, all of them at the right; lines are 90% intervals.",
    ),
)  # fmt: skip
BOXES = (
    "Each sign is a world; those outside the box's other bounds are left out. A good box holds most triangles "
    "(coverage) and little else (density)."
)


class Part(NamedTuple):
    """What the page says of one contrast and measure; `figures` by name."""

    title: str
    effect: str
    hangs_on: str
    together: str
    cautions: list[str]
    figures: dict[str, Shown]
    boxes: list[str]
    tables: list[Any]


def write_report(sweep: "Sweep", folder: Path | None = None) -> Path:
    """Analyse a sweep and write `report.html`, `figures/` and `indices.parquet`; return the page's path.

    Of a sweep that is not finished, what is there is told, and that it is not all.
    """
    folder = sweep.folder if folder is None else folder
    drawings = folder / "figures"
    drawings.mkdir(parents=True, exist_ok=True)
    found = findings(sweep)
    keep = partial(_numbered, drawings, count(1))
    path = folder / REPORT
    path.write_text(page(TEMPLATE, content(found, keep), {}), encoding="utf-8")
    as_table(found).to_parquet(folder / INDICES)
    return path


def as_table(found: Findings) -> Any:
    """All indices of a sweep in one table, factors by name."""
    import pandas as pd

    names = [factor.name for factor in found.sweep.factors]
    frames = [
        each.found.assign(
            contrast=each.contrast, measure=each.measure,
            factor=[names[place] if place >= 0 else "" for place in each.found["factor"]],
            other=[names[place] if place >= 0 else "" for place in each.found["other"]],
        )
        for each in found.each
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _numbered(
    folder: Path, number: Iterator[int], name: str, told: Caption, draw: Callable[..., Figure | None]
) -> Shown | None:
    """A figure written to the folder, and as it stands in the page; None where there is nothing to show."""
    figure = draw()
    return None if figure is None else put(figure, told, name, next(number), folder, draw(width=NARROW))


def content(found: Findings, keep: Callable[..., Shown | None]) -> dict[str, Any]:
    """All that the page says, in the order in which it says it."""
    sweep, failed = found.sweep, found.failures
    main = sweep.experiment.measures[0]
    bases = _bases(sweep)
    first = [_part(each, bases[each.contrast], keep, full=True) for each in found.each if each.measure == main]
    others = [_part(each, bases[each.contrast], keep, full=False) for each in found.each if each.measure != main]
    return {
        "title": sweep.experiment.title,
        "question": sweep.experiment.question,
        "rests_on": rests_on(found),
        "warning": warning(found),
        "parts": first,
        "others": others,
        "turning": [
            (sentences.turning(each), tables.regret(each), _boxes(each.boxes, keep), sentences.boxes(each.boxes))
            for each in found.turning
        ],
        "turning_first": sweep.method.name == "discovery",
        "failures": sentences.failures(failed),
        "failed": tables.failures(found, failed),
        "factors": tables.factors(found),
        "method": sweep.method.kind,
        "method_name": sweep.method.name,
        "runs": sweep.experiment.runs,
        "facts": facts(sweep),
        "command": f"innovex sweep {sweep.folder}",
    }


def _bases(sweep: "Sweep") -> dict[str, str]:
    """What each contrast's option is held against; "" where that is nothing."""
    return {label: "" if base is None else sweep.cases[base] for label, base, _ in sweep.plan.pairs}


def _part(finding: Finding, base: str, keep: Callable[..., Shown | None], full: bool) -> Part:
    shown: dict[str, Shown] = {}
    for drawing in DRAWINGS if full else DRAWINGS[:1]:
        name = _slug(f"{finding.contrast}-{finding.measure}-{drawing.name}")
        told = Caption(drawing.reading, f"{drawing.reading} {sentences.hangs_on(finding)}")
        kept = keep(name, told, partial(drawing.draw, finding, base))
        shown |= {} if kept is None else {drawing.name: kept}
    if finding.boxes is not None:
        box = _boxes(finding.boxes, keep)
        shown |= {} if box is None else {"boxes": box}
    known = not finding.found.empty and not finding.why_not
    all_tables = [tables.indices(finding), tables.pairs(finding), tables.with_luck(finding)] if known else []
    return Part(
        figures_title(finding), sentences.effect(finding), sentences.hangs_on(finding), sentences.together(finding),
        sentences.cautions(finding), shown, sentences.boxes(finding.boxes) if finding.boxes else [],
        [each for each in all_tables if each is not None],
    )  # fmt: skip


def figures_title(finding: Finding) -> str:
    """A part's heading."""
    return f"{words.capital(finding.label.split(':')[0])}: {finding.contrast}"


def _boxes(found: Found, keep: Callable[..., Shown | None]) -> Shown | None:
    told = Caption(BOXES, " ".join(sentences.boxes(found)))
    return keep(_slug(f"boxes-{found.event_in_words}"), told, partial(figures_space.boxes, found))


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())[:80]


def rests_on(found: Findings) -> str:
    """One line: how much was run, of what."""
    sweep = found.sweep
    method, runs = sweep.method, sweep.experiment.runs
    blocks = f"{words.plural(method.n, 'block')} of {words.plural(sweep.plan.block, 'point')}"
    factors, each = words.plural(len(sweep.factors), "factor"), words.plural(len(sweep.cases), "scenario")
    return (
        f"{method.kind.title}: {factors}, {blocks}, {words.plural(runs, 'run')} with different luck at each: "
        f"{sweep.plan.cells:,} in all, each of {each}."
    )


def warning(found: Findings) -> str:
    """What must be known before anything else."""
    failed = found.failures
    text = []
    if failed.finished < failed.asked:
        text.append(
            f"This sweep is not finished: {failed.finished:,} of {failed.asked:,} points and runs are there, and all "
            f"numbers rest on these alone."
        )
        if damaged := [part.file for part in found.sweep.damaged]:
            text.append(f"Damaged, to be done again by --resume: {listed(damaged, 3)}.")
    if failed.count > 0.01 * max(1, failed.finished):
        text.append(f"{failed.count / failed.finished:.0%} of its runs failed: see below where they lie.")
    return " ".join(text)


def facts(sweep: "Sweep") -> list[tuple[str, str]]:
    """What is needed to repeat it, and what it ran on."""
    experiment, about = sweep.experiment, machine()
    told: list[tuple[str, Any]] = [
        ("Contrasts", "; ".join(sweep.contrasts)),
        ("Scenarios run", ", ".join(sweep.cases)),
        ("Measures", ", ".join(experiment.measures)),
        ("What is not varied", in_words(experiment.others, experiment.draws_from)),
        ("Method", f"{sweep.method.name}, n = {sweep.method.n:,}"),
        *((f"Setting: {name}", sweep.method[name]) for name in sweep.method.kind.settings),
        ("Ranked by", MAIN_INDEX.get(sweep.method.name)),
        ("Seed", experiment.seed),
        ("Identity", sweep.plan.base),
        ("Code", sweep.plan.work.code),
        ("Python", about["python"]),
        *sorted(about["versions"].items()),
    ]
    return [(name, str(value)) for name, value in told if value is not None]
