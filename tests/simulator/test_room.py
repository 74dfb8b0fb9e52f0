"""Measured runs take the tables of the thread's last run: nothing of that run may be left in them."""

from concurrent.futures import ThreadPoolExecutor

from simulator.ensemble import measure, simulate
from simulator.observe import observe
from simulator.state import tabulate
from tests.small_worlds import tiny


def alone(inputs, seed):
    """Measures of a run in tables of its own."""
    tables = tabulate(inputs.parameters, inputs.rules, inputs.world)
    return observe(seed, tables, simulate(inputs, seed))


def test_a_run_in_used_tables_is_the_run_in_new_ones():
    cases = [(tiny(name, 2017), seed) for seed in (1, 2) for name in ("baseline", "common_pot", "no_programme")]
    cases.append((tiny("baseline", 2014), 3))
    with ThreadPoolExecutor(1) as thread:  # one thread: one room
        for inputs, seed in [*cases, *reversed(cases)]:
            measured = thread.submit(measure, inputs, seed).result()
            for mine, own in zip(measured, alone(inputs, seed), strict=True):
                assert mine.tobytes() == own.tobytes()
