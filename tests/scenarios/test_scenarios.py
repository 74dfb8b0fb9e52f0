"""Scenarios: what they change, and what a run receives."""

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scenarios
from scenarios.history import FILE
from simulator.parameters import FUNDING_RULES, Parameters, Rules, World

ROOT = Path(__file__).parents[2]
HEAD = 'title = "Mine"\nquestion = "What if?"\n'


@pytest.fixture
def mine(tmp_path):
    """Write a scenario file and load it."""

    def write(body, name="mine"):
        path = tmp_path / f"{name}.toml"
        path.write_text(HEAD + body, encoding="utf-8")
        return scenarios.load(path)

    return write


def same(left, right):
    """True if two tuples of arrays or numbers, or of such tuples, agree in every bit."""
    return all(
        same(a, b)
        if isinstance(a, tuple)
        else np.asarray(a).dtype == np.asarray(b).dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()
        for a, b in zip(left, right, strict=True)
    )


# what a run receives


def test_arrays_have_the_shapes_and_types_that_kernels_expect():
    resolved = scenarios.load("baseline").resolve()
    calls, funders = len(resolved.call_years), len(resolved.funder_codes)
    whole = {
        "year",
        "event_month",
        "open_month",
        "close_month",
        "event_clusters",
        "counted_months",
        "held",
    }
    whole |= {"funding_rule", "decision_dates"}
    for name, array in (resolved.rules.calls._asdict() | resolved.rules.terms._asdict()).items():
        assert array.dtype == (np.int64 if name in whole else np.float64), name
        assert array.shape in ((calls,), (calls, funders)), name
    for name, array in resolved.world._asdict().items():
        expected = {"country_key": np.uint64, "sector_share": np.float64}.get(name, np.int64)
        assert array.dtype == expected, name
    for array in (*resolved.rules.calls, *resolved.rules.terms, *resolved.world):
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.owndata
        assert np.isfinite(array).all()
    assert all(type(value) is float for value in resolved.parameters)
    assert isinstance(resolved.parameters, Parameters)
    assert isinstance(resolved.rules, Rules) and isinstance(resolved.world, World)


def test_two_resolutions_share_no_memory():
    first, second = scenarios.load("baseline").resolve(), scenarios.load("baseline").resolve()
    first.rules.terms.budget_eur[:] = 0
    first.world.cluster_members[:] = 0
    third = scenarios.load("baseline").resolve()
    assert same(second.rules, third.rules) and same(second.world, third.world)


def test_countries_funders_and_calls_stand_in_order():
    resolved = scenarios.load("baseline").resolve()
    assert list(resolved.country_codes) == sorted(resolved.country_codes)
    assert list(resolved.funder_codes) == sorted(resolved.funder_codes)
    assert list(resolved.call_years) == sorted(resolved.call_years)
    world = resolved.world
    for row, code in enumerate(resolved.funder_codes):
        country = world.funder_country[row]
        assert resolved.country_codes[country] == code and world.country_funder[country] == row
    assert (world.country_funder >= 0).sum() == len(resolved.funder_codes)


def test_a_country_is_known_by_its_letters():
    resolved = scenarios.load("baseline").resolve()
    keys = dict(zip(resolved.country_codes, resolved.world.country_key.tolist(), strict=True))
    assert keys["DK"] == 0x444B
    assert keys["ES-CT"] == int.from_bytes(b"ES-CT", "big")
    assert len(set(keys.values())) == len(keys)


def test_regions_of_one_nation_are_not_abroad_to_each_other():
    resolved = scenarios.load("baseline").resolve()
    nation = dict(zip(resolved.country_codes, resolved.world.country_nation.tolist(), strict=True))
    language = dict(zip(resolved.country_codes, resolved.world.country_language.tolist(), strict=True))
    assert nation["ES"] == nation["ES-CT"] and nation["DE"] == nation["DE-BB"] == nation["DE-BW"]
    assert language["DK"] == language["NO"] == language["SE"] == language["IS"] != language["FI"]


def programme_in_other_order(tmp_path):
    """The shipped programme with its tables written in reverse."""
    text = FILE.read_text(encoding="utf-8")
    head, *tables = text.split("\n[")
    path = tmp_path / "programme.toml"
    path.write_text(head + "".join(f"\n[{table}" for table in reversed(tables)), encoding="utf-8")
    return path


