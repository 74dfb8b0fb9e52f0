"""A measured figure, how it is measured, and on which machine."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

INNOVEX = Path(sys.executable).with_name("innovex")


class Figure(NamedTuple):
    """What was measured, over how many repetitions, with the target where there is one."""

    what: str
    unit: str
    values: tuple[float, ...]
    target: float | None = None  # at most, or at least
    clock: str = "wall"
    note: str = ""
    at_least: bool = False

    @property
    def median(self) -> float:
        """The middle of the repetitions."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """Whether the median keeps the target."""
        if self.target is None:
            return ""
        is_met = self.median >= self.target if self.at_least else self.median <= self.target
        return "met" if is_met else "missed"


class Spent(NamedTuple):
    """What one call took: seconds on the wall, seconds of processor, and MiB at the peak (0 where not known)."""

    wall: float
    cpu: float
    peak_mib: float = 0.0


def timed(work: Callable[[int], object], times: int) -> list[Spent]:
    """Carry out `work(0)`, `work(1)`, ... and return what each took."""
    spent = []
    for number in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        work(number)
        spent.append(Spent(time.perf_counter() - wall, time.process_time() - cpu))
    return spent


_ALONE = """
import json, resource, subprocess, sys, time
wall = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
wall = time.perf_counter() - wall
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def command(
    arguments: Sequence[str | Path], environment: dict[str, str] | None = None, folder: Path | None = None
) -> Spent:
    """Run one command to its end in a folder, as a user would; raise CalledProcessError if it fails.

    By way of a small process: the peak of a command's memory is at least what its parent took before.
    """
    words = [str(each) for each in arguments]
    done = subprocess.run(
        [sys.executable, "-S", "-c", _ALONE, *words],
        check=True, stdout=subprocess.PIPE, env=os.environ | (environment or {}), cwd=folder,
    )  # fmt: skip
    code, wall, cpu, peak = json.loads(done.stdout)
    if code:
        raise subprocess.CalledProcessError(code, words)
    return Spent(wall, cpu, peak)


def first_line(arguments: Sequence[str | Path]) -> Spent:
    """Run one command and return the wall time until it prints its first line."""
    wall = time.perf_counter()
    words = [str(each) for each in arguments]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        wall = time.perf_counter() - wall
        process.stdout.read()
    return Spent(wall, float("nan"), 0.0)


def both_clocks(what: str, spent: list[Spent], unit: str, target: float | None = None, note: str = "") -> list[Figure]:
    """Return a figure in wall time, which has the target, and one in processor time, which neighbours move less."""
    scale = 1000.0 if unit == "ms" else 1.0
    return [
        Figure(what, unit, tuple(scale * each.wall for each in spent), target, "wall", note),
        Figure(what, unit, tuple(scale * each.cpu for each in spent), None, "processor"),
    ]


def machine() -> dict[str, str]:
    """Return the machine and the versions, which belong beside every figure."""
    from importlib import metadata

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in ("numba", "numpy", "mesa")},
    }


def _processor() -> str:
    """Return the processor's name, and what it can do with vectors."""
    import llvmlite.binding

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name} ({llvmlite.binding.get_host_cpu_name()})"


def load() -> float:
    """Return how many processes want to run, on average over the last minute."""
    return os.getloadavg()[0]
