"""Runs that failed: how many, why, and where they lie."""

from experiments.exhibits import words
from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.sweeps.exhibits import boxes
from experiments.sweeps.exhibits.factors import rounded
from experiments.sweeps.findings import Failures, Findings

MOST = 20  # runs in the table; all of them are in failures.parquet
FACTORS = 6  # in the table


def data(findings: Findings) -> Findings | None:
    """Return the findings of a sweep with failed runs; None without."""
    return findings if findings.failures.count else None


def sentences(failures: Failures) -> list[str]:
    """Return how many runs failed, why, and where they lie."""
    if not failures.count:
        return [f"No run failed, of {failures.finished:,} finished."]
    causes = words.listed([f"{cause} ({count:,})" for cause, count in failures.causes.head(3).items()])
    share = failures.count / max(1, failures.finished)
    text = f"{words.plural(failures.count, 'run')} of {failures.finished:,} failed ({share:.1%}): {causes}."
    where = boxes.sentences(failures.boxes) if failures.boxes else ["They are too few to say where they lie."]
    return [text, *where]


def tables(findings: Findings) -> list[Table]:
    """Return failed runs with the values of their factors."""
    count, sweep = findings.failures.count, findings.sweep
    chosen = sweep.factors[:FACTORS]
    rows = tuple(
        Row(
            f"row {row['row']}, run {row['run']}",
            (Cell(str(row["failure"])), *(Cell(_value(row[factor.name])) for factor in chosen)),
        )
        for _, row in sweep.failures.head(MOST).iterrows()
    )
    shown = f" (the first {MOST} of {count:,})" if count > MOST else ""
    heads = ("cause", *(factor.label for factor in chosen))
    return [Table(f"Runs that failed{shown}", "Where", heads, rows, prose=(0,))]


def _value(value: object) -> str:
    return words.axis(rounded(value)) if isinstance(value, float) else str(value)


EXHIBIT = Exhibit("failures", data, tables=tables)