def test_the_order_of_a_file_changes_no_bit(tmp_path):
    other = scenarios.read_programme(programme_in_other_order(tmp_path))
    left = scenarios.load("baseline").resolve()
    right = scenarios.load("baseline").resolve(programme_as_it_was=other)
    assert same(left.rules, right.rules) and same(left.world, right.world)
    assert left.country_codes == right.country_codes and left.sector_names == right.sector_names


def test_another_country_changes_no_other(tmp_path):
    text = FILE.read_text(encoding="utf-8")
    added = '\n[countries.AA]\nname = "Atlantis"\nlanguage = "Attic"\nbsr = false\nnation = "AA"\n'
    (tmp_path / "more.toml").write_text(text + added + "clusters = 9\nmembers_mean = 30\nattends = false\n")
    other = scenarios.read_programme(tmp_path / "more.toml")
    left = scenarios.load("baseline").resolve()
    right = scenarios.load("baseline").resolve(programme_as_it_was=other)
    assert same(left.rules, right.rules)
    for code in left.country_codes:
        members = [
            resolved.world.cluster_members[resolved.world.cluster_country == resolved.country_codes.index(code)]
            for resolved in (left, right)
        ]
        np.testing.assert_array_equal(*members)


@pytest.mark.parametrize("smes", [2_000, 16_000, 1_000_003, 25_000_000])
def test_the_number_of_smes_is_hit_nearly(smes):
    world = scenarios.load("baseline").resolve(smes=smes).world
    assert abs(int(world.cluster_members.sum()) - smes) <= len(world.cluster_members)


def test_a_run_lasts_until_every_call_is_counted():
    baseline = scenarios.load("baseline")
    assert baseline.resolve(last_call=2017, horizon_months=60).months == 120
    assert baseline.resolve(last_call=2019, horizon_months=60).months == 144
    assert baseline.resolve(horizon_months=36).rules.calls.counted_months.tolist() == [36] * 7


def test_a_draw_reaches_parameters_and_rules():
    draw = {"trust_months": 7, "grant_eur": 20_000.0, "p_fund_NO": np.float64(0.4)}
    resolved = scenarios.load("baseline").resolve(draw)
    assert resolved.parameters.trust_months == 7.0
    norway, denmark = resolved.funder_codes.index("NO"), resolved.funder_codes.index("DK")
    assert resolved.rules.terms.pass_share[0, norway] == 0.4
    assert resolved.rules.terms.grant_eur[0, norway] == pytest.approx(20_000 * 0.8)
    assert resolved.rules.terms.grant_eur[0, denmark] == pytest.approx(20_000 * 1.1)


def test_what_is_not_drawn_has_its_central_value():
    resolved = scenarios.load("baseline").resolve()
    for name, entry in scenarios.register().items():
        if entry.kind == "behaviour":
            assert getattr(resolved.parameters, name) == entry.value


# what scenarios change


def test_shipped_scenarios_all_load_and_say_what_they_ask():
    assert scenarios.names()[0] == "baseline" and len(scenarios.names()) >= 19
    for name in scenarios.names():
        scenario = scenarios.load(name)
        assert scenario.question.endswith("?")
        assert scenario.resolve().change_year == {"baseline": None}.get(name, 2016)
        assert bool(scenario.differences()) == (name != "baseline")


def test_calls_before_the_change_are_the_baselines():
    baseline = scenarios.load("baseline").resolve()
    for name in scenarios.names():
        resolved = scenarios.load(name).resolve()
        if resolved.change_year is not None and resolved.change_year > 2013:
            row = resolved.call_years.index(resolved.change_year)
            for before, after in zip(baseline.rules, resolved.rules):
                assert same([a[:row] for a in before], [a[:row] for a in after])
            assert same(baseline.world, resolved.world) and same(baseline.parameters, resolved.parameters)


def test_a_lever_holds_until_it_is_changed(mine):
    rules = mine("[from.2014]\nproject_months = 20\n[from.2016]\nproject_months = 24\n").resolve().rules
    assert rules.terms.project_months[:, 0].tolist() == [15, 20, 20, 24, 24, 24, 24]


