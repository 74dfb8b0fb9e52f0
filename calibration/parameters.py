"""The parameters of a calibration: the simulator's drawn entries and the survey layer's, drawn and checked together."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

import scenarios
from calibration.survey.entries import central_survey, survey_entries
from scenarios.entries import Entry, check_values, drawn

F64 = npt.NDArray[np.float64]

__all__ = ["draw", "register", "split", "survey_entries"]


def register() -> dict[str, Entry]:
    """Return every entry with a prior: behaviours and funder entries, then the survey layer's."""
    return {**drawn(), **survey_entries()}


def draw(n: int, seed: int, first: int = 0) -> dict[str, F64]:
    """Draw every entry of `register()` from its prior; the simulator's draws are those of `scenarios.draw`.

    Parameters
    ----------
    n : int
        How many draws.
    seed : int
    first : int, optional
        The number of the first draw.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        By name, in the units of the register.
    """
    survey = {
        name: scenarios.quantile(entry, scenarios.uniforms(n, seed, name, first))
        for name, entry in survey_entries().items()
    }
    return {**scenarios.draw(n, seed, first), **survey}


def split(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Split one draw, in part or whole, into the simulator's values and the survey layer's.

    Parameters
    ----------
    values : mapping of str to float
        By name of `register()`.

    Returns
    -------
    simulator : dict of str to float
        Those of `values` that belong to the simulator.
    survey : dict of str to float
        All values of the survey layer, central ones for what `values` leaves out.

    Raises
    ------
    InputError
        For an unknown name, and for a value that is not a number or out of its limits.
    """
    checked = check_values(values, "parameters", register())
    simulator = {name: value for name, value in checked.items() if name not in survey_entries()}
    survey = {name: checked.get(name, value) for name, value in central_survey().items()}
    return simulator, survey
