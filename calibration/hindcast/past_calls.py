"""Run the calls of the evidence, and return what the programme's statistics and the survey would show of the run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from calibration.evidence.targets import Evidence
from calibration.hindcast.programme_statistics import programme_statistics
from calibration.parameters import split
from calibration.survey.expected_shares import survey_shares
from scenarios import Resolved, load
from scenarios.settings import LONGEST_HORIZON_MONTHS, SHORTEST_HORIZON_MONTHS
from simulator.ensemble import simulate
from simulator.jobs import code_of
from simulator.state import State

PAST = "baseline"  # the scenario of the programme as it was


class PastRun(NamedTuple):
    """A finished run of the past calls.

    Parameters
    ----------
    state : State
    inputs : Resolved
    survey : dict of str to float
        Values of the survey layer.
    """

    state: State
    inputs: Resolved
    survey: dict[str, float]


def past_inputs(values: Mapping[str, float], evidence: Evidence) -> Resolved:
    """Return the inputs of a run of the past calls: the programme as it was, to the month of the last answer.

    Parameters
    ----------
    values : mapping of str to float
        A draw, in part or whole, by name of `calibration.register()`; central values for what it leaves out.
    evidence : Evidence

    Raises
    ------
    InputError
        For an unknown name or a value out of its limits.
    """
    simulator_values, survey = split(values)
    last = max(target.call for target in evidence.targets)
    horizon = min(LONGEST_HORIZON_MONTHS, max(SHORTEST_HORIZON_MONTHS, int(survey["survey_close_months"])))
    inputs = load(PAST).resolve(simulator_values, last_call=last, horizon_months=horizon)
    return replace(inputs, months=int(inputs.rules.calls.close_month[-1]) + 1 + horizon)


def run_past_calls(values: Mapping[str, float], seed: int, evidence: Evidence) -> PastRun:
    """Run the past calls once.

    Parameters
    ----------
    values : mapping of str to float
        A draw, in part or whole, by name of `calibration.register()`; central values for what it leaves out.
    seed : int
        Of the run.
    evidence : Evidence

    Raises
    ------
    InputError
        For an unknown name or a value out of its limits.
    """
    inputs = past_inputs(values, evidence)
    return PastRun(simulate(inputs, seed), inputs, split(values)[1])


def observe(run: PastRun, evidence: Evidence) -> dict[str, float]:
    """Return what statistics and survey show of a finished run, by name of target; shares are expected shares.

    Parameters
    ----------
    run : PastRun
        With the survey values that the survey is to have.
    evidence : Evidence

    Returns
    -------
    dict of str to float
        A count, a level or a share for every target; NaN for one that does not exist in this run (a call without
        projects has no respondents).
    """
    state, inputs, survey = run
    measures: dict[int, dict[str, float]] = {}
    for call in dict.fromkeys(target.call for target in evidence.targets):
        row = inputs.call_years.index(call)
        measures[call] = programme_statistics(state, inputs, row)
        if call in evidence.responses:
            measures[call] |= survey_shares(state, inputs, row, survey, evidence.responses[call])
    return {target.name: measures[target.call][target.measure] for target in evidence.targets}


def target_values(values: Mapping[str, float], seed: int, evidence: Evidence) -> dict[str, float]:
    """Return what the model says about each target in one run.

    Parameters
    ----------
    values : mapping of str to float
        A draw, in part or whole, by name of `calibration.register()`; central values for what it leaves out.
    seed : int
        Of the run.
    evidence : Evidence

    Returns
    -------
    dict of str to float
        As in `observe`.

    Raises
    ------
    InputError
        For an unknown name or a value out of its limits.
    """
    return observe(run_past_calls(values, seed, evidence), evidence)


def past_identity(module: str, evidence: Evidence) -> str:
    """Return a text of all that determines what a module computes of a past run beside its draw and seed.

    Parameters
    ----------
    module : str
        Its full name.
    evidence : Evidence
    """
    return f"{code_of(module)} {load(PAST).settings} {evidence.identity}"


@dataclass(frozen=True)
class TargetValues:
    """`target_values` with the evidence filled in, as a picklable function of (values, seed).

    Parameters
    ----------
    evidence : Evidence
    """

    evidence: Evidence

    @property
    def identity(self) -> str:
        """All that determines the values of a world beside its draw and seed: code, scenario, targets, responses."""
        return past_identity(__name__, self.evidence)

    def __call__(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return the value of every target in one run."""
        return target_values(values, seed, self.evidence)