def test_a_funders_own_rule_stands_before_the_rule_for_all(mine):
    body = "[from.2015]\nproject_months = 20\n[from.2016.funders.DK]\nproject_months = 30\nbudget_eur = 5\n"
    resolved = mine(body).resolve()
    denmark = resolved.funder_codes.index("DK")
    assert resolved.rules.terms.project_months[:, denmark].tolist() == [15, 15, 20, 30, 30, 30, 30]
    assert resolved.rules.terms.budget_eur[3:, denmark].tolist() == [5, 5, 5, 5]
    assert resolved.change_year == 2015


def test_a_grant_in_eur_stands_and_widens_the_limits(mine):
    resolved = mine("[from.2016.funders.NO]\ngrant_eur = 50000\n").resolve()
    norway = resolved.funder_codes.index("NO")
    before = 0.8 * scenarios.register()["grant_eur"].value
    assert resolved.rules.terms.grant_eur[:, norway].tolist()[2:4] == [pytest.approx(before), 50_000]
    assert resolved.rules.terms.grant_max_eur[:, norway].tolist()[2:4] == [28_000, 50_000]


def test_grants_change_in_size_at_the_same_budget():
    baseline, large = (scenarios.load(name).resolve().rules for name in ("baseline", "grants_large"))
    np.testing.assert_allclose(large.terms.grant_eur[3:], 2 * baseline.terms.grant_eur[3:])
    np.testing.assert_allclose(large.terms.grant_max_eur[3:], 2 * baseline.terms.grant_max_eur[3:])
    np.testing.assert_array_equal(large.terms.budget_eur, baseline.terms.budget_eur)


def test_a_grant_stays_within_the_funders_limits():
    resolved = scenarios.load("baseline").resolve({"grant_eur": 60_000})
    assert (resolved.rules.terms.grant_eur <= resolved.rules.terms.grant_max_eur).all()
    assert resolved.rules.terms.grant_eur[0, resolved.funder_codes.index("NO")] == 28_000


def test_common_openness_lifts_those_below_it(mine):
    openness = mine("[from.2016]\nopenness_floor = 0.9\n").resolve().rules.terms.openness
    assert openness[3:].min() == 0.9 and openness.max() == 0.95 and openness[:3].min() == 0.85


def test_budgets_are_scaled_from_the_first_change_on():
    baseline = scenarios.load("baseline").resolve().rules.terms.budget_eur
    scaled = scenarios.load("budget_less_30").resolve(budget_scale=2.0).rules.terms.budget_eur
    np.testing.assert_array_equal(scaled[:3], baseline[:3])
    np.testing.assert_allclose(scaled[3:], baseline[3:] * 1.4)
    later = scenarios.load("baseline").resolve(budget_scale=0.5, scale_from=2017).rules.terms.budget_eur
    np.testing.assert_allclose(later, baseline * np.array([1, 1, 1, 1, 0.5, 0.5, 0.5])[:, None])


def test_a_funder_may_join_with_its_own_money_and_leave(mine):
    joined = mine("[from.2016.funders.FI]\ntakes_part = true\nbudget_eur = 200000\n").resolve()
    finland = joined.funder_codes.index("FI")
    assert joined.rules.terms.budget_eur[2:, finland].tolist() == [0, 200_000, 200_000, 200_000, 200_000]
    left = mine("[from.2016.funders.DK]\ntakes_part = false\n").resolve()
    assert left.rules.terms.budget_eur[3:, left.funder_codes.index("DK")].max() == 0


def test_without_a_programme_there_is_no_call_no_event_and_no_money():
    rules = scenarios.load("no_programme").resolve().rules
    ended = rules.calls.year >= 2016
    assert rules.calls.held[ended].max() == 0 and rules.terms.budget_eur[ended].max() == 0
    assert rules.calls.event_clusters[ended].max() == 0
    assert rules.calls.held[~ended].min() == 1 and rules.calls.event_clusters[~ended].min() > 0


def test_a_scenario_that_changes_nothing_changes_nothing(mine):
    scenario = mine("[from.2016]\nbudget_factor = 1\nfunding_rule = 'independent'\n")
    resolved, baseline = scenario.resolve(), scenarios.load("baseline").resolve()
    assert resolved.change_year is None and same(resolved.rules, baseline.rules)
    assert scenario.differences() == ()


