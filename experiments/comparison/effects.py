"""From runs to differences: derived measures, paired effects with intervals, reasons and what they hang on."""

from collections.abc import Sequence

import numpy as np

from experiments.runs.measures import ENDS, MAIN, all_measures, ratio, ratio_of
from simulator.measures import Ratio
from simulator.parameters import F64

SMALL_BASE = 0.1  # of the mean base: what a draw's own base must reach to be divided by


def effect_rows(basis: str, scenario: str, ours: dict[str, F64], base: dict[str, F64]) -> list[dict[str, object]]:
    """Return one row per measure: paired differences between a scenario and the base, each of shape (D, R)."""
    rows = []
    for name, measure in all_measures().items():
        a, b = _mean_over_runs(ours[name]), _mean_over_runs(base[name])
        usable = np.isfinite(a) & np.isfinite(b)
        row: dict[str, object] = {"scenario": scenario, "basis": basis, "measure": name, "unit": measure.unit}
        row |= _paired(a[usable], b[usable], measure.better) | {"draws": int(usable.sum())}
        if of := ratio_of(name):
            row |= _totals(of, ours, base)
        rows.append(row)
    return rows


def _mean_over_runs(x: F64) -> F64:
    """Return the mean over seeds, (D,); of a ratio, over the seeds in which it exists (NaN if in none)."""
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(x)
        return ratio(np.where(seen, x, 0.0).sum(axis=-1), seen.sum(axis=-1).astype(float))


def _totals(of: Ratio, ours: dict[str, F64], base: dict[str, F64]) -> dict[str, float]:
    """Take a ratio as total over total, here and in the base, and their difference; intervals stay as drawn."""
    over, under = of
    here, there = (
        float(x[over].mean() / x[under].mean()) if x[under].mean() > 0.0 else float("nan") for x in (ours, base)
    )
    relative = here / there - 1.0 if there else float("nan")
    return {"value": here, "base": there, "difference": here - there, "relative": relative}


def _paired(a: F64, b: F64, better: int) -> dict[str, float]:
    """Means, differences and relative differences with 90% intervals, and the share of draws that are better.

    Better is more where `better` is 1, less where it is -1; a measure of which neither is better has no such share.
    """
    if len(a) == 0:
        names = ("base", "value", "difference", "difference_low", "difference_high")
        return dict.fromkeys((*names, "relative", "relative_low", "relative_high", "p_better"), float("nan"))
    difference = a - b
    low, high = np.quantile(difference, ENDS)
    scale = b.mean()
    r_low, r_high = (np.nan, np.nan)
    if scale > 0.0:
        relative = relative_by_draw(a, b)
        if np.isfinite(relative).any():
            r_low, r_high = np.nanquantile(relative, ENDS)
    return {
        "base": float(scale),
        "value": float(a.mean()),
        "difference": float(difference.mean()),
        "difference_low": float(low),
        "difference_high": float(high),
        "relative": float(difference.mean() / scale) if scale > 0.0 else float("nan"),
        "relative_low": float(r_low),
        "relative_high": float(r_high),
        "p_better": float((better * difference > 0.0).mean()) if better else float("nan"),
    }


def variance_row(scenario: str, ours: F64, base: F64) -> dict[str, object]:
    """Return how much pairing saves: variance over seeds of independent differences over that of paired ones.

    `ours` and `base` have shape (D, R), R at least 2; variances are taken within draws and averaged.
    """
    paired = float(np.var(ours - base, axis=1, ddof=1).mean())
    independent = float((np.var(ours, axis=1, ddof=1) + np.var(base, axis=1, ddof=1)).mean())
    ratio = independent / paired if paired > 0.0 else float("inf")
    return {"scenario": scenario, "measure": MAIN, "paired": paired, "independent": independent, "ratio": ratio}


def reason_rows(
    scenario: str, labels: dict[str, str], full: tuple[F64, F64], without: dict[str, tuple[F64, F64]]
) -> list[dict[str, object]]:
    """Return how much of an effect goes when one mechanism is switched off, for the scenario and the base alike.

    `full` and each of `without` hold net contracts of (scenario, base), shape (D, R). Effects are
    relative to the base under the same setting, averaged over draws; the standard error is of the contribution.
    """
    effect = relative_by_draw(*(x.mean(axis=1) for x in full))
    rows: list[dict[str, object]] = []
    for name, pair in without.items():
        other = relative_by_draw(*(x.mean(axis=1) for x in pair))
        usable = np.isfinite(effect) & np.isfinite(other)
        gone = (effect - other)[usable]
        if not usable.any():
            continue
        whole = float(effect[usable].mean())
        rows.append(
            {
                "scenario": scenario,
                "mechanism": name,
                "label": labels[name],
                "effect": whole,
                "effect_without": float(other[usable].mean()),
                "contribution": float(gone.mean()),
                "share": float(gone.mean() / whole) if whole != 0.0 else float("nan"),
                "standard_error": float(gone.std(ddof=1) / np.sqrt(len(gone))) if len(gone) > 1 else float("nan"),
                "draws": len(gone),
            }
        )
    return sorted(rows, key=lambda row: -abs(float(row["contribution"])))  # type: ignore[arg-type]


def relative_by_draw(ours: F64, base: F64) -> F64:
    """Return the relative difference by draw, (D,) from seed-averages (D,) each.

    NaN where a draw's base is not above a tenth of the mean base: a share of next to nothing says nothing.
    """
    usable = base > max(0.0, SMALL_BASE * float(base.mean()))
    return np.divide(ours - base, base, out=np.full_like(base, np.nan), where=usable)


def hangs_on_rows(
    scenario: str, effect: F64, drawn: dict[str, F64], names: Sequence[str], most: int
) -> list[dict[str, object]]:
    """Return the parameters whose draws go with a scenario's effect: Spearman rank correlation, the strongest first.

    `effect` has shape (D,). Correlations that chance alone would give (|r| < 2 / sqrt(D)) are left out.
    """
    import pandas as pd  # here, since the workers of a sweep need none of it

    usable = np.isfinite(effect)
    effect = effect[usable]
    if len(effect) < 10 or np.ptp(effect) == 0.0:
        return []
    ranks = pd.DataFrame({name: drawn[name][usable] for name in names}).rank()
    correlation = ranks.corrwith(pd.Series(effect).rank())
    strong = correlation[correlation.abs() >= 2.0 / np.sqrt(len(effect))]
    order = strong.abs().sort_values(ascending=False).index[:most]
    return [{"scenario": scenario, "parameter": name, "correlation": float(strong[name])} for name in order]
