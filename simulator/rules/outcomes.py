"""How contact becomes knowledge, partnership, collaboration and contract, in and outside the programme."""

from simulator.elementary import power
from simulator.jit import rule


@rule
def service_hazard(base, dose, dose_reference, project_effect):
    """Return the monthly hazard of new knowledge or a first contact: base * dose / reference * project effect."""
    return base * dose / dose_reference * project_effect


@rule
def factor_between(slope, level):
    """Return the factor on a hazard as a level (0-1) goes from none to full: slope^(level - 1/2), 1 in the middle."""
    return power(slope, level - 0.5)


@rule
def tie_promise(complement, complement_slope, readiness, readiness_slope, distance):
    """Return what a tie is good for, whatever the trust: a factor on its hazards.

    complementarity_slope^(complementarity - 1/2) * readiness_slope^(readiness - 1/2) * distance factor.
    """
    return factor_between(complement_slope, complement) * factor_between(readiness_slope, readiness) * distance


@rule
def conversion_hazard(base, promise, trust, trust_slope, in_touch, extra):
    """Return the monthly hazard that a tie yields an R&I collaboration, or a contract.

    base * promise * trust_slope^trust * in touch * extra. `promise` and `in_touch` come from the rules
    `tie_promise` and `in_touch`. `extra` is the project's own effect, times `phase_two_effect` in a
    phase two.
    """
    return base * promise * power(trust_slope, trust) * in_touch * extra


@rule
def counterpart_score(complement, u):
    """Return how much an SME likes to meet another: 2 * complementarity + chance (0-1)."""
    return 2.0 * complement + u


@rule
def own_pull(readiness_slope, readiness, readiness_mean):
    """Return the factor on all hazards of an SME's own path: slope^(readiness - mean).

    Its readiness is the one before the first call, so that its own path is the same in every scenario.
    """
    return power(readiness_slope, readiness - readiness_mean)


@rule
def own_wait(threshold, base, pull):
    """Return the months until the next need on an SME's own path: its threshold over the hazard base * pull."""
    return threshold / (base * pull)


@rule
def own_delay(own_effort_substitution, projects):
    """Return the months by which a month of work in one of its projects delays an SME's own path.

    Own effort given up, shared by all projects that it is in.
    """
    return own_effort_substitution / max(1, projects)


@rule
def distance(same_language_group, distance_factor):
    """Return the factor on hazards for unlike language and culture; 1 within a group (intra-Nordic is 1)."""
    return 1.0 if same_language_group else distance_factor