def test_behaviours_are_held_in_every_draw_and_act_from_the_first_call(mine):
    resolved = mine("[parameters]\ntrust_months = 18\n").resolve({"trust_months": 5.0, "fatigue": 0.02})
    assert (resolved.parameters.trust_months, resolved.parameters.fatigue) == (18.0, 0.02)
    assert resolved.change_year == 2013


def test_a_childs_settings_stand_before_its_parents(mine, tmp_path):
    mine("[from.2016]\nbudget_factor = 0.5\nproject_months = 20\n", "parent")
    child = mine('extends = "parent.toml"\n[from.2016]\nproject_months = 24\n', "child")
    assert child.parent is not None and child.parent.name == "parent"
    assert child.resolve().rules.terms.project_months[3, 0] == 24
    assert child.resolve().rules.terms.budget_eur[3].sum() == pytest.approx(1_835_000 / 2)
    (row,) = child.differences(child.parent)
    assert row[2:] == ("project_months", "Project length", "months", 20, 24, False, "", "")
    assert [row.name for row in child.differences()] == ["budget_factor", "project_months"]


def test_differences_tell_where_a_change_ends():
    rows = scenarios.load("phase_two_same_money").differences()
    shares = [(row.year, row.was, row.now, row.ends) for row in rows if row.name == "phase_two_share"]
    assert shares == [(2016, 0, 0.3, False), (2018, 0, 0, True)]


def test_differences_of_a_funder_are_told_against_what_it_did(mine):
    rows = mine("[from.2015.funders.NO]\nbudget_eur = 200000\n").differences()
    baseline = scenarios.load("baseline").resolve()
    was = dict(
        zip(baseline.call_years, baseline.rules.terms.budget_eur[:, baseline.funder_codes.index("NO")], strict=True)
    )
    assert (rows[0].year, rows[0].funder) == (2015, "NO")
    for row in rows:  # again wherever what it did changes
        assert (row.was, row.now) == (was[row.year], 200_000)


def test_the_package_of_the_clusters_asks_for_what_they_said():
    rules = scenarios.load("clusters_package").resolve().rules
    baseline = scenarios.load("baseline").resolve().rules
    assert rules.terms.openness[3:].min() == 1
    assert FUNDING_RULES[rules.calls.funding_rule[3]] == "negotiated"
    assert 18 <= rules.terms.project_months[3, 0] <= 24
    np.testing.assert_array_equal(rules.terms.budget_eur, baseline.terms.budget_eur)


def test_scenarios_travel_between_processes():
    scenario = scenarios.load("clusters_package")
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario and same(again.resolve().rules, scenario.resolve().rules)


def test_a_file_anywhere_may_extend_a_shipped_scenario(mine):
    scenario = mine('extends = "projects_24"\n')
    assert scenario.resolve().rules.terms.project_months[3, 0] == 24


# the schema


def test_the_schema_is_in_step():
    """Refresh with `python -m scenarios > scenarios/scenario.schema.json`."""
    committed = json.loads((ROOT / "scenarios" / "scenario.schema.json").read_text(encoding="utf-8"))
    assert committed == scenarios.schema()


def test_the_schema_knows_ranges_and_choices():
    call = scenarios.schema()["$defs"]["Call"]["properties"]
    number, change = call["grant_factor"]["oneOf"]
    assert (number["minimum"], number["maximum"]) == (0.1, 10) and change == {"$ref": "#/$defs/ChangeForm"}
    assert tuple(call["funding_rule"]["enum"]) == FUNDING_RULES


@pytest.mark.slow
def test_importing_scenarios_is_light():
    code = "import sys, scenarios; scenarios.load('projects_24').resolve(); print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    for heavy in ("numba", "mesa", "pandas", "scipy", "matplotlib"):
        assert f"'{heavy}'" not in loaded.stdout, heavy


def test_counts_are_whole_when_the_event_changes_in_size(mine):
    rules = mine("[from.2016]\nevent_size_factor = 1.5\n").resolve().rules
    assert rules.calls.event_clusters.tolist() == [70, 150, 151, 225, 262, 262, 262]
    assert math.isclose(rules.calls.event_clusters[3] / 150, 1.5)
