"""Scenario discovery: find boxes in the space of factors in which something happens.

A box has bounds on few factors. Its *coverage* is the share of all worlds with the event that lie in it. Its
*density* is the share of its worlds that have the event (Bryant & Lempert 2010). Candidates are the nodes of
classification trees (Breiman et al. 1984; trees beside PRIM in Lempert, Bryant & Bankes 2008). The search takes the
best by coverage and density and drops bounds that chance could give. It is repeated on folds: this shows whether a
box that some worlds suggest holds in others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from experiments.sweeps.noise import STANDARD
from simulator.parameters import F64

MOST_BOUNDS = 3  # factors in a box: more do not fit into a sentence
LEAST_DENSITY = 0.5  # in a box the event is the rule
CHANCE = 0.05  # what a bound may owe to chance (the quasi-p-value of Bryant & Lempert 2010)
FOLDS = 5
LEAST_EVENTS = 10  # worlds with (and without) the event below which no box is looked for
LEAVES = (0.02, 0.05, 0.1)  # smallest shares of worlds in a leaf that are tried
PRICE = 0.03  # of a further bound, in units of the score

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A box.

    Attributes
    ----------
    bounds : dict of int to tuple of float
        By place of the factor: low and high end, between 0 and 1.
    coverage, density : float
        How it does in all worlds.
    worlds : int
        How many worlds lie inside.
    held_out : Check or None
        How such boxes do in worlds that were held out when they were drawn.
    """

    bounds: dict[int, tuple[float, float]]
    coverage: float = float("nan")
    density: float = float("nan")
    worlds: int = 0
    held_out: "Check | None" = field(default=None, compare=False)

    def holds(self, design: F64) -> Mask:
        """Return which points lie inside, (rows,)."""
        inside = np.ones(len(design), dtype=bool)
        for place, (low, high) in self.bounds.items():
            inside &= (design[:, place] >= low) & (design[:, place] <= high)
        return inside


@dataclass(frozen=True)
class Check:
    """How boxes drawn on some folds do on the others.

    Attributes
    ----------
    coverage, density : float
        Over all worlds that were held out.
    low : float
        Lower end of the density's 90% interval.
    found_in : int
        Number of folds in which there was a box.
    """

    coverage: float
    density: float
    low: float
    found_in: int


@dataclass(frozen=True)
class Discovery:
    """The boxes of an event in order, the share of worlds with it, the number of worlds, and why there is no box."""

    boxes: tuple[Box, ...]
    share: float
    worlds: int
    why_none: str = ""


def discover(design: F64, event: Mask, seed: int = 0, most: int = 2, choices: Sequence[int] = ()) -> Discovery:
    """Look for boxes that hold an event, each among the worlds that the boxes before it left over.

    Parameters
    ----------
    design : ndarray of float64
        The worlds, (rows, factors), between 0 and 1.
    event : ndarray of bool
        Which of them have the event, (rows,).
    seed : int, optional
        Seed of trees and folds.
    most : int, optional
        Number of boxes at most.
    choices : sequence of int, optional
        For each factor the number of its choices, 0 for a number; bounds fall between choices.
    """
    design, event = on_choices(design, choices), np.asarray(event, dtype=bool)
    share, worlds = float(event.mean()) if len(event) else float("nan"), len(event)
    if min(event.sum(), (~event).sum()) < LEAST_EVENTS:
        return Discovery((), share, worlds, _too_few(event))
    boxes: list[Box] = []
    left, why = np.ones(worlds, dtype=bool), ""
    while len(boxes) < most and event[left].sum() >= LEAST_EVENTS:
        box = best_box(design[left], event[left], seed)
        if box is None or box.density < LEAST_DENSITY:
            why = _not_dense(box, share)
            break
        checked = check(design[left], event[left], seed)
        if checked.low <= event[left].mean() or checked.density < LEAST_DENSITY:
            why = "a box can be drawn, but it does not hold in worlds that were kept out when it was drawn"
            break
        boxes.append(_measured(box, design, event, checked))
        left &= ~box.holds(design)
    return Discovery(tuple(boxes), share, worlds, "" if boxes else why)


def on_choices(design: F64, choices: Sequence[int]) -> F64:
    """Return the design with choices moved to the middles of their shares of [0, 1]."""
    moved = design.copy()
    for place, count in enumerate(choices):
        if count:
            moved[:, place] = (np.minimum(np.floor(design[:, place] * count), count - 1) + 0.5) / count
    return moved


def _too_few(event: Mask) -> str:
    if not event.any():
        return "it never happens"
    if event.all():
        return "it happens everywhere"
    rare, what = (event.sum(), "happens") if event.sum() < (~event).sum() else ((~event).sum(), "does not happen")
    return f"it {what} in {rare} of {len(event):,} worlds, too few to draw a box from"


def _not_dense(box: Box | None, share: float) -> str:
    if box is None:
        return "no bound on any factor makes it more likely than elsewhere"
    return (
        f"no box was found in which it is the rule: it happens in {share:.0%} of all worlds, and still only in "
        f"{box.density:.0%} of those of the best box"
    )


