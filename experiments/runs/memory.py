"""What fits into memory: before anything is run, with the size that would fit where it does not."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.runs.measures import all_measures
from scenarios import InputError, Resolved, programme
from scenarios.world import clusters_for
from simulator.outcomes.tables import DUE
from simulator.parameters import F64
from simulator.threads import cores
from simulator.world.tables import SME

SHARE = 0.8  # of the memory that is free; the rest is for tables, figures and others
PAIR_BYTES = 8 + 8 + 4  # of two clusters: familiarity, trust, whether counted
_CGROUPS = (  # folder, and in it: what may be used, what is, and the line of memory.stat with what gives way of it
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def sme_bytes(inputs: Resolved) -> float:
    """Return the bytes that a run holds per SME: its row, and its contracts to come in the calendar of its rivals."""
    p = inputs.parameters
    most = float(_own_contracts(p.own_h_contract, p.own_readiness_slope))
    return float(SME.itemsize + DUE.itemsize * most * inputs.months)


def _own_contracts(hazard: float | F64, slope: float | F64) -> F64:
    """Return how many contracts of its own an SME may have a month, nearly."""
    return np.asarray(hazard * np.maximum(1.0, slope) ** 0.5)


def run_bytes(inputs: Resolved) -> float:
    """Return how many bytes one run holds, nearly."""
    return _bytes(inputs, int(inputs.world.cluster_members.sum()), len(inputs.world.cluster_country))


def _bytes(inputs: Resolved, smes: int, clusters: int) -> float:
    """Return the bytes of a run like `inputs` in a world of another size."""
    return smes * sme_bytes(inputs) + PAIR_BYTES * clusters**2 + 30e6


def free_bytes() -> float:
    """Return the memory that is left by machine, container and the process's own limit; infinite if unknown."""
    limits = [*_free_of_machine(), *_free_of_containers()]
    with suppress(AttributeError, OSError, ValueError):
        if not limits:
            limits.append(0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return max(0.0, min([*limits, *_free_of_process()], default=np.inf))


def _free_of_machine() -> Iterator[float]:
    with suppress(OSError, ValueError):
        yield 1024.0 * _number_of(Path("/proc/meminfo"), "MemAvailable:")


def _free_of_containers() -> Iterator[float]:
    for folder, limit, used, cache in _CGROUPS:
        with suppress(OSError, ValueError):
            most, now = (int(Path(folder, name).read_text("ascii")) for name in (limit, used))
            with suppress(OSError, ValueError):  # what is kept of files counts as used, and gives way
                now -= _number_of(Path(folder, "memory.stat"), cache)
            yield float(most - now)


def _free_of_process() -> Iterator[float]:
    """Yield what may still be mapped under a limit such as that of `ulimit -v`."""
    with suppress(ImportError, OSError, ValueError):
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

        limit = getrlimit(RLIMIT_AS)[0]
        if limit != RLIM_INFINITY:
            mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0])
            yield float(limit - mapped * os.sysconf("SC_PAGE_SIZE"))


def _number_of(file: Path, name: str) -> int:
    """Return the number that stands after a name, at the beginning of a line; raises ValueError if there is none."""
    for line in file.read_text("ascii").splitlines():
        if line.split()[:1] == [name]:
            return int(line.split()[1])
    raise ValueError(f"{file} has no {name}")


def heaviest(inputs: Sequence[Resolved], drawn: Mapping[str, F64]) -> Resolved:
    """Return the largest of the inputs, under the draw that gives SMEs the most contracts of their own."""
    largest = max(inputs, key=run_bytes)
    p = largest.parameters
    hazard, slope = (
        np.atleast_1d(drawn.get(name, getattr(p, name))) for name in ("own_h_contract", "own_readiness_slope")
    )
    per_draw = np.broadcast_arrays(hazard, slope, _own_contracts(hazard, slope))
    draw = int(per_draw[2].argmax())
    there = p._replace(own_h_contract=float(per_draw[0][draw]), own_readiness_slope=float(per_draw[1][draw]))
    return max(largest, replace(largest, parameters=there), key=sme_bytes)


def check_world(inputs: Resolved) -> None:
    """Raise InputError for a world that memory cannot hold even once."""
    room, one = SHARE * free_bytes(), run_bytes(inputs)
    smes, clusters = int(inputs.world.cluster_members.sum()), len(inputs.world.cluster_country)
    if one > room:
        raise InputError(
            f"a world of {smes:,} SMEs in {clusters:,} clusters takes {one / 1e9:,.1f} GB and {room / 1e9:,.1f} GB "
            f"can be used; allowed: {_rounded_down(_most_smes(inputs, room))}"
        )


def threads_that_fit(inputs: Resolved, threads: int | None) -> int:
    """Say how many runs can be held at a time, up to those asked for; raises InputError where not even one can."""
    check_world(inputs)
    return max(1, min(threads or cores(), int(SHARE * free_bytes() / run_bytes(inputs))))


def _most_smes(inputs: Resolved, room: float) -> int:
    """Return how many SMEs fit, found by halving: in as many clusters, or in as many as such a world has by itself."""
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


def check_values(scenarios: int, draws: int, runs: int) -> None:
    """Raise InputError for a comparison that memory cannot hold: a number by measure, scenario, draw and run."""
    needed = 3.0 * 8 * len(all_measures()) * scenarios * draws * runs  # the values, and what is computed of them
    what = f"the measures of {scenarios * draws * runs:,} runs take"
    _check_held(what, needed, draws, "experiments.ManyRuns(...).write(file)")


def check_frame(rows_per_draw: int, columns: int, draws: int) -> None:
    """Raise InputError for a frame that memory cannot hold."""
    needed = 2.0 * 8 * columns * rows_per_draw * draws  # in parts, and as a whole
    _check_held(f"a frame of {rows_per_draw * draws:,} rows takes", needed, draws, "write(file)")


def _check_held(what: str, needed: float, draws: int, instead: str) -> None:
    room = SHARE * free_bytes()
    if needed > room:
        raise InputError(
            f"{what} {needed / 1e9:,.1f} GB and {room / 1e9:,.1f} GB can be used; "
            f"allowed: {max(1, int(draws * room / needed)):,} draws, or {instead}, which keeps memory flat"
        )


def _rounded_down(smes: int) -> str:
    """Put a number of SMEs in two digits, or say that no world fits."""
    if smes < 1:
        return "fewer clusters"
    digits = 10 ** max(0, len(str(smes)) - 2)
    return f"--smes {smes // digits * digits:_} or fewer".replace("_", "")
