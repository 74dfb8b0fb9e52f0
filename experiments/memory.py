"""What fits into memory: before anything is run, with the size that would fit where it does not."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from scenarios import InputError, Resolved, programme
from scenarios.world import clusters_for
from simulator.many import cores
from simulator.observe import MEASURES, MONTHLY
from simulator.state import DUE, SME

SHARE = 0.8  # of the memory that is free; the rest is for tables, figures and others
PAIR_BYTES = 8 + 8 + 4  # of two clusters: familiarity, trust, whether counted
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def sme_bytes(inputs: Resolved) -> float:
    """Bytes that a run holds per SME: its row, and its contracts to come in the calendar of its rivals."""
    p = inputs.parameters
    most = p.own_h_contract * max(1.0, p.own_readiness_slope) ** 0.5
    return SME.itemsize + DUE.itemsize * most * inputs.months


def run_bytes(inputs: Resolved) -> float:
    """Bytes that one run holds, nearly."""
    return _bytes(inputs, int(inputs.world.cluster_members.sum()), len(inputs.world.cluster_country))


def _bytes(inputs: Resolved, smes: int, clusters: int) -> float:
    """Bytes of a run like `inputs` in a world of another size."""
    return smes * sme_bytes(inputs) + PAIR_BYTES * clusters**2 + 30e6


def measures_bytes(inputs: Resolved) -> int:
    """Bytes of the measures of one run that a comparison keeps."""
    rows = len(inputs.call_years) + len(inputs.country_codes)
    return 8 * (rows * len(MEASURES) + inputs.months * len(MONTHLY))


def free_bytes() -> float:
    """Memory that this process may still take: of the machine, and of its container; infinite where nobody says."""
    found = [np.inf]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found.append(1024.0 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):
            found.append(float(int(Path(limit).read_text("ascii")) - int(Path(used).read_text("ascii"))))
    with suppress(AttributeError, OSError, ValueError):
        if len(found) == 1:
            found.append(0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return max(0.0, min(found))


def threads_that_fit(inputs: Resolved, threads: int | None) -> int:
    """Runs that can be held at a time, no more than were asked for. Raises InputError where not even one can."""
    room = SHARE * free_bytes()
    one = run_bytes(inputs)
    smes, clusters = int(inputs.world.cluster_members.sum()), len(inputs.world.cluster_country)
    if one > room:
        raise InputError(
            f"a world of {smes:,} SMEs in {clusters:,} clusters takes {one / 1e9:,.1f} GB and {room / 1e9:,.1f} GB "
            f"can be used; allowed: {_rounded_down(_most_smes(inputs, room))}"
        )
    return max(1, min(threads or cores(), int(room / one)))


def _most_smes(inputs: Resolved, room: float) -> int:
    """How many SMEs fit, found by halving: in as many clusters, or in as many as such a world has by itself."""
    was, smes = programme(), int(inputs.world.cluster_members.sum())
    clusters, own = len(inputs.world.cluster_country), sum(each.clusters for each in was.countries.values())
    by_itself = abs((clusters_for(was, smes) or own) - clusters) <= 1  # the total is met nearly
    least = own * was.members.minimum
    fits, too_many = 0, smes
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        there = (clusters_for(was, max(middle, least)) or own) if by_itself else clusters
        fits, too_many = (middle, too_many) if _bytes(inputs, middle, there) <= room else (fits, middle)
    return fits


def check_measures(inputs: Resolved, runs: int, draws: int) -> None:
    """Raise InputError for a comparison whose measures memory cannot hold; `runs` in all, over so many draws."""
    held = float(runs) * 3.0 * measures_bytes(inputs)  # as arrays, and as frames
    _check_held(f"the measures of {runs:,} runs take", held, draws, "experiments.ManyRuns(...).write(file)")


def check_frame(rows_per_draw: int, columns: int, draws: int) -> None:
    """Raise InputError for a frame that memory cannot hold."""
    held = 2.0 * 8 * columns * rows_per_draw * draws  # in parts, and as a whole
    _check_held(f"a frame of {rows_per_draw * draws:,} rows takes", held, draws, "write(file)")


def _check_held(what: str, held: float, draws: int, instead: str) -> None:
    room = SHARE * free_bytes()
    if held > room:
        raise InputError(
            f"{what} {held / 1e9:,.1f} GB and {room / 1e9:,.1f} GB can be used; "
            f"allowed: {max(1, int(draws * room / held)):,} draws, or {instead}, which keeps memory flat"
        )


def _rounded_down(smes: int) -> str:
    """A number of SMEs in two digits, or that no world fits."""
    if smes < 1:
        return "fewer clusters"
    digits = 10 ** max(0, len(str(smes)) - 2)
    return f"--smes {smes // digits * digits:_} or fewer".replace("_", "")
