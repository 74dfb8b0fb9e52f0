"""How projects recruit SMEs, what money buys, and how partners tire or leave."""

from simulator.elementary import exp, power
from simulator.jit import rule


@rule
def smes_sought(median, kind_factor, spread, deviate, grant_ratio, elasticity, preparation_months, half_months):
    """Return the number of SMEs that a partner sets out to engage (a real number, rounded by the caller).

    median * kind of engagement * exp(spread * project deviate) * (grant / typical grant)^elasticity
    * (1 + preparation)/(1 + preparation + half). Heavy-tailed: 4 to 500 per project in 2015;
    too little preparation time lost SMEs (Northern Connections 2021).
    """
    prepared = (1.0 + preparation_months) / (1.0 + preparation_months + half_months)
    return median * kind_factor * exp(spread * deviate) * power(grant_ratio, elasticity) * prepared


@rule
def kind_factor(kind, factor_network, factor_broadcast):
    """Return how many times the SMEs of a workshop project a kind of project engages (0, 1, 2 as in `project_kind`)."""
    if kind == 2:
        return factor_broadcast
    if kind == 1:
        return factor_network
    return 1.0


@rule
def recruitment_score(weight, readiness, spare_time, gumbel_noise):
    """Return how likely a member is to be engaged (log-odds): weight * (readiness + spare time) + Gumbel noise."""
    return weight * (readiness + spare_time) + gumbel_noise


@rule
def interest_left(waiting_loss, waiting_months):
    """Return the probability that an SME recruited before the decision is still interested: (1 - loss)^months."""
    return power(1.0 - waiting_loss, waiting_months)


@rule
def monthly_activity_eur(grant_eur, cofinance_rate, setup_cost_eur, overhead_eur_month, months):
    """Return the money for activities with SMEs (EUR a month and partner).

    (grant / (1 - cofinance_rate) - set-up cost) / months - overhead, at least 0. Co-financing of
    50% doubles the grant. A longer project with the same grant is thinner, and pays overhead longer.
    """
    return max(0.0, (grant_eur / (1.0 - cofinance_rate) - setup_cost_eur) / months - overhead_eur_month)


@rule
def effort_left(effort, fatigue, months_active):
    """Return the effort (1 = funded and fresh) after some months of work: effort * (1 - fatigue)^months."""
    return effort * power(1.0 - fatigue, months_active)


@rule
def service_dose(activity_eur, excellence_factor, smes, rivalry, half_saturation_eur):
    """Return the share of a fully served SME's meetings that each active SME of a partner gets in a month (0-1).

    u / (u + half) with u = EUR a month * excellence / SMEs^rivalry: services are rivals, and larger
    grants have decreasing returns.
    """
    if activity_eur <= 0.0 or smes <= 0:
        return 0.0
    u = activity_eur * excellence_factor / power(smes, rivalry)
    return u / (u + half_saturation_eur)


@rule
def sme_dose(partner_dose, spare_time, projects):
    """Return what an SME can take of a dose: its spare time (0-1) shared by all projects that it is in.

    The factor 2 makes an SME with half its time to spare take the full dose.
    """
    return partner_dose * min(1.0, 2.0 * spare_time) / max(1, projects)


@rule
def excellence_factor(excellence, quality_spread):
    """Return the multiplier of a cluster's activities: 1/sqrt(spread) for the weakest to sqrt(spread) for the best."""
    return power(quality_spread, excellence - 0.5)


@rule
def leave_hazard(base, unfunded, misfit, factor_unfunded, factor_misfit):
    """Return the monthly hazard that a partner leaves a running project.

    Base, times a factor without a grant, times a factor where governments picked the partners
    (2 of about 19 imposed pilots lost a partner within 11 months: BSR InnoNet 2009).
    """
    hazard = base
    if unfunded:
        hazard *= factor_unfunded
    if misfit:
        hazard *= factor_misfit
    return hazard
