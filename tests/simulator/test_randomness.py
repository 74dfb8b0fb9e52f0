"""Luck belongs to the decision: two runs differ only where a cause differs, however they are run."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

import scenarios
from scenarios.entries import levers
from scenarios.history import FILE
from simulator.state import EVENTS, Capacity
from tests.small_worlds import (
    KIND,
    columns,
    differing,
    events_of,
    fingerprint,
    log_of,
    never_held,
    own_events_of,
    shipped,
    simulate,
    tiny,
    told_by_identity,
)

ROOT = Path(__file__).parents[2]
CHANGED = [name for name in scenarios.names() if name != "baseline"]
SEEDS = (1, 2)


# A policy that changes nothing


def present_values(resolved):
    """A scenario text that sets every lever to the value that it has, call by call and funder by funder."""
    lines = []
    by_funder = [name for name in levers("funder") if name in resolved.rules.terms._fields]
    for c, year in enumerate(resolved.call_years):
        lines.append(f"[from.{year}]")
        for name, lever in levers("call").items():
            lines.append(f"{name} = {json.dumps(lever.value)}")
        for f, funder in enumerate(resolved.funder_codes):
            if resolved.rules.terms.budget_eur[c, f] > 0:
                lines.append(f"[from.{year}.funders.{funder}]")
                lines += [f"{name} = {float(getattr(resolved.rules.terms, name)[c, f])!r}" for name in by_funder]
    return "\n".join(lines)


def test_a_policy_that_changes_nothing_changes_exactly_nothing(scenario_file):
    same = scenario_file(present_values(shipped())).resolve()
    assert len(present_values(shipped()).splitlines()) > 300
    for seed in SEEDS:
        assert differing(simulate(shipped(), seed), simulate(same, seed)) == []


def test_a_policy_that_changes_something_is_seen(scenario_file):
    """The comparison above would notice one euro."""
    other = scenario_file("[from.2019.funders.LT]\nbudget_eur = 54000\n").resolve()
    assert differing(simulate(shipped()), simulate(other)) != []


# Before a changed rule first acts


# Rules that nobody looks at before the call closes; all others may act from the event on.
ACT_AT_THE_CLOSE = {"projects_12", "projects_24", "projects_36", "common_pot", "negotiated", "budget_plus_30"}
ACT_AT_THE_CLOSE |= {"budget_less_30", "synchronised", "fast_and_synchronised", "staggered_more"}
ACT_AT_THE_CLOSE |= {"phase_two_new_money", "phase_two_same_money"}


def first_month(name):
    """The month in which a scenario's first changed rule can act."""
    resolved = shipped(name)
    call = resolved.call_years.index(resolved.change_year)
    months = resolved.rules.calls.close_month if name in ACT_AT_THE_CLOSE else resolved.rules.calls.event_month
    return int(months[call])


@pytest.mark.parametrize("name", CHANGED)
def test_everything_before_a_changed_rule_acts_is_the_same_to_the_bit(name):
    month = first_month(name)
    has_paid = (shipped().rules.terms.budget_eur[shipped().rules.calls.close_month < month] > 0).any(axis=0)
    for seed in SEEDS:
        before, after = (simulate(resolved, seed, last=month) for resolved in (shipped(), shipped(name)))
        # nobody believes anything of a funder before its first call: its belief waits for that call's rules
        before.funders.belief[~has_paid], after.funders.belief[~has_paid] = 0.0, 0.0
        assert differing(before, after) == []


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_rule_acts(name):
    assert differing(simulate(shipped()), simulate(shipped(name))) != []


# Afterwards: earlier calls differ only where the change has touched somebody


ACTIVE = "active in a project of a changed call"


def what_touched_whom(name, seed):
    """Why SMEs and projects of earlier calls fare otherwise under a changed rule: a walk through both logs.

    A changed project (one of the changed calls) touches the SMEs that are active in it. Who is in an event
    that stands in one log only, together with somebody touched before, is touched from then on. Returns the
    reason of each touched SME, the differing events of earlier calls that no touch explains, and the SMEs of
    earlier calls.
    """
    states = [simulate(shipped(each), seed) for each in ("baseline", name)]
    first_changed = shipped().call_years.index(shipped(name).change_year)
    touched, in_earlier = {}, set()
    for state in states:
        for i, call, month, is_active in engagements(state):
            if call < first_changed:
                in_earlier.add(i)
            elif is_active:
                touched[i] = min(month, touched.get(i, month))
    reasons = dict.fromkeys(touched, ACTIVE)
    unexplained = []
    for _, this_month in groupby(sorted(differing_events(states, first_changed)), key=lambda event: event[0]):
        events, before = list(this_month), 0
        while len(events) != before:  # one touch of the month may explain the next
            before = len(events)
            events = [event for event in events if not explain(event, touched, reasons)]
        unexplained += events
    return reasons, unexplained, in_earlier


