"""One history run: 400 clusters, about 16,000 SMEs, the calls of 2013-2017, 120 months; on one core, compiled.

python -m benchmarks.run history_run
"""

import numpy as np

from benchmarks.figures import Figure, both_clocks, timed
from scenarios import Resolved, load
from simulator.ensemble import measure, simulate
from simulator.schedule import run
from simulator.state import clear, new_state, tabulate

TARGET_MS = 12.0
TIMES = 200


def history() -> Resolved:
    """Return the inputs of a history run at the register's central values."""
    return load("baseline").resolve(last_call=2017)


def figures(times: int = TIMES) -> list[Figure]:
    """Return the times of the months alone, of a run with its tables, and of a run with its measures."""
    inputs = history()
    measure(inputs, 1)
    state = new_state(inputs.world, inputs.rules, inputs.months)
    told = tabulate(inputs.parameters, inputs.rules, inputs.world)

    def months(number: int) -> None:
        clear(state)
        run(0, inputs.months, np.int64(number), told.parameters, told.rules, told.world, state)

    smes, clusters = inputs.world.cluster_members.sum(), len(inputs.world.cluster_country)
    size = f"{smes:,} SMEs, {clusters} clusters, {inputs.months} months"
    alone, whole, measured = [], [], []
    for number in range(times):  # by turns, so that the machine's moods are shared
        alone += timed(lambda _, n=number: months(n), 1)
        whole += timed(lambda _, n=number: simulate(inputs, n), 1)
        measured += timed(lambda _, n=number: measure(inputs, n), 1)
    return [
        *both_clocks("History run, months alone", alone, "ms", TARGET_MS, size),
        *both_clocks("History run with its tables made new", whole, "ms", TARGET_MS, size),
        *both_clocks("History run and its measures against a twin", measured, "ms", TARGET_MS, size),
        Figure("Memory of one run's tables", "MiB", (_mib(state),), None, "", size),
    ]


def _mib(state: object) -> float:
    return sum(table.nbytes for table in state) / 2**20  # type: ignore[attr-defined]
