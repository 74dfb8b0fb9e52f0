"""Functions in the place of the model for tests of sweeps, and experiments about them; found by workers by name."""

import os
import time
from pathlib import Path

import numpy as np

PI = 3.141592653589793


def ishigami(case, values, seed):
    """Ishigami's function (a = 7, b = 0.1); `noisy` adds luck of variance 1."""
    a, b, c = values["a"], values["b"], values["c"]
    luck = np.random.default_rng(seed).normal() if case == "noisy" else 0.0
    return {"y": float(np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a) + luck), "a": a}


def counted(case, values, seed):
    """The same; each call leaves a line in the file that SWEEP_LOG names."""
    with open(os.environ["SWEEP_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{seed} {values['a']!r}\n")
    return ishigami(case, values, seed)


def slow(case, values, seed):
    """The same, for kills in the middle."""
    time.sleep(0.005)
    return counted(case, values, seed)


def fragile(case, values, seed):
    """Fails for large a, gives no number for small a."""
    if values["a"] > 2.5:
        raise ValueError(f"a is too large\n  in {case}")
    return {"y": float("nan") if values["a"] < -2.5 else values["a"], "a": values["a"]}


def deadly_once(case, values, seed):
    """Takes the worker with it, the first time that a is large."""
    marker = Path(os.environ["SWEEP_LOG"] + ".died")
    if values["a"] > 2.0 and not marker.exists():
        marker.touch()
        os._exit(9)
    return ishigami(case, values, seed)


def deadly(case, values, seed):
    """Takes the worker with it for one row."""
    if values["a"] > 3.0:
        os._exit(9)
    return ishigami(case, values, seed)


def experiment(n=8, runs=2, name="sobol", options=("plain",), **more):
    """An experiment about such a function."""
    return {
        "title": "A function",
        "question": "What does it hang on?",
        "contrast": [{"option": option} for option in options],
        "vary": {each: {"low": -PI, "high": PI} for each in "abc"},
        "method": {"name": name, "n": n},
        "measures": ["y", "a"],
        "runs": runs,
        **more,
    }


def levers(**more):
    """A small experiment about the model: two levers and a parameter."""
    return {
        "title": "Levers",
        "question": "What do they do?",
        "contrast": [{"option": "baseline", "base": "baseline", "name": "levers"}],
        "vary": {
            "idea_rate": "prior",
            "budget_factor": {"low": 0.5, "high": 2, "from": 2016},
            "decision_dates": {"choices": ["own", "committed"], "from": 2016},
        },
        "method": {"name": "sobol", "n": 2, "second_order": False},
        "smes": 2000,
        "horizon_months": 12,
        **more,
    }


def content(folder):
    """All that lies in a sweep's folder, byte by byte; not the locks."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def calls():
    """How often the function was called."""
    path = Path(os.environ["SWEEP_LOG"])
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def its_seed(case, values, seed):
    """The luck it meets, as numbers that a float holds."""
    return {"y": float(seed % 2**40), "a": values["a"]}
