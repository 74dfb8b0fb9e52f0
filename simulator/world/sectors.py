"""Sectors: which one, and how much two have to say to each other."""

from simulator.jit import inline, paste
from simulator.rules.matching import relatedness


@inline
def sector_at(shares, u):
    """Return the row in which the running sum of `shares` (summing to 1) passes `u`."""
    passed = 0.0
    for row in range(shares.shape[0]):
        passed += shares[row]
        if u < passed:
            return row
    return shares.shape[0] - 1


@paste
def related(sector, other, parameters, sectors):
    """Return the relatedness (0-1) of two sectors by their rows."""
    return relatedness(
        sector == other,
        sectors[sector].family == sectors[other].family,
        parameters.relatedness_family,
        parameters.relatedness_other,
    )
