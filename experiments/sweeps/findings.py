"""What a sweep found: for each contrast and measure its indices, luck, convergence and boxes; regret over options."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.comparison.effects import all_measures
from experiments.exhibits import words
from experiments.sweeps import convergence, indices, noise, regret
from experiments.sweeps.discovery import Discovery, discover
from experiments.sweeps.factors import Factor
from experiments.sweeps.methods import Method, block_rows, in_blocks
from experiments.sweeps.noise import Luck, Range
from experiments.sweeps.others import in_words
from simulator.parameters import F64

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep

# Of these less is better; of all other measures more is.
LESS_IS_BETTER = ("public_cost_eur", "cost_per_contract_eur", "cost_per_partnership_eur", "waiting_months_mean")
FEW_BLOCKS = 6  # below which intervals by drawing them anew are too narrow, whatever is done about it
FEW_FAILURES = 10  # up to which no box is looked for among failed points


@dataclass(frozen=True)
class Effect:
    """What the option changes over the points looked at: their mean, 90% of the points, share above (below) zero.

    `luck` as in `Found`; where it is "unknown", spread and share are NaN.
    """

    mean: Range
    low: float
    high: float
    better: float
    points: int
    luck: str


@dataclass(frozen=True)
class Found:
    """What scenario discovery found of an event: points (rows, factors), those with the event, and the boxes.

    `luck`: "out" where points were sorted by outcomes whose spread holds no luck, "in" with one run a point, "unknown"
    where points are not told apart from luck, "" where it does not matter.
    """

    event_in_words: str
    design: F64
    event: npt.NDArray[np.bool_]
    discovery: Discovery
    factors: tuple[Factor, ...]
    source: str
    luck: str = ""


@dataclass(frozen=True)
class Finding:
    """All that is told of one contrast and measure. `why_not` says why there are no indices where there are none."""

    contrast: str
    measure: str
    label: str
    unit: str
    method: Method
    factors: tuple[Factor, ...]
    design: F64  # of whole blocks
    y: F64  # of whole blocks, (rows, runs)
    blocks: int
    effect: Effect | None
    found: pd.DataFrame
    path: pd.DataFrame
    settled: convergence.Settled | None
    luck: Luck | None
    saving: float
    paired: bool
    boxes: Found | None
    why_not: str = ""
    source: str = ""

    @property
    def whole(self) -> int:
        """Blocks with an outcome in every row and run."""
        return len(self.y) // block_rows(self.method, self.design.shape[1])

    @property
    def trials(self) -> int:
        """What intervals are drawn anew from: whole blocks, or runs of them where all blocks are the same points."""
        return self.whole * (self.y.shape[1] if stands_still(self.method) else 1)

    @property
    def main(self) -> pd.DataFrame:
        """The rows by which factors are ranked, the strongest first: swings by size, shares as they are."""
        rows = convergence.main_rows(self.method, self.found)
        size = rows["value"].abs() if self.method.name == "tornado" else rows["value"]
        return rows.iloc[np.argsort(-size.to_numpy(), kind="stable")]

    def rows(self, index: str) -> pd.DataFrame:
        """The rows of one index by factor, luck out where that was possible; pairs by both factors."""
        rows = self.found[(self.found["index"] == index) & (self.found["factor"] >= 0)]
        rows = rows[rows["luck"] == ("out" if (rows["luck"] == "out").any() else "in")]
        return rows.set_index(["factor", "other"] if index == "S2" else "factor")


@dataclass(frozen=True)
class Turning:
    """Regret over the options of one measure, and where the one of least regret is not the best."""

    measure: str
    label: str
    unit: str
    table: pd.DataFrame
    favourite: str
    boxes: Found
    runs: int


@dataclass(frozen=True)
class Failures:
    """Runs that failed: how many of how many finished, by cause, and where the failed points lie."""

    count: int
    finished: int
    asked: int
    causes: pd.Series
    boxes: Found | None


@dataclass(frozen=True)
class Findings:
    """All that a report tells."""

    sweep: "Sweep"
    each: tuple[Finding, ...]
    turning: tuple[Turning, ...]
    failures: Failures


def findings(sweep: "Sweep") -> Findings:
    """Analyse a sweep, whole or as far as it has come."""
    measures = sweep.experiment.measures
    each = tuple(_finding(sweep, contrast, measure) for contrast in sweep.contrasts for measure in measures)
    return Findings(sweep, each, tuple(_turnings(sweep)), _failures(sweep))


def source_of(sweep: "Sweep") -> str:
    """What a figure rests on."""
    plan, runs = sweep.plan, sweep.experiment.runs
    others = in_words(sweep.experiment.others, sweep.experiment.draws_from)
    rest = "" if plan.work.evaluate else f"; what is not varied is {others}"
    return f"innovex sweep, {plan.rows:,} points × {words.plural(runs, 'run')}{rest}."


def _about(measure: str) -> tuple[str, str]:
    known = all_measures().get(measure)
    return (known.label, known.unit) if known else (measure, "")


def _finding(sweep: "Sweep", contrast: str, measure: str) -> Finding:
    method, seed = sweep.method, sweep.experiment.seed % 2**32
    y = sweep.outcomes(contrast, measure)
    design, whole = indices.kept(method, sweep.unit, y)
    label, unit = _about(measure)
    size = block_rows(method, design.shape[1])
    nothing = pd.DataFrame(columns=indices.COLUMNS)
    found, path, settled, why = nothing, pd.DataFrame(), None, ""
    luck = _luck(method, design, whole, seed)
    if len(whole) < 2 * size:
        why = "fewer than two blocks of rows are finished without a failure, so nothing can be told yet"
    elif method.name in indices.ANALYSES:
        found = indices.analyse(method, design, whole, seed)
        path = convergence.paths(method, design, whole, seed)
        settled = convergence.settled(method, path, sweep.experiment.tolerance)
        if convergence.main_rows(method, found)["value"].isna().all():
            why = "nothing is seen to vary beyond luck, so there is nothing to share out between the factors"
    return Finding(
        contrast, measure, label, unit, method, sweep.factors, design, whole,
        sweep.plan.rows // size,
        _effect(method, design, whole, measure, luck, seed) if len(whole) >= 2 * size else None,
        found, path, settled, luck, *_saving(sweep, contrast, measure),
        _boxes(sweep, contrast, measure, design, whole, luck), why, source_of(sweep),
    )  # fmt: skip


def spread_rows(method: Method) -> tuple[int, ...]:
    """The rows of a block that are independent points of the space of factors."""
    return (0, -1) if method.name == "sobol" else (0,)


def stands_still(method: Method) -> bool:
    """Whether all blocks are the same points, so that each run of each is a trial of its own."""
    return method.name == "tornado" and bool(method["around"] == "centre")


def rows_anywhere(method: Method, factors: int) -> tuple[int, ...]:
    """The rows of a block that are, each by itself, points anywhere in the space, whether independent or not.

    In a trajectory (Morris) and around a start (DGSM) all of them are, but for the step at the edge.
    """
    return tuple(range(block_rows(method, factors))) if method.name in ("morris", "dgsm") else spread_rows(method)


def _effect(method: Method, design: F64, y: F64, measure: str, luck: Luck | None, seed: int) -> Effect:
    """Over points spread over the space; of a tornado around the centre, over the luck of the centre alone."""
    d = design.shape[1]
    blocks = in_blocks(method, d, y)[:, list(rows_anywhere(method, d)), :]
    held = luck_held(luck, len(blocks), y.shape[1])
    points = noise.without_luck(blocks, luck)
    blocks = np.moveaxis(blocks, 2, 1).reshape(-1, blocks.shape[1]) if stands_still(method) else blocks.mean(axis=2)
    mean = noise.bootstrap(blocks.mean(axis=1, keepdims=True), lambda each: each, seed)
    low, high = np.quantile(points, ((1 - noise.INTERVAL) / 2, (1 + noise.INTERVAL) / 2))
    better = float((points < 0.0 if measure in LESS_IS_BETTER else points > 0.0).mean())
    told = (float(low), float(high), better) if held != "unknown" else (np.nan,) * 3
    return Effect(Range(*(each[0] for each in mean)), *told, blocks.size, held)


def luck_held(luck: Luck | None, blocks: int, runs: int) -> str:
    """Whether shares of points hold luck: "in", "out", or "unknown" where points are not told apart from it."""
    if runs < 2 or luck is None:
        return "in"
    varies = math.isfinite(luck.share)
    return "unknown" if varies and (blocks < FEW_BLOCKS or not luck.beyond_luck) else "out"


def _luck(method: Method, design: F64, y: F64, seed: int) -> Luck | None:
    """How much is luck; None where single points or single runs cannot tell."""
    d = design.shape[1]
    if y.shape[1] < 2 or stands_still(method) or len(y) < 2 * block_rows(method, d):
        return None
    return noise.separated(in_blocks(method, d, y), rows_anywhere(method, d), seed)


def _saving(sweep: "Sweep", contrast: str, measure: str) -> tuple[float, bool]:
    """What pairing saves, and whether anything is paired in this contrast."""
    base, option = next((base, option) for label, base, option in sweep.plan.pairs if label == contrast)
    if base is None:
        return float("nan"), False
    arms = [sweep.values(sweep.cases[place], measure) for place in (base, option)]
    whole = np.isfinite(arms[0]).all(axis=1) & np.isfinite(arms[1]).all(axis=1)
    return (noise.pairing(arms[0][whole], arms[1][whole]), True) if whole.any() else (float("nan"), True)


def _boxes(sweep: "Sweep", contrast: str, measure: str, design: F64, y: F64, luck: Luck | None) -> Found | None:
    """Where the option is worse than the base, or better where it mostly is worse; without a base: than nothing."""
    if sweep.method.name != "discovery":
        return None
    effect, held = noise.without_luck(y, luck), luck_held(luck, len(y), y.shape[1])
    above = bool(len(effect)) and float((effect < 0.0).mean()) > 0.5
    base = next(base for label, base, _ in sweep.plan.pairs if label == contrast)
    how = "more" if above else "fewer" if _counted(measure) else "less"
    told = f"{contrast} has {how} {_short(measure)} than {sweep.cases[base] if base is not None else 'nothing'}"
    return _sorted(sweep, told, design, effect > 0.0 if above else effect < 0.0, held)


def _sorted(sweep: "Sweep", told: str, design: F64, event: npt.NDArray[np.bool_], held: str) -> Found:
    """The boxes of an event that outcomes tell, which luck may blur: none where points are not told apart from it."""
    if held != "unknown":
        return replace(_found(sweep, told, design, event), luck=held)
    nothing = Discovery((), math.nan, len(event), "worlds are not told apart from luck")
    return Found(told, design, event, nothing, sweep.factors, source_of(sweep), held)


def _counted(measure: str) -> bool:
    return not _about(measure)[1].startswith(("EUR", "share", "0-1", "month"))


def _short(measure: str) -> str:
    """A measure's label without what explains it."""
    label = _about(measure)[0].split(":")[0]
    return label[:1].lower() + label[1:]


