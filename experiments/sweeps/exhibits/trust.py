"""How far a finding can be trusted: all that limits it, in sentences."""

import math

from experiments.exhibits import words
from experiments.sweeps.exhibits.answer import clear_tiers
from experiments.sweeps.findings import FEW_BLOCKS, Finding

ALL = 0.995  # a share that reads as all
NAMED, TIERS = 6, 2  # factors of a group that are named, and groups
LITTLE = 1.1  # times as many runs, below which pairing saves nothing
LUCK_OUT = ("sobol", "dgsm", "rbd_fast")  # methods whose indices luck is taken out of


def cautions(finding: Finding) -> list[str]:
    """Return all that limits a finding, the weightiest first."""
    limits = (_few, _settled, _overlap, _luck, _pairing, _left_out)
    return [sentence for limit in limits if (sentence := limit(finding))]


def _few(finding: Finding) -> str:
    """Return a warning if intervals rest on too few blocks."""
    if finding.effect is None or finding.trials >= FEW_BLOCKS:
        return ""
    blocks = words.plural(finding.trials, "run" if finding.trials > finding.whole else "block")
    return (
        f"Intervals that are drawn anew from so few blocks, here {blocks}, are too narrow: they hold the true value in "
        f"fewer than nine of ten sweeps. Take {FEW_BLOCKS} blocks or more to rely on them."
    )


def _settled(finding: Finding) -> str:
    """Return whether the sweep was large enough."""
    if finding.settled is None or finding.effect is None:
        return ""
    verdict = finding.settled
    return f"Indices: {verdict.in_words} (asked: intervals no wider than {verdict.tolerance:.0%} of the scale)."


def _overlap(finding: Finding) -> str:
    """Return a warning if ranks cannot be read off."""
    if finding.indices.empty or finding.why_not:
        return ""
    groups = [tier for tier in clear_tiers(finding) if len(tier) > 1][:TIERS]
    if not groups:
        return ""
    names = "; ".join(words.listed([finding.factors[place].label for place in tier[:NAMED]]) for tier in groups)
    return f"The order cannot be read off, since intervals overlap, among {names}."


def _luck(finding: Finding) -> str:
    """Return how much of the spread is luck, and what was done about it."""
    runs, luck = finding.y.shape[1], finding.luck
    if runs < 2:
        return "With one run a point, luck and factors cannot be told apart: the indices hold both."
    if luck is None:
        return f"Each point was run {runs} times with different luck; the intervals hold what is left of it."
    if math.isnan(luck.share):
        return "Nothing varies here, neither with the factors nor with luck."
    if finding.trials < FEW_BLOCKS:
        return "How much of the spread of single runs is luck cannot be told from so few blocks."
    text = f"Of the spread of single runs {words.share(luck.share)} is mere luck "
    if luck.share_low < ALL:
        text += f"(90% interval {words.share(luck.share_low)} to {words.share(luck.share_high)})"
    else:
        text += "as far as this sweep can tell"
    if finding.method.name in LUCK_OUT:
        if not luck.beyond_luck:
            return f"{text}; what the factors do is not told apart from luck."
        return f"{text}; it is taken out of the indices."
    still = f", and {words.share(luck.share_of_means)} of that of means over {runs} runs"
    return text + still + ("; effects beyond luck are told apart." if finding.method.name == "morris" else ".")


def _pairing(finding: Finding) -> str:
    """Return what meeting the same luck saves."""
    if not finding.paired or math.isnan(finding.saving):
        return ""
    if math.isinf(finding.saving):
        return "Option and base meet the same luck, and none of it is left in their difference."
    if finding.saving < LITTLE:
        return "Option and base meet the same luck, which saves no runs here: too much of it is the option's own."
    return f"Option and base meet the same luck; with luck apart it would take {finding.saving:.1f} times as many runs."


def _left_out(finding: Finding) -> str:
    """Return how many blocks are not whole."""
    missing = finding.blocks - finding.whole
    if not missing:
        return ""
    return (
        f"{missing:,} of {words.plural(finding.blocks, 'block')} are left out of these numbers, since a run in them "
        f"failed, is yet to come or has nothing to be measured."
    )
