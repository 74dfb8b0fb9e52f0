"""Time two checkouts of the project in one run, turn by turn: the earlier one, this one, the earlier one, ...

    python -m benchmarks.versions /path/to/earlier/checkout                      all parts
    python -m benchmarks.versions /path/to/earlier/checkout history compile      some
    python -m benchmarks.versions /path/to/earlier/checkout --turns 9            more turns for tighter ratios

Both run with this Python and its packages, and do the same work with the same seeds. A ratio is this checkout's time
over the earlier one's: below 1 is faster. It is taken between the best times of all turns, since whatever else goes on
in the machine only adds to a time, and for runs seed by seed; beside it stand the ratios of each turn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.figures import Spent, command, load, machine

HERE = Path(__file__).parents[1]
TURNS = 5

# Each part is a text that both checkouts understand. It prints wall and processor seconds of each piece of work, or
# nothing where the whole process is timed.
_HISTORY = """
import inspect, json, time
from scenarios import load
from simulator.ensemble import measure, simulate
inputs = load("baseline").resolve(last_call=2017)
first = (3,) if "first_counted" in inspect.signature(measure).parameters else ()
work = lambda seed: DO
work(0)
spent = []
for seed in range(1, 61):
    wall, cpu = time.perf_counter(), time.process_time()
    work(seed)
    spent.append((time.perf_counter() - wall, time.process_time() - cpu))
print(json.dumps(spent))
"""
_COMPILE = """
import inspect
from scenarios import load
from simulator.ensemble import measure
first = (0,) if "first_counted" in inspect.signature(measure).parameters else ()
measure(load("baseline").resolve(last_call=2013, smes=2_000), 1, *first)
"""
_COMPARE = """
import tempfile
from experiments import compare
with tempfile.TemporaryDirectory() as folder:
    compare("baseline", "fast_and_synchronised", draws=60, reasons=4, spending=8).save(folder)
"""
_SWEEP = """
import tempfile
from experiments.sweeps import sweep
experiment = {
    "title": "Longer projects", "question": "On what does their effect hang?", "runs": 2,
    "contrast": [{"base": "baseline", "option": "projects_24"}],
    "vary": {"idea_rate": "prior", "h_contact": "prior", "project_months": {"low": 12, "high": 36, "from": 2016}},
    "method": {"name": "morris", "n": 30},
}
with tempfile.TemporaryDirectory() as folder:
    sweep(experiment, folder)
"""


class Part(NamedTuple):
    """A piece of work: what it is, the script, its unit, and whether it starts with an empty cache."""

    what: str
    script: str
    unit: str = "s"
    cold: bool = False


PARTS = {
    "history": Part("History run", _HISTORY.replace("DO", "simulate(inputs, seed)"), "ms"),
    "measure": Part("History run and its measures", _HISTORY.replace("DO", "measure(inputs, seed, *first)"), "ms"),
    "compile": Part("First run with an empty cache (cold compile)", _COMPILE, cold=True),
    "compare": Part("compare of two scenarios, 60 draws, with its report", _COMPARE),
    "sweep": Part("Sweep of 3 factors, 240 runs, with its report", _SWEEP),
}


class Checkout(NamedTuple):
    """A checkout of the project and a folder for its caches."""

    root: Path
    caches: Path

    def spent(self, part: Part, cache: str) -> list[Spent]:
        """Carry out a part in a process of its own, with the kernels in the folder `cache`."""
        environment = {"PYTHONPATH": str(self.root), "INNOVEX_CACHE_DIR": str(self.caches / cache)}
        script = [sys.executable, "-c", part.script]
        if part.unit == "s":
            return [command(script, environment, self.root)]
        environment = os.environ | environment
        done = subprocess.run(script, env=environment, cwd=self.root, check=True, capture_output=True, text=True)
        return [Spent(*(1000.0 * seconds for seconds in piece)) for piece in json.loads(done.stdout)]


def compare(earlier: Path, parts: list[str], turns: int) -> Iterator[str]:
    """Time the parts in both checkouts and yield a table, line by line.

    Parameters
    ----------
    earlier : Path
        Root of the other checkout.
    parts : list of str
        Names in `PARTS`.
    turns : int
        How often each part is timed in each checkout.
    """
    yield "| what | unit | earlier | this one | ratio, processor | ratio, wall | processor ratios by turn |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory() as folder:
        sides = [Checkout(root, Path(folder, name)) for name, root in (("earlier", earlier), ("this", HERE))]
        for side in sides:
            side.spent(PARTS["measure"], "warm")
        for name in parts:
            yield _line(PARTS[name], list(_turns(sides, PARTS[name], turns)))


def _turns(sides: list[Checkout], part: Part, turns: int) -> Iterator[tuple[list[Spent], list[Spent]]]:
    """Yield what the part took in both checkouts, turn by turn; they take turns in going first, too."""
    for turn in range(turns):
        cache = f"cold-{turn}" if part.cold else "warm"
        order = sides if turn % 2 == 0 else sides[::-1]
        spent = {side: side.spent(part, cache) for side in order}
        yield spent[sides[0]], spent[sides[1]]


def _line(part: Part, turns: list[tuple[list[Spent], list[Spent]]]) -> str:
    """Return a part's row of the table."""
    cpu = np.array([[[piece.cpu for piece in side] for side in turn] for turn in turns])  # (turns, sides, pieces)
    wall = np.array([[[piece.wall for piece in side] for side in turn] for turn in turns])
    best = [f"{np.median(pieces):.3g}" for pieces in cpu.min(axis=0)]
    ratios = [f"{np.median(clock.min(axis=0)[1] / clock.min(axis=0)[0]):.2f}" for clock in (cpu, wall)]
    by_turn = ", ".join(f"{np.median(this / earlier):.2f}" for earlier, this in cpu)
    return f"| {' | '.join([part.what, part.unit, *best, *ratios, by_turn])} |"


def main() -> None:
    """Print the table with the machine above it."""
    parser = argparse.ArgumentParser(description="Times two checkouts of the project, turn by turn.")
    parser.add_argument("earlier", type=Path, help="root of an earlier checkout")
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"how often each part is timed ({TURNS})")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not (arguments.earlier / "simulator").is_dir():
        parser.error(f"{arguments.earlier} is no checkout: it has no folder simulator")
    about = "; ".join(f"{name} {value}" for name, value in machine().items())
    print(f"{about}; load {load():.1f}. Best of {arguments.turns} turns; times in processor seconds.\n", flush=True)
    for line in compare(arguments.earlier.resolve(), arguments.parts or list(PARTS), arguments.turns):
        print(line, flush=True)


if __name__ == "__main__":
    main()
