"""Comparisons with made-up numbers, in all shapes that a report must cope with."""

from dataclasses import replace

import numpy as np
import pandas as pd

from experiments.comparison.frames import Frames, InMemory
from experiments.comparison.tables import LARGE, table
from experiments.runs.measures import all_measures
from simulator.observe import MEASURES, MONTHLY
from simulator.outcomes.tables import OUTCOMES

COUNTRIES = ("DK", "SE", "NO", "LT", "DE", "PL")
FUNDERS = COUNTRIES[:4]
CAUSES = ("below_threshold", "purse_empty", "partner_refused", "common_purse_empty")
DRAWS, RUNS, MONTHS = 12, 2, 144


def made(scenarios: int, *, base_contracts: float = 500.0, parts: bool = True) -> Frames:
    """A comparison with made-up numbers: scenario k has about 8% more or fewer of all things than scenario k - 1."""
    keys = ("base", *(f"case_{k}" for k in range(1, scenarios)))
    level = {key: 1.0 + 0.08 * ((-1) ** k) * k for k, key in enumerate(keys)}
    level["base"] = base_contracts / 500.0
    chance = np.random.default_rng(1)
    effects, shifts = [], {key: chance.normal(0, 0.02, DRAWS) for key in keys[1:]}
    for key in keys[1:]:
        bases = ("equal budget", "equal spending") if parts else ("equal budget",)
        for basis in bases:
            effects += [_effect(key, basis, name, level, shifts[key]) for name in all_measures()]
    about = {key: _about(key, level[key]) for key in keys}
    return Frames(
        base="base", scenarios=keys, about=about, measures=pd.DataFrame(), monthly_measures=pd.DataFrame(),
        parameters=table("parameters").empty(), **_tables(keys, level, chance), effects=pd.DataFrame(effects),
        **parts_of(keys[1:], parts), answers=[], manifest=_manifest(),
    )  # fmt: skip


def _effect(key: str, basis: str, name: str, level: dict[str, float], shift: np.ndarray) -> dict[str, object]:
    """A row of effects; every measure has its own size and change, and half of it is left at equal spending."""
    unit, place = all_measures()[name].unit, list(all_measures()).index(name)
    size = (6e6 if unit == "EUR" else 500.0) * (1 + place / 100)
    part = (0.5 if basis == "equal spending" else 1.0) * (1 + place / 50)
    base = size * level["base"]
    difference = size * part * (level[key] - level["base"] + shift)
    relative = difference / base if base > 0 else np.full(DRAWS, np.nan)
    return {
        "scenario": key, "basis": basis, "measure": name, "unit": unit, "base": base,
        "value": base + difference.mean(), "difference": difference.mean(),
        "difference_low": np.quantile(difference, 0.05), "difference_high": np.quantile(difference, 0.95),
        "relative": relative.mean(), "relative_low": np.quantile(relative, 0.05),
        "relative_high": np.quantile(relative, 0.95),
        "p_better": (all_measures()[name].better * difference > 0).mean(), "draws": DRAWS,
    }  # fmt: skip


def _about(key: str, level: float) -> dict[str, object]:
    change = {
        "call": 2016, "funder": None, "lever": "project_months", "label": "Project length", "unit": "months",
        "base_value": 15.0, "value": 15.0 * level, "ends": False, "idle": "", "taken": "",
        "effect_evidence": "assumed", "why": "Nothing was measured",
    }  # fmt: skip
    changes = [] if key == "base" else [change]
    title = f"Rule <{key}> & others"
    return {"title": title, "question": f"What if {key}?", "parent": None, "changes": changes, "evidence": "assumed"}


def _grid(keys: tuple[str, ...], **levels: object) -> pd.DataFrame:
    named = {"scenario": keys, "draw": range(DRAWS), "run": range(RUNS), **levels}
    return pd.MultiIndex.from_product(list(named.values()), names=list(named)).to_frame(index=False)


