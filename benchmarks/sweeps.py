"""What the machinery of a sweep costs beside the kernels, and what it takes to plan a million runs.

python -m benchmarks.run sweeps
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, Spent, timed
from experiments.runs.cells import run_seed
from experiments.sweeps import sweep
from experiments.sweeps.plan import Plan
from experiments.sweeps.result import prepared
from experiments.sweeps.work import Rows, inputs_of, others_of
from scenarios import Resolved
from scenarios.resolve import clear_caches
from simulator.ensemble import measure

TIMES = 7
ROWS = 64
TARGET = 1.10
LARGE = 100_000  # blocks of ten rows
ASKED = {
    "title": "One scenario",
    "question": "What does the machinery cost?",
    "contrast": [{"option": "baseline"}],
    "vary": {"idea_rate": "prior", "h_contact": "prior", "project_months": {"low": 12, "high": 36, "from": 2016}},
    "method": {"name": "pawn", "n": ROWS},
    "runs": 1,
}
_PLANNED = f"""
import re, tempfile, time
from pathlib import Path
from experiments.sweeps.form import read
from experiments.sweeps.plan import plan_of, write_design, Design
from experiments.sweeps.run import addresses
def peak():  # not of getrusage: a new process starts there with its parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
experiment, path = read("levers_sobol")
small = plan_of(experiment, "small", path)
before = peak()
started = time.process_time()
plan = small.with_size({LARGE}, 1)
with tempfile.TemporaryDirectory() as folder:
    write_design(plan, Path(folder) / "design.parquet")
    chunks = sum(1 for _ in addresses(plan, Design(plan, Path(folder) / "design.parquet")))
print(plan.cells, chunks, time.process_time() - started, peak() - before)
"""


def figures(times: int = TIMES) -> list[Figure]:
    """Return the time of a sweep over its bare kernels', and of planning a million runs."""
    return [_overhead(times), *_planned()]


def _overhead(times: int) -> Figure:
    """Return the time of a sweep in one thread, from the question to the manifest, over the same runs by themselves.

    Nothing is remembered of an earlier sweep: every row's rules are resolved anew, as in a sweep that runs once.
    """
    plan, _ = prepared(ASKED, Path("never-made"))
    inputs = _inputs(plan)

    def bare(_: int) -> None:
        for row, each in enumerate(inputs):
            measure(each, run_seed(plan.work.seed, row, 0))

    def whole(_: int) -> None:
        clear_caches()
        with tempfile.TemporaryDirectory() as folder:
            sweep(ASKED, folder, workers=1)

    bare(0)
    whole(0)
    pairs = [(_least(bare), _least(whole)) for _ in range(times)]
    each = 1000.0 * min(one.cpu for one, _ in pairs) / ROWS
    note = f"{ROWS} rows, one thread; run and twin by themselves {each:.0f} ms"
    ratios = tuple(sweep.cpu / kernels.cpu for kernels, sweep in pairs)
    return Figure("Sweep over bare kernels", "times the cost", ratios, TARGET, "processor", note)


def _inputs(plan: Plan) -> list[Resolved]:
    """Return the inputs of the runs of a plan of one case, row by row."""
    values = np.stack([factor.numbers(plan.unit()[:, place]) for place, factor in enumerate(plan.factors)], axis=1)
    number = np.arange(len(values))
    others = others_of(plan.work, Rows(number, number, values, 0))
    return [
        inputs_of(plan.work, plan.work.cases[0], values[row], {name: float(x[row]) for name, x in others.items()})
        for row in number
    ]


def _least(work: Callable[[int], object]) -> Spent:
    return min(timed(work, 3), key=lambda spent: spent.cpu)


def _planned() -> list[Figure]:
    printed = subprocess.run(
        [sys.executable, "-c", _PLANNED], check=True, capture_output=True, text=True
    ).stdout.split()
    cells, chunks, seconds, mib = int(printed[0]), int(printed[1]), float(printed[2]), float(printed[3])
    note = f"{cells:,} runs in {chunks:,} chunks, design on disk"
    memory = "design drawn and written in pieces"
    return [
        Figure("A million runs planned", "s", (seconds,), None, "processor", note),
        Figure("A million runs planned", "MiB above the start", (mib,), None, "", memory),
    ]
