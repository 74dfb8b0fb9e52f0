"""The report: one HTML file that needs nothing else, the answer first, and its figures as files for slides."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from experiments.comparison import views
from experiments.comparison.exhibits import captions, figures, figures_who, tables, tables_who
from experiments.comparison.exhibits.captions import Caption
from experiments.exhibits import words
from experiments.exhibits.style import NARROW, counted_calls, inline, png_of, svg_of
from experiments.runs.parameter_draws import is_calibrated

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison

TEMPLATE = "comparison/report.html.j2"


class Drawing(NamedTuple):
    """A figure to make: its name, what draws it, what tells it in words, and whether it is drawn for phones too."""

    name: str
    draw: Callable[..., Figure | None]
    tell: Callable[["Comparison"], Caption]
    narrow: bool = False


DRAWINGS: tuple[Drawing, ...] = (
    Drawing("answer", figures.answer, captions.answer, narrow=True),
    Drawing("split", figures.split, captions.split, narrow=True),
    Drawing("funnel", figures.funnel, captions.funnel),
    Drawing("countries", figures_who.countries, captions.countries),
    Drawing("lost", figures_who.lost, captions.lost),
    Drawing("network", figures_who.network, captions.network),
    Drawing("paths", figures_who.paths, captions.paths),
    Drawing("reasons", figures.reasons, captions.reasons),
    Drawing("hangs_on", figures.hangs_on, captions.hangs_on),
)


@dataclass(frozen=True)
class Shown:
    """A figure as it stands in the page; `narrow`: as it stands there on a phone, where it can be drawn so."""

    name: str
    svg: Markup
    reading: str
    narrow: Markup | None = None


@dataclass(frozen=True)
class Answer:
    """One scenario's answer: its title, the sentence, and how well its effect is known."""

    title: str
    sentence: str
    question: str
    evidence: str


@dataclass(frozen=True)
class Group:
    """Scenarios with the same verdict."""

    name: str
    heading: str
    answers: tuple[Answer, ...]


def write_report(comparison: "Comparison", folder: Path) -> Path:
    """Write `report.html` and `figures/*.svg|*.png` into the folder; return the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = folder / "figures"
    drawings.mkdir(exist_ok=True)
    shown: dict[str, Shown] = {}
    for number, drawing in enumerate(DRAWINGS, start=1):
        figure = drawing.draw(comparison)
        if figure is not None:
            narrow = drawing.draw(comparison, width=NARROW) if drawing.narrow else None
            shown[drawing.name] = put(figure, drawing.tell(comparison), drawing.name, number, drawings, narrow)
    path = folder / "report.html"
    path.write_text(html(comparison, shown), encoding="utf-8")
    return path


def put(figure: Figure, told: Caption, name: str, number: int, folder: Path, narrow: Figure | None = None) -> Shown:
    """Write a figure to the folder, as SVG and as PNG; return it as it stands in the page, there `narrow` too."""
    svg = svg_of(figure)
    stem = f"{number:02d}-{name.replace('_', '-')}"
    (folder / f"{stem}.svg").write_text(svg, encoding="utf-8")
    (folder / f"{stem}.png").write_bytes(png_of(figure))
    small = None if narrow is None else Markup(inline(svg_of(narrow), f"n{number}", told.alt))
    return Shown(name, Markup(inline(svg, f"f{number}", told.alt)), told.reading, small)


def html(comparison: "Comparison", shown: dict[str, Shown]) -> str:
    """The page, with the figures that could be drawn."""
    return page(TEMPLATE, content(comparison), shown)


def page(template: str, said: dict[str, Any], shown: dict[str, Shown]) -> str:
    """A page of the house: a template filled with what it says and the figures that could be drawn."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["table_id"] = partial(_next_number, [0])
    return environment.get_template(template).render(**said, figures=shown) + "\n"


def _next_number(last: list[int]) -> int:
    last[0] += 1
    return last[0]


def content(comparison: "Comparison") -> dict[str, Any]:
    """All that the page says, in the order in which it says it."""
    bases = views.bases(comparison) or (views.BUDGET,)
    return {
        "title": _title(comparison),
        "question": _question(comparison),
        "rests_on": rests_on(comparison),
        "warning": warning(comparison),
        "few_draws": _draws(comparison) < 30,
        "draws": _draws(comparison),
        "calibrated": is_calibrated(comparison.manifest),
        "base_title": views.title(comparison, comparison.base),
        "groups": groups(comparison),
        "alone": "" if views.others(comparison) else _alone(comparison),
        "differences": [tables.differences(comparison, basis) for basis in bases],
        "splits": [tables.split(comparison, basis) for basis in bases],
        "workings": tables.workings(comparison),
        "funnel": tables.funnel(comparison),
        "countries": tables_who.countries(comparison),
        "by_group": tables_who.groups(comparison),
        "lost": tables_who.lost(comparison),
        "lost_by_funder": tables_who.lost_by_funder(comparison),
        "lost_sentence": lost_sentence(comparison),
        "levers": tables.levers(comparison),
        "reasons": tables.reasons(comparison),
        "hangs_on": tables.hangs_on(comparison),
        "spending": tables.spending(comparison),
        "variance": tables.variance(comparison),
        "facts": facts(comparison),
    }


def _title(comparison: "Comparison") -> str:
    others = views.others(comparison)
    base = views.title(comparison, comparison.base)
    if not others:
        return base
    if len(others) == 1:
        return f"{views.title(comparison, others[0])}, against “{base}”"
    return f"{len(others)} scenarios against “{base}”"


def _question(comparison: "Comparison") -> str:
    """The scenario's own question; of many scenarios, what they are compared for."""
    others = views.others(comparison)
    if len(others) < 2:
        return str(comparison.manifest.get("question") or "")
    base = views.title(comparison, comparison.base)
    return f"Which of {len(others)} scenarios would bring SMEs more contracts than “{base}”, and at what public cost?"