def engagements(state):
    """The SME, call, month of start and activity of every participation."""
    t = state.rows("participations")
    calls = state.projects.call[state.partners.project[t.partner]]
    starts = state.partners.start_month[t.partner]
    return zip(t.sme.tolist(), calls.tolist(), starts.tolist(), t.is_active.tolist())


def differing_events(states, first_changed):
    """Events of earlier calls, of SMEs on their own and of displaced rivals that stand in one log only."""
    seen = []
    for state in states:
        log = log_of(state)
        call = np.where(log.project >= 0, state.projects.call[log.project], -1)
        of_sme = log.kind >= KIND["knowledge"]
        mine = ((log.project >= 0) & (call < first_changed)) | ((log.project < 0) & of_sme)
        mine |= log.kind == KIND["displaced"]
        identity = np.where(log.project >= 0, state.projects.identity[log.project], 0)
        rows = zip(log.month, log.kind, log.who, log.whom, identity, log.amount)
        events = [tuple(value.item() for value in row) for row, keep in zip(rows, mine) if keep]
        assert len(set(events)) == len(events)
        seen.append(set(events))
    return seen[0] ^ seen[1]


def explain(event, touched, reasons):
    """Whether somebody in an event was touched before it; then all in it are touched."""
    month, kind, who, whom, project, _ = event
    if kind < KIND["knowledge"] or kind >= KIND["reviewed"]:  # of a project: what its SMEs did
        return touched.get(("project", project), month + 1) <= month
    parties = [party for party in (who, whom) if party >= 0]
    if not any(touched.get(party, month + 1) <= month for party in parties):
        return False
    for party in parties:
        if touched.get(party, month + 1) > month:
            by = whom if party == who else who
            touched[party] = month
            how = "a buyer taken by or from" if kind == KIND["displaced"] else f"{EVENTS[kind]} with"
            reasons[party] = f"{how} SME {by} in month {month}"
    if project:
        touched[("project", project)] = min(month, touched.get(("project", project), month))
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", ["projects_24", "common_pot", "budget_plus_30", "all_or_none"])
def test_earlier_calls_differ_only_where_the_change_has_touched_somebody(name, tell):
    lines = []
    for seed in SEEDS:
        reasons, unexplained, in_earlier = what_touched_whom(name, seed)
        assert unexplained == []
        touched = {sme: reason for sme, reason in reasons.items() if sme in in_earlier}
        assert 0 < len(touched) < len(in_earlier)  # some are touched, and not all
        by_event = [f"SME {sme}: {reason}" for sme, reason in sorted(touched.items()) if reason != ACTIVE]
        lines.append(
            f"seed {seed}: {len(touched)} of {len(in_earlier)} SMEs of earlier calls, "
            f"{len(touched) - len(by_event)} because they are {ACTIVE}; the others:"
        )
        lines += by_event or ["none"]
    tell(f"SMEs of earlier calls that {name} has touched", "\n".join(lines))


@pytest.mark.parametrize("name", ["all_or_none", "common_pot", "negotiated"])
def test_a_partner_that_fares_alike_under_a_changed_rule_has_the_same_smes(name):
    """The call of 2016: same project, grant and start, hence the same SMEs with the same luck, in any row."""
    alike = 0
    for seed in SEEDS:
        before, after = (recruited(simulate(shipped(each), seed, last=56)) for each in ("baseline", name))
        assert set(before) != set(after)
        for partner in set(before) & set(after):
            assert before[partner] == after[partner]
            alike += 1
    assert alike >= 5


def recruited(state):
    """By project, cluster, grant and start: who is engaged in the call of 2016, who active, what luck."""
    found = {}
    for p in state.rows("partners"):
        project = state.projects[p.project]
        if project.call == 3 and p.engaged > 0:
            key = (int(project.identity), int(p.cluster), float(p.grant_eur), int(p.start_month))
            rows = state.participations[p.first_participation : p.first_participation + p.engaged]
            found[key] = [rows[name].tolist() for name in ("sme", "is_active", "know_threshold")]
    return found


