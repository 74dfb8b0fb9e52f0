"""Questions as data: the register of parameters, the programme as it was, and the scenario files.

`load(name or path)` returns a `Scenario`; its `resolve(draw)` returns the `Parameters`, `Rules` and `World` of a run.
"""

from scenarios.differences import Difference
from scenarios.entries import Entry, register
from scenarios.errors import InputError
from scenarios.history import Programme, programme, read_programme
from scenarios.priors import draw, quantile, uniforms
from scenarios.resolve import Resolved
from scenarios.scenario import Scenario, load, names
from scenarios.scenario_file import schema
from scenarios.settings import Setting

__all__ = [
    "Difference",
    "Entry",
    "InputError",
    "Programme",
    "Resolved",
    "Scenario",
    "Setting",
    "draw",
    "load",
    "names",
    "programme",
    "quantile",
    "read_programme",
    "register",
    "schema",
    "uniforms",
]
