"""A finished study as tidy frames, with its answers and its manifest."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

import scenarios as library
from experiments.comparison.answers import answer
from experiments.comparison.carry_out import Comparison, Done, Study
from experiments.comparison.effects import MAIN, all_measures, hangs_on_rows, relative_by_draw, values, variance_row
from experiments.comparison.manifest import asked, machine
from experiments.comparison.trace import MOST_TRACED, trace
from experiments.runs.ensemble import Ensemble
from scenarios import Scenario
from simulator.observe import GROUP_MEASURES, MEASURES, MONTHLY
from simulator.parameters import F64
from simulator.state import CAUSES

_COLUMNS = {
    "spending": ["scenario", "draws", "matched", "scale_mean", "note"],
    "reasons": ["scenario", "mechanism", "label", "effect", "effect_without", "contribution", "share",
                "standard_error", "draws"],
    "variance": ["scenario", "measure", "paired", "independent", "ratio"],
    "hangs_on": ["scenario", "parameter", "label", "correlation", "evidence"],
}  # fmt: skip


def _rows(frame: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows as a frame, which has its columns even where there are none."""
    return pd.DataFrame(rows, columns=_COLUMNS[frame])


def comparison_of(study: Study, done: Done) -> Comparison:
    """Everything as frames, with the answers."""
    names = tuple(scenario.name for scenario in study.chosen)
    main = done.main
    found = values(main)
    variance = [
        variance_row(name, found[MAIN][place], found[MAIN][0])
        for place, name in enumerate(names)
        if place > 0 and study.settings.runs > 1
    ]
    about = {scenario.name: _about(scenario) for scenario in study.chosen}
    drawn = {name: column[main.draws] for name, column in study.drawn.items()}
    parts: dict[str, Any] = {
        "base": names[0],
        "scenarios": names,
        "about": about,
        "measures": _measure_frame(all_measures().values()),
        "monthly_measures": _measure_frame(MONTHLY),
        "parameters": pd.DataFrame({"draw": main.draws} | drawn),
        "effects": pd.DataFrame(done.effects),
        "spending": _rows("spending", done.spending),
        "reasons": _rows("reasons", done.reasons),
        "variance": _rows("variance", variance),
        "hangs_on": _hangs_on(study, found[MAIN], drawn),
        "manifest": asked(study) | machine() | _outcome(done),
    } | _tables(study, main)
    answers = [answer(name, parts) for name in names[1:]]
    first_run = {}
    if len(names) == 1 and int(study.centre[0].world.cluster_members.sum()) <= MOST_TRACED:
        first_run = trace(study.inputs(study.chosen[0], int(main.draws[0])), study.settings.seed, int(main.draws[0]))
    return Comparison(**parts, answers=answers, trace=first_run)


def _outcome(done: Done) -> dict[str, Any]:
    """What the manifest says of how the study went."""
    return {
        "complete": not done.missing,
        "missing": list(done.missing),
        "finished_draws": len(done.main.draws),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(sum(done.seconds.values()), 1),
        "seconds_by_part": {name: round(taken, 1) for name, taken in done.seconds.items()},
    }


def _measure_frame(measures: Any) -> pd.DataFrame:
    return pd.DataFrame([(m.name, m.unit, m.label) for m in measures], columns=["name", "unit", "label"]).set_index(
        "name"
    )


def _about(scenario: Scenario) -> dict[str, Any]:
    """Words and levers of a scenario, each lever with what the evidence can say of its effect."""
    entries = library.register()
    changes = []
    for row in scenario.differences():
        entry = entries.get(row.name)
        changes.append(
            {
                "call": row.year,
                "funder": row.funder,
                "lever": row.name,
                "label": row.label,
                "unit": row.unit,
                "base_value": row.was,
                "value": row.now,
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


def _hangs_on(study: Study, found: F64, drawn: dict[str, F64]) -> pd.DataFrame:
    """The drawn parameters with which each scenario's effect on net contracts goes."""
    entries = library.register()
    names = [name for name, column in drawn.items() if np.ptp(column) > 0.0]
    rows: list[dict[str, object]] = []
    mean = found.mean(axis=2)
    for place, scenario in enumerate(study.chosen[1:], start=1):
        effect = relative_by_draw(mean[place], mean[0])
        rows += hangs_on_rows(scenario.name, effect, drawn, names, most=6)
    for row in rows:
        entry = entries[str(row["parameter"])]
        informed = row["parameter"] in study.informed
        row |= {"label": entry.label, "evidence": "fitted" if informed else entry.evidence}
    return _rows("hangs_on", rows)


def _tables(study: Study, main: Ensemble) -> dict[str, pd.DataFrame]:
    """The ensemble's arrays as tidy frames."""
    names = [scenario.name for scenario in study.chosen]
    centre, runs = study.centre[0], range(study.settings.runs)
    keys: list[tuple[str, Any]] = [("scenario", names), ("draw", main.draws), ("run", runs)]
    groups = [("sector", name) for name in centre.sector_names]
    groups += [("size", name) for name in ("micro", "small", "medium")]
    measure_names = [measure.name for measure in MEASURES]
    by_group = _frame(keys + [("place", range(len(groups)))], main.groups, list(GROUP_MEASURES))
    by_group.insert(3, "kind", [groups[place][0] for place in by_group["place"]])
    by_group.insert(4, "group", [groups[place][1] for place in by_group["place"]])
    lost = _frame(keys + [("funder", centre.funder_codes), ("cause", CAUSES)], main.lost[..., None], ["applications"])
    pairs = [
        {"scenario": name, "country": a, "other": b, "links": float(main.network[s, i, j])}
        for s, name in enumerate(names)
        for i, a in enumerate(centre.country_codes)
        for j, b in enumerate(centre.country_codes)
        if i < j and main.network[s, i, j] > 0.0
    ]
    return {
        "by_call": _frame(keys + [("call", centre.call_years)], main.by_call, measure_names),
        "by_country": _frame(keys + [("country", centre.country_codes)], main.by_country, measure_names),
        "by_month": _frame(keys + [("month", range(centre.months))], main.monthly, [m.name for m in MONTHLY]),
        "by_group": by_group.drop(columns="place"),
        "lost": lost[lost["cause"] != "none"].reset_index(drop=True),
        "short": _frame(keys + [("funder", centre.funder_codes)], main.short[..., None], ["short_eur"]),
        "network": pd.DataFrame(pairs, columns=["scenario", "country", "other", "links"]),
    }


def _frame(keys: Sequence[tuple[str, Any]], cube: F64, columns: list[str]) -> pd.DataFrame:
    """A cube whose last axis are columns, as a frame with one column for each of the other axes."""
    index = pd.MultiIndex.from_product([list(values) for _, values in keys], names=[name for name, _ in keys])
    return pd.DataFrame(cube.reshape(-1, len(columns)), index=index, columns=columns).reset_index()
