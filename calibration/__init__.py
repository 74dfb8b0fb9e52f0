"""What is known from outside: evidence, the simulated survey, the fit and its checks."""

from calibration.survey.register import draw, register, survey_entries

__all__ = ["draw", "register", "survey_entries"]
