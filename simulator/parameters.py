"""Names and types of everything that goes into a run; the values stand in `scenarios/`.

Three immutable tuples travel into the kernels as they are:

- `Parameters`: how the world behaves. One float each; drawn from priors, never dated.
- `Rules`: what the programme does, by call, or by call and funder; a scenario changes these.
- `World`: who there is, in the canonical order that `scenarios` gives (sorted by code).

Every field of `Parameters` has an entry of the same name in `scenarios/parameters.toml` with unit,
range, prior, evidence class and source. A trailing unit in a name is part of the name.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


class Parameters(NamedTuple):
    """How clusters, funders and SMEs behave: one value each, floats only."""

    # clusters and SMEs before the first call
    quality_spread: float
    focus_shape: float
    capacity_mean: float
    members_reference: float
    size_elasticity: float
    sme_sector_match: float
    share_small: float
    share_medium: float
    readiness_mean: float
    readiness_size_step: float
    readiness_spread: float
    spare_time_mean: float
    spare_time_spread: float
    familiarity_start: float
    relatedness_family: float
    relatedness_other: float
    # matchmaking event
    attendance_focus_weight: float
    meetings_per_cluster: float
    meeting_familiarity_gain: float
    # choice of partners
    weight_trust: float
    weight_familiarity: float
    weight_relatedness: float
    weight_distance: float
    weight_funder: float
    weight_mandate: float
    # consortium formation
    idea_rate: float
    attended_idea_factor: float
    grant_midpoint_eur: float
    grant_response_eur: float
    followon_gain: float
    extra_partners_mean: float
    asks_max: float
    acceptance: float
    acceptance_no_funder: float
    belief_learning: float
    risk_aversion: float
    top_down_share: float
    # application and decision
    p_apply: float
    quality_weight_fit: float
    quality_weight_experience: float
    quality_noise: float
    assessment_error: float
    p_nonstart: float
    p_go_alone: float
    lag_first_months: float
    lag_spread_months: float
    lag_noise_months: float
    # start and waiting
    p_leave_unfunded: float
    replan_months: float
    unfunded_effort: float
    associate_effort: float
    hazard_leave: float
    leave_factor_unfunded: float
    leave_factor_misfit: float
    # recruitment
    recruited_before_share: float
    waiting_loss: float
    smes_per_partner: float
    smes_spread: float
    kind_share_network: float
    kind_share_broadcast: float
    kind_factor_network: float
    kind_factor_broadcast: float
    recruit_grant_elasticity: float
    grant_reference_eur: float
    preparation_half_months: float
    recruit_readiness_weight: float
    smes_minimum: float
    active_share: float
    # activities
    setup_cost_eur: float
    setup_months: float
    overhead_eur_month: float
    half_saturation_eur: float
    rivalry: float
    fatigue: float
    project_effect_spread: float
    dose_reference: float
    # trust between SMEs
    trust_months: float
    trust_half: float
    trust_start: float
    tie_decay: float
    tie_forgotten_trust: float
    partnership_trust: float
    # outcomes
    h_knowledge: float
    h_contact: float
    h_rni: float
    h_contract: float
    trust_slope: float
    complementarity_slope: float
    readiness_slope: float
    distance_factor: float
    readiness_gain: float
    # own paths
    own_h_knowledge: float
    own_h_partnership: float
    own_h_rni: float
    own_h_contract: float
    own_readiness_slope: float
    own_effort_substitution: float
    own_need_overlap: float
    displacement: float
    # phase two
    milestone_partnerships: float
    p_milestone_seen: float
    phase_two_effect: float
    # learning
    cluster_trust_gain: float
    experience_decay_year: float
    familiarity_decay_year: float
    trust_decay_year: float
    # public administration
    admin_application_eur: float
    admin_grant_eur: float


class CallRules(NamedTuple):
    """What holds for a call, by call in order of year: arrays of shape (C,)."""

    # calendar, months since January of the first year
    year: I64
    event_month: I64
    open_month: I64
    close_month: I64
    event_clusters: I64  # clusters invited to the matchmaking event
    counted_months: I64  # months for which a call's outcomes are counted after its close
    held: I64  # 1 if the call takes place
    # money and dates
    funding_rule: I64  # position in FUNDING_RULES
    decision_dates: I64  # position in DECISION_DATES
    committed_months: F64
    lag_spread_factor: F64
    partial_awards: F64  # 1: remainders may be given as smaller grants
    top_up_share: F64  # share of every budget that goes into the central gap-filling purse
    fill_share: F64  # share of a funder's unspent money that may fill others' gaps
    carry_over_share: F64  # share of unspent money that the funder keeps for its next call
    phase_two_months: F64
    phase_two_grant_factor: F64  # monthly money of phase two over phase one: above 1 growing, below 1 declining
    phase_two_from_next_call: F64  # share of phase-two money that is taken out of the funder's next call


class Terms(NamedTuple):
    """What holds for a funder in a call, by call and funder (in order of code): arrays of shape (C, F)."""

    budget_eur: F64  # for all grants of the call (EUR); 0: the funder takes no part
    grant_eur: F64
    grant_min_eur: F64
    grant_max_eur: F64
    cofinance_rate: F64
    pass_share: F64  # share of typical applications above the funder's quality threshold
    openness: F64
    lag_position: F64  # 0 the fastest funder, 1 the slowest
    deadline_months: F64  # own deadline, months after the close of the call
    project_months: F64
    phase_two_share: F64  # phase-two purse, share of the funder's budget for the call


class Rules(NamedTuple):
    """What the programme does: `C` calls, `F` funders."""

    calls: CallRules
    terms: Terms


class World(NamedTuple):
    """Who there is: `N` countries (or regions), `K` clusters, `F` funders, `S` sectors, `M` SMEs."""

    country_key: U64  # (N,) identity made of the code's letters; draws are keyed by it
    country_nation: I64  # (N,) regions of one nation share a number: they are not abroad to each other
    country_language: I64  # (N,) language and culture group
    country_bsr: I64  # (N,) 1 in the Baltic Sea Region
    country_attends: I64  # (N,) 1 if its clusters are invited to the event
    country_funder: I64  # (N,) row of its funder, -1 for none
    cluster_country: I64  # (K,)
    cluster_rank: I64  # (K,) number within the country, from 0: identity together with the country
    cluster_members: I64  # (K,) member SMEs
    funder_country: I64  # (F,)
    sector_share: F64  # (S,) shares of clusters, sum 1
    sector_family: I64  # (S,) sectors of one family are related


FUNDING_RULES = ("independent", "all_or_none", "negotiated", "virtual_common_pot", "common_pot")
INDEPENDENT, ALL_OR_NONE, NEGOTIATED, VIRTUAL_COMMON_POT, COMMON_POT = range(5)

DECISION_DATES = ("own", "slowest", "committed")
OWN_DATES, SLOWEST_DATE, COMMITTED_DATE = range(3)
