"""What is varied, over what, and where that comes from."""

from collections.abc import Sequence

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.sweeps.factors import Factor
from experiments.sweeps.findings import Findings
from scenarios import register


def data(findings: Findings) -> Sequence[Factor]:
    """Return the factors of a sweep."""
    return findings.sweep.factors


def tables(factors: Sequence[Factor]) -> list[Table]:
    """Return a row for each factor."""
    rows = tuple(Row(factor.label, _cells(factor)) for factor in factors)
    return [Table("What is varied", "Factor", ("over", "unit", "evidence", "source"), rows, prose=(0, 1, 2, 3))]


def _cells(factor: Factor) -> tuple[Cell, ...]:
    entry = register().get(factor.name)
    where = "" if not factor.lever else f"calls from {factor.first}" + (f" to {factor.last}" if factor.last else "")
    if factor.choices:
        over = words.listed([words.setting(choice, factor.unit) for choice in factor.choices])
    else:
        over = f"{words.axis(rounded(factor.low))} to {words.axis(rounded(factor.high))}, {factor.way}"
    evidence = words.EVIDENCE.get(entry.effect_evidence or entry.evidence, "") if entry else ""
    return Cell(over, where), Cell(factor.unit), Cell(evidence), Cell(entry.source if entry else "")


def rounded(value: float) -> float:
    """Return a number with three significant digits."""
    return float(f"{value:.3g}")


EXHIBIT = Exhibit("factors", data, tables=tables)
