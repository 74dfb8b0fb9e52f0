"""What keyed draws cost: against a stream consumed in order, and against the second generator.

    python -m benchmarks.run generators

Three processes, each with the model compiled with one generator; they run by turns, one run each, and are
compared turn by turn in processor time. Luck differs, and with it how much happens in a run: hence many turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks.figures import Figure

TURNS = 60
ROUNDS = 3  # processes anew: where its memory happens to lie can slow one for all its life
_WORKER = """
import sys, time
if {stream}:
    from benchmarks import stream
    stream.put_in_place()
import numpy as np
from benchmarks.history_run import history
from simulator.ensemble import simulate
inputs = history()
simulate(inputs, 0)
print("ready", flush=True)
for line in sys.stdin:
    started = time.process_time()
    simulate(inputs, int(line))
    print(time.process_time() - started, flush=True)
"""


class Worker:
    """A process that makes one run for each seed that it reads, and answers with the seconds of processor."""

    def __init__(self, stream: bool = False, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER.format(stream=stream)], env=os.environ | settings, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self.answers, self.seeds = self.process.stdout, self.process.stdin
        self.answers.readline()

    def run(self, seed: int) -> float:
        """Return the milliseconds of one run."""
        self.seeds.write(f"{seed}\n")
        self.seeds.flush()
        return 1000.0 * float(self.answers.readline())

    def close(self) -> None:
        """End the process."""
        self.seeds.close()
        self.process.wait()


def figures(turns: int = TURNS) -> list[Figure]:
    """Return the cost of keyed draws (the generator in use) over a stream's, and of Philox over theirs."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [_round(range(start, turns, ROUNDS), folder) for start in range(ROUNDS)]
    spent = {name: np.concatenate([each[name] for each in rounds]) for name in rounds[0]}

    def ratio(one: str, other: str) -> tuple[float, ...]:
        """Return ratios by turns of ten runs: single runs differ too much."""
        return tuple((_by_ten(spent[one]) / _by_ten(spent[other])).tolist())

    note = ", ".join(f"{name} {statistics.median(values):.1f} ms" for name, values in spent.items())
    return [
        Figure("Keyed draws against a stream (xoroshiro128+)", "times the cost", ratio("keyed", "stream"), 1.0,
               "processor", f"history run, {note}"),
        Figure("Philox4x32-10 against the keyed draws", "times the cost", ratio("Philox", "keyed"), None, "processor"),
    ]  # fmt: skip


def _round(seeds: range, folder: str) -> dict[str, np.ndarray]:
    """Return milliseconds of runs by turns, each generator in its own process; `folder` has the stream's kernels."""
    workers = {
        "keyed": Worker(INNOVEX_GENERATOR="splitmix"),
        "Philox": Worker(INNOVEX_GENERATOR="philox"),
        "stream": Worker(True, INNOVEX_CACHE_DIR=folder),
    }
    spent: dict[str, list[float]] = {name: [] for name in workers}
    for seed in seeds:
        for name, worker in workers.items():
            spent[name].append(worker.run(seed))
    for worker in workers.values():
        worker.close()
    return {name: np.array(values) for name, values in spent.items()}


def _by_ten(values: np.ndarray) -> np.ndarray:
    """Return the sums of ten runs in a row."""
    return values[: len(values) // 10 * 10].reshape(-1, 10).sum(axis=1)
