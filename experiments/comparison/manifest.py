"""The manifest of a comparison: all that determines it, so that it can be computed again without its files."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from experiments.comparison.study import Study
from experiments.runs.files import reason
from experiments.runs.parameter_draws import fitted_calls
from scenarios import InputError, Resolved, Scenario
from scenarios.settings import as_row
from simulator.jobs import code_of

MANIFEST = "manifest.json"
QUESTION = (
    "compared", "scenarios", "draws", "runs", "seed", "horizon_months", "smes", "clusters", "reasons", "spending",
    "code", "parameters_from",
)  # fmt: skip
LARGEST_MANIFEST_BYTES = 20_000_000
SEEDS = "of a run: BLAKE2b of innovex/<seed>/<draw>/<run>, 63 bits; of a draw: Philox keyed by seed and parameter"


def content_of(study: Study) -> dict[str, Any]:
    """Return all that determines the numbers of a study; known before anything is run."""
    settings, centre = study.settings, study.centre[0]
    titles = [scenario.question for scenario in study.chosen]
    return {
        "question": titles[-1] if len(titles) == 2 else titles[0],
        "base": study.chosen[0].name,
        "compared": [scenario.name for scenario in study.chosen],
        "draws": settings.draws,
        "runs": settings.runs,
        "seed": settings.seed,
        "seeds": SEEDS,
        "horizon_months": int(centre.rules.calls.counted_months[0]),
        "reasons": settings.reasons,
        "spending": settings.spending,
        "smes": int(centre.world.cluster_members.sum()),
        "smes_asked": settings.smes,
        "clusters": len(centre.world.cluster_country),
        "clusters_asked": settings.clusters,
        "months": centre.months,
        "counted_calls": [year for year in centre.call_years if year >= study.first_year],
        "draws_from": settings.draws_from,
        "parameters_from": study.drawn_from,
        "fitted_calls": fitted_calls(settings.draws_from),
        "code": code_version(),
        "countries": list(centre.country_codes),
        "funders": list(centre.funder_codes),
        "scenarios": {
            scenario.name: _as_data(scenario, resolved)
            for scenario, resolved in zip(study.chosen, study.centre, strict=True)
        },
    }


def code_version() -> str:
    """Return a hash of all sources that determine the numbers of a study, of packages, and of the generator."""
    return code_of("experiments.comparison.assemble")


def _as_data(scenario: Scenario, resolved: Resolved) -> dict[str, Any]:
    """Return a scenario as it was: all that it sets, and what that came to at the register's central values.

    Rules by call stand in order of call; rules by call and funder as one row per call, funders in order.
    """
    return {
        "title": scenario.title,
        "question": scenario.question,
        "settings": [as_row(setting) for setting in scenario.settings],
        "parameters_central": {name: float(value) for name, value in resolved.parameters._asdict().items()},
        "rules_central": {name: column.tolist() for part in resolved.rules for name, column in part._asdict().items()},
    }


# ---------- names


def question_id(manifest: dict[str, Any]) -> str:
    """Hash of all that determines the numbers: scenarios, settings, seed, the version of the code, what is finished."""
    content = {key: manifest[key] for key in QUESTION}
    content["finished"] = manifest.get("finished_draws", max(1, manifest["draws"]))
    content["missing"] = [part for part in manifest.get("missing", ()) if part != "report"]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=4).hexdigest()


def default_name(manifest: dict[str, Any]) -> str:
    """Name a folder: the scenarios, shortened, and the question's hash; and whether the study was interrupted."""
    names = [re.sub(r"[^\w.-]", "_", name) for name in manifest["compared"]]
    names_in_short = "-vs-".join(names) if len(names) <= 2 else f"{names[0]}-vs-{len(names) - 1}-scenarios"
    short = names_in_short.encode()[:80].decode(errors="ignore")
    tail = "-interrupted" if set(manifest.get("missing", ())) - {"report"} else ""
    return f"{short}-{question_id(manifest)}{tail}"


# ---------- before a study


def check_free(root: Path, manifest: dict[str, Any]) -> None:
    """Refuse, before hours of runs, a question whose folder is there and holds something else. Raises InputError."""
    target = root / default_name(manifest)
    if os.path.lexists(target):
        check_same(target, manifest, None)


def check_same(target: Path, manifest: dict[str, Any], tables: dict[str, str] | None) -> None:
    """Raise InputError unless the folder holds the results of this question (and, if given, these numbers)."""
    if not (target / MANIFEST).is_file():
        raise InputError(
            f"{target}: is there and holds no finished results (no {MANIFEST}); remove it or choose another --out"
        )
    there = read_manifest(target)
    same_question = there.get("id") == question_id(manifest)
    if not same_question or (tables is not None and there.get("tables") != tables):
        other = "other numbers for this question" if same_question else "the results of another question"
        raise InputError(f"{target}: holds {other}; nothing is overwritten, choose another --out")


# ---------- reading


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a results folder (or the file itself); raises InputError."""
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise InputError(f"{path}: is not a finished results folder (it holds no {MANIFEST})")
        path = path / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST_BYTES:
            most = f"up to {LARGEST_MANIFEST_BYTES / 1e6:.0f} MB"
            raise InputError(f"{path}: is too large for a manifest; allowed: {most}")
        content = json.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; allowed: a results folder or its {MANIFEST}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a manifest: it is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not a manifest: it is not JSON ({str(error)[:80]})") from None
    manifest: dict[str, Any] = content if isinstance(content, dict) else {}
    absent = [key for key in (*QUESTION, "tables") if key not in manifest]
    if absent:
        verb = "are" if absent[1:] else "is"
        raise InputError(f"{path}: is not a manifest of innovex: {', '.join(absent)} {verb} missing")
    return manifest