def _tables(keys: tuple[str, ...], level: dict[str, float], chance: np.random.Generator) -> dict[str, object]:
    def filled(frame: pd.DataFrame, columns: list[str], size: float) -> pd.DataFrame:
        rate = size * frame["scenario"].map(level).to_numpy()
        return frame.assign(**{column: chance.poisson(rate).astype(float) for column in columns})

    by_country = filled(_grid(keys, country=COUNTRIES), [measure.name for measure in MEASURES], 40.0)
    paying = by_country["country"].isin(FUNDERS)
    for column in ("outlay_eur", "admin_eur", "spent_eur"):
        by_country[column] = by_country[column] * 10_000.0 * paying
    groups = _grid(keys, place=range(4))
    groups["kind"] = np.where(groups["place"] < 2, "sector", "size")
    groups["group"] = groups["place"].map(dict(enumerate(("Energy", "Food", "micro", "small"))))
    links = [(key, a, b, 5.0 * level[key]) for key in keys for a in COUNTRIES for b in COUNTRIES if a < b]
    large = {
        "by_call": table("by_call").empty(),
        "by_country": by_country,
        "by_month": filled(_grid(keys, month=range(MONTHS)), [measure.name for measure in MONTHLY], 9.0),
        "by_group": filled(groups, ["smes_engaged", "smes_active", *OUTCOMES], 30.0),
        "lost": filled(_grid(keys, funder=FUNDERS, cause=CAUSES), ["applications"], 2.0),
        "short": filled(_grid(keys, funder=FUNDERS), ["short_eur"], 30_000.0),
    }
    network = pd.DataFrame(links, columns=["scenario", "country", "other", "links"])
    return {"large": InMemory(large), "network": network}


def parts_of(keys: tuple[str, ...], parts: bool) -> dict[str, pd.DataFrame]:
    if not parts:
        return {name: table(name).empty() for name in ("spending", "reasons", "variance", "hangs_on")}
    note = "In 25% of draws spending could not be matched."
    spending = [{"scenario": k, "draws": 8, "matched": 0.75, "scale_mean": 1.1, "note": note} for k in keys]
    reasons = [
        {
            "scenario": key, "mechanism": name, "label": f"what {name} does", "effect": 0.2, "effect_without": 0.1,
            "contribution": 0.1 * sign, "share": 0.5, "standard_error": 0.01,
        }
        for key in keys
        for name, sign in (("waiting", 1), ("fatigue", -1))
    ]  # fmt: skip
    variance = [{"scenario": key, "ratio": np.inf if place else 9.0} for place, key in enumerate(keys)]
    hangs_on = [
        {"scenario": key, "parameter": "overhead", "label": "Overhead", "correlation": -0.7, "evidence": "assumption"}
        for key in keys
    ]
    return {
        "spending": pd.DataFrame(spending), "reasons": pd.DataFrame(reasons), "variance": pd.DataFrame(variance),
        "hangs_on": pd.DataFrame(hangs_on),
    }  # fmt: skip


def _manifest() -> dict[str, object]:
    return {
        "question": "What would longer projects bring?", "draws": DRAWS, "runs": RUNS, "seed": 1, "horizon_months": 60,
        "counted_calls": [2016, 2017], "complete": True, "finished_draws": DRAWS,
        "parameters_from": "draws from priors, not calibrated", "versions": {"numpy": "2"}, "python": "3.11",
    }  # fmt: skip


def alone() -> Frames:
    """A single scenario, which nothing is compared with."""
    whole = made(2)
    own = whole.effects.assign(scenario="base", base=0.0)
    own = own[own["basis"] == "equal budget"]
    return replace(whole, scenarios=("base",), effects=own, **parts_of(("base",), False))


def with_tables(frames: Frames, **tables: pd.DataFrame) -> Frames:
    """The comparison with other tables."""
    large = {name: tables.get(name, frames.large.frame(name)) for name in LARGE}
    small = {name: frame for name, frame in tables.items() if name not in LARGE}
    return replace(frames, large=InMemory(large), **small)
