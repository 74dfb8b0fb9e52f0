"""Kill a question with signal 9 at random moments, let the same command go on, and compare every byte of the results.

    python -m benchmarks.kills                       `innovex compare`, killed ten times
    python -m benchmarks.kills run validate          other questions
    python -m benchmarks.kills compare --kills 40 --engine processes --seed 7

Each question is answered once undisturbed. Then it is asked in a new folder, killed at a moment between start and end
that is drawn at random, and asked again; so many times over. Last, one folder is killed again and again until the
question ends between two kills. Prints a line for each, and exits with 1 if a byte differs or a finished part was run
again.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parents[1]

ASKED = {
    "compare": [
        "baseline",
        "projects_24",
        *["--draws", "60", "--runs", "2", "--smes", "4000", "--reasons", "4", "--spending", "8"],
    ],
    "run": ["baseline", *["--draws", "200", "--runs", "2", "--smes", "4000"]],
    "sweep": ["levers_sobol", "--n", "2"],
    "validate": ["--draws", "60", "--checked", "0", "--outside", "10"],
}
STORES = {"runs", "results"}  # folders of what is kept for the next question
PARTS = {"runs", "jobs", "parts"}  # folders of finished parts


def start(asked: list[str], out: Path, more: list[str]) -> "subprocess.Popen[bytes]":
    """Ask a question in a process group of its own."""
    command = [sys.executable, "-m", "experiments.cli.main", *asked, *more, "--out", "answers"]
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    quiet = subprocess.DEVNULL
    # Below a folder of its own, by a name that is always the same: reports of sweeps say how to go on there.
    out.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(command, cwd=out, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)


def kill(process: "subprocess.Popen[bytes]", after: float) -> bool:
    """Kill a process and those it started with signal 9 after so many seconds; False if it ended before."""
    try:
        process.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def results_in(out: Path) -> dict[str, bytes]:
    """Return the bytes of every file of the results, by its path; not of the store, which may go at any time."""
    files = (path for path in sorted(out.rglob("*")) if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files if not _of_store(path.relative_to(out))}


def parts_in(out: Path) -> dict[Path, int]:
    """Return when each finished part was written."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet") if PARTS & set(path.parts[:-1])}


def _of_store(path: Path) -> bool:
    """Tell whether a file lies in the store of runs or in the folder of a fit, which are no results."""
    return bool(STORES & set(path.parts[:-1]))


def differences(out: Path, whole: Path) -> list[str]:
    """Name the files of the results that are not the same in both folders."""
    ours, theirs = results_in(out), results_in(whole)
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def verdict(out: Path, whole: Path, before: dict[Path, int]) -> tuple[str, bool]:
    """Say what came of a folder whose question has ended, and whether all is well."""
    now = parts_in(out)
    again = [path for path, when in before.items() if path in now and now[path] != when]
    faults = [*differences(out, whole), *(f"{path.name} was run again" for path in again)]
    return (f"differs: {', '.join(faults[:3])}" if faults else "the same bytes, nothing run again"), not faults


def kills(
    asked: list[str], number: int, chance: random.Random, more: list[str], folder: Path
) -> Iterator[tuple[str, bool]]:
    """Kill a question at so many random moments; yield a line for each, and whether all is well.

    Parameters
    ----------
    asked : list of str
        What is asked, as on the command line.
    number : int
        How many moments.
    chance : random.Random
        Draws the moments.
    more : list of str
        Options with which it is asked again; the undisturbed question goes without them.
    folder : Path
        Where all is written.
    """
    whole = folder / "whole"
    began = time.monotonic()
    if start(asked, whole, []).wait():
        raise SystemExit(f"innovex {' '.join(asked)} fails undisturbed")
    takes = time.monotonic() - began
    yield f"undisturbed: {takes:.1f} s, {len(results_in(whole))} files", True
    for place in range(number):
        out = folder / f"killed-{place}"
        after = chance.uniform(0.0, takes)
        if not kill(start(asked, out, more), after):
            yield f"{place + 1}. had ended before {after:.2f} s", not differences(out, whole)
            continue
        before = parts_in(out)
        ended = start(asked, out, more).wait() == 0
        words, well = verdict(out, whole, before)
        yield f"{place + 1}. killed after {after:5.2f} s with {len(before):3d} parts finished: {words}", well and ended
    out, times = folder / "again", 0
    while kill(start(asked, out, more), chance.uniform(takes / 4, takes)):
        times += 1
    words, well = verdict(out, whole, {})
    yield f"one folder, killed {times} times until it ended: {words}", well


def main() -> None:
    """Print what came of each kill."""
    parser = argparse.ArgumentParser(description="Kills questions at random moments and compares what they end with.")
    parser.add_argument("questions", nargs="*", help=f"some of: {', '.join(ASKED)} (compare)")
    parser.add_argument("--kills", type=int, default=10, help="random moments (10)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the moments (1)")
    parser.add_argument("--engine", default="threads", help="where the killed ones run (threads)")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - set(ASKED):
        parser.error(f"no such question: {', '.join(sorted(unknown))}; there are {', '.join(ASKED)}")
    well = True
    for question in arguments.questions or ["compare"]:
        print(f"innovex {' '.join([question, *ASKED[question]])}, on {arguments.engine}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            chance, more = random.Random(arguments.seed), ["--engine", arguments.engine]
            for line, good in kills([question, *ASKED[question]], arguments.kills, chance, more, Path(folder)):
                print(f"  {line}", flush=True)
                well &= good
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
