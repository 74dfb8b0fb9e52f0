"""Small studies that several tests look at; each is run once."""

from functools import cache

from experiments import Comparison, compare

SMES = 2000


@cache
def small() -> Comparison:
    """Two scenarios with all parts: 4 draws, 2 seeds, 2,000 SMEs."""
    return compare("baseline", "fast_and_synchronised", draws=4, runs=2, smes=SMES, reasons=4, spending=4)


@cache
def tiny() -> Comparison:
    """Two scenarios, without the parts that cost extra runs: 2 draws, 1 seed."""
    return compare("baseline", "projects_24", draws=2, runs=1, smes=SMES, reasons=0, spending=0)
