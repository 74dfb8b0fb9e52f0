"""What a report asks a comparison: effects by scenario, verdicts, the order of scenarios, means per run."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison

BUDGET, SPENDING = "equal budget", "equal spending"
NET = "contracts_net"
CLEAR = 0.9  # share of draws from which on a scenario counts as told apart

Verdict = Literal["better", "worse", "open"]

_EFFECT_COLUMNS = (
    "scenario", "basis", "measure", "unit", "base", "value", "difference", "difference_low", "difference_high",
    "relative", "relative_low", "relative_high", "p_better", "draws",
)  # fmt: skip


def rows_of(frame: pd.DataFrame | None, *columns: str) -> pd.DataFrame:
    """The frame, with the columns even where nothing was computed."""
    if frame is None or frame.empty:
        return pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
    return frame


def others(comparison: "Comparison") -> tuple[str, ...]:
    """All scenarios but the base."""
    return tuple(key for key in comparison.scenarios if key != comparison.base)


def title(comparison: "Comparison", scenario: str) -> str:
    """A scenario's title; its key where it has none."""
    return comparison.about.get(scenario, {}).get("title") or scenario


def effects_of(comparison: "Comparison", measure: str, basis: str = BUDGET) -> pd.DataFrame:
    """A measure's effects, one row per scenario but the base (NaN where there is none)."""
    rows = rows_of(comparison.effects, *_EFFECT_COLUMNS)
    rows = rows[(rows["basis"] == basis) & (rows["measure"] == measure) & (rows["scenario"] != comparison.base)]
    table = rows.set_index("scenario").reindex(list(others(comparison)))
    numbers = [column for column in _EFFECT_COLUMNS[4:]]
    return table.astype({column: float for column in numbers})


def base_value(comparison: "Comparison", measure: str, basis: str = BUDGET) -> float:
    """The base's mean of a measure (of a single scenario, which is held against nothing, its own value)."""
    rows = rows_of(comparison.effects, *_EFFECT_COLUMNS)
    rows = rows[rows["measure"] == measure]
    alone = rows.loc[rows["scenario"] == comparison.base, "value"].dropna()
    found = alone if len(alone) else rows.loc[rows["basis"] == basis, "base"].dropna()
    return float(found.iloc[0]) if len(found) else float("nan")


def values_of(comparison: "Comparison", measure: str, basis: str = BUDGET) -> pd.Series:
    """Means of a measure by scenario, the base first."""
    values = effects_of(comparison, measure, basis)["value"]
    base = pd.Series({comparison.base: base_value(comparison, measure, basis)}, dtype=float)
    return pd.concat([base, values])


def has_basis(comparison: "Comparison", basis: str) -> bool:
    """Whether there is any effect on net contracts at this basis."""
    return bool(effects_of(comparison, NET, basis)["difference"].notna().any())


def bases(comparison: "Comparison") -> tuple[str, ...]:
    """The bases of comparison that were computed."""
    return tuple(basis for basis in (BUDGET, SPENDING) if has_basis(comparison, basis))


def heading(comparison: "Comparison", basis: str) -> str:
    """`At equal spending (40 draws)`: the number of draws where it is not that of the whole study."""
    draws = effects_of(comparison, NET, basis)["draws"].max()
    everything = effects_of(comparison, NET, BUDGET)["draws"].max()
    return f"At {basis}" + (f" ({draws:.0f} draws)" if draws < everything else "")


def verdict(row: pd.Series) -> Verdict:
    """Whether a scenario is told apart from the base, by the share of draws in which it is better.

    Draws without any difference count for neither side.
    """
    if not np.isfinite(row["p_better"]) or row["difference"] == 0:
        return "open"
    if row["p_better"] >= CLEAR:
        return "better"
    if row["p_better"] <= 1 - CLEAR + 1e-12 and row["difference"] < 0 and row["difference_high"] != 0:
        return "worse"
    return "open"


def verdicts(comparison: "Comparison", basis: str = BUDGET) -> dict[str, Verdict]:
    """Each scenario's verdict on net contracts."""
    table = effects_of(comparison, NET, basis)
    return {scenario: verdict(table.loc[scenario]) for scenario in others(comparison)}


def main_basis(comparison: "Comparison") -> str:
    """Equal budget, unless only equal spending was computed."""
    return (*bases(comparison), BUDGET)[0]


def ranked(comparison: "Comparison") -> tuple[str, ...]:
    """Scenarios but the base, from the most to the fewest net contracts; those without a number last."""
    table = effects_of(comparison, NET, main_basis(comparison))["difference"]
    return tuple(table.sort_values(ascending=False, na_position="last", kind="stable").index)


def telling(comparison: "Comparison", most: int = 4) -> tuple[str, ...]:
    """The scenarios to look at closely: those with the largest effect, equal spending first, in ranked order.

    Money alone makes large differences; at equal spending these are gone. Scenarios without any contract have
    nothing to look at.
    """
    size = pd.concat([_size(effects_of(comparison, NET, basis)) for basis in (SPENDING, BUDGET)], axis=1)
    key = size.bfill(axis=1).iloc[:, 0]
    gross = effects_of(comparison, "contracts", main_basis(comparison))["value"]
    key = key[~(gross == 0)].sort_values(ascending=False, na_position="last", kind="stable")
    chosen = set(key.index[:most]) or set(others(comparison)[:most])
    return tuple(scenario for scenario in ranked(comparison) if scenario in chosen)


def _size(table: pd.DataFrame) -> pd.Series:
    size = table["relative"].abs()
    return size if size.notna().any() else table["difference"].abs()


def uses_relative(comparison: "Comparison") -> bool:
    """Whether relative changes exist; they do not where the base has no net contracts."""
    return any(effects_of(comparison, NET, basis)["relative"].notna().any() for basis in (BUDGET, SPENDING))


def mean_per_run(comparison: "Comparison", frame: pd.DataFrame, keys: list[str], value: str) -> pd.Series:
    """Mean over a scenario's runs of a column's sum by key; a run without a row counts as 0.

    Index: scenario, then the keys.
    """
    if frame is None or frame.empty:
        index = pd.MultiIndex.from_arrays([[]] * (1 + len(keys)), names=["scenario", *keys])
        return pd.Series(index=index, dtype=float)
    sums = frame.groupby(["scenario", *keys], observed=True)[value].sum().astype(float)
    return sums / _runs(comparison)


def _runs(comparison: "Comparison") -> int:
    """Runs (draws times seeds) behind the tables of each scenario: all scenarios meet the same draws and seeds."""
    rows = comparison.by_country
    one = rows.loc[rows["scenario"] == comparison.base, ["draw", "run"]]
    return max(1, len(one.drop_duplicates()))