# A country that is added


def with_a_newcomer(**more):
    """The shipped world, and the same with a country without a funder that is not invited; it comes first.

    Whom a lead has asked counts, so to be asked and to say no would be a contact too: with many asks allowed
    it changes nothing, and the first contact is a consortium.
    """
    was = scenarios.programme()
    newcomer = was.countries["GR"].model_copy(update={"nation": "AA", "language": "Attic", "attends": False})
    grown = replace(was, countries={"AA": newcomer, **was.countries})
    baseline = scenarios.load("baseline")
    return baseline.resolve(more), baseline.resolve(more, programme_as_it_was=grown)


def newcomers(resolved, state):
    """Identities of the clusters and of the SMEs of the country that was added."""
    home = resolved.country_codes.index("AA")
    clusters = np.flatnonzero(state.clusters.country == home)
    members = np.isin(state.smes.cluster, clusters)
    return np.concatenate([state.clusters.identity[clusters], state.smes.identity[members]])


def first_contact(resolved, state):
    """The month in which a cluster of the added country first is in a consortium."""
    home = resolved.country_codes.index("AA")
    partners = state.rows("partners")
    joined = partners.project[state.clusters.country[partners.cluster] == home]
    return int(state.projects.idea_month[joined].min()) if len(joined) else resolved.months


def of_the_others(resolved, state, strangers, last):
    """The log up to a month, without the events of the strangers."""
    told = told_by_identity(resolved, state)
    return told[(told["month"] < last) & ~np.isin(told["who"], strangers) & ~np.isin(told["whom"], strangers)]


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_country_that_is_added_leaves_the_others_as_they_were_until_first_contact(seed):
    without, with_it = with_a_newcomer(asks_max=40.0)
    before, after = simulate(without, seed), simulate(with_it, seed)
    strangers, month = newcomers(with_it, after), first_contact(with_it, after)
    assert len(strangers) > 50 and len(after.smes) == len(before.smes) + len(strangers) - 5
    mine, theirs = (of_the_others(*each, strangers, month) for each in ((without, before), (with_it, after)))
    assert len(mine) > 200
    np.testing.assert_array_equal(mine, theirs)


def test_a_country_that_nobody_wins_over_never_changes_another():
    """It says no to all who ask: nobody else's traits, ties or own paths ever differ by a bit."""
    without, with_it = with_a_newcomer(asks_max=40.0, acceptance_no_funder=0.0, extra_partners_mean=0.3)
    before, after = simulate(without, 2), simulate(with_it, 2)
    strangers = newcomers(with_it, after)
    assert first_contact(with_it, after) == with_it.months
    np.testing.assert_array_equal(
        of_the_others(without, before, strangers, without.months),
        of_the_others(with_it, after, strangers, 10_000),
    )
    for table in ("clusters", "smes"):
        mine, theirs = getattr(before, table), getattr(after, table)
        theirs = theirs[~np.isin(theirs.identity, strangers)]
        rows = {"country", "nation", "first_sme", "cluster"}  # row numbers, which the newcomers shift
        for field in set(mine.dtype.names) - rows:
            assert mine[field].tobytes() == theirs[field].tobytes(), field
    old = ~np.isin(after.clusters.identity, strangers)
    assert before.familiarity.tobytes() == after.familiarity[np.ix_(old, old)].tobytes()
    assert before.trust.tobytes() == after.trust[np.ix_(old, old)].tobytes()


# The same bits, however it is run


@pytest.mark.slow
def test_threads_change_no_bit():
    seeds = range(1, 9)
    alone = [fingerprint(simulate(shipped(), seed)) for seed in seeds]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: fingerprint(simulate(shipped(), seed)), seeds))
    assert together == alone and len(set(alone)) == len(alone)


@pytest.mark.parametrize(
    "stops",
    [(1,), (45,), (12, 13, 44, 45, 46, 100), tuple(range(1, 144))],
    ids=["1", "45", "some", "every month"],
)
def test_a_run_in_pieces_is_the_run_in_one(stops):
    assert fingerprint(simulate(shipped(), 3, stops)) == fingerprint(simulate(shipped(), 3))


