"""Everything that a user asks: runs, comparisons, their results on disk, the report and the command line."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.comparison.compare import Comparison, compare, load, run
    from experiments.runs.many_runs import ManyRuns

__all__ = ["Comparison", "ManyRuns", "compare", "load", "run"]

_HOMES = {"ManyRuns": "experiments.runs.many_runs"}


def __getattr__(name: str) -> Any:
    """Import the comparison when it is first used, so that `innovex --help` stays quick."""
    if name in __all__:
        return getattr(importlib.import_module(_HOMES.get(name, "experiments.comparison.compare")), name)
    raise AttributeError(f"module 'experiments' has no attribute {name!r}")
