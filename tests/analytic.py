"""Functions whose sensitivity indices are known, with luck added; shared by the tests of sweeps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# Ishigami & Homma (1990), a = 7, b = 0.1, and a factor that does nothing.
A, B = 7.0, 0.1
_V1, _V2, _V13 = 0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, B**2 * np.pi**8 * (1 / 18 - 1 / 50)
ISHIGAMI_VARIANCE = float(_V1 + _V2 + _V13)
ISHIGAMI_FIRST = np.array([_V1, _V2, 0.0, 0.0]) / ISHIGAMI_VARIANCE
ISHIGAMI_TOTAL = np.array([_V1 + _V13, _V2, _V13, 0.0]) / ISHIGAMI_VARIANCE
ISHIGAMI_PAIR = float(_V13 / ISHIGAMI_VARIANCE)  # of the first and the third factor; no other pair has any

# Sobol's G function (Saltelli & Sobol' 1995).
WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])
_PARTS = 1 / (3 * (1 + WEIGHTS) ** 2)
G_VARIANCE = float(np.prod(1 + _PARTS) - 1)
G_FIRST = _PARTS / G_VARIANCE
G_TOTAL = _PARTS * np.prod(1 + _PARTS) / (1 + _PARTS) / G_VARIANCE


def ishigami(u: np.ndarray) -> np.ndarray:
    """Of points in [0, 1], (rows, 3 or more)."""
    x = -np.pi + 2 * np.pi * u
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def g_function(u: np.ndarray) -> np.ndarray:
    """Of points in [0, 1], (rows, 6)."""
    return np.prod((np.abs(4 * u - 2) + WEIGHTS) / (1 + WEIGHTS), axis=1)


def with_luck(f: np.ndarray, runs: int, sd: float, seed: int = 0) -> np.ndarray:
    """Outcomes (rows, runs): every run with luck of its own."""
    return f[:, None] + np.random.default_rng(seed).normal(0.0, sd, (len(f), runs))


def with_shared_luck(f: np.ndarray, block: int, runs: int, sd: float, seed: int = 0) -> np.ndarray:
    """Outcomes (rows, runs): the rows of a block share most of their luck, as runs with the same seed do."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.normal(0.0, sd, (len(f) // block, runs)), block, axis=0)
    return f[:, None] + shared + rng.normal(0.0, sd / 5, (len(f), runs))


def noisy_ishigami(case: str, values: Mapping[str, Any], seed: int) -> dict[str, float]:
    """For a sweep: luck in the base that the option shares; the option adds Ishigami's function and luck of its own."""
    luck = np.random.default_rng(seed).normal(0.0, (20.0, 3.0))
    if case == "base":
        return {"y": float(luck[0])}
    u = np.array([[values["x1"], values["x2"], values["x3"], values["x4"]]])
    return {"y": float(ishigami(u)[0] + luck.sum())}