def _found(sweep: "Sweep", told: str, design: F64, event: npt.NDArray[np.bool_], most: int = 2) -> Found:
    choices = [len(factor.choices) for factor in sweep.factors]
    discovery = discover(design, event, sweep.experiment.seed % 2**32, most, choices)
    return Found(told, design, event, discovery, sweep.factors, source_of(sweep))


def _turnings(sweep: "Sweep") -> list[Turning]:
    """Regret over all cases, where there are options to choose from that the factors do not change themselves."""
    enough = 2 if sweep.method.name == "discovery" else 3
    if len(sweep.cases) < enough or any(factor.lever for factor in sweep.factors):
        return []
    return [_turning(sweep, measure) for measure in sweep.experiment.measures]


def options_of(sweep: "Sweep") -> list[str]:
    """What each case is called: as the contrast in which it is the option, else by its scenario."""
    called = {option: label for label, _, option in sweep.plan.pairs}
    return [called.get(place, case) for place, case in enumerate(sweep.cases)]


def _turning(sweep: "Sweep", measure: str) -> Turning:
    outcomes = [sweep.values(case, measure) for case in sweep.cases]
    higher = measure not in LESS_IS_BETTER
    rows = block_rows(sweep.method, len(sweep.factors))
    spread = np.zeros(rows, dtype=bool)
    spread[list(spread_rows(sweep.method))] = True
    chosen = np.flatnonzero(np.resize(spread, len(sweep.unit)))
    names = options_of(sweep)
    table = regret.table(names, [y[chosen] for y in outcomes], higher, sweep.experiment.seed % 2**32)
    favourite = str(table["option"].iloc[0])
    label, unit = _about(measure)
    alike = [names.index(option) for option in table["option"][~(table["behind_low"] > 0.0)]]
    boxes = _turned(sweep, outcomes, chosen, names.index(favourite), alike, higher)
    return Turning(measure, label, unit, table, favourite, boxes, sweep.experiment.runs)


