"""Views of a comparison: effects by scenario, verdicts, the order of scenarios, means per run, bands over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from experiments.comparison import tables
from experiments.comparison.frames import Frames
from experiments.comparison.verdicts import verdict
from experiments.exhibits import words
from experiments.exhibits.style import Verdict
from experiments.runs.measures import ENDS, MAIN
from experiments.runs.parameter_draws import is_calibrated
from scenarios import programme

BUDGET, SPENDING = "equal budget", "equal spending"
YEAR = 12  # months


@dataclass(frozen=True)
class Lineup:
    """The scenarios of a comparison as exhibits show them.

    Attributes
    ----------
    base : str
        Name of the base.
    ranked : tuple of str
        Names of the others, from the most to the fewest net contracts.
    titles : mapping of str to str
        Title of each scenario by name.
    source : str
        The source line: what a figure rests on.
    """

    base: str
    ranked: tuple[str, ...]
    titles: Mapping[str, str]
    source: str

    @property
    def everyone(self) -> tuple[str, ...]:
        """The names of all scenarios, the base first."""
        return self.base, *self.ranked

    def label(self, scenario: str) -> str:
        """Return a scenario's title, that of the base marked as such where there are others."""
        title = self.titles[scenario]
        return f"{title} (base)" if scenario == self.base and self.ranked else title


def lineup(frames: Frames) -> Lineup:
    """Return the scenarios as exhibits show them."""
    titles = {name: title(frames, name) for name in frames.scenarios}
    return Lineup(frames.base, ranked(frames), titles, source_line(frames))


# ---------- scenarios


def others(frames: Frames) -> tuple[str, ...]:
    """Return all scenarios but the base."""
    return tuple(key for key in frames.scenarios if key != frames.base)


def title(frames: Frames, scenario: str) -> str:
    """Return a scenario's title; its name if it has none."""
    return frames.about.get(scenario, {}).get("title") or scenario


def ranked(frames: Frames) -> tuple[str, ...]:
    """Return scenarios but the base, from the most to the fewest net contracts; those without a number last."""
    table = effects_of(frames, MAIN, main_basis(frames))["difference"]
    return tuple(table.sort_values(ascending=False, na_position="last", kind="stable").index)


def telling(frames: Frames, most: int = 4) -> tuple[str, ...]:
    """Return the scenarios with the largest effects, which exhibits show closely.

    Money alone makes large differences, so effects at equal spending count where they are known. Scenarios without
    any contract have nothing to look at.

    Parameters
    ----------
    frames : Frames
        The comparison.
    most : int, optional
        Number of scenarios at most.

    Returns
    -------
    tuple of str
        Their names, in ranked order.
    """
    size = pd.concat([_size(effects_of(frames, MAIN, basis)) for basis in (SPENDING, BUDGET)], axis=1)
    key = size.bfill(axis=1).iloc[:, 0]
    gross = effects_of(frames, "contracts", main_basis(frames))["value"]
    key = key[~(gross == 0)].sort_values(ascending=False, na_position="last", kind="stable")
    chosen = set(key.index[:most]) or set(others(frames)[:most])
    return tuple(scenario for scenario in ranked(frames) if scenario in chosen)


def _size(table: pd.DataFrame) -> pd.Series:
    size = table["relative"].abs()
    return size if size.notna().any() else table["difference"].abs()


# ---------- effects


def effects_of(frames: Frames, measure: str, basis: str = BUDGET) -> pd.DataFrame:
    """Return the effects on a measure.

    Parameters
    ----------
    frames : Frames
        The comparison.
    measure : str
        Name of the measure.
    basis : str, optional
        `BUDGET` or `SPENDING`.

    Returns
    -------
    DataFrame
        The columns of the table `effects`, one row per scenario but the base, NaN where it has no effect.
    """
    rows = frames.effects
    rows = rows[(rows["basis"] == basis) & (rows["measure"] == measure) & (rows["scenario"] != frames.base)]
    numbers = [column.name for column in tables.table("effects").columns if column.kind != tables.TEXT]
    return rows.set_index("scenario").reindex(list(others(frames))).astype(dict.fromkeys(numbers, float))


def base_value(frames: Frames, measure: str, basis: str = BUDGET) -> float:
    """Return the base's mean of a measure, NaN if there is none; of a single scenario, its own mean."""
    rows = frames.effects
    rows = rows[rows["measure"] == measure]
    alone = rows.loc[rows["scenario"] == frames.base, "value"].dropna()
    values = alone if len(alone) else rows.loc[rows["basis"] == basis, "base"].dropna()
    return float(values.iloc[0]) if len(values) else float("nan")


def bases(frames: Frames) -> tuple[str, ...]:
    """Return the bases of comparison for which there are effects on net contracts."""
    return tuple(basis for basis in (BUDGET, SPENDING) if effects_of(frames, MAIN, basis)["difference"].notna().any())


