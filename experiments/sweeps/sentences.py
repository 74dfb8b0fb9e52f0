"""What a sweep found, in plain words: every part computed, nothing said that the numbers cannot carry."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.exhibits import words
from experiments.sweeps.convergence import above_nothing, tiers
from experiments.sweeps.discovery import Box
from experiments.sweeps.factors import Factor
from experiments.sweeps.figures import form_of
from experiments.sweeps.findings import FEW_BLOCKS
from experiments.sweeps.indices import MAIN_INDEX

if TYPE_CHECKING:
    import pandas as pd

    from experiments.sweeps.findings import Failures, Finding, Found, Turning

NAMED = 5  # factors named in a sentence
MUCH = 0.1  # share of the variance that pairs must hold to be spoken of
ALL = 0.995  # a share that reads as all
ENDS = 1e-9
# What each method says of a factor, with {} for its value.
HANGS = {
    "sobol": "Of its variance, most goes with",
    "dgsm": "By upper bounds of its share of the variance (ST), most may go with",
    "morris": "It moves most with",
    "tornado": "By itself, the largest change from low to high end (the swing) comes from",
    "pawn": "Its distribution moves most with",
    "delta": "Its distribution moves most with",
    "rbd_fast": "Of its variance, most goes, by itself, with",
}


def effect(finding: "Finding") -> str:
    """How large the effect is over the points looked at."""
    found = finding.effect
    if found is None:
        return f"{words.capital(finding.why_not)}."
    form = form_of("swing" if finding.paired else "mu_star", finding.unit)
    mean, low, high = (form(float(x)) for x in found.mean)
    point = finding.method.name == "tornado" and finding.method["around"] == "centre"
    where = "with all factors in the middle" if point else f"on average over {found.points:,} points"
    unit = "" if finding.unit == "EUR" or not finding.unit else f"{finding.unit} "
    text = f"{words.capital(finding.label)}, {finding.contrast}: {mean} {unit}{where}"
    text += f" (90% interval {low} to {high})"
    return text + ("." if point else f"; {_spread(finding, form)}.")


def _spread(finding: "Finding", form: words.Form) -> str:
    """How far points lie from one another, and what of it may be luck."""
    found = finding.effect
    assert found is not None
    if found.luck == "unknown":
        why = "cannot be told from so few blocks" if finding.trials < FEW_BLOCKS else "is not told apart from luck"
        return f"how far points differ from one another {why}"
    text = "with luck taken out, " if found.luck == "out" else ""
    text += f"90% of the points lie between {form(found.low)} and {form(found.high)}"
    if finding.paired:
        text += f", and {words.share(found.better)} are better than the base"
    return text + ("" if found.luck == "out" else " (with the luck of their one run)")


def hangs_on(finding: "Finding") -> str:
    """On which factors it hangs most, in the order in which that can be told."""
    if finding.found.empty or finding.why_not:
        return ""
    clear = set(above_nothing(finding.main, finding.found))
    groups = [[place for place in tier if place in clear] for tier in tiers(finding.main)]
    groups = [tier for tier in groups if tier]
    if not groups:
        return "No factor is told apart from nothing."
    named, parts = 0, []
    for tier in groups:
        if named >= NAMED:
            break
        shown = tier[: NAMED - named]
        told = words.listed([_value(finding, place) for place in shown])
        parts.append(told + (" (order not told)" if len(shown) > 1 else ""))
        named += len(shown)
    rest = len(finding.factors) - len(clear)
    more = len(clear) - named
    text = f"{HANGS[finding.method.name]} {'; then '.join(parts)}"
    text += f"; {words.plural(more, 'more factor is', 'more factors are')} told apart from nothing" if more > 0 else ""
    if int(finding.main["factor"].iloc[0]) not in clear:
        text += ". Larger numbers of others may be luck"
    return text + (f". {_nothing(finding, clear, rest)}" if rest else ".")


def _nothing(finding: "Finding", clear: set[int], rest: int) -> str:
    if rest > 3:
        return f"{rest} of {len(finding.factors)} factors are not told apart from doing nothing."
    names = words.listed([factor.label for place, factor in enumerate(finding.factors) if place not in clear])
    return f"Not told apart from doing nothing: {names}."


def _value(finding: "Finding", place: int) -> str:
    """A factor with its index and interval."""
    index = MAIN_INDEX[finding.method.name]
    row, form = finding.rows(index).loc[place], form_of(index, finding.unit)
    between = words.between(row["low"], row["high"], form)
    told = "interval not told" if between == words.MISSING else between
    return f"{finding.factors[place].label} ({form(row['value'])}, {told})"


def together(finding: "Finding") -> str:
    """How much goes with factors by themselves, and which pairs hold the rest."""
    if finding.method.name != "sobol" or finding.why_not:
        return ""
    alone = float(finding.rows("S1")["value"].clip(lower=0.0).sum())
    if not math.isfinite(alone):
        return ""
    if alone > 1.0 - MUCH:
        return "The factors act next to independently of one another."
    text = f"By themselves the factors account for {alone:.0%} of the variance; the rest comes from factors together"
    if not (finding.found["index"] == "S2").any():
        return text + "."
    pairs = finding.rows("S2").sort_values("value", ascending=False)
    sure = pairs[pairs["low"] > 0.0].head(2)
    told = [
        f"{finding.factors[int(a)].label} with {finding.factors[int(b)].label} ({row['value']:.0%}, "
        f"{row['low']:.0%} to {row['high']:.0%})"
        for (a, b), row in sure.iterrows()
    ]
    which = f"most of it {words.listed(told)}" if told else "of which no single pair is told apart from none"
    return f"{text}, {which}."


def luck(finding: "Finding") -> str:
    """How much of the spread is luck, and what was done about it."""
    runs, found = finding.y.shape[1], finding.luck
    if runs < 2:
        return "With one run a point, luck and factors cannot be told apart: the indices hold both."
    if found is None:
        return f"Each point was run {runs} times with different luck; the intervals hold what is left of it."
    if math.isnan(found.share):
        return "Nothing varies here, neither with the factors nor with luck."
    if finding.trials < FEW_BLOCKS:
        return "How much of the spread of single runs is luck cannot be told from so few blocks."
    text = f"Of the spread of single runs {words.share(found.share)} is mere luck "
    if found.share_low < ALL:
        text += f"(90% interval {words.share(found.share_low)} to {words.share(found.share_high)})"
    else:
        text += "as far as this sweep can tell"
    if finding.method.name in ("sobol", "dgsm", "rbd_fast"):
        if not found.beyond_luck:
            return text + "; what the factors do is not told apart from luck."
        return text + "; it is taken out of the indices."
    still = f", and {words.share(found.share_of_means)} of that of means over {runs} runs"
    return text + still + ("; effects beyond luck are told apart." if finding.method.name == "morris" else ".")


def pairing(finding: "Finding") -> str:
    """What meeting the same luck saves."""
    if not finding.paired or math.isnan(finding.saving):
        return ""
    if math.isinf(finding.saving):
        return "Option and base meet the same luck, and none of it is left in their difference."
    if finding.saving < 1.1:
        return "Option and base meet the same luck, which saves no runs here: too much of it is the option's own."
    return f"Option and base meet the same luck; with luck apart it would take {finding.saving:.1f} times as many runs."


def settled(finding: "Finding") -> str:
    """Whether the sweep was large enough."""
    if finding.settled is None or finding.effect is None:
        return ""
    verdict = finding.settled
    return f"Indices: {verdict.told} (asked: intervals no wider than {verdict.tolerance:.0%} of the scale)."


def overlap(finding: "Finding") -> str:
    """A warning where ranks cannot be read off."""
    if finding.found.empty or finding.why_not:
        return ""
    clear = set(above_nothing(finding.main, finding.found))
    groups = [[place for place in tier if place in clear] for tier in tiers(finding.main)]
    joined = [tier for tier in groups if len(tier) > 1]
    if not joined:
        return ""
    names = ["; ".join(words.listed([finding.factors[place].label for place in tier[:6]]) for tier in joined[:2])]
    return f"The order cannot be read off, since intervals overlap, among {names[0]}."


def left_out(finding: "Finding") -> str:
    """Blocks that are not whole."""
    missing = finding.blocks - finding.whole
    if not missing:
        return ""
    return (
        f"{missing:,} of {words.plural(finding.blocks, 'block')} are left out of these numbers, since a run in them "
        f"failed, is yet to come or has nothing to be measured."
    )


def few(finding: "Finding") -> str:
    """A warning where intervals rest on too few blocks."""
    if finding.effect is None or finding.trials >= FEW_BLOCKS:
        return ""
    blocks = words.plural(finding.trials, "run" if finding.trials > finding.whole else "block")
    return (
        f"Intervals that are drawn anew from so few blocks, here {blocks}, are too narrow: they hold the true value in "
        f"fewer than nine of ten sweeps. Take {FEW_BLOCKS} blocks or more to rely on them."
    )


def cautions(finding: "Finding") -> list[str]:
    """All that limits a finding, in the order of weight."""
    told = (few(finding), settled(finding), overlap(finding), luck(finding), pairing(finding), left_out(finding))
    return [each for each in told if each]


# Boxes


def bound(factor: Factor, low: float, high: float) -> str:
    """A bound on a factor in its own words: `Trust is above 0.4`, `decision dates: all on a committed date`."""
    if factor.choices:
        count = len(factor.choices)
        chosen = factor.choices[round(low * count) : round(high * count)]
        return f"{factor.label}: {' or '.join(words.setting(choice, factor.unit) for choice in chosen)}"
    left, right = (_number(factor, u) for u in (low, high))
    if low <= ENDS:
        return f"{factor.label} is below {right}"
    if high >= 1.0 - ENDS:
        return f"{factor.label} is above {left}"
    return f"{factor.label} lies between {left} and {right}"


def _number(factor: Factor, u: float) -> str:
    value = float(factor.numbers(np.array([u]))[0])
    if factor.unit in ("share", "0-1"):
        return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"
    rounded = float(f"{value:.3g}")
    return words.setting(rounded, factor.unit)


def where(found: "Found", box: Box) -> str:
    """A box as a sentence, with coverage and density, here and in worlds held out."""
    bounds = words.listed([bound(found.factors[place], *ends) for place, ends in box.bounds.items()])
    text = (
        f"Where {bounds}: there {found.event_in_words} in {words.share(box.density)} of {box.worlds:,} worlds "
        f"(density), and {words.share(box.coverage)} of all such worlds lie there (coverage)"
    )
    if box.held_out is None:
        return text + "."
    return (
        text + f". In worlds that were kept out when such a box was drawn, the density is "
        f"{words.share(box.held_out.density)} (at least {words.share(box.held_out.low)})."
    )


def boxes(found: "Found") -> list[str]:
    """The boxes of an event, or why there are none; first how common it is."""
    discovery = found.discovery
    if not discovery.worlds:
        return ["Nothing is finished yet."]
    if found.luck == "unknown":
        return [f"In which worlds {found.event_in_words} is not told apart from luck, so no box is looked for."]
    first = f"{words.capital(found.event_in_words)} in {words.share(discovery.share)} of {discovery.worlds:,} worlds"
    first += {"in": ", the luck of their one run included.", "out": ", luck taken out."}.get(found.luck, ".")
    if not discovery.boxes:
        return [f"{first} No box is told: {discovery.why_none}."]
    return [first, *(where(found, box) for box in discovery.boxes)]


def turning(found: "Turning") -> str:
    """Which option is regretted least, and which are not told apart from it."""
    table = found.table
    best, second = table.iloc[0], table.iloc[1]
    alike = table.iloc[1:][~(table["behind_low"].iloc[1:] > 0.0)]
    text = f"{words.capital(found.label)}: "
    if len(alike):
        names = words.listed([str(best["option"]), *(str(name) for name in alike["option"])])
        text += f"{names} are not told apart. Mean regret of {best['option']}: "
    else:
        text += f"{best['option']} is regretted least: on average "
    text += f"{about(best['mean_regret'])} {found.unit}; in one world in twenty its regret is above "
    text += f"{words.count(best['regret_95'])}{_luck_in(found)}. It is best in {words.share(best['best_in'])} of "
    text += f"{int(best['worlds']):,} worlds. Next: {second['option']}, regretted on average {_more(best, second)} "
    return f"{text}more.".replace(" ;", ";")


def about(mean_regret: float) -> str:
    """A mean regret in words: where luck puts it below zero nothing is lost that could be told."""
    return "about 0" if mean_regret < 0.0 else words.count(mean_regret)


def _more(best: "pd.Series[Any]", other: "pd.Series[Any]") -> str:
    """How much more an option is regretted than the first, with its interval."""
    told = words.between(other["behind_low"], other["behind_high"], words.count)
    return f"{words.count(other['mean_regret'] - best['mean_regret'])} (90% interval {told})"


def _luck_in(found: "Turning") -> str:
    return "" if found.runs > 1 else " (with the luck of single runs)"


def failures(found: "Failures") -> list[str]:
    """How many runs failed, why, and where they lie."""
    if not found.count:
        return [f"No run failed, of {found.finished:,} finished."]
    causes = words.listed([f"{cause} ({count:,})" for cause, count in found.causes.head(3).items()])
    share = found.count / max(1, found.finished)
    text = f"{words.plural(found.count, 'run')} of {found.finished:,} failed ({share:.1%}): {causes}."
    return [text, *(boxes(found.boxes) if found.boxes else ["They are too few to say where they lie."])]
