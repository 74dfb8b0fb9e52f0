"""The call for projects, as tables: the funders' ledger, consortia, their partners, and the SMEs that take part."""

import math

import numpy as np

from simulator.records import NEVER, NOBODY, table

MAX_PARTNERS = 8

# What became of a partner's money.
MONEY = ("no funder", "not applied", "funded", "refused", "not started")
NO_FUNDER, NOT_APPLIED, FUNDED, REFUSED, NOT_STARTED = range(5)

# Why an application was refused.
CAUSES = ("none", "below_threshold", "purse_empty", "partner_refused", "common_purse_empty")
NO_CAUSE, BELOW_THRESHOLD, PURSE_EMPTY, PARTNER_REFUSED, COMMON_PURSE_EMPTY = range(5)

# How a project engages SMEs.
KINDS = ("workshop", "network", "broadcast")

# One row per call and funder: the ledger, in EUR unless said.
LEDGER = table(
    ("decision_month", np.int64, NEVER),  # NEVER where the funder takes no part
    ("offered", np.float64),  # for first-phase grants
    ("applications", np.float64),  # number
    ("approvals", np.float64),  # number
    ("granted", np.float64),  # to partners of its own country, whoever pays
    ("outlay", np.float64),  # what it has to pay for grants, to whomever, its part of the central purse included
    ("taken_up", np.float64),  # of granted, what is not left lying by partners that never start
    ("spent", np.float64),  # paid out to partners of its own country, both phases
    ("phase_two_left", np.float64),  # phase-two purse still free
    ("phase_two_granted", np.float64),
)

# One row per consortium that handed in a proposal.
PROJECT = table(
    ("identity", np.uint64),
    ("call", np.int64),
    ("lead", np.int64),
    ("first_partner", np.int64),
    ("partners", np.int64),
    ("kind", np.int64),  # 0 workshop, 1 network, 2 broadcast
    ("top_down", np.int64),  # 1 if governments picked the partners
    ("idea_month", np.int64),
    ("effect", np.float64),  # factor on its hazards
    ("size_deviate", np.float64),
    ("quality", np.float64),  # true quality, points
    ("joint_score", np.float64),  # mean of the funders' assessments
    ("threshold", np.float64),  # common threshold of its call
    ("decided_month", np.int64, NEVER),  # when the last of its decisions arrives
    ("alive", np.int64, 1),  # 1 from proposal until closed or given up
    ("phase", np.int64),  # 0 not started, 1, 2
    ("end_month", np.int64, NEVER),  # when its last partner ends
    ("active_smes", np.int64),
    ("partnerships", np.int64),  # between its SMEs, made while it ran
)

# One row per cluster in a consortium; the partners of a project are contiguous.
PARTNER = table(
    ("project", np.int64),
    ("cluster", np.int64),
    ("funder", np.int64, NOBODY),  # that takes part in this call, -1 none
    ("money", np.int64, NO_FUNDER),  # 0 no funder, 1 not applied, 2 funded, 3 refused, 4 not started
    ("request_eur", np.float64),
    ("assessed", np.float64),  # quality as its funder saw it
    ("grant_eur", np.float64),
    ("own_share", np.float64, 1.0),  # share of the grant paid by its own funder
    ("cause", np.int64, NO_CAUSE),  # of refusal
    ("blocking_funder", np.int64, NOBODY),
    ("short_eur", np.float64),
    ("decision_month", np.int64, NEVER),
    ("start_month", np.int64, NEVER),
    ("end_month", np.int64, NEVER),
    ("paid_eur_month", np.float64),
    ("activity_eur", np.float64),  # a month, for activities with SMEs
    ("effort", np.float64),
    ("dose", np.float64),  # this month
    ("leave_threshold", np.float64, math.inf),
    ("leave_hazard", np.float64),  # accumulated
    ("first_participation", np.int64),
    ("engaged", np.int64),
    ("active", np.int64),
    ("lost_waiting", np.int64),  # SMEs that lost interest before the start
    ("phase_two_eur", np.float64),
)

# One row per SME engaged by a partner; those of a partner are contiguous.
PARTICIPATION = table(
    ("sme", np.int64),
    ("partner", np.int64),
    ("is_active", np.int64),
    ("know_threshold", np.float64),
    ("know_hazard", np.float64),
    ("contact_threshold", np.float64),
    ("contact_hazard", np.float64),
    ("contacts", np.int64),
    ("knowledge_month", np.int64, NEVER),
    ("contact_month", np.int64, NEVER),
    ("partnership_month", np.int64, NEVER),
    ("rni_month", np.int64, NEVER),
    ("contract_month", np.int64, NEVER),
)