def main_basis(frames: Frames) -> str:
    """Return equal budget, unless there are effects at equal spending alone."""
    return (*bases(frames), BUDGET)[0]


def uses_relative(frames: Frames) -> bool:
    """Return whether there are relative changes; there are none if the base has no net contracts."""
    return any(effects_of(frames, MAIN, basis)["relative"].notna().any() for basis in (BUDGET, SPENDING))


def heading(frames: Frames, basis: str) -> str:
    """Return a basis as a heading: `At equal spending (40 draws)`, with the draws where they are not those of all."""
    draws = effects_of(frames, MAIN, basis)["draws"].max()
    everything = effects_of(frames, MAIN, BUDGET)["draws"].max()
    return f"At {basis}" + (f" ({draws:.0f} draws)" if draws < everything else "")


def verdicts(frames: Frames, basis: str = BUDGET) -> dict[str, Verdict]:
    """Return each scenario's verdict on net contracts."""
    table = effects_of(frames, MAIN, basis)
    return {scenario: verdict(table.loc[scenario]) for scenario in others(frames)}


# ---------- large tables: one scenario and the needed columns at a time


def mean_per_run(frames: Frames, table: str, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Return means over the runs of each scenario; a run without a row counts as 0. Arguments as `sum_over_runs`."""
    return sum_over_runs(frames, table, keys, values) / runs(frames)


def sum_over_runs(frames: Frames, table: str, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Return sums over the rows of each scenario.

    Parameters
    ----------
    frames : Frames
        The comparison.
    table : str
        Name of a large table.
    keys : sequence of str
        Columns by which rows are grouped.
    values : sequence of str
        Columns with numbers.

    Returns
    -------
    DataFrame
        The values as columns; index: scenario, then the keys.
    """
    index, parts = ["scenario", *keys], []
    for scenario in frames.scenarios:
        rows = frames.rows(table, scenario, [*index, *values])
        parts.append(rows.groupby(index, observed=True)[list(values)].sum().astype(float))
    return pd.concat(parts)


def runs(frames: Frames) -> int:
    """Return how many runs (draws times seeds) each scenario has: all scenarios meet the same draws and seeds."""
    return max(1, len(frames.rows("by_country", frames.base, ["draw", "run"]).drop_duplicates()))


def bands(frames: Frames, scenario: str, measure: str, *, cumulative: bool) -> pd.DataFrame:
    """Return a monthly measure of a scenario over time, from the first counted call on.

    Parameters
    ----------
    frames : Frames
        The comparison.
    scenario : str
        Name of the scenario.
    measure : str
        Name of a monthly measure.
    cumulative : bool
        Whether it is summed up; else it is the mean over the last twelve months.

    Returns
    -------
    DataFrame
        Columns mean, low and high: mean and 90% band over draws, seeds averaged; index: month.
    """
    rows = frames.rows("by_month", scenario, ["draw", "month", measure])
    by_draw = rows.groupby(["draw", "month"], observed=True)[measure].mean().unstack("month")
    by_draw = by_draw.cumsum(axis=1) if cumulative else by_draw.T.rolling(YEAR, min_periods=1).mean().T
    by_draw = by_draw.loc[:, by_draw.columns >= first_month(frames)]
    low, high = (by_draw.quantile(end) for end in ENDS)
    return pd.DataFrame({"mean": by_draw.mean(), "low": low, "high": high})


def first_month(frames: Frames) -> int:
    """Return the month that begins the year of the first counted call; 0: the first of the programme."""
    return max(0, YEAR * (min(counted_calls(frames), default=0) - programme().first_year))


# ---------- what it rests on


def finished_draws(frames: Frames) -> int:
    """Return the number of draws that were run."""
    return int(frames.manifest.get("finished_draws") or frames.manifest.get("draws") or 0)


def counted_calls(frames: Frames) -> list[int]:
    """Return the years of the calls that are counted."""
    calls = frames.manifest.get("counted_calls") or []
    return [int(year) for year in calls] if isinstance(calls, list | tuple) else []


def fitted_calls(frames: Frames) -> str:
    """Return the calls that the draws are fitted to: `2013-2015`; "" if that is not known."""
    calls = frames.manifest.get("fitted_calls") or []
    return f"{min(calls)}-{max(calls)}" if calls else ""


def source_line(frames: Frames) -> str:
    """Return what a figure rests on."""
    manifest = frames.manifest
    basis = f"{words.plural(finished_draws(frames), 'draw')} × {words.plural(int(manifest.get('runs') or 1), 'run')}"
    calls = words.years(counted_calls(frames))
    about = f", calls of {calls}" if calls else ""
    draws = f"draws fitted to the calls of {fitted_calls(frames)}" if is_calibrated(manifest) else "not calibrated"
    return f"innovex simulation, {basis}{about}; {draws}; evidence: Wise 2017 and the studies in the register."
