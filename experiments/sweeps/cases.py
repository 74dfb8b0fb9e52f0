"""From contrasts to the scenarios that are run: each once for every row and run, whatever contrasts it serves."""

from pathlib import Path

from experiments.sweeps.factors import Factor
from experiments.sweeps.form import Experiment
from experiments.sweeps.work import Case
from scenarios import InputError, Resolved, Scenario, load, names
from scenarios.errors import Fault, echo, listed, nearest, refuse
from scenarios.settings import FIRST_POLICY_CALL

VARIED = " (varied)"

Pairs = tuple[tuple[str, int | None, int], ...]


def cases_of(
    experiment: Experiment, factors: tuple[Factor, ...], source: str | Path, free: bool
) -> tuple[tuple[Case, ...], Pairs]:
    """List the cases, and per contrast its label and the places of base (None: none) and option; raises InputError."""
    only_option = any(factor.lever and not factor.in_base for factor in factors)
    cases: dict[str, Case] = {}

    def place(name: str, levered: bool, where: str) -> int:
        case = _case(name, levered, source, where, factors, free)
        if cases.setdefault(case.name, case) != case:
            raise refuse(source, [Fault("contrast", f"two different scenarios are called {case.name}")])
        return list(cases).index(case.name)

    pairs = []
    for number, contrast in enumerate(experiment.contrast, 1):
        where = f"contrast {number}"
        base = None if contrast.base is None else place(contrast.base, False, f"{where}, base")
        pairs.append((contrast.label, base, place(contrast.option, only_option, f"{where}, option")))
    return tuple(cases.values()), tuple(pairs)


def _case(
    name: str, levered: bool, source: str | Path, where: str, factors: tuple[Factor, ...], free: bool
) -> Case:  # fmt: skip
    if free:
        return Case(name, (), False)
    scenario = _load(name, source, where)
    fixed = {setting.name for setting in scenario.settings if setting.year is None}
    for factor in factors:
        if factor.name in fixed:
            what = f"the scenario {scenario.name} holds it at a value, so it cannot be varied"
            raise refuse(source, [Fault(f"vary.{factor.name}", what)])
    return Case(scenario.name + (VARIED if levered else ""), scenario.settings, levered)


def _load(name: str, source: str | Path, where: str) -> Scenario:
    """Load a shipped scenario by name, or one by a path from the experiment's file; raises InputError."""
    if name in names():
        return load(name)
    path = source.parent / name if isinstance(source, Path) and name.endswith(".toml") else Path(name)
    if not path.exists():
        there_is = "file" if name.endswith(".toml") else "scenario"
        allowed = f"the path of a TOML file, or one of {listed(names(), 30)}"
        raise refuse(source, [Fault(where, f"there is no {there_is} {echo(name)!r}", allowed, nearest(name, names()))])
    return load(path if name.endswith(".toml") else name)


def first_counted_year(
    cases: tuple[Case, ...], factors: tuple[Factor, ...], experiment: Experiment, source: str | Path
) -> int:
    """Return the first call that is changed by an option or a lever: from there on is counted. Raises InputError."""
    centre = [_central(case, experiment, source) for case in cases]
    for case, resolved in zip(cases, centre):
        if resolved.call_years != centre[0].call_years:
            raise InputError(
                f"{source}: {case.name} and {cases[0].name} hold different calls, so they cannot be compared; "
                f"allowed: scenarios with the same last_call"
            )
        if resolved.rules.calls.counted_months[0] != centre[0].rules.calls.counted_months[0]:
            raise InputError(
                f"{source}: {case.name} and {cases[0].name} are counted for different times; "
                f"set horizon_months in the experiment"
            )
    changed = [resolved.change_year for resolved in centre if resolved.change_year is not None]
    changed += [factor.first for factor in factors if factor.lever and factor.first is not None]
    return min([*changed, centre[0].call_years[-1]] if changed else [FIRST_POLICY_CALL, centre[0].call_years[-1]])


def _central(case: Case, experiment: Experiment, source: str | Path) -> Resolved:
    scenario = Scenario(case.name, case.name, case.name, Path(f"{case.name}.toml"), None, case.settings)
    if experiment.smes is not None:
        try:
            scenario.resolve(smes=experiment.smes)
        except InputError as error:
            raise InputError(f"{source}, smes: {str(error).removeprefix('number of SMEs: ')}") from None
    return scenario.resolve(horizon_months=experiment.horizon_months, smes=experiment.smes)
