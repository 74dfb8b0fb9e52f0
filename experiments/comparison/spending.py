"""Equal spending: each scenario's budgets scaled, draw by draw, until it spends what the base spends."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.runs.cells import Case, Draws, by_country, observe_run
from experiments.runs.jobs import hash_of, keys_of, same_code
from simulator.jobs import Columns, Stopped, code_of
from simulator.observe import COLUMN
from simulator.parameters import F64

I64 = npt.NDArray[np.int64]

MODULES = (__name__,)
TOLERANCE = 0.01  # of mean spending over seeds
SMALLEST, LARGEST = 1 / 16, 16.0
ROUNDS = 7
DRAWS_AT_A_TIME = 2  # in one job: each takes two or three rounds of all seeds


@dataclass(frozen=True, eq=False)
class Search:
    """A job: the budget scale at which a case spends what the base spends, for some draws, each in all its runs.

    target: the base's mean spending over runs, EUR (draws,); start: the case's own. Results have one row per draw:
    `scale`, the relative `gap` that is left, `unscaled` (1 where the case's own runs, at scale 1, are within the
    tolerance, so that nothing was run), and `by_country` (runs, N, measures), the runs at the scale.
    """

    case: Case
    draws: Draws
    runs_each: int
    seed: int
    first: int
    target: F64
    start: F64
    code: str

    @property
    def base(self) -> str:
        """A hash of all that the cells share."""
        case = [self.case.identity, self.case.scale_from]
        return hash_of([self.code, "spending", case, self.runs_each, self.seed, self.first, self.draws.names])

    @cached_property
    def index(self) -> Columns:
        """Draw and key of each cell."""
        number, money = self.draws.number, np.stack([self.target, self.start], axis=1)
        return {"draw": number, "cell": keys_of(self.base, number, self.draws.values, money)}

    @cached_property
    def address(self) -> str:
        """A hash of all that determines the results."""
        return hash_of(["spending", len(self.draws)], self.index["cell"])

    @property
    def runs(self) -> int:
        """As many runs as the search can need; most draws need two or three of the rounds."""
        return len(self.draws) * self.runs_each * ROUNDS

    def only(self, cells: I64) -> "Search":
        """Return the job for some of its draws, by their places."""
        return replace(self, draws=self.draws[cells], target=self.target[cells], start=self.start[cells])

    def check_code(self) -> None:
        """Raise OtherCode where the code here is not the one that the job was made by."""
        same_code(self.code, MODULES)

    def lost(self, why: str) -> Columns | None:
        """Return nothing: a comparison without some of its runs is none."""
        return None

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Search the scale of each draw; None if stopped before the end."""
        results = []
        for row in range(len(self.draws)):
            result = self._draw(row, stopped)
            if result is None:
                return None
            results.append(result)
        nothing = np.zeros((self.runs_each, len(self.case.inputs(self.draws.of_row(0)).country_codes), len(COLUMN)))
        return {
            "scale": np.array([result.scale for result in results]),
            "gap": np.array([result.gap for result in results]),
            "unscaled": np.array([result.by_country is None for result in results], np.int32),
            "by_country": np.stack([nothing if each.by_country is None else each.by_country for each in results]),
        }

    def _draw(self, row: int, stopped: Stopped) -> "_Result | None":
        """Search by regula falsi in the logarithm of the scale, within 1/16 to 16.

        Spending is lumpy and saturates, so a gap that stays above the tolerance is a finding and not an error.
        """
        target, spent = float(self.target[row]), float(self.start[row])
        best = _Result(1.0, abs(spent / target - 1.0), None)
        if best.gap <= TOLERANCE:
            return best
        bracket, scale = _Bracket(float(np.log(SMALLEST)), float(np.log(LARGEST))), 0.0
        for _ in range(ROUNDS):
            scale = bracket.next_scale(scale, spent / target)
            measures = self._runs(row, float(np.exp(scale)), stopped)
            if measures is None:
                return None
            spent = float(spent_eur(measures))
            gap = abs(spent / target - 1.0)
            if gap <= best.gap or best.by_country is None:
                best = _Result(float(np.exp(scale)), gap, measures)
            if best.gap <= TOLERANCE:
                break
        return best

    def _runs(self, row: int, scale: float, stopped: Stopped) -> F64 | None:
        """Return measures by country of all runs of a draw at a scale, (runs, N, measures)."""
        inputs = self.case.inputs(self.draws.of_row(row), scale)
        draw, measures = int(self.draws.number[row]), []
        for run in range(self.runs_each):
            if stopped():
                return None
            measures.append(by_country(observe_run(inputs, self.seed, draw, run).cells, self.first))
        return np.stack(measures)


class _Result(NamedTuple):
    """A scale that was tried, how far its spending is off, and its runs (None: the case's own, at scale 1)."""

    scale: float
    gap: float
    by_country: F64 | None


@dataclass
class _Bracket:
    """The logarithms of the scales between which the one that is sought lies."""

    low: float
    high: float

    def next_scale(self, scale: float, ratio: float) -> float:
        """Return the next scale to try (log): a step by the ratio spent, kept within the bracket, else its middle."""
        if ratio < 1.0:
            self.low = max(self.low, scale)
        else:
            self.high = min(self.high, scale)
        step = scale - float(np.log(max(ratio, 1e-3)))
        return step if self.low < step < self.high else 0.5 * (self.low + self.high)


def code_here() -> str:
    """Return the hash of the code that determines what a search finds."""
    return code_of(*MODULES)


def spent_eur(by_country: F64) -> F64:
    """Return mean spending over runs in the counted calls, EUR (...), from (..., runs, N, measures)."""
    return np.asarray(by_country[..., COLUMN["spent_eur"]].sum(axis=-1).mean(axis=-1))
