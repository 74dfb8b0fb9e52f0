"""Compute the numbers that the baseline keeps: everything a user can be told, for a few scenarios, draws and seeds.

Each table is a frame whose last column `value` is a number or, in `state`, a digest of one column of a run's state.
The parameter values of the draws are kept beside the numbers, so that the baseline asks what the model makes of
them and not how a processor draws them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import scenarios
from calibration.evidence.load import load_evidence
from calibration.hindcast.past_calls import target_values
from calibration.parameters import register
from experiments.comparison.carry_out import carry_out
from experiments.comparison.compare import assembled
from experiments.comparison.study import Settings, Study, prepare
from experiments.runs.cells import Draws as StudyDraws
from experiments.runs.cells import run_seed
from experiments.runs.engines import Where, engine_at
from experiments.runs.many_runs import ManyRuns
from experiments.runs.store import Store
from experiments.sweeps import sweep
from simulator.ensemble import measure
from simulator.observe import GROUP_MEASURES, MEASURES, MONTHLY, Observation, monthly_from

FOLDER = Path(__file__).parent
SCENARIOS = ("baseline", "fast_and_synchronised", "negotiated", "virtual_common_pot", "common_pot", "clusters_package")
COMPARED = ("baseline", "fast_and_synchronised", "phase_two_new_money")
WITH_STATE = ("baseline", "clusters_package")  # of the first draw and seed
SEEDS = (0, 1)
DRAWS, SMES, FIRST = 3, 4_000, 2016
TOLERANCE = 1e-9  # relative, of what passes through numpy's and scipy's functions; runs are held to the last bit

Draws = dict[str, dict[str, float]]


def new_draws() -> Draws:
    """Values by draw and parameter: the central ones, then draws from the shipped posterior and the priors."""
    from calibration import posterior

    fitted = posterior.read().draw(DRAWS - 1, seed=7)
    centre = {name: entry.value for name, entry in register().items() if entry.prior != "fixed"}
    drawn = [{name: float(column[draw]) for name, column in fitted.items()} for draw in range(DRAWS - 1)]
    return {str(number): values for number, values in enumerate([centre, *drawn])}


def compute(draws: Draws, work: Path) -> dict[str, pd.DataFrame]:
    """Every table of the baseline; `work` is an empty folder for what a sweep writes."""
    return {
        "runs": _runs(draws),
        "state": _state(draws),
        "comparison": _comparison(draws),
        "many": _many(draws),
        "sweep": _sweep(work),
        "targets": _targets(draws),
    }


def _simulator_values(values: dict[str, float]) -> dict[str, float]:
    entries = scenarios.register()
    return {name: value for name, value in values.items() if name in entries}


def _each_run(draws: Draws) -> list[tuple[str, str, int, Observation, int]]:
    found = []
    for name in SCENARIOS:
        for draw, values in draws.items():
            inputs = scenarios.load(name).resolve(_simulator_values(values), smes=SMES)
            first = inputs.call_years.index(FIRST)
            for seed in SEEDS:
                found.append((name, draw, seed, measure(inputs, run_seed(1, int(draw), seed)), first))
    return found


def _runs(draws: Draws) -> pd.DataFrame:
    """Every measure of every run: by call (all countries), and in total of countries, months, groups and purses."""
    rows: list[tuple[object, ...]] = []
    for name, draw, seed, seen, first in _each_run(draws):
        monthly, grouped = monthly_from(seen.by_month, seen.months, first), seen.groups[first:].sum(axis=0)

        def add(part: str, what: str, value: float, key=(name, draw, seed)) -> None:
            rows.append((*key, part, what, float(value)))

        for place, counted in enumerate(MEASURES):
            for call, value in enumerate(seen.cells[:, :, place].sum(axis=1)):
                add(f"call {call}", counted.name, value)
            weight = np.arange(1, seen.cells.shape[1] + 1)  # so that a number that moves to another country shows
            add("countries", counted.name, seen.cells[:, :, place].sum(axis=0) @ weight)
        for place, counted in enumerate(MONTHLY):
            weight = np.arange(1, len(monthly) + 1)
            add("months", counted.name, monthly[:, place] @ weight)
        for place, counted in enumerate(GROUP_MEASURES):
            weight = np.arange(1, len(grouped) + 1)
            add("groups", counted, grouped[:, place] @ weight)
        for what in ("lost", "short", "network"):
            cube = getattr(seen, what)
            add("funders and pairs", what, (cube * np.arange(1, cube.size + 1).reshape(cube.shape)).sum())
    return pd.DataFrame(rows, columns=["scenario", "draw", "seed", "part", "measure", "value"])


COUNTERS = ("projects", "partners", "participations", "ties", "log", "paths", "calendar", "too_small", "founded")


def _state(draws: Draws) -> pd.DataFrame:
    """A digest of every column that a run leaves behind, its log among them."""
    from tests.small_worlds import columns, simulate

    draw = next(iter(draws))
    rows = []
    for name in WITH_STATE:
        inputs = scenarios.load(name).resolve(_simulator_values(draws[draw]), smes=SMES)
        state = simulate(inputs, run_seed(1, int(draw), SEEDS[0]))
        counters = np.array([state.used[name] for name in COUNTERS])  # kept as one column
        for column, values in (columns(state) | {"count": counters}).items():
            content = f"{values.dtype} {values.shape}".encode() + np.ascontiguousarray(values).tobytes()
            rows.append((name, column, hashlib.blake2b(content, digest_size=8).hexdigest()))
    return pd.DataFrame(rows, columns=["scenario", "column", "value"])


def _comparison(draws: Draws) -> pd.DataFrame:
    """What a comparison tells: effects, equal spending, reasons, and what pairing saves."""
    study = _study(draws)
    with Store.temporary() as store, engine_at(Where()) as engine:
        found = assembled(study, carry_out(study, store, engine, lambda what, todo: lambda done: None), store)
    keys = {
        "effects": ["scenario", "basis", "measure"],
        "spending": ["scenario"],
        "reasons": ["scenario", "mechanism"],
        "variance": ["scenario", "measure"],
    }
    parts = []
    for table, columns in keys.items():
        frame = getattr(found, table).drop(columns=["unit", "label", "note", "p_better"], errors="ignore")
        frame = frame.rename(columns={"value": "mean"})
        long = frame.melt(columns, var_name="number", value_name="value").astype({"value": float})
        long["row"] = long[columns].agg(" / ".join, axis=1)
        parts.append(long.assign(table=table)[["table", "row", "number", "value"]])
    return pd.concat(parts, ignore_index=True)


def _study(draws: Draws) -> Study:
    from dataclasses import replace

    settings = Settings(draws=len(draws), runs=2, seed=1, smes=SMES, reasons=2, spending=2, draws_from="prior")
    study = prepare(COMPARED, settings)
    rows = [_simulator_values(values) for values in draws.values()]
    fixed = study.draws.of_row(0)  # where the draws hold no value
    columns = {name: np.array([row.get(name, fixed[name]) for row in rows]) for name in fixed}
    return replace(study, draws=StudyDraws.of(columns))


def _many(draws: Draws) -> pd.DataFrame:
    rows = [_simulator_values(values) for values in draws.values()]
    given = {name: [row[name] for row in rows] for name in rows[0]}
    parts = []
    for by in ("run", "call", "country"):
        frame = ManyRuns(COMPARED[:2], draws=given, runs=2, by=by, smes=SMES, first_year=FIRST).frame()
        sums = frame.groupby(["scenario", "draw", "run"]).sum(numeric_only=True).drop(columns="call", errors="ignore")
        long = sums.reset_index().melt(["scenario", "draw", "run"], var_name="measure", value_name="value")
        parts.append(long.assign(by=by)[["scenario", "draw", "run", "by", "measure", "value"]])
    return pd.concat(parts, ignore_index=True).astype({"value": float})


def _sweep(work: Path) -> pd.DataFrame:
    """The cells of a small sweep over two levers and two parameters."""
    experiment = {
        "title": "A small sweep",
        "question": "What do a few factors do?",
        "measures": ["contracts_net"],
        "runs": 2,
        "draws_from": "prior",
        "smes": SMES,
        "contrast": [{"base": "baseline", "option": "phase_two_same_money"}],
        "method": {"name": "morris", "n": 2},
        "vary": {
            "budget_factor": {"low": 0.5, "high": 2, "from": FIRST},
            "project_months": {"low": 12, "high": 36, "from": FIRST},
            "waiting_loss": {"low": 0.01, "high": 0.1},
            "idea_rate": {"low": 0.5, "high": 1.1},
        },
    }
    sweep(experiment, work)
    parts = pd.concat([pd.read_parquet(path) for path in sorted(work.rglob("parts/*.parquet"))])
    cells = parts.drop(columns=["cell", "failure"]).sort_values(["case", "row", "run"])
    long = cells.melt(["case", "row", "run"], var_name="measure", value_name="value")
    return long.astype({"value": float}).reset_index(drop=True)


def _targets(draws: Draws) -> pd.DataFrame:
    """What the simulated survey and the calls' statistics say, draw by draw."""
    rows = [
        (draw, name, value)
        for draw, values in draws.items()
        for name, value in target_values(
            {n: v for n, v in values.items() if n in register()}, int(draw), load_evidence()
        ).items()
    ]
    return pd.DataFrame(rows, columns=["draw", "target", "value"])


