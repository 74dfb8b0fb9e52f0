"""The answer of a finding: how large the effect is, and on which factors it hangs."""

import math

from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption
from experiments.sweeps.convergence import above_nothing, tiers
from experiments.sweeps.exhibits.looks import form_of
from experiments.sweeps.findings import FEW_BLOCKS, Effect, Finding
from experiments.sweeps.indices import MAIN_INDEX

NAMED = 5  # factors in a sentence
LISTED = 3  # factors without an effect that are named
# What each method says of the outcome; the factors follow.
HANGS_ON = {
    "sobol": "Of its variance, most goes with",
    "dgsm": "By upper bounds of its share of the variance (ST), most may go with",
    "morris": "It moves most with",
    "tornado": "By itself, the largest change from low to high end (the swing) comes from",
    "pawn": "Its distribution moves most with",
    "delta": "Its distribution moves most with",
    "rbd_fast": "Of its variance, most goes, by itself, with",
}


def caption(finding: Finding, reading: str, more: str = "") -> Caption:
    """Return the caption of a figure of a finding.

    Parameters
    ----------
    finding : Finding
        The finding; the alternative text says on which factors its outcome hangs.
    reading : str
        How to read the figure.
    more : str, optional
        What else the figure shows, in sentences with numbers.
    """
    return Caption(reading, " ".join(text for text in (reading, hangs_on(finding), more) if text))


def effect(finding: Finding) -> str:
    """Return how large the effect is over the points of the sweep."""
    if finding.effect is None:
        return f"{words.capital(finding.why_not)}."
    form = form_of("swing" if finding.paired else "mu_star", finding.unit)
    mean, low, high = (form(float(x)) for x in finding.effect.mean)
    point = finding.method.name == "tornado" and finding.method["around"] == "centre"
    where = "with all factors in the middle" if point else f"on average over {finding.effect.points:,} points"
    unit = "" if finding.unit == "EUR" or not finding.unit else f"{finding.unit} "
    text = f"{words.capital(finding.label)}, {finding.contrast}: {mean} {unit}{where}"
    text += f" (90% interval {low} to {high})"
    return f"{text}." if point else f"{text}; {_spread(finding, finding.effect, form)}."


def _spread(finding: Finding, effect: Effect, form: words.Form) -> str:
    """Return how far points lie from one another, and what of it may be luck."""
    if effect.luck == "unknown":
        why = "cannot be told from so few blocks" if finding.trials < FEW_BLOCKS else "is not told apart from luck"
        return f"how far points differ from one another {why}"
    text = "with luck taken out, " if effect.luck == "out" else ""
    text += f"90% of the points lie between {form(effect.low)} and {form(effect.high)}"
    if finding.paired and math.isfinite(effect.better):
        text += f", and {words.share(effect.better)} are better than the base"
    return text + ("" if effect.luck == "out" else " (with the luck of their one run)")


def hangs_on(finding: Finding) -> str:
    """Return on which factors the outcome hangs most, in the order in which that can be told; "" without indices."""
    if finding.indices.empty or finding.why_not:
        return ""
    groups, clear = clear_tiers(finding), set(above_nothing(finding.main, finding.indices))
    if not groups:
        return "No factor is told apart from nothing."
    named, parts = 0, []
    for tier in groups:
        if named >= NAMED:
            break
        shown = tier[: NAMED - named]
        text = words.listed([_value(finding, place) for place in shown])
        parts.append(text + (" (order not told)" if len(shown) > 1 else ""))
        named += len(shown)
    more = len(clear) - named
    text = f"{HANGS_ON[finding.method.name]} {'; then '.join(parts)}"
    text += f"; {words.plural(more, 'more factor is', 'more factors are')} told apart from nothing" if more > 0 else ""
    if finding.order[0] not in clear:
        text += ". Larger numbers of others may be luck"
    return f"{text}. {_nothing(finding, clear)}".rstrip()


def clear_tiers(finding: Finding) -> list[list[int]]:
    """Return the factors that are told apart from nothing, in groups whose order cannot be read off."""
    clear = set(above_nothing(finding.main, finding.indices))
    groups = ([place for place in tier if place in clear] for tier in tiers(finding.main))
    return [tier for tier in groups if tier]


def _nothing(finding: Finding, clear: set[int]) -> str:
    """Return which factors are not told apart from nothing; "" if all are."""
    rest = [factor.label for place, factor in enumerate(finding.factors) if place not in clear]
    if len(rest) > LISTED:
        return f"{len(rest)} of {len(finding.factors)} factors are not told apart from doing nothing."
    return f"Not told apart from doing nothing: {words.listed(rest)}." if rest else ""


def _value(finding: Finding, place: int) -> str:
    """Return a factor with its index and interval."""
    index = MAIN_INDEX[finding.method.name]
    row, form = finding.rows(index).loc[place], form_of(index, finding.unit)
    interval = words.between(row["low"], row["high"], form)
    if interval == words.MISSING:
        interval = "interval not told"
    return f"{finding.factors[place].label} ({form(row['value'])}, {interval})"
