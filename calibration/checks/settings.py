"""The settings of the checks: `checks.toml`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("checks.toml")


@cache
def check_settings() -> dict[str, dict[str, Any]]:
    """Return the content of `checks.toml`, by check."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def left_out_call() -> int:
    """Return the year of the call that is left out and forecast."""
    return int(check_settings()["left_out"]["call"])


def forecast_calls() -> tuple[int, ...]:
    """Return the years of the calls to come that are forecast."""
    return tuple(check_settings()["forecast"]["calls"])
