"""The answer in plain words: one sentence per scenario, every part of it computed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from experiments.comparison.frames import Frames
from experiments.comparison.verdicts import verdict
from experiments.exhibits import words
from experiments.runs.measures import MAIN

CARRIES = 0.25  # share of an effect that one mechanism must carry to be named
SAME_SPENDING = 0.05  # relative difference in public cost up to which it is not mentioned
MOSTLY = 0.5  # share from which on a mechanism carries most of the effect
NOTHING = 0.005  # relative change below which a scenario changes nothing


def answers(frames: Frames) -> list[dict[str, Any]]:
    """Return the answer on each scenario but the base.

    Parameters
    ----------
    frames : Frames
        A comparison; its `answers` are not read.

    Returns
    -------
    list of dict
        scenario, title, sentence, evidence, and the numbers in the sentence.
    """
    return [_answer(frames, scenario) for scenario in frames.scenarios if scenario != frames.base]


def _answer(frames: Frames, scenario: str) -> dict[str, Any]:
    row = _row(frames, scenario, MAIN)
    if frames.is_the_same(scenario):
        return _no_difference(frames, scenario, row)
    cost = _row(frames, scenario, "cost_per_contract_eur")
    about = frames.about[scenario]
    base_title = frames.about[frames.base]["title"]
    sentence = f"{about['title']}: {_change(row)}, {_likelihood(row, base_title)}{_cost(cost)}"
    sentence += _spending(frames, scenario)
    sentence += f"; {_reason(row, frames.reasons[frames.reasons.scenario == scenario])}."
    sentence += _held(about["changes"]) + _taken(about["changes"]) + _idle(about["changes"])
    return _as_answer(scenario, sentence, about, row, cost)


def _no_difference(frames: Frames, scenario: str, row: pd.Series) -> dict[str, Any]:
    """Return the answer on a scenario in which everything happens as in the base."""
    about = frames.about[scenario]
    why = _idle(about["changes"]) or " Nothing that it sets differs from the base." * (not about["changes"])
    sentence = f"{about['title']}: no difference in any of {int(row['draws']):,} plausible worlds.{why}"
    return _as_answer(scenario, sentence, about, row, _row(frames, scenario, "cost_per_contract_eur"))


def _idle(changes: list[dict[str, Any]]) -> str:
    """Say which levers cannot act, and what would make them."""
    return "".join(f" {each['label']} cannot act here: {each['idle']}." for each in changes if each["idle"])


def _taken(changes: list[dict[str, Any]]) -> str:
    """Say which numbers the model takes where they are not those that were set."""
    return "".join(f" {each['label']}: {each['taken']}." for each in changes if each["taken"])


def _as_answer(scenario: str, sentence: str, about: dict[str, Any], row: pd.Series, cost: pd.Series) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "title": about["title"],
        "sentence": sentence,
        "evidence": about["evidence"],
        "relative": row["relative"],
        "relative_low": row["relative_low"],
        "relative_high": row["relative_high"],
        "difference": row["difference"],
        "p_better": row["p_better"],
        "cost_per_contract_eur": cost["value"],
        "base_cost_per_contract_eur": cost["base"],
    }


def _rows(frames: Frames, scenario: str, measure: str, basis: str) -> pd.DataFrame:
    effects = frames.effects
    return effects[(effects.scenario == scenario) & (effects.measure == measure) & (effects.basis == basis)]


def _row(frames: Frames, scenario: str, measure: str) -> pd.Series:
    """Return the effect on a measure at equal budget."""
    return _rows(frames, scenario, measure, "equal budget").iloc[0]


def _change(row: pd.Series) -> str:
    """Return the size of the change, with its interval."""
    if np.isnan(row["relative"]) or np.isnan(row["relative_low"]):
        low, high = row["difference_low"], row["difference_high"]
        return f"{row['difference']:+,.0f} net contracts (90% interval {low:+,.0f} to {high:+,.0f})"
    return (
        f"{row['relative']:+.0%} net contracts (90% interval {row['relative_low']:+.0%} to {row['relative_high']:+.0%})"
    )


def _likelihood(row: pd.Series, base_title: str) -> str:
    """Return in how many plausible worlds it is better."""
    against = "today's rules" if base_title.startswith("The programme") else f"“{base_title}”"
    return f"better than {against} in {row['p_better']:.0%} of {int(row['draws']):,} plausible worlds"


def _cost(row: pd.Series) -> str:
    """Return public cost per net contract, beside the base's; "" if it has none."""
    if np.isnan(row["value"]):
        return ""
    base = "" if np.isnan(row["base"]) else f" (base: EUR {_rounded(row['base']):,})"
    return f", at EUR {_rounded(row['value']):,} of public money per net contract{base}"


def _spending(frames: Frames, scenario: str) -> str:
    """Return how much more or less is spent, and what is left of the effect at equal spending, if they differ."""
    cost = _row(frames, scenario, "public_cost_eur")["relative"]
    if np.isnan(cost) or abs(cost) < SAME_SPENDING:
        return ""
    equal = _rows(frames, scenario, MAIN, "equal spending")["relative"].dropna()
    return f" and {cost:+.0%} public cost" + "".join(f"; at equal spending {effect:+.0%}" for effect in equal[:1])


def _held(changes: list[dict[str, Any]]) -> str:
    """Say what a scenario holds at one value in every world where worlds differ: part of its effect is that."""
    pinned = [each for each in changes if each.get("base_in_worlds") and not isinstance(each["value"], Mapping)]
    if not pinned:
        return ""
    first, unit = pinned[0], pinned[0]["unit"]
    what = first["label"][:1].lower() + first["label"][1:] + _whose(first["funder"])
    base = words.setting_in_worlds(first["base_in_worlds"], unit)
    more = f", and {len(pinned) - 1} more numbers so" if pinned[1:] else ""
    return f" It holds the {what} at {words.setting(first['value'], unit)} in every world (without that: {base}){more}."


def _whose(funder: str | None) -> str:
    return f" of {words.country(funder)}" if funder else ""


def _rounded(eur: float) -> int:
    """Round to two significant digits (small sums) or three (large ones): no false precision."""
    digits = 2 if eur < 1000 else 3
    return int(float(f"{eur:.{digits}g}"))


def _reason(row: pd.Series, reasons: pd.DataFrame) -> str:
    """Return the mechanism that carries the effect, if one does: with it switched off, most of the effect is gone."""
    if not np.isnan(row["relative"]) and abs(row["relative"]) < NOTHING:
        return "nothing to explain at this size"
    if verdict(row) == "open":
        return "the draws do not agree, so no reason is given"
    if reasons.empty:
        return "reasons were not computed"
    beyond_chance = stdtrit(np.maximum(reasons.draws.astype(float) - 1.0, 1.0), 0.975) * reasons.standard_error
    carrying = reasons[(reasons.share >= CARRIES) & (reasons.contribution.abs() > beyond_chance)]
    if carrying.empty:
        return "no single mechanism carries it"
    first = carrying.sort_values("share", ascending=False).iloc[0]
    how = "mostly" if first["share"] >= MOSTLY else "in part"
    return (
        f"{how} because of {first['label']} (on the {int(first['draws'])} draws of this test {first['effect']:+.0%}, "
        f"with that switched off {first['effect_without']:+.0%})"
    )
