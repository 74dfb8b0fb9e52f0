"""The findings of a sweep: by contrast and measure, indices, luck, convergence and boxes; regret of options."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.exhibits import words
from experiments.runs.measures import INTERVAL, all_measures
from experiments.sweeps import convergence, indices, noise, regret
from experiments.sweeps.discovery import Discovery, discover
from experiments.sweeps.factors import Factor
from experiments.sweeps.methods import Method, block_rows, in_blocks
from experiments.sweeps.noise import Luck, Range
from simulator.parameters import F64

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep

FEW_BLOCKS = 6  # below which intervals by drawing them anew are too narrow, whatever is done about it
FEW_FAILURES = 10  # up to which no box is looked for among failed points


@dataclass(frozen=True)
class Effect:
    """What the option changes over the points of a sweep.

    Attributes
    ----------
    mean : Range
        Mean over points, with its 90% interval.
    low, high : float
        Where 90% of the points lie; NaN if `luck` is unknown.
    better : float
        Share of points in which the option is better than the base; NaN if `luck` is unknown, or if neither more nor
        less of the measure is better.
    points : int
        Number of points.
    luck : str
        As of an `Event`.
    """

    mean: Range
    low: float
    high: float
    better: float
    points: int
    luck: str


@dataclass(frozen=True)
class Event:
    """Something that happens in some worlds, and the boxes in which it does.

    Attributes
    ----------
    in_words : str
        What happens.
    design : ndarray of float64
        The worlds, (rows, factors), between 0 and 1.
    happens : ndarray of bool
        In which of them it does, (rows,).
    discovery : Discovery
        The boxes.
    factors : tuple of Factor
        In the order of the design's columns.
    source : str
        What a figure rests on.
    luck : str
        "out" if worlds were sorted by outcomes whose spread holds no luck, "in" with one run a world, "unknown" if
        worlds are not told apart from luck, "" if luck does not matter.
    """

    in_words: str
    design: F64
    happens: npt.NDArray[np.bool_]
    discovery: Discovery
    factors: tuple[Factor, ...]
    source: str
    luck: str = ""


@dataclass(frozen=True)
class Finding:
    """The finding on one contrast and measure.

    Attributes
    ----------
    contrast, base : str
        Label of the contrast; the scenario that the option is compared with, "" if there is none.
    measure, label, unit : str
        Name of the measure; the same in words; its unit.
    method : Method
        By which method.
    factors : tuple of Factor
        What was varied.
    design, y : ndarray of float64
        The points, (rows, factors), and outcomes, (rows, runs), of whole blocks.
    blocks : int
        Blocks of the sweep, whole or not.
    effect : Effect or None
        None if fewer than two blocks are whole.
    indices : DataFrame
        Columns as of `indices.analyse`; empty if there are none.
    path : DataFrame
        The main index at growing numbers of blocks.
    settled : Settled or None
        Whether it is settled.
    luck : Luck or None
        None if single points or single runs cannot tell.
    saving : float
        How many times as many runs it would take without pairing.
    paired : bool
        Whether option and base are paired.
    boxes : Event or None
        By scenario discovery: where the option is worse (or better) than the base.
    why_not : str
        Why there are no indices; "" if there are.
    source : str
        What a figure rests on.
    """

    contrast: str
    base: str
    measure: str
    label: str
    unit: str
    method: Method
    factors: tuple[Factor, ...]
    design: F64
    y: F64
    blocks: int
    effect: Effect | None
    indices: pd.DataFrame
    path: pd.DataFrame
    settled: convergence.Settled | None
    luck: Luck | None
    saving: float
    paired: bool
    boxes: Event | None
    why_not: str = ""
    source: str = ""

    @property
    def whole(self) -> int:
        """The number of blocks with an outcome in every row and run."""
        return len(self.y) // block_rows(self.method, self.design.shape[1])

    @property
    def trials(self) -> int:
        """The number of trials behind intervals: whole blocks, or runs of them where all blocks are the same points."""
        return self.whole * (self.y.shape[1] if stands_still(self.method) else 1)

    @property
    def main(self) -> pd.DataFrame:
        """The rows by which factors are ranked, the strongest first: swings by size, shares as they are."""
        rows = convergence.main_rows(self.method, self.indices)
        size = rows["value"].abs() if self.method.name == "tornado" else rows["value"]
        return rows.iloc[np.argsort(-size.to_numpy(), kind="stable")]

    @property
    def order(self) -> list[int]:
        """The places of the factors, the strongest first."""
        return [int(place) for place in self.main["factor"]]

    @property
    def chance(self) -> pd.DataFrame:
        """The rows of a factor that does nothing, where the method knows what chance alone gives."""
        return self.indices[self.indices["factor"] < 0]

    def rows(self, index: str) -> pd.DataFrame:
        """Return the rows of one index by factor (pairs by both), luck taken out where that was possible."""
        rows = self.indices[(self.indices["index"] == index) & (self.indices["factor"] >= 0)]
        rows = rows[rows["luck"] == ("out" if (rows["luck"] == "out").any() else "in")]
        return rows.set_index(["factor", "other"] if index == "S2" else "factor")


@dataclass(frozen=True)
class Turning:
    """Regret of the options by one measure.

    Attributes
    ----------
    measure, label, unit : str
        Name of the measure; the same in words; its unit.
    table : DataFrame
        A row for each option, the one of least regret first: see `regret.table`.
    favourite : str
        The option of least regret.
    boxes : Event
        Where another option is better than the favourite.
    runs : int
        Runs a world.
    """

    measure: str
    label: str
    unit: str
    table: pd.DataFrame
    favourite: str
    boxes: Event
    runs: int


@dataclass(frozen=True)
class Failures:
    """Failed runs: their number, runs finished and to be run, causes with counts, and where failed points lie."""

    count: int
    finished: int
    planned: int
    causes: pd.Series
    boxes: Event | None


@dataclass(frozen=True)
class Findings:
    """All that a report on a sweep shows: a finding for each contrast and measure, regret, failures."""

    sweep: "Sweep"
    each: tuple[Finding, ...]
    turning: tuple[Turning, ...]
    failures: Failures


def findings(sweep: "Sweep") -> Findings:
    """Analyse a sweep, whole or as far as it has come.

    Parameters
    ----------
    sweep : Sweep
        The sweep in its folder.
    """
    measures = sweep.experiment.measures
    each = tuple(_finding(sweep, contrast, measure) for contrast in sweep.contrasts for measure in measures)
    return Findings(sweep, each, tuple(_turnings(sweep)), _failures(sweep))


def source_of(sweep: "Sweep") -> str:
    """Return what a figure rests on."""
    plan, runs = sweep.plan, sweep.experiment.runs
    others = sweep.experiment.others_in_words
    rest = "" if plan.work.evaluate else f"; what is not varied is {others}"
    return f"innovex sweep, {plan.rows:,} points × {words.plural(runs, 'run')}{rest}."


def _about(measure: str) -> tuple[str, str]:
    """Return the label and unit of a measure; of a measure of a user's own function, its name."""
    known = all_measures().get(measure)
    return (known.label, known.unit) if known else (measure, "")


