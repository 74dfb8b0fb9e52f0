"""Where the time of a history run goes: processor time by process of the month.

    python -m benchmarks.run month

The clock is read inside the compiled loop (C's clock(), in microseconds), so that what Python adds to a call does
not count. On Windows, clock() counts the wall.
"""

import ctypes
import ctypes.util

import numpy as np

from benchmarks.figures import Figure
from benchmarks.history_run import history
from simulator.founding import found_world
from simulator.jit import kernel
from simulator.schedule import (
    MONTH,
    announce,
    bring_together,
    credit_projects,
    decide,
    follow_own_paths,
    form_consortia,
    hold_event,
    learn_and_meet,
    live_ties,
    review_and_close,
    slow_own_paths,
    start_partners,
    turn_of_the_year,
    work,
)
from simulator.state import clear, new_state, tabulate

TIMES = 50
PROFILED = (
    turn_of_the_year, hold_event, form_consortia, decide, announce, start_partners, work, learn_and_meet,
    bring_together, live_ties, credit_projects, slow_own_paths, follow_own_paths, review_and_close,
)  # fmt: skip

_clock = ctypes.CDLL(ctypes.util.find_library("c")).clock
_clock.argtypes, _clock.restype = [], ctypes.c_long


@kernel
def profiled(months, seed, parameters, rules, world, state, spent):
    """Carry out the run of `simulator.schedule.run`; the microseconds of each process are added up in `spent`."""
    t0 = _clock()
    found_world(seed, parameters, rules, world, state)
    spent[0] += _clock() - t0
    for month in range(months):
        t0 = _clock()
        turn_of_the_year(month, parameters, state)
        t1 = _clock()
        hold_event(month, seed, parameters, rules, world, state)
        t2 = _clock()
        form_consortia(month, seed, parameters, rules, world, state)
        t3 = _clock()
        decide(month, seed, parameters, rules, world, state)
        t4 = _clock()
        announce(month, state)
        t5 = _clock()
        start_partners(month, seed, parameters, rules, state)
        t6 = _clock()
        work(month, parameters, state)
        t7 = _clock()
        learn_and_meet(month, seed, parameters, rules, world, state)
        t8 = _clock()
        bring_together(month, parameters, state)
        t9 = _clock()
        live_ties(month, seed, parameters, rules, state)
        t10 = _clock()
        credit_projects(month, state)
        t11 = _clock()
        slow_own_paths(month, seed, parameters, state)
        t12 = _clock()
        follow_own_paths(month, seed, parameters, state)
        t13 = _clock()
        review_and_close(month, seed, parameters, rules, state)
        t14 = _clock()
        marks = (t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14)
        for place in range(14):
            spent[1 + place] += marks[place + 1] - marks[place]


def figures(times: int = TIMES) -> list[Figure]:
    """Return the milliseconds of a run by process, and its share of the whole."""
    if PROFILED != MONTH:
        raise ValueError("simulator.schedule.MONTH has changed: `profiled` must call the same processes in its order")
    names = ["found_world", *(getattr(process, "py_func", process).__name__ for process in MONTH)]
    inputs = history()
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)
    state = new_state(inputs.world, inputs.rules, inputs.months)
    runs = np.zeros((times + 1, len(names)))
    for number in range(times + 1):
        clear(state)
        profiled(inputs.months, np.int64(number), *tables, state, runs[number])
    spent = runs[1:] / 1000.0
    share = spent.sum(axis=0) / spent.sum()
    return [
        Figure(f"`{name}`", "ms", tuple(spent[:, place]), None, "processor", f"{share[place]:.0%} of the run")
        for place, name in enumerate(names)
    ]