def _draws(comparison: "Comparison") -> int:
    manifest = comparison.manifest
    return int(manifest.get("finished_draws") or manifest.get("draws") or 0)


def rests_on(comparison: "Comparison") -> str:
    """One line: how much was simulated, of what, with which parameters."""
    manifest = comparison.manifest
    runs = int(manifest.get("runs") or 1)
    parts = [f"{words.plural(_draws(comparison), 'draw')} × {words.plural(runs, 'run')} of each scenario"]
    calls = words.years(counted_calls(comparison))
    if calls:
        months = manifest.get("horizon_months")
        until = f", each for {months} months after its close" if months else ""
        parts.append(f"calls of {calls}{until}")
    if manifest.get("parameters_from"):
        parts.append(f"parameters: {manifest['parameters_from']}")
    when = manifest.get("finished") or manifest.get("date")
    if when:
        parts.append(f"finished {str(when)[:10]}")
    return "; ".join(parts) + "."


def warning(comparison: "Comparison") -> str:
    """What a reader must know of a run that was stopped."""
    manifest = comparison.manifest
    lacks = [str(part) for part in manifest.get("missing", ()) if part not in ("report", "draws")]
    asked, finished = max(1, int(manifest.get("draws") or 0)), _draws(comparison)
    if manifest.get("complete", True) or (not lacks and finished >= asked and manifest.get("missing")):
        return ""
    text = "This run was interrupted."
    if finished < asked:
        text += (
            f" {finished:,} of {words.plural(asked, 'draw')} {'was' if finished == 1 else 'were'} finished, and all "
            "numbers rest on these alone."
        )
    if lacks:
        text += f" Not computed: {words.listed(lacks)}."
    return text


_HEADINGS = (
    ("better", "Clearly better"),
    ("worse", "Clearly worse"),
    ("open", "Not told apart"),
)


def groups(comparison: "Comparison") -> list[Group]:
    """Answers by verdict at equal budget, in ranked order."""
    verdicts = views.verdicts(comparison, views.main_basis(comparison))
    sentences = {answer["scenario"]: answer for answer in comparison.answers}
    found = []
    for name, heading in _HEADINGS:
        members = [key for key in views.ranked(comparison) if verdicts[key] == name]
        if members:
            answers = tuple(_answer(comparison, key, sentences.get(key, {})) for key in members)
            found.append(Group(name, heading, answers))
    return found


def _answer(comparison: "Comparison", scenario: str, told: dict[str, Any]) -> Answer:
    about = comparison.about.get(scenario, {})
    title = views.title(comparison, scenario)
    sentence = str(told.get("sentence") or _plain_sentence(comparison, scenario))
    sentence = words.typeset(words.capital(sentence.removeprefix(title).lstrip(": ")))
    return Answer(title, sentence, str(about.get("question", "")), str(about.get("evidence") or "assumed"))


def _plain_sentence(comparison: "Comparison", scenario: str) -> str:
    row = views.effects_of(comparison, views.NET, views.main_basis(comparison)).loc[scenario]
    change = words.percent(row["relative"])
    if change == words.MISSING:
        change = words.signed(row["difference"])
    return f"{change} net contracts, better in {words.share(row['p_better'])} of draws."


def _alone(comparison: "Comparison") -> str:
    """What a single scenario brings, where nothing is compared."""
    value = {name: views.base_value(comparison, name) for name in ("contracts", views.NET, "public_cost_eur")}
    gross, net = words.count(value["contracts"]), words.count(value[views.NET])
    cost = words.eur(value["public_cost_eur"])
    return (
        f"{gross} SME contracts per run in its projects, {net} of them net of what would have come anyway or was "
        f"displaced, for {cost} of public money."
    )


def lost_sentence(comparison: "Comparison") -> str:
    """What is lost in the base, and to which cause most."""
    table = figures_who.lost_table(comparison, [])
    if comparison.base not in table.index or not table.loc[comparison.base].sum() > 0:
        return "In the base no good application is refused."
    causes = table.loc[comparison.base]
    total, first = float(causes.sum()), str(causes.idxmax())
    short = views.mean_per_run(comparison, comparison.short, ["funder"], "short_eur")
    text = (
        f"In the base {words.count(total)} good applications are refused per run; the most common cause is “"
        f"{words.CAUSES[first]}” ({causes[first] / total:.0%})"
    )
    ours = short[short.index.get_level_values("scenario") == comparison.base]
    if len(ours) and ours.max() > 0:
        funder = words.country(str(ours.idxmax()[1]))
        text += f", and the funder of {funder} is shortest of money ({words.eur(float(ours.max()))})"
    return text + "."


def facts(comparison: "Comparison") -> list[tuple[str, str]]:
    """What is needed to repeat the run, and what it ran on."""
    manifest = comparison.manifest
    told: list[tuple[str, Any]] = [
        ("Draws asked, finished", f"{manifest.get('draws')}, {_draws(comparison)}"),
        ("Runs per draw", manifest.get("runs")),
        ("Seed", manifest.get("seed")),
        ("Draws for reasons", manifest.get("reasons")),
        ("Draws for equal spending", manifest.get("spending")),
        ("Member SMEs of all clusters", _thousands(manifest.get("smes"))),
        ("Clusters", _thousands(manifest.get("clusters"))),
        ("Code", manifest.get("code")),
        ("Python", manifest.get("python")),
        *(sorted((manifest.get("versions") or {}).items())),
        ("Platform", manifest.get("platform")),
    ]
    return [(name, str(value)) for name, value in told if value is not None]


def _thousands(value: Any) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None
