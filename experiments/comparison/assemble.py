"""A finished study as tables, with its answers and its manifest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import scenarios as library
from experiments.comparison.answers import answers
from experiments.comparison.carry_out import Done
from experiments.comparison.effects import hangs_on_rows, relative_by_draw, variance_row
from experiments.comparison.frames import Frames, OnDisk
from experiments.comparison.large_tables import write_large_tables
from experiments.comparison.manifest import content_of
from experiments.comparison.study import Study
from experiments.comparison.tables import table
from experiments.comparison.trace import MOST_TRACED, trace
from experiments.runs.cells import Draws
from experiments.runs.measures import MAIN, all_measures
from experiments.runs.provenance import machine
from experiments.runs.store import Store
from experiments.runs.world_ranges import range_without
from scenarios import Scenario
from scenarios.settings import plain
from simulator.observe import MONTHLY
from simulator.parameters import F64


def _rows(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Put rows into a table, which has its columns even where there are none."""
    return pd.DataFrame(rows, columns=[column.name for column in table(name).columns])


def frames_of(study: Study, done: Done, store: Store, folder: Path) -> Frames:
    """Return a finished study's tables and answers; the large tables are written into `folder`."""
    names = study.names
    net = done.values[MAIN]
    variance = [
        variance_row(name, net[place], net[0])
        for place, name in enumerate(names)
        if place > 0 and study.settings.runs > 1
    ]
    draws = done.draws
    drawn = {name: draws.values[:, place] for place, name in enumerate(draws.names)}
    monthly = _measure_frame(MONTHLY)
    measures = _measure_frame(all_measures().values())
    digests, links = write_large_tables(study, store, done.jobs, folder)
    parts: dict[str, Any] = {
        "base": names[0],
        "scenarios": names,
        "about": {scenario.name: _about(scenario, drawn) for scenario in study.chosen},
        "measures": measures,
        "monthly_measures": monthly,
        "parameters": pd.DataFrame({"draw": draws.number} | drawn),
        "effects": pd.DataFrame(done.effects),
        "spending": _rows("spending", done.spending),
        "reasons": _rows("reasons", done.reasons),
        "variance": _rows("variance", variance),
        "hangs_on": _hangs_on(study, net, drawn),
        "network": pd.DataFrame(
            [(*pair, value) for pair, value in links.items()], columns=["scenario", "country", "other", "links"]
        ),
        "manifest": content_of(study) | machine() | _outcome(done),
    }
    frames = Frames(**parts, large=OnDisk(folder), digests=digests, trace=_trace(study, draws))
    return replace(frames, answers=answers(frames))


def _trace(study: Study, draws: Draws) -> dict[str, pd.DataFrame]:
    """Return the first run of a single scenario in full."""
    if len(study.chosen) > 1 or int(study.centre[0].world.cluster_members.sum()) > MOST_TRACED:
        return {}
    return trace(study.cases[0].inputs(draws.of_row(0)), study.settings.seed, int(draws.number[0]))


def _outcome(done: Done) -> dict[str, Any]:
    """Return what the manifest says of how far the study went."""
    return {"complete": not done.missing, "missing": list(done.missing), "finished_draws": len(done.draws)}


def _measure_frame(measures: Any) -> pd.DataFrame:
    return pd.DataFrame([(m.name, m.unit, m.label) for m in measures], columns=["name", "unit", "label"]).set_index(
        "name"
    )


def _about(scenario: Scenario, drawn: dict[str, F64]) -> dict[str, Any]:
    """Return the words and levers of a scenario, each lever with what the evidence can say of its effect."""
    entries, baseline = library.register(), library.load("baseline")
    changes = []
    for row in scenario.differences():
        entry = entries.get(row.name)
        in_worlds = range_without(row, baseline, drawn)
        changes.append(
            {
                "call": row.year,
                "funder": row.funder,
                "lever": row.name,
                "label": row.label,
                "unit": row.unit,
                "base_value": plain(row.was),
                "value": plain(row.now),
                "ends": row.ends,
                "idle": row.idle,
                "taken": row.taken,
                "base_in_worlds": None if in_worlds is None else list(in_worlds),
                "effect_evidence": getattr(entry, "effect_evidence", None) or "assumed",
                "why": getattr(entry, "effect_why", None) or "",
            }
        )
    order = ("data-informed", "literature-informed", "assumed")
    worst = max((order.index(str(change["effect_evidence"])) for change in changes), default=0)
    return {
        "title": scenario.title,
        "question": scenario.question,
        "parent": scenario.parent.name if scenario.parent else None,
        "changes": changes,
        "evidence": order[worst],
    }


def _hangs_on(study: Study, net: F64, drawn: dict[str, F64]) -> pd.DataFrame:
    """Return the drawn parameters with which each scenario's effect on net contracts goes."""
    entries = library.register()
    names = [name for name, column in drawn.items() if np.ptp(column) > 0.0]
    rows: list[dict[str, object]] = []
    mean = net.mean(axis=2)
    for place, scenario in enumerate(study.chosen[1:], start=1):
        effect = relative_by_draw(mean[place], mean[0])
        rows += hangs_on_rows(scenario.name, effect, drawn, names, most=6)
    for row in rows:
        entry = entries[str(row["parameter"])]
        informed = row["parameter"] in study.informed
        row |= {"label": entry.label, "evidence": "fitted" if informed else entry.evidence}
    return _rows("hangs_on", rows)
