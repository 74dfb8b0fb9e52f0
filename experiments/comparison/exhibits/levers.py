"""What each scenario changes, and how well its effect is known."""

from typing import Any, NamedTuple

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table, spanned


class Levers(NamedTuple):
    """By scenario, the levers that it changes: call, funder, label, unit, values, evidence and why."""

    lineup: Lineup
    changes: dict[str, list[dict[str, Any]]]


def data(frames: Frames) -> Levers:
    """Return the levers that each scenario changes."""
    changes = {key: frames.about.get(key, {}).get("changes", []) for key in views.others(frames)}
    return Levers(views.lineup(frames), changes)


def tables(shown: Levers) -> list[Table]:
    """Return a row for each lever of each scenario."""
    rows = [
        Row(shown.lineup.titles[scenario], _cells(change))
        for scenario in shown.lineup.ranked
        for change in shown.changes[scenario]
    ]
    heads = ("Lever", "Base → scenario", "Evidence for its effect", "Why")
    caption = "What each scenario changes, and how well its effect is known"
    return [Table(caption, "Scenario", heads, spanned(rows), (0, 1, 2, 3))] if rows else []


def _cells(change: dict[str, Any]) -> tuple[Cell, ...]:
    unit = change.get("unit") or ""
    was, now = (words.setting(change.get(key), unit) for key in ("base_value", "value"))
    funder = f" ({words.country(change['funder'])})" if change.get("funder") else ""
    since = "" if change.get("call") is None else f"from {change['call']}"
    ends = change["ends"]
    what, why = ("as in the base again", "") if ends else (f"{was} → {now}", change.get("why", ""))
    in_worlds = change.get("base_in_worlds")
    span = change["taken"] if in_worlds is None or ends else f"without that: {words.setting_in_worlds(in_worlds, unit)}"
    return (
        Cell(f"{change['label']}{funder}", since),
        Cell(what, span),
        Cell("cannot act here" if change["idle"] else change.get("effect_evidence", "")),
        Cell(change["idle"] or why),
    )


EXHIBIT = Exhibit("levers", data, tables=tables)
