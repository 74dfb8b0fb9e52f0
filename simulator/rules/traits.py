"""What clusters and SMEs are like before the first call."""

import math

from simulator.elementary import exp, log, power
from simulator.jit import rule


@rule
def level_around(mean, spread, deviate):
    """Return a level (0-1) around a mean: logistic in ln(mean/(1-mean)) + spread * deviate."""
    return 1.0 / (1.0 + exp(-(log(mean / (1.0 - mean)) + spread * deviate)))


@rule
def whole_number(mean, u):
    """Return a whole number with the given mean: the mean rounded up or down by chance."""
    return int(math.floor(mean + u))


@rule
def strategy_focus(u, focus_shape):
    """Return how much a cluster's strategy looks abroad (0-1): u^focus_shape."""
    return power(u, focus_shape)


@rule
def project_capacity(capacity_mean, focus, size, u):
    """Return how many projects a cluster can work on at a time: at least 1.

    1 + (capacity_mean - 1) * 2 * focus * size factor, rounded up or down by chance.
    """
    return 1 + whole_number((capacity_mean - 1.0) * 2.0 * focus * size, u)


@rule
def size_class(u, share_small, share_medium):
    """Return the size class of an SME: 0 micro, 1 small, 2 medium, by their shares."""
    if u < share_medium:
        return 2
    if u < share_medium + share_small:
        return 1
    return 0
