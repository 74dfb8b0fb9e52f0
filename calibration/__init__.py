"""Calibration: the evidence, the simulated survey, the fit and its checks.

Rooms, each importing from those before it only: `evidence` (observed numbers as data), `survey` (the simulated
survey), `hindcast` (the past calls simulated and observed), `fit` (the posterior), `checks` (what the fit is worth).
"""

from calibration.parameters import draw, register, survey_entries

__all__ = ["draw", "register", "survey_entries"]
