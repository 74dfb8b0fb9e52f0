"""What SMEs get, as tables: ties between them, and their own paths."""

import numpy as np

from simulator.records import NEVER, NOBODY, table

# Outcomes of SMEs, in the order in which one leads to the next.
OUTCOMES = ("knowledge", "partnerships", "rni_collaborations", "contracts")
KNOWLEDGE, PARTNERSHIP, RNI, CONTRACT = range(4)

# One row per pair of SMEs of different countries that met; a pair that meets again keeps its row.
TIE = table(
    ("one", np.int64),  # SME with the lower row
    ("other", np.int64),  # SME with the higher row
    ("participation_one", np.int64, NOBODY),  # of the one in the project below, NOBODY without a project
    ("participation_other", np.int64, NOBODY),  # of the other
    ("call", np.int64, NEVER),  # to which its outcomes are booked: the call of what brought them together last
    ("alive", np.int64),  # 1 until it is forgotten
    ("trust", np.float64),  # 0-1
    ("complementarity", np.float64),  # 0-1
    ("distance", np.float64),  # factor on hazards
    ("readiness", np.float64, -1.0),  # mean of the two, as it was when its promise was last seen; -1 never
    ("promise", np.float64),  # factor on hazards: complementarity, readiness and distance
    ("partnership_month", np.int64, NEVER),  # in which it became a partnership
    ("rni_threshold", np.float64),  # accumulated hazard at the next R&I collaboration
    ("rni_hazard", np.float64),  # accumulated
    ("rni_count", np.int64),  # R&I collaborations so far
    ("contract_threshold", np.float64),  # accumulated hazard at the next contract
    ("contract_hazard", np.float64),  # accumulated
    ("contract_count", np.int64),  # contracts so far
    ("origin", np.int64, NOBODY),  # instrument that brought them together last
    ("project", np.int64, NOBODY),  # project that brought them together last, NOBODY without one
    ("effect", np.float64, 1.0),  # factor of that project on hazards
    ("worked_month", np.int64, NEVER),  # last month in which the two worked together
    ("dose", np.float64),  # 0-1, joint dose of that month
    ("boost", np.float64, 1.0),  # further factor on hazards in that month
)

# One row per SME that the programme has touched.
PATH = table(
    ("pull", np.float64),  # factor on the hazards of its own path
    ("sme", np.int32),
    ("following", np.int32, NOBODY),  # next of the same country and sector, NOBODY at the end
)

# One row per outcome of such an SME: the next need on its own path.
OWN_PATH = table(
    ("month", np.float64),  # in which it falls due
    ("number", np.int32),  # of the need, from 0
    ("before", np.int32),  # needs that were over before the first touch
    ("call", np.int32, NEVER),  # call through which the programme last touched the own path, -1 none
    ("following", np.int32, NOBODY),  # next path filed under the same month, NOBODY at the end
)

# One row per contract that an SME wins on its own without the programme.
DUE = table(
    ("month", np.float64),
    ("sme", np.int32),
    ("following", np.int32, NOBODY),  # next of the same country, sector and month, NOBODY at the end
)