def _turned(
    sweep: "Sweep", outcomes: Sequence[F64], rows: np.ndarray, favourite: int, alike: Sequence[int], higher: bool
) -> Found:
    """Where another option is better than the one of least regret, luck taken out of each difference.

    That is unknown if one that is not told apart from it (`alike`) differs from it by no more than luck everywhere.
    """
    y = np.stack([each[rows] for each in outcomes]) * (1.0 if higher else -1.0)
    usable = np.isfinite(y).all(axis=(0, 2))
    worlds, runs, seed = int(usable.sum()), y.shape[2], sweep.experiment.seed % 2**32
    more = (y - y[favourite])[:, usable]
    lucks = [noise.separated(each[:, None, :], seed=seed) if min(runs, worlds) > 1 else None for each in more]
    beaten = np.any([noise.without_luck(each, luck) > 0.0 for each, luck in zip(more, lucks)], axis=0)
    held = {luck_held(lucks[place], worlds, runs) for place in alike if place != favourite}
    told = f"another option is better than {options_of(sweep)[favourite]}"
    found = sweep.unit[rows][usable], beaten
    if sweep.method.name == "discovery":
        return _sorted(sweep, told, *found, "unknown" if "unknown" in held else "out" if runs > 1 else "in")
    share = float(beaten.mean()) if worlds else float("nan")
    nothing = Discovery((), share, worlds, "boxes are looked for by the method discovery alone")
    return Found(told, *found, nothing, sweep.factors, source_of(sweep), "out" if runs > 1 else "in")


def _failures(sweep: "Sweep") -> Failures:
    """How many runs failed, of what, and in which corner of the space."""
    failed, tried = sweep.failures, sweep.finished
    where = None
    if len(failed) > FEW_FAILURES:
        rows = np.flatnonzero(tried.any(axis=1))
        event = np.isin(rows, failed["row"].to_numpy())
        where = _found(sweep, "a run fails", sweep.unit[rows], event, most=1)
    return Failures(len(failed), int(tried.sum()), sweep.plan.cells, failed["failure"].value_counts(), where)
