"""Runs of scenarios as jobs: a scenario under some draws of the parameters, one run (noise seed) each.

Every run is counted against its twin, the same world, draw and seed without the programme. The twin needs no run of its
own: in it there are own paths alone, which are walked for the SMEs that the scenario touches.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.runs.jobs import hash_of, keys_of, same_code
from scenarios import Resolved, Scenario
from scenarios.settings import Setting
from simulator.ensemble import measure
from simulator.jobs import Columns, Stopped, code_of
from simulator.observe import Observation
from simulator.parameters import F64

I64 = npt.NDArray[np.int64]

MODULES = (__name__,)  # what determines the numbers of a run, with all that it imports
RUNS_AT_A_TIME = 8  # in one job, in worlds of the programme's size: a kill loses no more for each core
SMES_AT_A_TIME = 130_000  # in worlds that are larger, runs of about so many SMEs together
EVERYTHING, CELLS = "everything", "cells"  # what a job keeps of each run: all measures, or those by call and country


@dataclass(frozen=True)
class Case:
    """A scenario as it is run: all that it sets, and what the question adds.

    off: parameters that are held at a value whatever is drawn. budget_scale: multiplies all budgets from the call of
    `scale_from` on. horizon_months, smes, clusters: None for the scenario's and the programme's own.
    """

    name: str
    settings: tuple[Setting, ...]
    scale_from: int
    off: tuple[tuple[str, float], ...] = ()
    budget_scale: float = 1.0
    horizon_months: int | None = None
    smes: int | None = None
    clusters: int | None = None

    @classmethod
    def of(cls, scenario: Scenario, scale_from: int, **more: Any) -> "Case":
        """Return the case of a scenario; `more` are further fields."""
        return cls(scenario.name, scenario.settings, scale_from, **more)

    @property
    def identity(self) -> list[Any]:
        """All of it that has a say in the numbers, as plain values."""
        scale = [self.budget_scale, self.scale_from] if self.budget_scale != 1.0 else []
        world = [self.horizon_months, self.smes, self.clusters]
        return [[list(setting) for setting in self.settings], [list(pair) for pair in self.off], scale, world]

    def inputs(self, values: Mapping[str, float], budget_scale: float | None = None) -> Resolved:
        """Return what a run needs, under the values of a draw; raises InputError."""
        scenario = Scenario(self.name, self.name, self.name, Path(f"{self.name}.toml"), None, self.settings)
        return scenario.resolve(
            {**values, **dict(self.off)},
            budget_scale=self.budget_scale if budget_scale is None else budget_scale,
            scale_from=self.scale_from,
            horizon_months=self.horizon_months,
            smes=self.smes,
            clusters=self.clusters,
        )


@dataclass(frozen=True)
class Draws:
    """Some draws of the parameters: their numbers (draws,) and values (draws, names)."""

    number: I64
    names: tuple[str, ...]
    values: F64

    @classmethod
    def of(cls, columns: Mapping[str, F64], first: int = 0) -> "Draws":
        """Return the draws of which `columns` holds values by name (draws,); `first` is the number of the first."""
        names = tuple(columns)
        values = np.stack([columns[name] for name in names], axis=1) if names else np.empty((1, 0))
        return cls(first + np.arange(len(values)), names, np.ascontiguousarray(values, np.float64))

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, rows: slice | I64) -> "Draws":
        return Draws(self.number[rows], self.names, self.values[rows])

    def of_row(self, row: int) -> dict[str, float]:
        """Return the values of a draw by name."""
        return dict(zip(self.names, self.values[row].tolist(), strict=True))

    def blocks(self, rows: int) -> "list[Draws]":
        """Return the draws cut into blocks of so many, by their numbers: draw 0 begins a block."""
        starts = range(0, len(self), rows)
        return [self[start : start + rows] for start in starts]


def block_rows(inputs: Resolved) -> int:
    """Return how many runs go into one job: fewer in large worlds, so that a kill loses little."""
    smes = int(inputs.world.cluster_members.sum())
    return max(1, min(RUNS_AT_A_TIME, SMES_AT_A_TIME // max(1, smes)))


def run_seed(seed: int, draw: int, run: int) -> int:
    """Return the seed of one run, a pure function of the question's seed, the draw and the number of the run."""
    digest = hashlib.blake2b(f"innovex/{seed}/{draw}/{run}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def observe_run(inputs: Resolved, seed: int, draw: int, run: int) -> Observation:
    """Carry out one run and return its measures, by call."""
    return measure(inputs, run_seed(seed, draw, run))


@dataclass(frozen=True, eq=False)
class Runs:
    """A job: one case under some draws, one run each.

    Its results have one row per draw: `cells` (C, N, measures), and with `keep` EVERYTHING all fields of
    `simulator.observe.Observation`. They are by call, so that questions that count from different calls share them.
    """

    case: Case
    draws: Draws
    run: int
    seed: int
    code: str
    keep: str = EVERYTHING

    @property
    def base(self) -> str:
        """A hash of all that the cells share."""
        return hash_of([self.code, self.case.identity, self.seed, self.keep, self.draws.names])

    @cached_property
    def index(self) -> Columns:
        """Draw, run and key of each cell."""
        number, run = self.draws.number, np.full(len(self.draws), self.run, np.int32)
        return {"draw": number, "run": run, "cell": keys_of(self.base, number, run, self.draws.values)}

    @cached_property
    def address(self) -> str:
        """A hash of all that determines the results."""
        return hash_of(["runs", len(self.draws)], self.index["cell"])

    @property
    def runs(self) -> int:
        """How many runs it stands for."""
        return len(self.draws)

    def only(self, cells: I64) -> "Runs":
        """Return the job for some of its draws, by their places."""
        return replace(self, draws=self.draws[cells])

    def check_code(self) -> None:
        """Raise OtherCode where the code here is not the one that the job was made by."""
        same_code(self.code, MODULES)

    def lost(self, why: str) -> Columns | None:
        """Return nothing: a comparison without some of its runs is none."""
        return None

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Run all draws; None if stopped before the end."""
        observations = []
        for row in range(len(self.draws)):
            if stopped():
                return None
            inputs, draw = self.case.inputs(self.draws.of_row(row)), int(self.draws.number[row])
            observations.append(observe_run(inputs, self.seed, draw, self.run))
        fields = Observation._fields if self.keep == EVERYTHING else (CELLS,)
        return {name: np.stack([getattr(each, name) for each in observations]) for name in fields}


def code_here() -> str:
    """Return the hash of the code that determines the numbers of a run."""
    return code_of(*MODULES)


def by_country(cells: F64, first: int) -> F64:
    """Return measures by country over the counted calls, (..., N, measures), from (..., C, N, measures)."""
    return np.asarray(cells[..., first:, :, :].sum(axis=-3))


def by_call(cells: F64) -> F64:
    """Return measures by call over all countries, (..., C, measures), from (..., C, N, measures)."""
    return np.asarray(cells.sum(axis=-2))


def stacked(parts: Sequence[Columns], name: str) -> F64:
    """Return a result of the same draws in several runs, (draws, runs, ...)."""
    return np.stack([columns[name] for columns in parts], axis=1)