def in_a_process(code, **settings):
    """What a fresh Python prints."""
    text = f"from tests.small_worlds import *\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_fresh_process_gives_the_same_bits():
    code = "for seed in (1, 2): print(fingerprint(simulate(shipped('clusters_package'), seed)))"
    here = [fingerprint(simulate(shipped("clusters_package"), seed)) for seed in (1, 2)]
    assert in_a_process(code).split() == here


def test_rooms_for_more_change_no_bit():
    """A run that outgrows its tables is repeated with larger ones: how large they are does not matter."""
    inputs = tiny()
    small, large = Capacity(8, 64, 32, 512), Capacity(1024, 4096, 4096, 65_536)
    assert simulate(inputs, 1, capacity=small).slots.shape != simulate(inputs, 1, capacity=large).slots.shape
    differ = differing(simulate(inputs, 1, capacity=small), simulate(inputs, 1, capacity=large))
    assert differ == ["slots"]


# With the compiler off


UNCOMPILED = ("baseline", "all_or_none", "negotiated", "virtual_common_pot", "common_pot", "clusters_package")


@pytest.mark.slow
@pytest.mark.plain
def test_uncompiled_the_same_things_happen(tmp_path):
    """Equal events and whole numbers, floats within 1e-12, under every funding rule and phase two."""
    code = f"""
import numpy as np
np.seterr(over="ignore")
for name in {UNCOMPILED}:
    np.savez({str(tmp_path)!r} + f"/{{name}}.npz", **columns(simulate(tiny(name, 2017))))
"""
    in_a_process(code, NUMBA_DISABLE_JIT="1")
    happened = 0
    for name in UNCOMPILED:
        compiled, plain = columns(simulate(tiny(name, 2017))), np.load(tmp_path / f"{name}.npz")
        assert mismatches(plain, compiled) == [], name
        happened += len(compiled["log.kind"])
    assert happened > 5_000


def mismatches(plain, compiled):
    """Columns in which two runs do not agree, each with the worst row."""
    found = []
    for name, column in compiled.items():
        other = plain[name]
        if other.shape != column.shape:
            found.append(f"{name}: {other.shape} uncompiled, {column.shape} compiled")
        elif not np.allclose(other, column, rtol=1e-12 if column.dtype.kind == "f" else 0.0, atol=0.0):
            gap = np.abs(np.nan_to_num(np.asarray(other, float) - np.asarray(column, float)))
            row = np.unravel_index(gap.argmax(), gap.shape)
            found.append(f"{name}{list(map(int, row))}: {other[row]} uncompiled, {column[row]} compiled")
    return found


# The order and the names of the input


def test_the_order_of_the_programme_file_changes_no_bit(tmp_path):
    """Countries, sectors, funders and calls, and the funders within a call, written the other way round."""
    head, *parts = FILE.read_text(encoding="utf-8").split("\n[")
    lists = [part.replace('funders = ["DK", "SE", "NO", ', 'funders = ["NO", "SE", "DK", ') for part in parts]
    assert lists != parts
    path = tmp_path / "programme.toml"
    path.write_text(head + "".join(f"\n[{part}" for part in reversed(lists)), encoding="utf-8")
    other = scenarios.load("clusters_package").resolve(programme_as_it_was=scenarios.read_programme(path))
    for seed in SEEDS:
        assert differing(simulate(shipped("clusters_package"), seed), simulate(other, seed)) == []


def renamed(was):
    """The programme with all countries under other letters, in another order."""
    codes = sorted(was.countries)
    new = {code: f"Q{(7 * n + 3) % 100:02}" for n, code in enumerate(codes)}
    assert len(set(new.values())) == len(codes)
    return replace(
        was,
        countries={new[code]: was.countries[code] for code in sorted(codes, key=new.get)},
        funders={
            new[code]: was.funders[code].model_copy(update={"country": new[code]})
            for code in sorted(was.funders, key=new.get)
        },
        calls={
            year: call.model_copy(
                update={
                    "funders": [new[code] for code in call.funders],
                    "budget_weights": {new[code]: weight for code, weight in call.budget_weights.items()},
                }
            )
            for year, call in was.calls.items()
        },
    )


def thirty_runs(resolved):
    """Runs of 30 seeds, one after the other."""
    return (simulate(resolved, seed) for seed in range(30))


