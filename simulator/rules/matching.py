"""How clusters come to the matchmaking event and whom they like to talk to."""

from simulator.jit import rule


@rule
def relatedness(same_sector, same_family, family_value, other_value):
    """Return how much two sectors have to say to each other (0-1).

    1 for the same sector, `relatedness_family` within a family, `relatedness_other` across families.
    Source: thematic proximity follows prior acquaintance in partner choice (Paier & Scherngell 2011).
    """
    if same_sector:
        return 1.0
    if same_family:
        return family_value
    return other_value


@rule
def attendance_score(focus_weight, strategy_focus, gumbel_noise):
    """Return how keen a cluster is on the event (log-odds); the keenest fill the places.

    score = attendance_focus_weight * strategy focus + Gumbel noise.
    """
    return focus_weight * strategy_focus + gumbel_noise


@rule
def partner_appeal(
    trust, familiarity, related, unlike, mandate_gap, has_funder,
    w_trust, w_familiarity, w_related, w_distance, w_mandate, w_funder,
):  # fmt: skip
    """Return how attractive one cluster is to another (log-odds).

    Sum of weights times: trust from joint projects (0-1), familiarity (0-1), relatedness of sectors
    (0-1), unlike language and culture (1 or 0, subtracted), gap between strategy mandates (0-1,
    subtracted), and a funder in the partner's country (1 or 0): eligible partners are sought on
    purpose. Order of weights: prior acquaintance, theme, distance (Paier & Scherngell 2011);
    similar mandates last (evaluation of the 2015 call); sizes are assumptions.
    """
    return (
        w_trust * trust
        + w_familiarity * familiarity
        + w_related * related
        - w_distance * unlike
        - w_mandate * mandate_gap
        + w_funder * has_funder
    )


@rule
def gap_closed(level, share):
    """Return a level (0-1) after `share` of its gap to 1 is closed: level + share * (1 - level)."""
    return level + share * (1.0 - level)