def _better(measure: str) -> int:
    """Return 1 if more of a measure is better, -1 if less is, 0 if neither; of a user's own function, 1."""
    known = all_measures().get(measure)
    return known.better if known else 1


def _finding(sweep: "Sweep", contrast: str, measure: str) -> Finding:
    method, seed = sweep.method, sweep.experiment.seed % 2**32
    y = sweep.outcomes(contrast, measure)
    design, whole = indices.whole_only(method, sweep.unit, y)
    label, unit = _about(measure)
    size = block_rows(method, design.shape[1])
    enough = len(whole) >= 2 * size
    values, path, settled, why = pd.DataFrame(columns=indices.COLUMNS), pd.DataFrame(), None, ""
    luck = _luck(method, design, whole, seed)
    if not enough:
        why = "fewer than two blocks of rows are finished without a failure, so nothing can be told yet"
    elif method.name in indices.ANALYSES:
        values = indices.analyse(method, design, whole, seed)
        path = convergence.paths(method, design, whole, seed)
        settled = convergence.settled(path, sweep.experiment.tolerance)
        if convergence.main_rows(method, values)["value"].isna().all():
            why = "nothing is seen to vary beyond luck, so there is nothing to share out between the factors"
    saving, paired = _saving(sweep, contrast, measure)
    return Finding(
        contrast=contrast,
        base=_base(sweep, contrast) or "",
        measure=measure,
        label=label,
        unit=unit,
        method=method,
        factors=sweep.factors,
        design=design,
        y=whole,
        blocks=sweep.plan.rows // size,
        effect=_effect(method, design, whole, measure, luck, seed) if enough else None,
        indices=values,
        path=path,
        settled=settled,
        luck=luck,
        saving=saving,
        paired=paired,
        boxes=_boxes(sweep, contrast, measure, design, whole, luck),
        why_not=why,
        source=source_of(sweep),
    )


