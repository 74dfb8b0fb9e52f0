"""What stands behind the priors of parameters that no evidence here informs."""

from collections.abc import Mapping

from experiments.exhibits.exhibit import Exhibit
from experiments.exhibits.table import Cell, Row, Table
from experiments.validation.study import Validation
from scenarios import register


def data(_: Validation) -> Mapping[str, list[str]]:
    """Return the names of parameters with a prior, by kind of evidence."""
    names: dict[str, list[str]] = {}
    for entry in register().values():
        if entry.kind != "lever" and entry.prior != "fixed":
            names.setdefault(entry.evidence, []).append(entry.name)
    return names


def tables(shown: Mapping[str, list[str]]) -> list[Table]:
    """Return a row for each kind of evidence."""
    rows = tuple(Row(kind, (Cell(str(len(names))), Cell(", ".join(names)))) for kind, names in shown.items())
    caption = "All parameters by the kind of evidence behind their prior"
    return [Table(caption, "evidence", ("number", "which"), rows, (1,))]


EXHIBIT = Exhibit("unfitted", data, tables=tables)
