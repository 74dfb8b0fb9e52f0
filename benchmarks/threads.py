"""What a second thread brings, and what Mesa's face and plain Python cost; ratios taken in one go.

python -m benchmarks.run threads
"""

import os
import subprocess
import sys

from benchmarks.figures import Figure, Spent, timed
from benchmarks.history_run import history
from experiments.runs.cells import run_seed
from scenarios import load
from simulator.ensemble import measure, simulate
from simulator.model import InnovexModel
from simulator.threads import run_jobs

DRAWS = 200  # the last run is waited for by one thread alone: of few runs that is a large part
TIMES = 5
SMALL = {"smes": 2000, "last_call": 2013, "horizon_months": 24}
_PLAIN = f"""
import numpy, time
from scenarios import load
from simulator.ensemble import measure, simulate
numpy.seterr(over="ignore")
inputs = load("baseline").resolve(**{SMALL})
started = time.process_time()
simulate(inputs, 1)
print(time.process_time() - started)
"""


def figures(times: int = TIMES) -> list[Figure]:
    """Return ratios: two threads over one, the Mesa model over the run, plain Python over compiled."""
    return [*_threads(times), _mesa(times), _plain(min(times, 3))]


def _threads(times: int) -> list[Figure]:
    """Return how many times as fast two threads are, and how much more processor time they take for the same work."""
    inputs = history()

    def work(draw: int) -> object:
        return measure(inputs, run_seed(1, draw, 0))

    def ensemble(threads: int) -> Spent:
        return timed(lambda _: list(run_jobs(work, range(DRAWS), threads)), 1)[0]

    ensemble(2)
    pairs = [(ensemble(1), ensemble(2)) for _ in range(times)]
    note = f"{DRAWS} runs with their twins"
    faster, dearer = (one.wall / two.wall for one, two in pairs), (two.cpu / one.cpu for one, two in pairs)
    cores = (two.cpu / two.wall for _, two in pairs)  # 2 on a quiet machine; the rest went to others
    rate = (DRAWS / two.wall for _, two in pairs)
    return [
        Figure("Two threads against one", "times as fast", tuple(faster), 1.9, "wall", note, at_least=True),
        Figure("Measured history runs on two threads", "a second", tuple(rate), 150.0, "wall", note, at_least=True),
        Figure("Two threads against one", "times the cost", tuple(dearer), None, "processor", note),
        Figure("Cores that the two threads got", "cores", tuple(cores), None, "both", "below 2: others were at work"),
    ]


def _mesa(times: int) -> Figure:
    """Return the time of a run of the Mesa model, with its data collector and without agents, over the run alone."""
    inputs = history()
    InnovexModel(inputs, rng=1).step()
    simulate(inputs, 1)

    def model(seed: int) -> None:
        InnovexModel(inputs, rng=seed).run_model()

    ratios = [timed(model, 1)[0].cpu / timed(lambda n: simulate(inputs, n), 1)[0].cpu for _ in range(times)]
    note = "history run, with the data collector, no agents asked for"
    return Figure("Mesa's face against the bare run", "times the cost", tuple(ratios), None, "processor", note)


def _plain(times: int) -> Figure:
    """Return the time of a run without compiling over that of a compiled one."""
    inputs = load("baseline").resolve(**SMALL)  # type: ignore[arg-type]
    simulate(inputs, 1)
    ratios = []
    for _ in range(times):
        compiled = min(each.cpu for each in timed(lambda _: simulate(inputs, 1), 20))
        out = subprocess.run(
            [sys.executable, "-c", _PLAIN], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        ratios.append(float(out.stdout) / compiled)
    note = f"{SMALL['smes']:,} SMEs, the call of {SMALL['last_call']} alone, {inputs.months} months"
    return Figure("Plain Python against compiled", "times the cost", tuple(ratios), None, "processor", note)
