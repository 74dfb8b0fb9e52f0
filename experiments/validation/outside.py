"""The model beside studies that it was not fitted to: does it agree, and where not?

What the studies found stands in `calibration/evidence/outside_checks.csv`; how far the model's own quantity is the
same thing is said there too. None of it is used in the fit.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

import calibration
from calibration.evidence.load import load_evidence
from calibration.evidence.targets import Evidence
from calibration.hindcast.past_calls import past_identity, past_inputs
from calibration.jobs import compute_draws
from experiments.runs.many_runs import ManyRuns, frame_by
from scenarios import Resolved
from scenarios.settings import FIRST_POLICY_CALL
from simulator.ensemble import simulate
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import FUNDED
from simulator.jobs import Runner
from simulator.records import NEVER
from simulator.state import State

F64 = npt.NDArray[np.float64]

FILE = Path(calibration.__file__).with_name("evidence") / "outside_checks.csv"
AGREES, DIFFERS, ABSENT = "agrees", "does not agree", "not in the model"
SURE = 0.9  # share of draws on one side of zero that counts as a sign
COMPARED = ("baseline", "common_pot", "phase_two_same_money", "budget_plus_30")
RUNS = 2
THREE_YEARS, TWO_YEARS = 36, 24
LONG_MONTHS, SHORT_MONTHS = 8, 2  # of the project left after a first contact


def outside_frame(draws: Mapping[str, F64], seed: int, run: Runner) -> pd.DataFrame:
    """Return a row per check: study, finding, the model's quantity with its 90% interval over draws, and the verdict.

    Columns: check, study, finding, quantity, kind, low, high (of the study's range), median, low90, high90,
    positive (share of draws above zero), verdict, independent, note.
    """
    values = outside_values(draws, seed, run)
    with open(FILE, newline="", encoding="utf-8") as file:
        rows = [dict(row) for row in csv.DictReader(file)]
    return pd.DataFrame([{**row, **_judged(row, values.get(row["check"]))} for row in rows])


def _judged(row: Mapping[str, str], values: F64 | None) -> dict[str, object]:
    """Return the model's quantity, and whether it agrees by the kind of the check."""
    nothing = {"low": np.nan, "high": np.nan, "median": np.nan, "low90": np.nan, "high90": np.nan, "positive": np.nan}
    if values is None or row["kind"] == "none" or not np.isfinite(values).any():
        return {**nothing, "verdict": ABSENT}
    values = values[np.isfinite(values)]
    low90, median, high90 = (float(value) for value in np.quantile(values, [0.05, 0.5, 0.95]))
    low, high = (float(row[end]) if row[end] else np.nan for end in ("low", "high"))
    positive = float(np.mean(values > 0))
    agrees = {
        "positive": positive >= SURE,
        "zero": low90 <= 0.0 <= high90,
        "range": low90 <= high and high90 >= low,
    }[row["kind"]]
    return {
        "low": low, "high": high, "median": median, "low90": low90, "high90": high90, "positive": positive,
        "verdict": AGREES if agrees else DIFFERS,
    }  # fmt: skip


def outside_values(draws: Mapping[str, F64], seed: int, run: Runner) -> dict[str, F64]:
    """Return the model's quantity for each check, one number (draws,) per draw."""
    simulator = {name: values for name, values in draws.items() if name not in calibration.survey_entries()}
    names = ("contracts_net", "projects", "good_projects", "good_projects_lost", "smes_active", "smes_engaged")
    long = ManyRuns(COMPARED, simulator, RUNS, seed, measures=names)
    short = ManyRuns(
        ("baseline",), simulator, RUNS, seed, measures=("contracts_additional", "smes_active"), horizon=TWO_YEARS
    )
    seeds = seed + np.arange(len(next(iter(draws.values()))), dtype=np.int64)
    histories = compute_draws("outside checks: single runs", History(load_evidence()), draws, seeds, run)
    scenarios = frame_by(long, run, "outside checks: scenarios")
    return {**_of_scenarios(scenarios, frame_by(short, run, "outside checks: two years")), **histories}


def _of_scenarios(long: pd.DataFrame, short: pd.DataFrame) -> dict[str, F64]:
    """Return the gains against the baseline in the changed calls, and shares in the calls of 2013 to 2015."""
    changed = long[long["call"] >= FIRST_POLICY_CALL].groupby(["scenario", "draw"]).sum(numeric_only=True)
    baseline = long[(long["call"] < FIRST_POLICY_CALL) & (long["scenario"] == "baseline")]
    known = baseline.groupby("draw").sum(numeric_only=True)
    two_years = short[short["call"] < FIRST_POLICY_CALL].groupby("draw").sum(numeric_only=True)

    def gain(scenario: str, measure: str) -> F64:
        base = changed.loc["baseline", measure].to_numpy(float)
        return _ratio(changed.loc[scenario, measure].to_numpy(float) - base, base)

    def share(frame: pd.DataFrame, part: str, whole: str) -> F64:
        return _ratio(frame[part].to_numpy(float), frame[whole].to_numpy(float))

    return {
        "common_pot_gain": gain("common_pot", "contracts_net"),
        "phase_two_gain": gain("phase_two_same_money", "contracts_net"),
        "budget_gain": gain("budget_plus_30", "projects"),
        "pot_shortfall": share(known, "good_projects_lost", "good_projects"),
        "active_share": share(known, "smes_active", "smes_engaged"),
        "contracts_24_months": share(two_years, "contracts_additional", "smes_active"),
    }


def _ratio(part: F64, whole: F64) -> F64:
    """Return part / whole, NaN where there is nothing to divide by."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


@dataclass(frozen=True)
class History:
    """What single runs of the calls of the evidence show, as a picklable function of (values, seed)."""

    evidence: Evidence

    @property
    def identity(self) -> str:
        """All that determines the numbers beside draw and seed."""
        return past_identity(__name__, self.evidence)

    def __call__(self, values: Mapping[str, float], seed: int) -> dict[str, float]:
        """Return the model's quantity for each check of single runs."""
        inputs = past_inputs(values, self.evidence)
        state = simulate(inputs, seed)
        unfamiliar = simulate(past_inputs({**values, "meeting_familiarity_gain": 0.0}, self.evidence), seed)
        p = inputs.parameters
        return {
            "event_meeting": _joint_proposals(state, state) / max(_joint_proposals(state, unfamiliar), 0.5) - 1.0,
            "projects_per_meeting": _projects_per_meeting(state, inputs),
            "regular_meetings": _partnerships_by_time_left(state),
            "background_rni": _own_within(inputs, state, p.own_h_rni),
            "background_partner": _own_within(inputs, state, p.own_h_partnership),
        }


def _joint_proposals(met: State, proposed: State) -> float:
    """Count pairs of clusters that met at an event in one run and hand in a joint proposal in that call in another."""
    pairs = set()
    log = met.rows("log")
    for row in log[log.kind == CallEvent.MEETING]:
        pairs |= {(int(row.who), int(row.whom)), (int(row.whom), int(row.who))}
    partners = proposed.rows("partners")
    joint = 0
    for project in proposed.rows("projects"):
        inside = partners.cluster[project.first_partner : project.first_partner + project.partners]
        joint += sum((int(inside[0]), int(other)) in pairs for other in inside[1:])
    return float(joint)


def _projects_per_meeting(state: State, inputs: Resolved) -> float:
    """Return the number of projects with a grant per meeting, in the calls of 2014 and 2015."""
    partners = state.rows("partners")
    late = [row for row, year in enumerate(inputs.call_years) if year >= 2014]
    funded = np.unique(partners.project[partners.money == FUNDED])
    projects = np.isin(state.projects.call[funded], late).sum()
    log = state.rows("log")
    meetings = ((log.kind == CallEvent.MEETING) & np.isin(log.month, inputs.rules.calls.event_month[late])).sum()
    return float(projects) / float(meetings) if meetings else np.nan


def _partnerships_by_time_left(state: State) -> float:
    """Return the share with a partnership where the first contact came early in the project, less where late."""
    t = state.rows("participations")
    left = state.partners.end_month[t.partner] - t.contact_month
    met = t.contact_month != NEVER
    long, short = met & (left >= LONG_MONTHS), met & (left <= SHORT_MONTHS)
    if not long.any() or not short.any():
        return np.nan
    partnership = t.partnership_month != NEVER
    return float(partnership[long].mean() - partnership[short].mean())


def _own_within(inputs: Resolved, state: State, base: float) -> float:
    """Return the share of all SMEs whose own path brings an outcome with this monthly hazard within three years."""
    p = inputs.parameters
    hazard = base * p.own_readiness_slope ** (state.smes.found_readiness - p.readiness_mean)
    return float(np.mean(1.0 - np.exp(-hazard * THREE_YEARS)))
