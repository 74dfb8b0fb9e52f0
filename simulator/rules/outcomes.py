"""How contact becomes knowledge, partnership, collaboration and contract, in and outside the programme."""

from simulator.elementary import power
from simulator.jit import rule


@rule
def service_hazard(base, dose, dose_reference, project_effect):
    """Monthly hazard of an SME's new knowledge, or of a first contact: base * dose / reference * project effect."""
    return base * dose / dose_reference * project_effect


@rule
def factor_between(slope, level):
    """Factor on a hazard as a level (0-1) goes from none to full: slope^(level - 1/2), 1 in the middle."""
    return power(slope, level - 0.5)


@rule
def tie_promise(complement, complement_slope, readiness, readiness_slope, distance):
    """What a tie is good for, whatever the trust: a factor on its hazards.

    complementarity_slope^(complementarity - 1/2) * readiness_slope^(readiness - 1/2) * distance factor.
    """
    return factor_between(complement_slope, complement) * factor_between(readiness_slope, readiness) * distance


@rule
def conversion_hazard(base, promise, trust, trust_slope, in_touch, extra):
    """Monthly hazard that a tie yields an R&I collaboration, or a contract.

    base * promise * trust_slope^trust * in touch * extra. `promise` and `in_touch` come from the rules
    `tie_promise` and `in_touch`. `extra` is the project's own effect, times `phase_two_effect` in a
    phase two.
    """
    return base * promise * power(trust_slope, trust) * in_touch * extra


@rule
def own_hazard(base, readiness_slope, readiness, readiness_mean):
    """Monthly hazard that an SME reaches an outcome on its own path: base * slope^(readiness - mean)."""
    return base * power(readiness_slope, readiness - readiness_mean)


@rule
def distance(same_language_group, distance_factor):
    """Factor on hazards for unlike language and culture; 1 within a group (intra-Nordic is 1)."""
    return 1.0 if same_language_group else distance_factor
