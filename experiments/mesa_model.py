"""The Mesa model by names: a scenario, and what is to differ from it.

from mesa import batch_run
from experiments.mesa_model import Innovex

parameters = {"scenario": ["baseline", "projects_24"], "idea_rate": [0.6, 0.9], "rng": range(5)}
rows = batch_run(Innovex, parameters)
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.runs.memory import check_world
from scenarios import Scenario, Setting, load
from scenarios.entries import drawn, levers
from scenarios.errors import Fault, listed, nearest, refuse
from scenarios.form import check
from scenarios.scenario_file import GUIDE, content_of, form
from scenarios.settings import FIRST_POLICY_CALL, in_order
from simulator.model import InnovexModel


class Innovex(InnovexModel):
    """A run of a scenario by name or path; its attributes `scenario_name` and `overrides` say which."""

    def __init__(
        self,
        scenario: str = "baseline",
        seed: Any = None,
        rng: Any = None,
        *,
        from_call: int = FIRST_POLICY_CALL,
        horizon_months: int | None = None,
        last_call: int | None = None,
        smes: int | None = None,
        clusters: int | None = None,
        **overrides: Any,
    ) -> None:
        """Found the world of a scenario.

        Parameters
        ----------
        scenario : str
            Name or path.
        seed, rng : optional
            As in `InnovexModel`.
        from_call : int
            Year of the first call in which levers among `overrides` hold.
        horizon_months, last_call, smes, clusters : int, optional
            As in `Scenario.resolve`.
        **overrides
            Values by the names of the register: behaviours hold for the whole run, levers from `from_call` on. They
            win over the scenario's own.

        Raises
        ------
        InputError
            If a name or value does not fit.
        """
        changed = with_overrides(load(scenario), overrides, from_call)
        inputs = changed.resolve(horizon_months=horizon_months, last_call=last_call, smes=smes, clusters=clusters)
        check_world(inputs)
        super().__init__(inputs, rng=rng, seed=seed)
        self.scenario_name, self.overrides = changed.name, dict(overrides)


def with_overrides(scenario: Scenario, overrides: Mapping[str, Any], from_call: int) -> Scenario:
    """Return the scenario with register values set; levers from a call on. Raises InputError."""
    new = _settings(scenario, overrides, from_call)
    levers_set = {setting.name for setting in new if setting.year is not None}
    old = [setting for setting in scenario.settings if not _is_overruled(setting, levers_set, from_call)]
    merged: dict[Any, Setting] = {setting[:3]: setting for setting in (*old, *new)}
    return dataclasses.replace(scenario, settings=in_order(merged.values()))


def _settings(scenario: Scenario, overrides: Mapping[str, Any], from_call: int) -> tuple[Setting, ...]:
    """Return the values as a scenario file would set them, checked like one."""
    behaviours, rules = drawn(), levers("call")
    for name in overrides:
        if name not in behaviours and name not in rules:
            known = [*behaviours, *rules]
            fault = Fault(name, "this name is not known here", listed(known, 4), nearest(name, known))
            raise refuse("values given", [fault])
    plain = {name: _plain(value) for name, value in overrides.items()}
    content = {
        "title": scenario.title,
        "question": scenario.question,
        "parameters": {name: value for name, value in plain.items() if name in behaviours},
        "from": {str(from_call): {name: value for name, value in plain.items() if name in rules}},
    }
    return content_of(check(form(), content, "values given", GUIDE)).settings


def _plain(value: Any) -> Any:
    """Return a NumPy number as Python's own, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _is_overruled(setting: Setting, levers_set: set[str], from_call: int) -> bool:
    """Return whether an override rules, from an earlier call on, a lever that the scenario sets for all funders."""
    return setting.name in levers_set and setting.funder is None and (setting.year or 0) >= from_call
