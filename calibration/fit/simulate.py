"""What the model says about each target: one run of the calls of the evidence, seen through statistics and survey."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from calibration.evidence.programme_statistics import programme_statistics
from calibration.evidence.targets import Evidence, evidence, targets
from calibration.survey.register import split
from calibration.survey.shares import survey_shares
from scenarios import Resolved, load
from scenarios.file_form import LONGEST_HORIZON_MONTHS
from simulator.ensemble import simulate as run
from simulator.state import State
from simulator.threads import run_jobs

F64 = npt.NDArray[np.float64]
Progress = Callable[[int], None]

TARGET_NAMES = tuple(target.name for target in targets())

SHORTEST_HORIZON_MONTHS = 12


def simulate(values: Mapping[str, float], seed: int, known: Evidence | None = None) -> dict[str, float]:
    """One run with these values of the register (central ones for what is left out), seen as the evidence sees it.

    Returns a number for every target by its name: a count, a level, or the expected share of answers; NaN where it
    is undefined (a call without projects has no respondents). Raises InputError for unknown or unfit values.
    """
    known = known or evidence()
    simulator_values, survey = split(values)
    inputs = history(simulator_values, survey, known)
    return seen(run(inputs, seed), inputs, survey, known)


def simulate_many(
    draws: Mapping[str, F64],
    seeds: Sequence[int] | npt.NDArray[np.int64],
    threads: int = 1,
    progress: Progress | None = None,
    known: Evidence | None = None,
) -> F64:
    """Float array (draws, seeds, targets): `simulate` for every draw and seed, the same on any number of threads.

    `draws` holds arrays (draws,) by name, as `calibration.draw` gives them, or is a table with such columns; `seeds`
    is (seeds,) for all draws, or (draws, seeds). `progress` is told how many runs were done since the last call.
    """
    known = known or evidence()
    columns = {name: np.asarray(draws[name], np.float64) for name in draws}
    count = len(next(iter(columns.values())))
    luck = np.broadcast_to(np.atleast_2d(np.asarray(seeds, np.int64)), (count, np.shape(seeds)[-1]))
    found = np.full((count, luck.shape[1], len(known.targets)), np.nan)

    def one(draw: int) -> None:
        values = {name: float(column[draw]) for name, column in columns.items()}
        for place, seed in enumerate(luck[draw]):
            found[draw, place] = list(simulate(values, int(seed), known).values())
        if progress:
            progress(luck.shape[1])

    for _ in run_jobs(one, range(count), threads):
        pass
    return found


def history(values: Mapping[str, float], survey: Mapping[str, float], known: Evidence) -> Resolved:
    """Inputs of the run that the evidence is about: the programme as it was, to the month of the last answer."""
    last = max(target.call for target in known.targets)
    horizon = min(LONGEST_HORIZON_MONTHS, max(SHORTEST_HORIZON_MONTHS, int(survey["survey_close_months"])))
    inputs = load("baseline").resolve(values, last_call=last, horizon_months=horizon)
    return replace(inputs, months=int(inputs.rules.calls.close_month[-1]) + 1 + horizon)


def seen(state: State, inputs: Resolved, survey: Mapping[str, float], known: Evidence) -> dict[str, float]:
    """A finished run as the evidence sees it, by name of target."""
    counted: dict[int, dict[str, float]] = {}
    for target in known.targets:
        if target.call not in counted:
            row = inputs.call_years.index(target.call)
            counted[target.call] = {**programme_statistics(state, inputs, row)}
            if target.call in known.responses:
                counted[target.call].update(survey_shares(state, inputs, row, survey, known.responses[target.call]))
    return {target.name: counted[target.call][target.measure] for target in known.targets}