def _base(sweep: "Sweep", contrast: str) -> str | None:
    """Return the scenario that the option of a contrast is compared with; None if there is none."""
    base = next(base for label, base, _ in sweep.plan.pairs if label == contrast)
    return None if base is None else sweep.cases[base]


def spread_rows(method: Method) -> tuple[int, ...]:
    """Return the rows of a block that are independent points of the space of factors."""
    return (0, -1) if method.name == "sobol" else (0,)


def stands_still(method: Method) -> bool:
    """Return whether all blocks are the same points, so that each run of a block is a trial of its own."""
    return method.name == "tornado" and bool(method["around"] == "centre")


def rows_anywhere(method: Method, factors: int) -> tuple[int, ...]:
    """Return the rows of a block that are points anywhere in the space, whether independent of one another or not.

    In a trajectory (Morris) and around a start (DGSM) all of them are, but for the step at the edge.
    """
    return tuple(range(block_rows(method, factors))) if method.name in ("morris", "dgsm") else spread_rows(method)


def _effect(method: Method, design: F64, y: F64, measure: str, luck: Luck | None, seed: int) -> Effect:
    """Return the effect over points all over the space; of a tornado around the centre, over the luck of the centre."""
    d = design.shape[1]
    blocks = in_blocks(method, d, y)[:, list(rows_anywhere(method, d)), :]
    luck_in = luck_in_shares(luck, len(blocks), y.shape[1])
    points = noise.without_luck(blocks, luck)
    blocks = np.moveaxis(blocks, 2, 1).reshape(-1, blocks.shape[1]) if stands_still(method) else blocks.mean(axis=2)
    mean = noise.bootstrap(blocks.mean(axis=1, keepdims=True), lambda x: x, seed)
    low, high = np.quantile(points, ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2))
    way = _better(measure)
    better = float((way * points > 0.0).mean()) if way else np.nan
    spread = (float(low), float(high), better) if luck_in != "unknown" else (np.nan,) * 3
    return Effect(Range(*(end[0] for end in mean)), *spread, blocks.size, luck_in)


def luck_in_shares(luck: Luck | None, blocks: int, runs: int) -> str:
    """Return whether shares of points hold luck: "in", "out", or "unknown" if points are not told apart from it."""
    if runs < 2 or luck is None:
        return "in"
    varies = math.isfinite(luck.share)
    return "unknown" if varies and (blocks < FEW_BLOCKS or not luck.beyond_luck) else "out"


def _luck(method: Method, design: F64, y: F64, seed: int) -> Luck | None:
    """Return how much is luck; None if single points or single runs cannot tell."""
    d = design.shape[1]
    if y.shape[1] < 2 or stands_still(method) or len(y) < 2 * block_rows(method, d):
        return None
    return noise.separated(in_blocks(method, d, y), rows_anywhere(method, d), seed)


def _saving(sweep: "Sweep", contrast: str, measure: str) -> tuple[float, bool]:
    """Return what pairing saves, and whether anything is paired in this contrast."""
    base, option = next((base, option) for label, base, option in sweep.plan.pairs if label == contrast)
    if base is None:
        return float("nan"), False
    arms = [sweep.values(sweep.cases[place], measure) for place in (base, option)]
    whole = np.isfinite(arms[0]).all(axis=1) & np.isfinite(arms[1]).all(axis=1)
    return (noise.pairing(arms[0][whole], arms[1][whole]), True) if whole.any() else (float("nan"), True)


def _boxes(sweep: "Sweep", contrast: str, measure: str, design: F64, y: F64, luck: Luck | None) -> Event | None:
    """Return where the option is worse than the base, or better if it mostly is worse; without a base: than nothing."""
    if sweep.method.name != "discovery":
        return None
    effect = noise.without_luck(y, luck)
    above = bool(len(effect)) and float((effect < 0.0).mean()) > 0.5
    how = "more" if above else "fewer" if _counted(measure) else "less"
    what = f"{contrast} has {how} {_short(measure)} than {_base(sweep, contrast) or 'nothing'}"
    happens = effect > 0.0 if above else effect < 0.0
    return _event_of_outcomes(sweep, what, design, happens, luck_in_shares(luck, len(y), y.shape[1]))


