"""A study repeated from its manifest, without the files that it was asked with."""

from pathlib import Path
from typing import Any

from experiments.comparison.folder import table_hashes
from experiments.comparison.frames import Frames
from experiments.comparison.manifest import default_name, question_id
from experiments.comparison.study import Settings, Study, prepare
from experiments.runs.parameter_draws import POSTERIOR, PRIOR
from scenarios import InputError, Scenario
from scenarios.form import check
from scenarios.scenario_file import GUIDE, content_of, form


def study_of(manifest: dict[str, Any], source: Path, threads: int | None = None) -> Study:
    """Make the study that a manifest tells of ready to run; raises InputError, and names `source` in its message."""
    draws, runs, seed, horizon, reasons, spending = (
        _number(manifest, key, source) for key in ("draws", "runs", "seed", "horizon_months", "reasons", "spending")
    )
    smes = None if manifest.get("smes_asked") is None else _number(manifest, "smes_asked", source)
    clusters = None if manifest.get("clusters_asked") is None else _number(manifest, "clusters_asked", source)
    compared = manifest["compared"]
    if not isinstance(compared, list) or not compared or not isinstance(manifest["scenarios"], dict):
        raise InputError(f"{source}, compared: does not fit; allowed: a list of the names under scenarios")
    chosen = [_scenario(name, manifest["scenarios"], source) for name in compared]
    draws_from = _draws_from(manifest, source)
    return prepare(chosen, Settings(draws, runs, seed, horizon, smes, reasons, spending, threads, draws_from, clusters))


def _draws_from(manifest: dict[str, Any], source: Path) -> str:
    source_of_draws = manifest.get("draws_from", PRIOR)
    if not isinstance(source_of_draws, str):
        raise InputError(f"{source}, draws_from: does not fit; allowed: {POSTERIOR}, {PRIOR} or the path of a file")
    return source_of_draws


def differing(frames: Frames, manifest: dict[str, Any]) -> list[str]:
    """Return the tables whose values are not the manifest's, to the last bit."""
    hashes = manifest["tables"]
    return sorted(name for name, digest in table_hashes(frames).items() if hashes.get(name) != digest)


def folder_name(frames: Frames, manifest: dict[str, Any]) -> str:
    """Name the folder as usual; another way where the same question, by the same code, gave other numbers."""
    name = default_name(frames.manifest)
    same_question = manifest.get("id") == question_id(frames.manifest)
    return f"{name}-rerun" if same_question and differing(frames, manifest) else name


def _number(manifest: dict[str, Any], key: str, source: Path) -> int:
    value = manifest.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{source}, {key}: {str(value)[:40]!r} does not fit; allowed: a whole number")
    return value


def _scenario(name: object, contents: dict[str, Any], source: Path) -> Scenario:
    """Make a scenario of what the manifest holds: all its settings, no parent; checked like a scenario's file."""
    where = f"{source}, scenarios.{name}"
    if not isinstance(name, str) or not isinstance(contents.get(name), dict):
        raise InputError(f"{where}: does not fit; allowed: a scenario by the name that stands under compared")
    try:
        words = {key: contents[name][key] for key in ("title", "question")}
        content = words | _tree(contents[name]["settings"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: title, question or settings do not fit ({str(error)[:60]})") from None
    checked = content_of(check(form(), content, where, GUIDE))
    return Scenario(name, checked.title, checked.question, Path(f"{name}.toml"), None, checked.settings)


def _tree(rows: list[list[Any]]) -> dict[str, Any]:
    """Return settings as a scenario's file holds them."""
    content: dict[str, Any] = {"from": {}, "parameters": {}}
    for year, funder, name, value in rows:
        if year is None:
            place = content if name in ("horizon_months", "last_call") else content["parameters"]
        else:
            place = content["from"].setdefault(str(year), {})
        if funder is not None:
            place = place.setdefault("funders", {}).setdefault(funder, {})
        place[name] = value
    return content
