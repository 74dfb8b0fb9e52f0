"""A study repeated from its manifest, without the files that it was asked with."""

from pathlib import Path
from typing import Any

from experiments.comparison import Comparison, Settings, Stage, study
from experiments.results import table_hashes
from scenarios import InputError, Scenario, Setting


def rerun(manifest: dict[str, Any], stage: Stage) -> tuple[Comparison, list[str]]:
    """Repeat a study; returns it and the names of the tables whose values differ from the manifest's.

    Raises InputError if the manifest does not hold what is needed.
    """
    try:
        chosen = [_scenario(name, manifest["scenarios"][name]) for name in manifest["compared"]]
        settings = Settings(
            manifest["draws"], manifest["runs"], manifest["seed"], manifest["horizon_months"], manifest["smes_asked"],
            manifest["reasons"], manifest["spending"],
        )  # fmt: skip
        told = manifest["tables"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the manifest cannot be used: {error!r} is missing or of the wrong form.") from None
    comparison = study(chosen, settings, stage)
    found = table_hashes(comparison)
    return comparison, sorted(name for name in found if told.get(name) != found[name])


def _scenario(name: str, told: dict[str, Any]) -> Scenario:
    """A scenario as the manifest holds it: all its settings, no parent."""
    settings = tuple(Setting(*row) for row in told["settings"])
    return Scenario(name, told["title"], told["question"], Path(f"{name}.toml"), None, settings)
