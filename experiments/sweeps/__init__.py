"""Sweeps: a question over the whole space of assumptions, run in parts that can be stopped, resumed and spread.

from experiments.sweeps import sweep

result = sweep("levers_sobol", "results")  # or a file, a folder of a sweep, or a dict
result.design, result.results, result.failures  # pandas
result.outcomes(result.contrasts[0], "contracts_net")  # option less base, (rows, runs)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep, load, status, sweep

__all__ = ["Sweep", "load", "status", "sweep"]


def __getattr__(name: str) -> Any:
    """Import the machinery when it is first asked for, so that `innovex --help` stays quick."""
    if name in __all__:
        return getattr(importlib.import_module("experiments.sweeps.result"), name)
    raise AttributeError(f"module 'experiments.sweeps' has no attribute {name!r}")
