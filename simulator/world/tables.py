"""Who there is, as tables: clusters, SMEs, funders."""

import numpy as np

from simulator.records import NEVER, NOBODY, table

SIZE_CLASSES = ("micro", "small", "medium")  # of SMEs, by `SME.size_class`

# One row per cluster organisation.
CLUSTER = table(
    ("identity", np.uint64),
    ("first_sme", np.int64),  # row of the first member; members are contiguous
    ("members", np.int64),
    ("country", np.int64),
    ("nation", np.int64),
    ("sector", np.int64),
    ("excellence", np.float64),  # 0-1, management excellence
    ("focus", np.float64),  # 0-1, strategy focus on internationalisation
    ("capacity", np.int64),  # projects at a time
    ("busy", np.int64),  # projects and open proposals now
    ("experience", np.float64),  # projects done, worn by turnover
    ("followon", np.float64),  # 0-1, added to the next idea by good projects
    ("attended_call", np.int64, NEVER),  # last call whose event it attended, -1 none
)

# One row per SME.
SME = table(
    ("identity", np.uint64),
    ("readiness", np.float64),  # 0-1, absorptive capacity
    ("found_readiness", np.float64),  # as it was before the first call
    ("spare_time", np.float64),  # 0-1
    ("cluster", np.int32),
    ("sector", np.int32),
    ("size_class", np.int32),  # 0 micro, 1 small, 2 medium
    ("projects", np.int32),  # in which it is active now
    ("path", np.int32, NOBODY),  # row of its own path, NOBODY before the programme first touches it
)

# One row per funder.
FUNDER = table(
    ("belief", np.float64, 0.5),  # clusters' belief in approval, 0-1
    ("carried", np.float64),  # EUR, unspent money kept for the next call
    ("debt", np.float64),  # EUR, phase-two money to be taken out of the next call
)