def _event_of_outcomes(
    sweep: "Sweep", what: str, design: F64, happens: npt.NDArray[np.bool_], luck: str
) -> Event:  # fmt: skip
    """Return an event that outcomes define, which luck may blur: without boxes if worlds are not told apart from it."""
    if luck != "unknown":
        return replace(_event(sweep, what, design, happens), luck=luck)
    nothing = Discovery((), math.nan, len(happens), "worlds are not told apart from luck")
    return Event(what, design, happens, nothing, sweep.factors, source_of(sweep), luck)


def _counted(measure: str) -> bool:
    return not _about(measure)[1].startswith(("EUR", "share", "0-1", "month"))


def _short(measure: str) -> str:
    """Return the label of a measure without what explains it."""
    label = _about(measure)[0].split(":")[0]
    return label[:1].lower() + label[1:]


def _event(sweep: "Sweep", what: str, design: F64, happens: npt.NDArray[np.bool_], most: int = 2) -> Event:
    """Return an event with its boxes, `most` of them at most."""
    choices = [len(factor.choices) for factor in sweep.factors]
    discovery = discover(design, happens, sweep.experiment.seed % 2**32, most, choices)
    return Event(what, design, happens, discovery, sweep.factors, source_of(sweep))


def _turnings(sweep: "Sweep") -> list[Turning]:
    """Return the regret of all cases, if there are options to choose from that the factors do not change themselves."""
    enough = 2 if sweep.method.name == "discovery" else 3
    if len(sweep.cases) < enough or any(factor.lever for factor in sweep.factors):
        return []
    return [_turning(sweep, measure) for measure in sweep.experiment.measures if _better(measure)]


def options_of(sweep: "Sweep") -> list[str]:
    """Return the name of each case: of the contrast in which it is the option, else of its scenario."""
    called = {option: label for label, _, option in sweep.plan.pairs}
    return [called.get(place, case) for place, case in enumerate(sweep.cases)]


def _turning(sweep: "Sweep", measure: str) -> Turning:
    outcomes = [sweep.values(case, measure) for case in sweep.cases]
    higher = _better(measure) > 0
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
    sweep: "Sweep",
    outcomes: Sequence[F64],
    rows: npt.NDArray[np.int64],
    favourite: int,
    alike: Sequence[int],
    higher: bool,
) -> Event:
    """Return where another option is better than the one of least regret, luck taken out of each difference.

    That is unknown if an option that is not told apart from it (`alike`) differs from it by no more than luck.
    """
    y = np.stack([values[rows] for values in outcomes]) * (1.0 if higher else -1.0)
    usable = np.isfinite(y).all(axis=(0, 2))
    worlds, runs, seed = int(usable.sum()), y.shape[2], sweep.experiment.seed % 2**32
    more = (y - y[favourite])[:, usable]
    lucks = [noise.separated(gain[:, None, :], seed=seed) if min(runs, worlds) > 1 else None for gain in more]
    beaten = np.any([noise.without_luck(gain, luck) > 0.0 for gain, luck in zip(more, lucks)], axis=0)
    unknown = "unknown" in {luck_in_shares(lucks[place], worlds, runs) for place in alike if place != favourite}
    luck_in = "out" if runs > 1 else "in"
    what = f"another option is better than {options_of(sweep)[favourite]}"
    design = sweep.unit[rows][usable]
    if sweep.method.name == "discovery":
        return _event_of_outcomes(sweep, what, design, beaten, "unknown" if unknown else luck_in)
    share = float(beaten.mean()) if worlds else float("nan")
    nothing = Discovery((), share, worlds, "boxes are looked for by the method discovery alone")
    return Event(what, design, beaten, nothing, sweep.factors, source_of(sweep), luck_in)


def _failures(sweep: "Sweep") -> Failures:
    """Return how many runs failed, of what, and in which corner of the space."""
    failed, tried = sweep.failures, sweep.finished
    where = None
    if len(failed) > FEW_FAILURES:
        rows = np.flatnonzero(tried.any(axis=1))
        where = _event(sweep, "a run fails", sweep.unit[rows], np.isin(rows, failed["row"].to_numpy()), most=1)
    return Failures(len(failed), int(tried.sum()), sweep.plan.cells, failed["failure"].value_counts(), where)
