"""The report's tables of who: countries, groups of SMEs, good projects lost."""

import math
from typing import TYPE_CHECKING

from experiments.comparison import views
from experiments.comparison.exhibits.figures_who import CAUSE_LOOKS, country_name, country_table, lost_table
from experiments.comparison.exhibits.tables import Cell, Row, Table, with_base
from experiments.exhibits import words

if TYPE_CHECKING:
    import pandas as pd

    from experiments.comparison.frames import Frames as Comparison


def countries(comparison: "Comparison") -> list[Table]:
    """One table per scenario: what each country's funder pays, what its SMEs and clusters get."""
    table = country_table(comparison)
    base = table.loc[comparison.base]
    found = []
    for scenario in (comparison.base, *views.ranked(comparison)):
        rows = []
        for code, row in table.loc[scenario].iterrows():
            was = None if scenario == comparison.base else base.loc[code]
            price = row["paid_eur"] / row["net"] if row["net"] > 0.5 and row["paid_eur"] > 0 else math.nan
            cells = (
                _cell(row, was, "paid_eur", words.eur), _cell(row, was, "spent_eur", words.eur),
                _cell(row, was, "partners", words.count), _cell(row, was, "net", words.count),
                Cell(words.eur(price)),
            )  # fmt: skip
            rows.append(Row(country_name(str(code)), cells))
        heads = (
            "Its funder pays (grants, administration)", "Its clusters receive", "Its partners in projects",
            "Net contracts of its SMEs", "It pays per net contract of its own",
        )  # fmt: skip
        found.append(Table(with_base(comparison, scenario), "Country or region", heads, tuple(rows)))
    return found


def _cell(row: "pd.Series", was: "pd.Series | None", column: str, form: words.Form) -> Cell:
    if was is None or abs(row[column] - was[column]) < 1e-9:
        return Cell(form(row[column]))
    return Cell(form(row[column]), words.signed(row[column] - was[column], form))


def groups(comparison: "Comparison") -> Table:
    """Gross contracts by sector and size of firm, in the base and the scenarios with the largest effects."""
    chosen = (comparison.base, *views.telling(comparison))
    frame = comparison.by_group
    means = views.mean_per_run(comparison, frame, ["kind", "group"], "contracts")
    rows = []
    for kind, name in dict.fromkeys(zip(frame["kind"], frame["group"])):
        values = [float(means.get((key, kind, name), 0.0)) for key in chosen]
        cells = [Cell(words.count(values[0]))]
        cells += [
            Cell(words.count(value), words.percent(value / values[0] - 1) if values[0] > 0 else "")
            for value in values[1:]
        ]
        rows.append(Row(words.group(str(kind), str(name)), tuple(cells)))
    heads = tuple(with_base(comparison, key) for key in chosen)
    return Table("Gross SME contracts per run, by sector and by size of firm", "Group", heads, tuple(rows))


def lost(comparison: "Comparison") -> Table:
    """Good projects and applications lost in each scenario, by cause, and the money they were short of."""
    table = lost_table(comparison, [])
    seen = _seen(table)
    short = views.mean_per_run(comparison, comparison.short, [], "short_eur")
    good, gone = (views.values_of(comparison, name) for name in ("good_projects", "good_projects_lost"))
    rows = []
    for key in (comparison.base, *views.ranked(comparison)):
        causes = [float(table[cause].get(key, 0.0)) for cause in seen]
        cells = (
            Cell(words.count(good[key])), Cell(words.count(gone[key])), *(Cell(words.count(value)) for value in causes),
            Cell(words.eur(float(short.get(key, 0.0)))),
        )  # fmt: skip
        rows.append(Row(with_base(comparison, key), cells, key == comparison.base))
    heads = (
        "Good proposals", "Of these wholly unfunded",
        *(f"Applications refused: {words.CAUSES[cause]}" for cause in seen), "Money they were short of",
    )  # fmt: skip
    return Table("Per run over the counted calls", "Scenario", heads, tuple(rows))


def lost_by_funder(comparison: "Comparison") -> list[Table]:
    """Per scenario: good applications refused by each funder, by cause, and EUR short."""
    table = lost_table(comparison, ["funder"])
    seen = _seen(table)
    short = views.mean_per_run(comparison, comparison.short, ["funder"], "short_eur")
    found = []
    for key in (comparison.base, *views.ranked(comparison)):
        rows = []
        for code in table.loc[key].index if key in table.index.get_level_values(0) else []:
            line = table.loc[(key, code)]
            money = float(short.get((key, code), 0.0))
            if line.sum() > 0 or money > 0:
                cells = (*(Cell(words.count(float(line[cause]))) for cause in seen), Cell(words.eur(money)))
                rows.append(Row(words.country(str(code)), cells))
        if rows:
            heads = (*(words.capital(words.CAUSES[cause]) for cause in seen), "Money they were short of")
            found.append(Table(with_base(comparison, key), "Funder", heads, tuple(rows)))
    return found


def _seen(table: "pd.DataFrame") -> list[str]:
    """Causes that occur at all."""
    return [cause for cause in CAUSE_LOOKS if len(table) and table[cause].sum() > 0]
