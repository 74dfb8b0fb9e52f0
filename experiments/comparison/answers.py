"""The answer in plain words: one sentence per scenario, every part of it computed."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from experiments.runs.measures import MAIN

CARRIES = 0.25  # share of an effect that one mechanism must carry to be named
SAME_SPENDING = 0.05  # relative difference in public cost up to which nothing is said of it
MOSTLY = 0.5  # share from which on it is said to carry most of it
TOLD_APART = 0.9  # share of draws from which on a scenario counts as better or worse
NOTHING = 0.005  # relative change below which a scenario is said to change nothing


def answer(name: str, parts: dict[str, Any]) -> dict[str, Any]:
    """The sentence on one scenario and the numbers in it. `parts` are the frames of a Comparison."""
    effects: pd.DataFrame = parts["effects"]
    row = _row(effects, name, MAIN)
    cost = _row(effects, name, "cost_per_contract_eur")
    about = parts["about"][name]
    base_title = parts["about"][parts["base"]]["title"]
    sentence = f"{about['title']}: {_change(row)}, {_likelihood(row, base_title)}{_cost(cost)}"
    sentence += _spending(_row(effects, name, "public_cost_eur"), effects, name)
    sentence += f"; {_reason(name, row, parts['reasons'])}."
    return {
        "scenario": name,
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


def _row(effects: pd.DataFrame, scenario: str, measure: str) -> pd.Series:
    chosen = effects[(effects.scenario == scenario) & (effects.measure == measure) & (effects.basis == "equal budget")]
    return chosen.iloc[0]


def _change(row: pd.Series) -> str:
    """The size of the change, with its interval."""
    if np.isnan(row["relative"]) or np.isnan(row["relative_low"]):
        low, high = row["difference_low"], row["difference_high"]
        return f"{row['difference']:+,.0f} net contracts (90% interval {low:+,.0f} to {high:+,.0f})"
    return (
        f"{row['relative']:+.0%} net contracts (90% interval {row['relative_low']:+.0%} to {row['relative_high']:+.0%})"
    )


def _likelihood(row: pd.Series, base_title: str) -> str:
    """In how many plausible worlds it is better."""
    against = "today's rules" if base_title.startswith("The programme") else f"“{base_title}”"
    return f"better than {against} in {row['p_better']:.0%} of {int(row['draws']):,} plausible worlds"


def _cost(row: pd.Series) -> str:
    """Public cost per net contract, beside the base's."""
    if np.isnan(row["value"]):
        return ""
    base = "" if np.isnan(row["base"]) else f" (base: EUR {_rounded(row['base']):,})"
    return f", at EUR {_rounded(row['value']):,} of public money per net contract{base}"


def _spending(row: pd.Series, effects: pd.DataFrame, name: str) -> str:
    """How much more or less is spent, and what is left of the effect at equal spending, where they differ."""
    if np.isnan(row["relative"]) or abs(row["relative"]) < SAME_SPENDING:
        return ""
    equal = effects[(effects.scenario == name) & (effects.measure == MAIN) & (effects.basis == "equal spending")]
    same = (
        ""
        if equal.empty or np.isnan(equal.iloc[0]["relative"])
        else (f"; at equal spending {equal.iloc[0]['relative']:+.0%}")
    )
    return f" and {row['relative']:+.0%} public cost{same}"


def _rounded(eur: float) -> int:
    """Two significant digits for small sums, three for large ones: no false precision."""
    digits = 2 if eur < 1000 else 3
    return int(float(f"{eur:.{digits}g}"))


def _reason(name: str, row: pd.Series, reasons: pd.DataFrame) -> str:
    """The mechanism whose switching-off takes most of the effect away, if one does."""
    if not np.isnan(row["relative"]) and abs(row["relative"]) < NOTHING:
        return "nothing to explain at this size"
    if 1.0 - TOLD_APART < row["p_better"] < TOLD_APART:
        return "the draws do not agree, so no reason is given"
    ours = reasons[reasons.scenario == name]
    if ours.empty:
        return "reasons were not computed"
    beyond_chance = stdtrit(np.maximum(ours.draws.astype(float) - 1.0, 1.0), 0.975) * ours.standard_error
    carrying = ours[(ours.share >= CARRIES) & (ours.contribution.abs() > beyond_chance)]
    if carrying.empty:
        return "no single mechanism carries it"
    first = carrying.sort_values("share", ascending=False).iloc[0]
    how = "mostly" if first["share"] >= MOSTLY else "in part"
    return (
        f"{how} because of {first['label']} (on the {int(first['draws'])} draws of this test {first['effect']:+.0%}, "
        f"with that switched off {first['effect_without']:+.0%})"
    )
