"""Everything that a user asks: runs, comparisons, their results on disk, the report and the command line."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.comparison.carry_out import Comparison, compare, run
    from experiments.runs.many_runs import ManyRuns

__all__ = ["Comparison", "ManyRuns", "compare", "run"]

_HOMES = {"ManyRuns": "experiments.runs.many_runs"}


def __getattr__(name: str) -> Any:
    """Imports the comparison when it is first asked for, so that `innovex --help` stays quick."""
    if name in __all__:
        return getattr(importlib.import_module(_HOMES.get(name, "experiments.comparison.carry_out")), name)
    raise AttributeError(f"module 'experiments' has no attribute {name!r}")
