"""How a funder assesses, dates and pays. `simulator.instruments.calls.allocation` decides whole calls."""

from simulator.elementary import log
from simulator.jit import rule


@rule
def assessed_quality(quality, error):
    """Return what a funder sees of a proposal: true quality plus its own error (points)."""
    return quality + error


@rule
def quality_threshold(pass_share, quality_sd):
    """Return the assessed quality (points) that the share `pass_share` of typical applications exceeds.

    Logistic quantile: -quality_sd * 0.5513 * ln(p / (1 - p)); p is kept within 0.001 and 0.999.
    """
    p = min(0.999, max(0.001, pass_share))
    return -quality_sd * 0.5513288954217921 * log(p / (1.0 - p))


@rule
def decision_lag(first_months, spread_months, spread_factor, position, noise_months, noise):
    """Return the months from a funder's deadline to its decision, at least half a month.

    lag_first + lag_spread * lag_spread_factor * position (0 fastest, 1 slowest) + noise.
    """
    return max(0.5, first_months + spread_months * spread_factor * position + noise_months * noise)


@rule
def award(request_eur, purse_eur, minimum_eur, partial_awards):
    """Return the grant (EUR) that a purse gives to one request.

    All of it, or the remainder where that is allowed and not below the funder's minimum, or nothing.
    """
    if purse_eur >= request_eur:
        return request_eur
    if partial_awards and purse_eur >= minimum_eur and purse_eur > 0.0:
        return purse_eur
    return 0.0


@rule
def lacks_more(short_eur, funder, other_short_eur, other_funder):
    """Return whether more EUR are missing at one funder than at another; of equals the first in order is named."""
    return short_eur > other_short_eur or (short_eur == other_short_eur and funder < other_funder)


@rule
def belief_after(belief, approved_share, learning):
    """Return clusters' belief in their funder's approval after a call: it moves to the result by `belief_learning`."""
    return belief + learning * (approved_share - belief)
