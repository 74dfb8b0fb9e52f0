"""Many paired runs: draws x seeds x scenarios, each against the twin of its draw and seed, on all cores.

A cell of work is one draw and one seed, in all scenarios. The twin needs no run: in it there are own paths alone, which
are walked for the SMEs that a scenario touches. Threads
release the interpreter inside the kernels, so progress and Ctrl-C work; nothing depends on their order.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.ensemble import Inputs, Observation, measure
from simulator.parameters import F64
from simulator.threads import each

# (case, draw) -> what a run needs; all cases of one call must share the world
Case = Callable[[int], Inputs]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Ensemble:
    """Measures of all runs; S cases, D draws that are finished, R seeds each.

    by_call (S, D, R, C, measures); by_country (S, D, R, N, measures) over counted calls; monthly
    (S, D, R, T, monthly measures); lost (S, D, R, F, causes) and short (S, D, R, F) over counted
    calls; network (S, N, N) mean over runs; groups (S, D, R, G, group measures). `interrupted`: by Ctrl-C.
    """

    draws: npt.NDArray[np.int64]
    by_call: F64
    by_country: F64
    monthly: F64
    lost: F64
    short: F64
    network: F64
    groups: F64
    interrupted: bool = False


def run_seed(seed: int, draw: int, run: int) -> int:
    """The seed of one run, a pure function of the study's seed, the draw and the number of the run."""
    digest = hashlib.blake2b(f"innovex/{seed}/{draw}/{run}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def run_all(
    cases: Sequence[Case],
    draws: Sequence[int],
    runs: int,
    seed: int,
    first_counted: int,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Ensemble:
    """All cases for all draws and seeds. After Ctrl-C: the draws that are finished in full.

    `progress` is called with the number of runs done since the last call. Raises KeyboardInterrupt
    only if not one draw is finished.
    """
    tell = progress or (lambda _: None)
    cells = [(place, draw, run) for place, draw in enumerate(draws) for run in range(runs)]
    found: dict[tuple[int, int], list[Observation]] = {}
    interrupted = False

    def work(cell: tuple[int, int, int]) -> None:
        place, draw, run = cell
        found[place, run] = _cell(cases, draw, run, seed, first_counted, tell)

    try:
        for _ in each(work, cells, threads):
            pass
    except KeyboardInterrupt:  # what is finished is in `found`
        interrupted = True
    finished = [place for place in range(len(draws)) if all((place, run) in found for run in range(runs))]
    if not finished:
        raise KeyboardInterrupt
    try:
        return _gather(found, [*draws], finished, runs, len(cases), interrupted)
    except KeyboardInterrupt:  # what is finished is not lost to a Ctrl-C at the very end
        return _gather(found, [*draws], finished, runs, len(cases), True)


def _cell(
    cases: Sequence[Case], draw: int, run: int, seed: int, first_counted: int, tell: Progress
) -> list[Observation]:
    """All cases of one draw and seed, each against the world without the programme."""
    luck = run_seed(seed, draw, run)
    observed = []
    for case in cases:
        observed.append(_summed(measure(case(draw), luck, first_counted), first_counted))
        tell(1)
    return observed


def _summed(seen: Observation, first: int) -> Observation:
    """One run's measures, reduced: cells to (C + N, measures), by call and by country; the rest to counted calls."""
    return seen._replace(
        cells=np.concatenate([seen.cells.sum(axis=1), seen.cells[first:].sum(axis=0)]),
        lost=seen.lost[first:].sum(axis=0),
        short=seen.short[first:].sum(axis=0),
        network=seen.network[first:].sum(axis=0),
    )


def _gather(
    found: dict[tuple[int, int], list[Observation]],
    draws: list[int],
    finished: list[int],
    runs: int,
    cases: int,
    interrupted: bool,
) -> Ensemble:
    """Stacks the runs of finished draws, in order of case, draw and seed."""

    def stacked(name: str) -> F64:
        return np.stack(
            [
                np.stack([np.stack([getattr(found[d, r][s], name) for r in range(runs)]) for d in finished])
                for s in range(cases)
            ]
        )

    cells, network = stacked("cells"), stacked("network")
    calls = cells.shape[3] - network.shape[3]
    return Ensemble(
        draws=np.array([draws[place] for place in finished], np.int64),
        by_call=cells[..., :calls, :],
        by_country=cells[..., calls:, :],
        monthly=stacked("monthly"),
        lost=stacked("lost"),
        short=stacked("short"),
        network=network.mean(axis=(1, 2)),
        groups=stacked("groups"),
        interrupted=interrupted,
    )