def _measured(box: Box, design: F64, event: Mask, checked: "Check | None") -> Box:
    inside = box.holds(design)
    hit = float((inside & event).sum())
    return Box(box.bounds, hit / max(1.0, event.sum()), hit / max(1.0, inside.sum()), int(inside.sum()), checked)


def best_box(design: F64, event: Mask, seed: int = 0) -> Box | None:
    """Return the box with the best harmonic mean of coverage and density, less a price for each bound; None if none."""
    best, best_score = None, 0.0
    for bounds in _candidates(design, event, seed):
        box = _measured(Box(bounds), design, event, None)
        if box.density <= event.mean() or not box.bounds:
            continue
        box = _pruned(box, design, event)
        score = 2 * box.coverage * box.density / (box.coverage + box.density) - PRICE * len(box.bounds)
        if box.density < LEAST_DENSITY:
            score -= 1.0  # only where there is no other
        if best is None or score > best_score:
            best, best_score = box, score
    return best if best is not None and best.bounds else None


def _candidates(design: F64, event: Mask, seed: int) -> list[dict[int, tuple[float, float]]]:
    """Return the bounds of all nodes of some trees, each once."""
    from sklearn.tree import DecisionTreeClassifier

    candidates: dict[tuple[tuple[int, tuple[float, float]], ...], dict[int, tuple[float, float]]] = {}
    for leaf in LEAVES:
        for weight in (None, "balanced"):
            tree = DecisionTreeClassifier(
                max_depth=MOST_BOUNDS, min_samples_leaf=max(5, int(leaf * len(event))), class_weight=weight,
                random_state=seed,
            ).fit(design, event).tree_  # fmt: skip
            for bounds in _nodes(tree):
                candidates[tuple(sorted(bounds.items()))] = bounds
    return list(candidates.values())


def _nodes(tree: Any) -> list[dict[int, tuple[float, float]]]:
    """Return the bounds of every node of a tree but its root."""
    nodes: list[dict[int, tuple[float, float]]] = []
    todo: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while todo:
        node, bounds = todo.pop()
        if bounds:
            nodes.append(bounds)
        if tree.children_left[node] < 0:
            continue
        place, cut = int(tree.feature[node]), float(tree.threshold[node])
        low, high = bounds.get(place, (0.0, 1.0))
        todo.append((tree.children_right[node], bounds | {place: (cut, high)}))
        todo.append((tree.children_left[node], bounds | {place: (low, cut)}))
    return nodes


def _pruned(box: Box, design: F64, event: Mask) -> Box:
    """Return the box without bounds that chance could have given; they are dropped one by one, the likeliest first."""
    while len(box.bounds) > 1:
        chances = {place: _chance(box, place, design, event) for place in box.bounds}
        worst = max(chances, key=lambda place: chances[place])
        if chances[worst] <= CHANCE:
            break
        rest = {place: bound for place, bound in box.bounds.items() if place != worst}
        box = _measured(Box(rest), design, event, None)
    return box


def _chance(box: Box, place: int, design: F64, event: Mask) -> float:
    """Return how likely the density of a box would be if one of its bounds said nothing: a binomial tail."""
    without = Box({other: bound for other, bound in box.bounds.items() if other != place})
    outside = without.holds(design)
    inside = box.holds(design)
    return float(binom.sf((inside & event).sum() - 1, inside.sum(), event[outside].mean()))


def check(design: F64, event: Mask, seed: int = 0) -> Check:
    """Search on all folds but one and try the box on that one, for every fold.

    Parameters
    ----------
    design : ndarray of float64
        The worlds, (rows, factors), between 0 and 1.
    event : ndarray of bool
        Which of them have the event, (rows,).
    seed : int, optional
        Seed of trees and folds.

    Returns
    -------
    Check
        Pooled over the folds.
    """
    fold = _folds(event, seed)
    inside, found_in = np.zeros(len(event), dtype=bool), 0
    for number in range(FOLDS):
        out = fold == number
        box = best_box(design[~out], event[~out], seed)
        if box is not None:
            found_in += 1
            inside[out] = box.holds(design[out])
    n, hit = int(inside.sum()), int((inside & event).sum())
    density = hit / n if n else float("nan")
    return Check(hit / max(1, int(event.sum())), density, wilson_low(hit, n), found_in)


def _folds(event: Mask, seed: int) -> npt.NDArray[np.int64]:
    """Return a fold for each world, with events and others spread evenly."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(event), dtype=np.int64)
    for kind in (event, ~event):
        places = rng.permutation(np.flatnonzero(kind))
        fold[places] = np.arange(len(places)) % FOLDS
    return fold


def wilson_low(hit: int, n: int, z: float = STANDARD) -> float:
    """Return the lower end of the 90% interval of a share, `hit` of `n` (Wilson 1927); 0 if n is 0."""
    if n == 0:
        return 0.0
    p = hit / n
    middle = p + z * z / (2 * n)
    reach = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return (middle - reach) / (1 + z * z / n)