EXACT = ("runs", "state")  # to the last bit; the others within TOLERANCE


def moved(kept: pd.DataFrame, now: pd.DataFrame, table: str) -> pd.DataFrame:
    """Rows of which the value is another, or that are there on one side only: keys, `kept`, `now`, `change`."""
    keys = [column for column in kept.columns if column != "value"]
    same_kinds = {key: str for key in keys}
    both = kept.astype(same_kinds).merge(now.astype(same_kinds), how="outer", on=keys, suffixes=("_kept", "_now"))
    both = both.rename(columns={"value_kept": "kept", "value_now": "now"})
    if table == "state":  # a column that the state did not have then is no change
        was_there = both["kept"].notna()
        return both[was_there & (both["kept"] != both["now"])].assign(change=np.nan)
    there, here = both["kept"].astype(float), both["now"].astype(float)
    change = (here - there) / there.abs().where(there != 0.0, 1.0)
    allowed = 0.0 if table in EXACT else TOLERANCE
    same = (there == here) | (there.isna() & here.isna() & (both["kept"].isna() == both["now"].isna()))
    different = ~(same | (change.abs() <= allowed))
    return both.assign(change=change)[different]


def in_words(found: pd.DataFrame, table: str, most: int = 12) -> str:
    """Which numbers of a table moved and by how much, the largest changes first."""
    by_size = found.reindex(found["change"].abs().sort_values(ascending=False, na_position="first").index)
    lines = [f"{table}: {len(found)} numbers moved"]
    lines += [by_size.head(most).to_string(index=False)]
    return "\n".join(lines)


