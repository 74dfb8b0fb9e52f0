"""Trust between two SMEs: built by contact, worn off without it."""

import math

from simulator.elementary import exp
from simulator.jit import rule


@rule
def trust_after_contact(trust, joint_dose, dose_reference, trust_months, trust_half):
    """Return the trust (0-1) after a month of joint work.

    trust + g * u/(u + half) * (1 + half) * (1 - trust), with u = joint dose / reference dose and
    g = 1 - exp(-1/trust_months): at the reference dose trust is 63% of its ceiling after
    `trust_months`. Source of form: meetings saturate (Cai & Szeidl 2018); size assumed.
    """
    u = joint_dose / dose_reference
    growth = (1.0 - exp(-1.0 / trust_months)) * u / (u + trust_half) * (1.0 + trust_half)
    return trust + min(1.0, growth) * (1.0 - trust)


@rule
def trust_after_silence(trust, tie_decay):
    """Return the trust after a month without joint work: trust * (1 - tie_decay).

    Burt's bridge decay is the upper bound.
    """
    return trust * (1.0 - tie_decay)


@rule
def joint_dose(one, other):
    """Return what two SMEs make of their doses: the geometric mean, so that nobody works alone."""
    return math.sqrt(one * other)


@rule
def in_touch(trust, joint, dose_reference):
    """Return how far two SMEs are in touch (0-1): trust keeps them so, joint work does the rest.

    trust + (1 - trust) * min(1, joint dose / reference dose). Without joint work it is the trust left.
    """
    return trust + (1.0 - trust) * min(1.0, joint / dose_reference)


@rule
def complementarity(u, related):
    """Return how well two SMEs complement each other (0-1): half luck, half relatedness of their sectors."""
    return 0.5 * u + 0.5 * related
