"""Directions that other models and outside studies lead one to expect: one table, told whatever it says."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

import scenarios
from simulator.instruments.calls.tables import FUNDED, NOT_STARTED
from simulator.parameters import CallRules
from simulator.records import NEVER
from tests.small_worlds import events_of, simulate

ROWS = tomllib.loads((Path(__file__).parent / "cases" / "directions.toml").read_text("utf-8"))
SEEDS = range(1, 21)
CHANGED_FROM = 2016
CLEAR = 2.0  # standard errors


# What is measured, in the calls from 2016 on


class Run:
    """One finished run and what is looked at in it."""

    def __init__(self, resolved, seed):
        self.state = state = simulate(resolved, seed)
        self.close = resolved.rules.calls.close_month
        self.first = resolved.call_years.index(CHANGED_FROM)
        self.codes = resolved.funder_codes
        self.projects = state.rows("projects")
        self.partners = state.rows("partners")
        self.granted = np.isin(self.partners.money, (FUNDED, NOT_STARTED))
        self.is_funded = np.bincount(self.partners.project[self.granted], minlength=len(self.projects)) > 0
        self.counts = self.projects.call >= self.first

    def partners_of(self, project):
        return self.partners[project.first_partner : project.first_partner + project.partners]

    def funded(self):
        """Projects with a grant in the calls that count."""
        return self.projects[self.counts & self.is_funded]

    def pairs(self):
        """Pairs of clusters in funded projects of all calls, call by call."""
        for number in np.flatnonzero(self.is_funded):
            project = self.projects[number]
            clusters = sorted(self.partners_of(project).cluster.tolist())
            for pair in itertools.combinations(clusters, 2):
                yield int(project.call), pair


def n_projects(run):
    return np.log(len(run.funded()))


def partners_per_project(run):
    return np.log(run.funded().partners.mean())


def n_clusters(run):
    return np.log(len(np.unique(np.concatenate([run.partners_of(each).cluster for each in run.funded()]))))


def clusters_per_project(run):
    return n_clusters(run) - n_projects(run)


def links_per_cluster(run):
    links = {pair for call, pair in run.pairs() if call >= run.first}
    return np.log(2 * len(links) / np.exp(n_clusters(run)))


def repeated_share(run):
    known, again, all_pairs = {}, 0, 0
    for call, pair in run.pairs():
        if call >= run.first:
            all_pairs += 1
            again += known.get(pair, call) < call
        known.setdefault(pair, call)
    return again / all_pairs


def better_unfunded(run):
    """Of all pairs in a call, a proposal with a grant and one without: share with the better one without."""
    above = run.counts & (run.projects.joint_score >= run.projects.threshold)
    wrong, pairs = 0, 0
    for call in np.unique(run.projects.call[above]):
        here = above & (run.projects.call == call)
        without, with_grant = (run.projects.joint_score[here & (run.is_funded == f)] for f in (False, True))
        wrong += (without[:, None] > with_grant[None, :]).sum()
        pairs += len(without) * len(with_grant)
    return wrong / pairs if pairs else 0.0


def outcomes_of(run, kind, project_rows):
    rows = events_of(run.state, kind)
    return np.isin(rows.project, project_rows).sum()


def contracts_per_eur(run):
    granted = run.state.ledger.granted[run.first :].sum()
    return np.log(outcomes_of(run, "contract", np.flatnonzero(run.counts)) / granted)


def with_partner_in(run, code):
    """Rows of the counted projects in which a partner of a funder has a grant and all others started too."""
    f = run.codes.index(code)
    mine = np.unique(run.partners.project[(run.partners.funder == f) & (run.partners.money == FUNDED)])
    return mine[run.counts[mine]]


def months_until_all_work(run):
    waits = []
    for row in with_partner_in(run, "SE"):
        starts = run.partners_of(run.projects[row]).start_month
        waits.append(starts[starts != NEVER].max() - run.close[run.projects.call[row]])
    return np.mean(waits)


def overlap_share(run):
    months, joint = 0, 0
    for row in with_partner_in(run, "SE"):
        there = run.partners_of(run.projects[row])
        there = there[there.start_month != NEVER]
        months += (there.end_month - there.start_month).sum()
        joint += len(there) * max(0, there.end_month.min() - there.start_month.max())
    return joint / months


def partnerships_with_sweden(run):
    return np.log(1 + outcomes_of(run, "partnership", with_partner_in(run, "SE")))


def partnerships(run):
    return np.log(1 + outcomes_of(run, "partnership", np.flatnonzero(run.counts)))


# What is changed


def baseline(draw=None, name="baseline", **more):
    return scenarios.load(name).resolve(draw, **more)


def budget(factor, draw=None):
    return baseline(draw, budget_scale=factor, scale_from=CHANGED_FROM)


def with_rules(resolved, **changed):
    """The same with rules set from 2016 on: a value, or a function of present values and funder codes."""
    first, rules = resolved.call_years.index(CHANGED_FROM), resolved.rules
    for name, value in changed.items():
        table = getattr(rules.calls if name in CallRules._fields else rules.terms, name)
        table[first:] = value(table[first:], resolved.funder_codes) if callable(value) else value
    return resolved


def one_list(budget_scale=1.0):
    """One ranking paid from national money, nothing set aside for gaps."""
    return with_rules(baseline(name="virtual_common_pot", budget_scale=budget_scale), top_up_share=0.0)


def poor_north(budgets, codes):
    """Nine tenths of the money of SE and NO go to DK."""
    moved = budgets.copy()
    for code in ("SE", "NO"):
        moved[:, codes.index("DK")] += 0.9 * moved[:, codes.index(code)]
        moved[:, codes.index(code)] *= 0.1
    return moved


def six_months_later(deadlines, codes):
    later = deadlines.copy()
    later[:, codes.index("SE")] += 6
    return later


SCARCE = 0.4  # of the budgets: so little that purses decide
ONE_AT_A_TIME = {"capacity_mean": 1.0}
EAGER = {"grant_midpoint_eur": 0.0, "grant_response_eur": 100.0}
NO_PREFERENCE = {"weight_trust": 0.0, "weight_familiarity": 0.0}
NOTHING_BUT_MEETINGS = {"setup_months": 0.0, "setup_cost_eur": 0.0, "overhead_eur_month": 0.0, "fatigue": 0.0}
WORLDS = {
    "baseline": baseline,
    "budget 1.5": lambda: budget(1.5),
    "budget 2": lambda: budget(2.0),
    "budget 0.5": lambda: budget(0.5),
    "budget 0.25": lambda: budget(0.25),
    "tight 0.5": lambda: budget(0.5, ONE_AT_A_TIME),
    "tight 1": lambda: budget(1.0, ONE_AT_A_TIME),
    "tight 2": lambda: budget(2.0, ONE_AT_A_TIME),
    "small grants": lambda: baseline(name="grants_small"),
    "large grants": lambda: baseline(name="grants_large"),
    "eager, small grants": lambda: baseline(EAGER, "grants_small", budget_scale=SCARCE),
    "eager, large grants": lambda: baseline(EAGER, "grants_large", budget_scale=SCARCE),
    "12 months": lambda: baseline(name="projects_12"),
    "36 months": lambda: baseline(name="projects_36"),
    "12 months, no preference": lambda: baseline(NO_PREFERENCE, "projects_12"),
    "36 months, no preference": lambda: baseline(NO_PREFERENCE, "projects_36"),
    "one list": lambda: one_list(),
    "one list, poor north": lambda: with_rules(one_list(), budget_eur=poor_north),
    "scarce, one list": lambda: one_list(SCARCE),
    "scarce, one list with top-up": lambda: baseline(name="virtual_common_pot", budget_scale=SCARCE),
    "scarce, common pot": lambda: baseline(name="common_pot", budget_scale=SCARCE),
    "scarce": lambda: budget(SCARCE),
    "late Sweden": lambda: with_rules(baseline(), deadline_months=six_months_later),
    "phase two": lambda: baseline(name="phase_two_new_money"),
    "regular": lambda: with_rules(baseline(NOTHING_BUT_MEETINGS), project_months=12.0),
    "one-off": lambda: with_rules(baseline(NOTHING_BUT_MEETINGS), project_months=6.0),
}


# What is measured where: each difference is one world less another, by seed

MEASURED = {
    "budget_projects": (n_projects, "budget 1.5", "baseline"),
    "budget_less": (n_projects, "budget 0.25", "budget 0.5"),
    "budget_size": (partners_per_project, "budget 1.5", "baseline"),
    "budget_clusters": (clusters_per_project, "budget 2", "baseline"),
    "budget_links": (links_per_cluster, "budget 2", "baseline"),
    "budget_repeated": (repeated_share, "budget 2", "baseline"),
    "budget_saturates": (n_projects, "tight 2", "tight 1", "tight 0.5"),
    "small_grants_projects": (n_projects, "small grants", "large grants"),
    "small_grants_clusters": (n_clusters, "small grants", "large grants"),
    "small_grants_links": (links_per_cluster, "small grants", "large grants"),
    "eager_small_grants_projects": (n_projects, "eager, small grants", "eager, large grants"),
    "eager_small_grants_clusters": (n_clusters, "eager, small grants", "eager, large grants"),
    "eager_small_grants_links": (links_per_cluster, "eager, small grants", "eager, large grants"),
    "short_repeated": (repeated_share, "12 months", "36 months"),
    "short_repeated_unloved": (repeated_share, "12 months, no preference", "36 months, no preference"),
    "empty_purse": (better_unfunded, "one list, poor north", "one list"),
    "mixed_follows_ranking": (better_unfunded, "scarce, one list with top-up", "scarce, one list"),
    "pot_follows_ranking": (better_unfunded, "scarce, common pot", "scarce, one list with top-up"),
    "pot_outcome": (contracts_per_eur, "scarce, common pot", "scarce, one list"),
    "pot_outcome_alone": (contracts_per_eur, "scarce, common pot", "scarce"),
    "late_funder_start": (months_until_all_work, "late Sweden", "baseline"),
    "late_funder_overlap": (overlap_share, "late Sweden", "baseline"),
    "late_funder_outcome": (partnerships_with_sweden, "late Sweden", "baseline"),
    "phase_two": None,  # by project: see below
    "regular_meetings": (partnerships, "regular", "one-off"),
}


def measured_everywhere():
    """Each measure in each world that needs it, by seed; no run is kept."""
    wanted = {(measure, world) for measure, *worlds in filter(None, MEASURED.values()) for world in worlds}
    found = {}
    for world, make in WORLDS.items():
        resolved = make()
        measures = [measure for measure, where in wanted if where == world]
        for seed in SEEDS if measures else ():
            run = Run(resolved, seed)
            for measure in measures:
                found.setdefault((measure, world), []).append(measure(run))
    return found


def differences(key, found):
    """One difference for each seed; with three worlds, the first step less the second."""
    if MEASURED[key] is None:
        return [selection_less_second_grant(seed) for seed in SEEDS]
    measure, *worlds = MEASURED[key]
    values = [np.array(found[measure, world]) for world in worlds]
    steps = [one - other for one, other in itertools.pairwise(values)]
    return steps[0] if len(steps) == 1 else steps[0] - steps[1]


def selection_less_second_grant(seed):
    """Call of 2016: contracts per active SME of those that pass minus fail without it, less what it adds."""
    without, with_it = (Run(WORLDS[world](), seed) for world in ("baseline", "phase two"))
    verdicts = {int(row.project): row.amount for row in events_of(with_it.state, "reviewed")}
    in_2016 = [p for p in verdicts if with_it.projects.call[p] == with_it.first]
    assert (without.projects.identity[in_2016] == with_it.projects.identity[in_2016]).all()
    passed = [p for p in in_2016 if verdicts[p] == 1.0]
    failed = [p for p in in_2016 if verdicts[p] == 0.0]

    def per_sme(run, rows):
        return outcomes_of(run, "contract", rows) / max(1, run.projects.active_smes[rows].sum())

    selection = per_sme(without, passed) - per_sme(without, failed)
    return selection - (per_sme(with_it, passed) - per_sme(without, passed))


def verdict(row, mean, error):
    """Whether a measured difference agrees with what was expected: yes, no or unclear."""
    if row["expected"] == "0":
        inside, outside = abs(mean) + CLEAR * error < row["within"], abs(mean) - CLEAR * error > row["within"]
        return "yes" if inside else "no" if outside else "unclear"
    if abs(mean) <= CLEAR * error:
        return "unclear"
    return "yes" if (mean > 0) == (row["expected"] == "+") else "no"


@pytest.mark.slow
def test_directions(tell):
    """Fails if the table cannot be made, or if a direction that is established has flipped."""
    assert list(ROWS) == list(MEASURED)
    found = measured_everywhere()
    lines = [f"{'no.':4}{'change':64}{'measure':70}{'expected':>9}{'measured':>10}{'s.e.':>8}  agrees"]
    flipped = []
    for key, row in ROWS.items():
        by_seed = np.asarray(differences(key, found))
        assert np.isfinite(by_seed).all() and len(by_seed) == len(SEEDS), key
        mean, error = by_seed.mean(), by_seed.std(ddof=1) / np.sqrt(len(by_seed))
        agrees = verdict(row, mean, error)
        mark = " (established)" if row["established"] else ""
        lines.append(
            f"{row['number']:4}{row['change']:64}{row['measure']:70}{row['expected']:>9}"
            f"{mean:10.3f}{error:8.3f}  {agrees}{mark}"
        )
        if row["established"] and agrees == "no":
            flipped.append(key)
    tell(f"Directions at central parameters, {len(SEEDS)} seeds", "\n".join(lines))
    assert flipped == []


def test_a_verdict_is_yes_no_or_unclear():
    up, none = {"expected": "+"}, {"expected": "0", "within": 0.03}
    assert [verdict(up, mean, 1.0) for mean in (3.0, 1.0, -1.0, -3.0)] == ["yes", "unclear", "unclear", "no"]
    assert [verdict(none, mean, 0.005) for mean in (0.0, 0.015, 0.025, 0.05)] == [
        "yes",
        "yes",
        "unclear",
        "no",
    ]