Tables = dict[str, pd.DataFrame]
Reader = Callable[[str], pd.DataFrame]


def kept(table: str) -> pd.DataFrame:
    """A table of the baseline as it is kept; numbers are read to the last bit."""
    frame = pd.read_csv(FOLDER / f"{table}.csv", float_precision="round_trip", keep_default_na=False, dtype=str)
    return frame if table == "state" else frame.assign(value=[float(value or "nan") for value in frame["value"]])


def write(frame: pd.DataFrame, table: str) -> None:
    """Keep a table: numbers in full, one row a line, so that a change can be read in a diff."""
    text = frame if table == "state" else frame.assign(value=[_full(value) for value in frame["value"]])
    text.to_csv(FOLDER / f"{table}.csv", index=False, lineterminator="\n")


def _full(value: float) -> str:
    return "" if value != value else repr(float(value))


def kept_draws() -> Draws:
    """The draws of the baseline."""
    frame = pd.read_csv(FOLDER / "draws.csv", float_precision="round_trip", dtype={"draw": str})
    return {draw: dict(zip(rows["parameter"], rows["value"].astype(float))) for draw, rows in frame.groupby("draw")}


def write_draws(draws: Draws) -> None:
    """Keep the draws."""
    rows = [(draw, name, value) for draw, values in draws.items() for name, value in values.items()]
    write(pd.DataFrame(rows, columns=["draw", "parameter", "value"]), "draws")
