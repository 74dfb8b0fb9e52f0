"""The manifest: what was asked and of which version, whole enough to ask it again without the scenarios' files."""

import hashlib
import os
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from scenarios import Resolved, Scenario
from simulator import sources
from simulator.draws import generator

if TYPE_CHECKING:
    from experiments.comparison.carry_out import Study

PACKAGES = ("innovex", "numpy", "numba", "llvmlite", "scipy", "pandas", "pyarrow", "mesa", "SALib")
SEEDS = "of a run: BLAKE2b of innovex/<seed>/<draw>/<run>, 63 bits; of a draw: Philox keyed by seed and parameter"


def asked(study: "Study") -> dict[str, Any]:
    """All that determines the numbers of a study; known before anything is run."""
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
        "horizon_months": int(centre.rules.counted_months[0]),
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
        "code": code_version(),
        "countries": list(centre.country_codes),
        "funders": list(centre.funder_codes),
        "scenarios": {
            scenario.name: _as_data(scenario, resolved)
            for scenario, resolved in zip(study.chosen, study.centre, strict=True)
        },
    }


def machine() -> dict[str, Any]:
    """What the study runs on."""
    return {
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "generator": generator(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }


def code_version() -> str:
    """Return a hash of all sources that determine the numbers of a study, and of the generator."""
    numbers = sources.digest("experiments.runs.ensemble", "experiments.comparison.assemble")
    return hashlib.blake2b(f"{numbers} {generator()}".encode(), digest_size=8).hexdigest()


def _as_data(scenario: Scenario, resolved: Resolved) -> dict[str, Any]:
    """A scenario as it was: all that it sets, and what that came to at the register's central values.

    Rules by call stand in order of call; rules by call and funder as one row per call, funders in order.
    """
    return {
        "title": scenario.title,
        "question": scenario.question,
        "settings": [[each.year, each.funder, each.name, each.value] for each in scenario.settings],
        "parameters_central": {name: float(value) for name, value in resolved.parameters._asdict().items()},
        "rules_central": {name: column.tolist() for name, column in resolved.rules._asdict().items()},
    }
