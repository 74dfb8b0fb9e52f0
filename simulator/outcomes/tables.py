"""What SMEs get, as tables: ties between them, and their own paths."""

import numpy as np

from simulator.records import NEVER, NOBODY, table

# Outcomes of SMEs, in the order in which one leads to the next.
OUTCOMES = ("knowledge", "partnerships", "rni_collaborations", "contracts")
KNOWLEDGE, PARTNERSHIP, RNI, CONTRACT = range(4)

# One row per pair of SMEs of different countries that met; a pair that meets again keeps its row.
TIE = table(
    ("one", np.int64),
    ("other", np.int64),
    ("participation_one", np.int64, NOBODY),  # in the project that brought them together last, NOBODY without one
    ("participation_other", np.int64, NOBODY),
    ("call", np.int64, NEVER),  # to which its outcomes are booked: of what brought them together last
    ("alive", np.int64),
    ("trust", np.float64),
    ("complementarity", np.float64),
    ("distance", np.float64),  # factor on hazards
    ("readiness", np.float64, -1.0),  # mean of the two, as it was when its promise was last seen; -1 never
    ("promise", np.float64),  # factor on hazards: complementarity, readiness and distance
    ("partnership_month", np.int64, NEVER),
    ("rni_threshold", np.float64),
    ("rni_hazard", np.float64),
    ("rni_count", np.int64),
    ("contract_threshold", np.float64),
    ("contract_hazard", np.float64),
    ("contract_count", np.int64),
    ("origin", np.int64, NOBODY),  # instrument that brought them together last
    ("project", np.int64, NOBODY),  # that brought them together last, NOBODY without one
    ("effect", np.float64, 1.0),  # factor on hazards: of that project
    ("worked_month", np.int64, NEVER),  # last month in which the two worked together
    ("dose", np.float64),  # 0-1, joint dose of that month
    ("boost", np.float64, 1.0),  # factor on hazards in that month
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