@pytest.mark.slow
def test_the_names_of_countries_change_luck_and_no_distribution():
    """Means over 30 seeds each, within 3.5 standard errors of their difference."""
    other = scenarios.load("baseline").resolve(programme_as_it_was=renamed(scenarios.programme()))
    kinds = (
        "proposal",
        "granted",
        "engaged",
        "knowledge",
        "partnership",
        "contract",
        "own_contract",
        "displaced",
    )
    was, now = (
        np.array([[np.sum(log_of(state).kind == KIND[kind]) for kind in kinds] for state in thirty_runs(resolved)])
        for resolved in (shipped(), other)
    )
    assert not np.array_equal(was, now)
    gap = now.mean(axis=0) - was.mean(axis=0)
    error = np.sqrt(was.var(axis=0, ddof=1) / 30 + now.var(axis=0, ddof=1) / 30)
    assert (np.abs(gap) < 3.5 * error).all(), dict(zip(kinds, zip(gap, error)))


# Expectations and displacement


def test_under_all_or_none_consortia_choose_otherwise_if_they_fear_no_refusal():
    def consortia(risk_aversion, name):
        state = simulate(shipped(name, risk_aversion=risk_aversion), 1, last=46)
        in_2016 = state.projects.call[: state.used.projects] == 3
        partners = state.rows("partners")
        rows = in_2016[partners.project]
        return partners.project[rows].tolist(), partners.cluster[rows].tolist()

    assert consortia(0.0, "all_or_none") != consortia(2.0, "all_or_none")
    assert consortia(0.0, "baseline") == consortia(2.0, "baseline")  # each decides alone: nothing to fear
    assert consortia(0.0, "all_or_none") == consortia(0.0, "baseline")


@pytest.mark.slow
def test_where_every_contract_takes_a_buyer_nothing_is_won():
    """Each SME that contracts takes the next buyer of a rival at home; rivals never run out: net is zero."""
    draw = {
        "displacement": 1.0, "own_need_overlap": 0.0, "own_effort_substitution": 0.0, "own_h_contract": 0.05,
        "idea_rate": 0.4,
    }  # fmt: skip
    resolved = scenarios.load("baseline").resolve(draw, last_call=2016)
    programme, twin = (simulate(each, 2, room=600, last=108) for each in (resolved, never_held(resolved)))
    contracts, displaced = events_of(programme, "contract"), events_of(programme, "displaced")
    assert len(contracts) > 100
    assert 2 * len(contracts) - len(displaced) == 0  # both sides of a contract count
    sides = sorted([*contracts.who.tolist(), *contracts.whom.tolist()])
    assert sorted(displaced.whom.tolist()) == sides  # each SME took as many buyers as it has contracts
    home = programme.clusters.country[programme.smes.cluster]
    for field in (home, programme.smes.sector):
        np.testing.assert_array_equal(field[displaced.who], field[displaced.whom])
    assert (displaced.who != displaced.whom).all()
    # displaced is what the twin has and this run has not: each buyer lost once, nobody else's plans changed
    on_their_own = [own_events_of(resolved, each, "own_contract", seed=2, last=108) for each in (programme, twin)]
    lost, reached, would = (sorted(zip(rows.who.tolist(), rows.amount.tolist())) for rows in (displaced, *on_their_own))
    assert len(set(lost)) == len(lost)
    lost_by_now = [need for need in lost if need[1] < 108]
    assert sorted(lost_by_now + reached) == would


@pytest.mark.slow
def test_the_rival_who_loses_is_the_next_in_line():
    """Of all SMEs of the country and sector, the one whose own contract was nearest."""
    months_ahead = {}
    draw = {"displacement": 0.3, "own_need_overlap": 0.0, "own_effort_substitution": 0.0}
    resolved = shipped("baseline", **draw)
    twin = simulate(never_held(resolved))
    state = simulate(resolved)
    home, sector = state.clusters.country[state.smes.cluster], state.smes.sector
    for row in own_events_of(resolved, twin, "own_contract"):
        i = row.who
        months_ahead.setdefault((home[i], sector[i]), []).append((float(row.amount), int(i)))
    gone = set()
    displaced = events_of(state, "displaced")
    assert len(displaced) > 50
    for row in displaced:
        market = months_ahead[home[row.whom], sector[row.whom]]
        open_needs = [(due, i) for due, i in market if due >= row.month and i != row.whom and (due, i) not in gone]
        assert min(open_needs) == (row.amount, row.who)
        gone.add((float(row.amount), int(row.who)))
