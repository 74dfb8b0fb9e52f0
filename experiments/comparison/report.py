"""The report on a comparison: one HTML file that needs nothing else, the answer first, and its figures for slides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.comparison import views
from experiments.comparison.exhibits import (
    answer,
    countries,
    differences,
    funnel,
    groups,
    hangs_on,
    levers,
    lost,
    network,
    paths,
    reasons,
    spending,
    split,
    variance,
    workings,
)
from experiments.comparison.frames import Frames
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.page import show, write_page
from experiments.runs.measures import MAIN
from experiments.runs.parameter_draws import is_calibrated

TEMPLATE = "comparison/report.html.j2"
# Those with a figure are numbered in this order.
EXHIBITS: tuple[Exhibit[Frames], ...] = (
    answer.EXHIBIT,
    split.EXHIBIT,
    funnel.EXHIBIT,
    countries.EXHIBIT,
    lost.EXHIBIT,
    network.EXHIBIT,
    paths.EXHIBIT,
    reasons.EXHIBIT,
    hangs_on.EXHIBIT,
    differences.EXHIBIT,
    workings.EXHIBIT,
    groups.EXHIBIT,
    lost.BY_FUNDER,
    levers.EXHIBIT,
    spending.EXHIBIT,
    variance.EXHIBIT,
)
FEW_DRAWS = 30  # below which the page warns of its verdicts
HEADINGS = {
    "better": "Clearly better",
    "worse": "Clearly worse",
    "open": "Not told apart",
    "same": "No difference",
}


@dataclass(frozen=True)
class Answer:
    """One scenario's answer: its title, the sentence, and how well its effect is known."""

    title: str
    sentence: str
    evidence: str


@dataclass(frozen=True)
class Group:
    """Scenarios with the same verdict; of those that differ in nothing it is `same`."""

    verdict: str
    heading: str
    answers: tuple[Answer, ...]


def write_report(frames: Frames, folder: Path) -> Path:
    """Write the report on a comparison.

    Parameters
    ----------
    frames : Frames
        The comparison.
    folder : Path
        Gets `report.html` and `figures/*.svg|*.png`.

    Returns
    -------
    Path
        The path of `report.html`.
    """
    shown = {
        exhibit.name: show(exhibit, frames, folder, number) for number, exhibit in enumerate(EXHIBITS, start=1)
    }  # fmt: skip
    return write_page(folder, TEMPLATE, content(frames), shown)


def content(frames: Frames) -> dict[str, Any]:
    """Return what the page says beside its exhibits, by the names that the template uses."""
    losses = lost.EXHIBIT.data(frames)
    draws = views.finished_draws(frames)
    return {
        "title": _title(frames),
        "question": _question(frames),
        "rests_on": rests_on(frames),
        "warning": warning(frames),
        "few_draws": draws < FEW_DRAWS,
        "draws": draws,
        "calibrated": is_calibrated(frames.manifest),
        "fitted_calls": views.fitted_calls(frames),
        "base_title": views.title(frames, frames.base),
        "groups": answers_by_verdict(frames),
        "alone": "" if views.others(frames) else _alone(frames),
        "lost_sentence": lost.sentence(losses),
        "facts": facts(frames),
    }


def _title(frames: Frames) -> str:
    others = views.others(frames)
    base = views.title(frames, frames.base)
    if not others:
        return base
    if len(others) == 1:
        return f"{views.title(frames, others[0])}, against “{base}”"
    return f"{len(others)} scenarios against “{base}”"


def _question(frames: Frames) -> str:
    """Return the scenario's own question; of many scenarios, what they are compared for."""
    others = views.others(frames)
    if len(others) < 2:
        return str(frames.manifest.get("question") or "")
    base = views.title(frames, frames.base)
    return f"Which of {len(others)} scenarios would bring SMEs more contracts than “{base}”, and at what public cost?"


def rests_on(frames: Frames) -> str:
    """Return in one line how much was simulated, of what, with which parameters."""
    manifest = frames.manifest
    runs = words.plural(int(manifest.get("runs") or 1), "run")
    parts = [f"{words.plural(views.finished_draws(frames), 'draw')} × {runs} of each scenario"]
    calls = words.years(views.counted_calls(frames))
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


def warning(frames: Frames) -> str:
    """Return what a reader must know of a run that was stopped; "" if it was not."""
    manifest = frames.manifest
    lacks = [str(part) for part in manifest.get("missing", ()) if part not in ("report", "draws")]
    draws, finished = max(1, int(manifest.get("draws") or 0)), views.finished_draws(frames)
    if manifest.get("complete", True) or (not lacks and finished >= draws and manifest.get("missing")):
        return ""
    text = "This run was interrupted."
    if finished < draws:
        were = "was" if finished == 1 else "were"
        text += f" {finished:,} of {words.plural(draws, 'draw')} {were} finished, and all numbers rest on these alone."
    if lacks:
        text += f" Not computed: {words.listed(lacks)}."
    return text


def answers_by_verdict(frames: Frames) -> list[Group]:
    """Return answers by verdict at equal budget, in ranked order."""
    verdicts: dict[str, str] = {**views.verdicts(frames, views.main_basis(frames))}
    verdicts |= {scenario: "same" for scenario in verdicts if frames.is_the_same(scenario)}
    answers = {answer["scenario"]: answer for answer in frames.answers}
    groups = []
    for verdict, heading in HEADINGS.items():
        members = [key for key in views.ranked(frames) if verdicts[key] == verdict]
        if members:
            groups.append(Group(verdict, heading, tuple(_answer(frames, key, answers.get(key, {})) for key in members)))
    return groups


def _answer(frames: Frames, scenario: str, answer: Mapping[str, Any]) -> Answer:
    title = views.title(frames, scenario)
    sentence = str(answer.get("sentence") or _plain_sentence(frames, scenario))
    sentence = words.typeset(words.capital(sentence.removeprefix(title).lstrip(": ")))
    return Answer(title, sentence, str(frames.about.get(scenario, {}).get("evidence") or "assumed"))


def _plain_sentence(frames: Frames, scenario: str) -> str:
    row = views.effects_of(frames, MAIN, views.main_basis(frames)).loc[scenario]
    change = words.percent(row["relative"])
    if change == words.MISSING:
        change = words.signed(row["difference"])
    return f"{change} net contracts, better in {words.share(row['p_better'])} of draws."


def _alone(frames: Frames) -> str:
    """Return what a single scenario brings; nothing is compared."""
    gross, net = (words.count(views.base_value(frames, name)) for name in ("contracts", MAIN))
    cost = words.eur(views.base_value(frames, "public_cost_eur"))
    return (
        f"{gross} SME contracts per run in its projects, {net} of them net of what would have come anyway or was "
        f"displaced, for {cost} of public money."
    )


def facts(frames: Frames) -> list[tuple[str, str]]:
    """Return what is needed to repeat the run, and what it ran on."""
    manifest = frames.manifest
    rows: Sequence[tuple[str, Any]] = [
        ("Draws asked, finished", f"{manifest.get('draws')}, {views.finished_draws(frames)}"),
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
    return [(name, str(value)) for name, value in rows if value is not None]


def _thousands(value: Any) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None
