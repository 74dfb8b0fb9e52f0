"""Equal spending: each scenario's budgets scaled, draw by draw, until it spends what the base spends."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.runs.ensemble import Ensemble, Progress, run_all
from simulator.ensemble import Inputs
from simulator.observe import COLUMN
from simulator.parameters import F64

TOLERANCE = 0.01  # of mean spending over seeds
SMALLEST, LARGEST = 1 / 16, 16.0
ROUNDS = 7

ScaledCase = Callable[[int, float], Inputs]  # (draw, budget scale) -> inputs


def most_runs(scenarios: int, draws: int, runs: int) -> int:
    """As many runs as the search can need; most draws need two or three of the rounds."""
    return scenarios * draws * runs * ROUNDS


def spent(ensemble: Ensemble) -> F64:
    """Mean spending over seeds in the counted calls, (S, D) EUR."""
    return ensemble.by_country[..., COLUMN["spent_eur"]].sum(axis=3).mean(axis=2)


def equal_spending(
    case: ScaledCase,
    draws: Sequence[int],
    target: F64,
    start: F64,
    runs: int,
    seed: int,
    first_counted: int,
    progress: Progress | None = None,
    threads: int | None = None,
) -> tuple[F64, F64, list[Ensemble]]:
    """Scales (D,), the relative gaps that are left (D,), and the runs of each draw at its scale.

    `target` (D,) is the base's spending, `start` (D,) the scenario's own. The scale is searched by
    regula falsi in the logarithm, within 1/16 to 16; spending is lumpy and saturates, so a draw whose
    gap stays above 1% is a finding and not an error. `progress` hears of `most_runs` in all: of the runs
    done, and of those that a draw does not need. Raises KeyboardInterrupt after Ctrl-C.
    """
    tell = progress or (lambda _: None)
    low, high = np.full(len(draws), np.log(SMALLEST)), np.full(len(draws), np.log(LARGEST))
    scale = np.zeros(len(draws))
    best_gap, best_scale = np.abs(start / target - 1.0), np.ones(len(draws))
    best: dict[int, Ensemble] = {}
    now = start.copy()
    for turn in range(ROUNDS):
        open_draws = [d for d in range(len(draws)) if best_gap[d] > TOLERANCE or d not in best]
        if turn > 0 and not any(best_gap[d] > TOLERANCE for d in open_draws):
            break
        for d in open_draws:
            if turn > 0 or best_gap[d] > TOLERANCE:
                scale[d] = _next_scale(scale[d], now[d] / target[d], low, high, d)
        factor = {draws[d]: float(np.exp(scale[d])) for d in open_draws}
        ensemble = run_all(
            [lambda draw, factor=factor: case(draw, factor[draw])],  # type: ignore[misc]
            [draws[d] for d in open_draws], runs, seed, first_counted, progress, threads,
        )  # fmt: skip
        if ensemble.interrupted:
            raise KeyboardInterrupt
        for place, d in enumerate(open_draws):
            now[d] = spent(ensemble)[0, place]
            gap = abs(now[d] / target[d] - 1.0)
            if gap <= best_gap[d] or d not in best:
                best_gap[d], best_scale[d] = gap, np.exp(scale[d])
                best[d] = _one_draw(ensemble, place)
            if best_gap[d] <= TOLERANCE:
                tell((ROUNDS - turn - 1) * runs)
    return best_scale, best_gap, [best[d] for d in range(len(draws))]


def _next_scale(scale: float, ratio: float, low: F64, high: F64, d: int) -> float:
    """The next scale to try (log): a step by the ratio spent, kept within the bracket, else its middle."""
    if ratio < 1.0:
        low[d] = max(low[d], scale)
    else:
        high[d] = min(high[d], scale)
    step = scale - np.log(max(ratio, 1e-3))
    if low[d] < step < high[d]:
        return float(step)
    return float(0.5 * (low[d] + high[d]))


def _one_draw(ensemble: Ensemble, place: int) -> Ensemble:
    """The runs of one draw, as an ensemble of one."""
    part = slice(place, place + 1)
    return Ensemble(
        draws=ensemble.draws[part],
        by_call=ensemble.by_call[:, part],
        by_country=ensemble.by_country[:, part],
        monthly=ensemble.monthly[:, part],
        lost=ensemble.lost[:, part],
        short=ensemble.short[:, part],
        network=ensemble.network,
        groups=ensemble.groups[:, part],
    )
