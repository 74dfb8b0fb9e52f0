"""The mechanisms that can be switched off, one at a time, to learn which of them carries an effect."""

from typing import NamedTuple


class Mechanism(NamedTuple):
    """A mechanism and the parameter values that switch it off.

    `label` completes "mostly because of ..."; `budget_scale` multiplies all budgets.
    """

    name: str
    label: str
    off: dict[str, float]
    budget_scale: float = 1.0


MECHANISMS: tuple[Mechanism, ...] = (
    Mechanism("waiting", "SMEs that lose interest while they wait for decisions", {"waiting_loss": 0.0}),
    Mechanism(
        "staggered_starts",
        "partners of one project starting at different times",
        {"lag_spread_months": 0.0, "lag_noise_months": 0.0},
    ),
    Mechanism(
        "little_brother",
        "partners without a grant doing less or leaving",
        {"unfunded_effort": 1.0, "p_leave_unfunded": 0.0, "replan_months": 0.0, "leave_factor_unfunded": 1.0},
    ),
    Mechanism("setup", "months and money that go into setting up", {"setup_months": 0.0, "setup_cost_eur": 0.0}),
    Mechanism("overhead", "monthly overhead", {"overhead_eur_month": 0.0}),
    Mechanism("fatigue", "partners tiring of long projects", {"fatigue": 0.0}),
    Mechanism("rivalry", "SMEs sharing a limited service", {"rivalry": 0.0}),
    Mechanism(
        "application_response",
        "more or fewer clusters finding it worth while to apply",
        {"grant_response_eur": 100_000.0},
    ),
    Mechanism("recruitment", "larger grants engaging more SMEs", {"recruit_grant_elasticity": 0.0}),
    Mechanism("expectations", "consortia avoiding partners who may be refused", {"risk_aversion": 0.0}),
    Mechanism(
        "thresholds",
        "funders refusing applications on quality, each by its own threshold",
        {"p_fund_DK": 1.0, "p_fund_NO": 1.0, "p_fund_SE": 1.0, "p_fund_other": 1.0},
    ),
    Mechanism("purses", "national purses running empty", {}, budget_scale=10.0),
    Mechanism("fading_ties", "ties between SMEs fading after the project", {"tie_decay": 0.0}),
    Mechanism("sequels", "good projects breeding new ones", {"followon_gain": 0.0, "cluster_trust_gain": 0.0}),
)
