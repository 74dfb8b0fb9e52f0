"""How an idea becomes a consortium and an application."""

from simulator.elementary import exp, log, power
from simulator.jit import rule


@rule
def expected_grant(belief, openness, grant_eur):
    """Return what a cluster expects its funder to give (EUR): belief in approval * openness * typical grant."""
    return belief * openness * grant_eur


@rule
def application_response(expected_eur, midpoint_eur, response_eur):
    """Return the share of clusters with an idea that find applying worth its cost (0-1).

    Logistic in the expected grant: one half at `grant_midpoint_eur`, with scale
    `grant_response_eur`. A small grant draws fewer applications (assumption).
    """
    return 1.0 / (1.0 + exp(-(expected_eur - midpoint_eur) / response_eur))


@rule
def size_factor(members, members_reference, size_elasticity):
    """Return how much more a cluster with many members can undertake: (members / reference)^size_elasticity.

    Danish networks (475 members on average) were in 23 of the 27 projects of 2015 (Wise 2017); size assumed.
    """
    return power(members / members_reference, size_elasticity)


@rule
def ideas_expected(idea_rate, strategy_focus, size, attended, attended_factor, response, followon):
    """Return the number of proposals that a cluster sets out to lead in a call, in expectation.

    response * (idea_rate * focus * size factor * (attended_idea_factor if it came to the event) + follow-on). Their
    number is a Poisson draw, since ideas come independently: in 2015 one Danish network led three projects, five
    others two, and some none (Wise 2017, Appendix I). The follow-on part is what good earlier projects breed (at
    least 4 of the 27 projects of 2015 were sequels).
    """
    event_factor = attended_factor if attended else 1.0
    return response * (idea_rate * strategy_focus * size * event_factor + followon)


@rule
def partners_wanted(u, extra_partners_mean):
    """Return the number of partner countries that a lead wants besides its own: 1 + geometric with the given mean.

    Two countries in 15, three in 8, four in 2 and five in 2 of the 27 projects of 2015.
    """
    if extra_partners_mean <= 0.0:
        return 1
    return 1 + int(log(u) / log(extra_partners_mean / (1.0 + extra_partners_mean)))


@rule
def refusal_risk(rule_spreads_refusal, applies_for_money, belief, risk_aversion):
    """Return what leads subtract from the appeal of a partner that may be refused (log-odds).

    risk_aversion * (1 - belief in that partner's funder), only where the funding rule makes one
    refusal hit all partners and the partner needs money. Consortia adapt to the rule that they expect.
    """
    if rule_spreads_refusal and applies_for_money:
        return risk_aversion * (1.0 - belief)
    return 0.0


@rule
def acceptance_probability(has_funder, acceptance, acceptance_no_funder, strategy_focus):
    """Return the probability (0-1) that a cluster with spare capacity joins when a lead asks it.

    Higher where its own country funds; rises with strategy focus: rate * (1/2 + focus), at most 1.
    """
    rate = acceptance if has_funder else acceptance_no_funder
    return min(1.0, rate * (0.5 + strategy_focus))


@rule
def project_kind(u, share_network, share_broadcast):
    """Return how a project engages SMEs: 0 by workshops, 1 in a network, 2 by broadcast, by their shares."""
    if u < share_broadcast:
        return 2
    if u < share_broadcast + share_network:
        return 1
    return 0


@rule
def project_effect(spread, deviate):
    """Return the factor of a project on the hazards of its SMEs: lognormal with mean 1 nearly.

    exp(spread * deviate - spread^2 / 2).
    """
    return exp(spread * deviate - 0.5 * spread * spread)


@rule
def partner_fit(focus_gap, related, trust):
    """Return how well a partner fits the lead (0-1): the mean of likeness in focus, relatedness and trust."""
    return (1.0 - focus_gap + related + trust) / 3.0


@rule
def project_quality(excellence, fit, experience, weight_fit, weight_experience, noise):
    """Return the true quality of a proposal, in points around 0.

    (excellence - 1/2) + weight_fit * (fit - 1/2) + weight_experience * experience/(1+experience) +
    noise, with excellence and fit averaged over the partners.
    """
    return (excellence - 0.5) + weight_fit * (fit - 0.5) + weight_experience * experience / (1.0 + experience) + noise
