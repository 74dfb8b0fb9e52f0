"""The tables of a sweep's report."""

from typing import TYPE_CHECKING

import pandas as pd

from experiments.comparison.exhibits.tables import Cell, Row, Table
from experiments.exhibits import words
from experiments.sweeps.figures import form_of
from experiments.sweeps.indices import LABELS
from experiments.sweeps.sentences import about
from scenarios import register

if TYPE_CHECKING:
    from experiments.sweeps.factors import Factor
    from experiments.sweeps.findings import Failures, Finding, Findings, Turning

MOST_FAILURES = 20  # shown in the page; all of them lie in failures.parquet


def indices(finding: "Finding") -> Table:
    """Every index of every factor with its 90% interval, the strongest factor first."""
    names = [name for name in LABELS if name != "S2" and (finding.found["index"] == name).any()]
    tables = {name: finding.rows(name) for name in names}
    order = [int(place) for place in finding.main["factor"]]
    rows = [
        Row(finding.factors[place].label, tuple(_cell(tables[name].loc[place], name, finding.unit) for name in names))
        for place in order
    ]
    chance = finding.found[finding.found["factor"] < 0]
    if len(chance):
        rest = (Cell(words.MISSING),) * (len(names) - 1)
        rows.append(Row("A factor that does nothing", (_cell(chance.iloc[0], names[0]), *rest), base=True))
    caption = f"{words.capital(finding.label)}: {finding.contrast} (90% intervals)"
    return Table(caption, "Factor", tuple(LABELS[name] for name in names), tuple(rows))


def _cell(row: pd.Series, index: str, unit: str = "") -> Cell:
    if index == "chance":
        return Cell(words.share(row["value"]))
    form = form_of(index, unit)
    return Cell(form(row["value"]), words.between(row["low"], row["high"], form))


def with_luck(finding: "Finding") -> Table | None:
    """Indices of means over runs beside those that luck was taken out of, where both are known."""
    luck = finding.found["luck"]
    both = [name for name in ("S1", "ST") if set(luck[finding.found["index"] == name]) == {"in", "out"}]
    if not both:
        return None
    rows = []
    for place in (int(each) for each in finding.main["factor"]):
        ours = finding.found[(finding.found["factor"] == place) & finding.found["index"].isin(both)]
        cells = [
            _cell(ours[(ours["index"] == name) & (ours["luck"] == which)].iloc[0], name)
            for name in both
            for which in ("out", "in")
        ]
        rows.append(Row(finding.factors[place].label, tuple(cells)))
    heads = tuple(f"{LABELS[name]}, luck {which}" for name in both for which in ("out", "in"))
    return Table("What luck does to indices: taken out, and left in as SALib has them", "Factor", heads, tuple(rows))


def pairs(finding: "Finding") -> Table | None:
    """The pairs of factors that act together most."""
    if not (finding.found["index"] == "S2").any():
        return None
    rows = finding.rows("S2").sort_values("value", ascending=False).head(15)
    told = tuple(
        Row(f"{finding.factors[int(a)].label} with {finding.factors[int(b)].label}", (_cell(row, "S2"),))
        for (a, b), row in rows.iterrows()
    )
    return Table("Pairs of factors", "Pair", (LABELS["S2"],), told)


def regret(found: "Turning") -> Table:
    """Every option: its mean, its regret with what it is more than the least, in how many worlds it is best."""
    rows = tuple(
        Row(
            str(row["option"]),
            (
                Cell(words.count(row["mean"])),
                Cell(about(row["mean_regret"]), _more(row) if place else ""),
                *(Cell(words.count(row[name])) for name in ("regret_95", "max_regret")),
                Cell(words.share(row["best_in"])),
            ),
        )
        for place, (_, row) in enumerate(found.table.iterrows())
    )
    heads = ("mean", "mean regret", "in one world in twenty above", "largest regret", "best in")
    return Table(f"Regret: {words.capital(found.label)} ({found.unit})", "Option", heads, rows)


def _more(row: pd.Series) -> str:
    between = words.between(row["behind_low"], row["behind_high"], words.count)
    return between if between == words.MISSING else f"{between} more than the first"


def factors(findings: "Findings") -> Table:
    """What is varied, over what, and where that comes from."""
    rows = tuple(_factor(factor) for factor in findings.sweep.factors)
    return Table("What is varied", "Factor", ("over", "unit", "evidence", "source"), rows, prose=(0, 1, 2, 3))


def _factor(factor: "Factor") -> Row:
    entry = register().get(factor.name)
    where = "" if not factor.lever else f"calls from {factor.first}" + (f" to {factor.last}" if factor.last else "")
    over = factor.way
    if factor.choices:
        told = words.listed([words.setting(choice, factor.unit) for choice in factor.choices])
    else:
        told = f"{words.axis(_rounded(factor.low))} to {words.axis(_rounded(factor.high))}, {over}"
    evidence = words.EVIDENCE.get(entry.effect_evidence or entry.evidence, "") if entry else ""
    cells = (Cell(told, where), Cell(factor.unit), Cell(evidence), Cell(entry.source if entry else ""))
    return Row(factor.label, cells)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def failures(findings: "Findings", found: "Failures") -> Table | None:
    """Failed runs with the values of their factors."""
    if not found.count:
        return None
    names = [factor.name for factor in findings.sweep.factors][:6]
    rows = tuple(
        Row(
            f"row {row['row']}, run {row['run']}",
            (Cell(str(row["failure"])), *(Cell(_value(row[name])) for name in names)),
        )
        for _, row in findings.sweep.failures.head(MOST_FAILURES).iterrows()
    )
    labels = {factor.name: factor.label for factor in findings.sweep.factors}
    shown = f" (the first {MOST_FAILURES} of {found.count:,})" if found.count > MOST_FAILURES else ""
    return Table(f"Runs that failed{shown}", "Where", ("cause", *(labels[name] for name in names)), rows, prose=(0,))


def _value(value: object) -> str:
    return words.axis(_rounded(value)) if isinstance(value, float) else str(value)
