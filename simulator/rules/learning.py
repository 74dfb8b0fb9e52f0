"""Review, phase two, and what clusters keep of a project."""

from simulator.jit import rule


@rule
def is_success(partnerships, active_smes, milestone):
    """Return whether a project met its milestone: partnerships per active SME at or above `milestone_partnerships`."""
    return active_smes > 0 and partnerships >= milestone * active_smes


@rule
def review_verdict(success, u, p_milestone_seen):
    """Return what the review sees: the truth with probability `p_milestone_seen`, the opposite otherwise."""
    return success if u < p_milestone_seen else not success


@rule
def phase_two_grant(grant_eur, phase_one_months, phase_two_months, factor):
    """Return the money of a phase two (EUR): phase one's monthly money * factor * months."""
    return grant_eur / phase_one_months * factor * phase_two_months


@rule
def share_together(start, end, other_start, other_end):
    """Return the share (0-1) of the longer of two partners' time during which both were at work."""
    longer = max(end - start, other_end - other_start)
    together = max(0, min(end, other_end) - max(start, other_start))
    return together / longer if longer > 0 else 0.0


@rule
def worn(level, decay_year):
    """Return what a year of staff turnover leaves of familiarity, trust or experience: level * (1 - decay)."""
    return level * (1.0 - decay_year)
