"""Numbers relative to what each world has, and numbers held where worlds differ: nothing set is nothing changed."""

import numpy as np
import pytest

import scenarios
from experiments import compare
from experiments.cli import show
from experiments.runs.parameter_draws import drawn
from scenarios import InputError
from scenarios.entries import drawn as drawn_entries
from scenarios.entries import levers
from scenarios.resolve import DRAWN
from scenarios.settings import Change, as_row, from_row
from simulator.ensemble import simulate
from tests.scenarios.test_scenarios import mine, same  # noqa: F401  a fixture

DRAWS = drawn("posterior", 6, 5).values
BASELINE = scenarios.load("baseline")


def also(*values):
    """Parameters of a test that are left out of the inner loop."""
    return (pytest.param(value, marks=pytest.mark.slow) for value in values)


def worlds():
    return ({name: float(column[k]) for name, column in DRAWS.items()} for k in range(6))


def numbers(entries):
    return [name for name, entry in entries.items() if not (entry.choices or entry.is_switch)]


def resolved_alike(scenario, base=BASELINE):
    return all(
        same(getattr(scenario.resolve(world), part), getattr(base.resolve(world), part))
        for world in worlds()
        for part in ("parameters", "rules", "world")
    )


@pytest.mark.parametrize("change", ["{ times = 1, add = 0.0 }", *also("{ add = 0 }", "{ times = 1.0 }")])
@pytest.mark.parametrize("name", [*numbers(levers("call")), *numbers(drawn_entries())])
def test_a_number_changed_by_nothing_is_the_number_of_each_world(name, change, mine):  # noqa: F811
    table = "[from.2016]" if name in levers("call") else "[parameters]"
    scenario = mine(f"{table}\n{name} = {change}\n")
    assert resolved_alike(scenario) and scenario.resolve().change_year is None and not scenario.differences()


@pytest.mark.parametrize("change", ["{ add = 0 }", "{ times = 1.0 }"])
@pytest.mark.parametrize("name", numbers(levers("funder")))
def test_a_funders_number_changed_by_nothing_is_the_number_of_each_world(name, change, mine):  # noqa: F811
    body = "".join(f"[from.2016.funders.{code}]\n{name} = {change}\n" for code in ("DK", "NO", "SE"))
    scenario = mine(body)
    assert resolved_alike(scenario) and not scenario.differences()


def base_value(name, funder=None, year=2016):
    resolved = BASELINE.resolve()
    call = resolved.call_years.index(year)
    if funder is None:
        return levers("call")[name].value
    if name == "takes_part":
        return resolved.rules.terms.budget_eur[call, resolved.funder_codes.index(funder)] > 0
    return getattr(resolved.rules.terms, name)[call, resolved.funder_codes.index(funder)]


def toml(value):
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(float(value))


@pytest.mark.parametrize("name", levers("call"))
def test_a_rule_set_to_what_it_is_changes_nothing(name, mine):  # noqa: F811
    scenario = mine(f"[from.2016]\n{name} = {toml(base_value(name))}\n")
    assert resolved_alike(scenario) and not scenario.differences()


@pytest.mark.parametrize("name", [name for name in levers("funder") if name not in DRAWN])
def test_a_funders_rule_set_to_what_it_is_changes_nothing(name, mine):  # noqa: F811
    scenario = mine(f"[from.2019.funders.DK]\n{name} = {toml(base_value(name, 'DK', 2019))}\n")  # the last call
    assert resolved_alike(scenario) and not scenario.differences()


def test_less_is_less_by_so_much_in_every_world(mine):  # noqa: F811
    scenario = mine("[from.2017.funders.DK]\ngrant_eur = { add = -10_000 }\n")
    for world in worlds():
        ours, base = scenario.resolve(world).rules.terms, BASELINE.resolve(world).rules.terms
        denmark = scenario.resolve(world).funder_codes.index("DK")
        np.testing.assert_array_equal(ours.grant_eur[4:, denmark], base.grant_eur[4:, denmark] - 10_000)
        np.testing.assert_array_equal(ours.grant_eur[:4], base.grant_eur[:4])
        others = np.arange(len(ours.grant_eur[0])) != denmark
        np.testing.assert_array_equal(ours.grant_eur[:, others], base.grant_eur[:, others])


def test_factors_and_summands_hold_from_their_call_on(mine):  # noqa: F811
    scenario = mine(
        "[from.2016.funders.DK]\npass_share = { times = 0.5 }\n[from.2018.funders.DK]\npass_share = { add = -0.1 }\n"
    )
    denmark = scenario.resolve().funder_codes.index("DK")
    for world in worlds():
        ours, base = (each.resolve(world).rules.terms.pass_share[:, denmark] for each in (scenario, BASELINE))
        np.testing.assert_array_equal(ours[:3], base[:3])
        np.testing.assert_array_equal(ours[3:5], base[3:5] * 0.5)
        np.testing.assert_array_equal(ours[5:], base[5:] - 0.1)


def test_a_change_stays_within_the_limits(mine):  # noqa: F811
    scenario = mine("[from.2016.funders.DK]\npass_share = { times = 10 }\ngrant_eur = { add = -1_000_000 }\n")
    denmark = scenario.resolve().funder_codes.index("DK")
    terms = scenario.resolve().rules.terms
    assert terms.pass_share[-1, denmark] == 1.0 and terms.grant_eur[-1, denmark] == 1_000.0
    assert terms.grant_min_eur[-1, denmark] <= 1_000.0


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        ("{ times = 0.5 }", "{ add = -1_000 }", Change(0.5, -1_000)),
        ("{ add = -1_000 }", "{ times = 0.5 }", Change(0.5, -500)),
        ("40_000", "{ times = 0.5, add = 1 }", 20_001.0),
        ("{ times = 0.5 }", "40_000", 40_000.0),
    ],
)
def test_a_childs_change_goes_on_top_of_its_parents(parent, child, expected, mine):  # noqa: F811
    mine(f"[from.2016.funders.DK]\ngrant_eur = {parent}\n", "first")
    scenario = mine(
        f"[from.2016.funders.DK]\ngrant_eur = {child}\n".replace("[", 'extends = "first.toml"\n[', 1), "second"
    )
    assert [each.value for each in scenario.settings if each.name == "grant_eur"] == [expected]


def test_a_change_on_top_of_a_parents_number_stays_within_the_limits(mine):  # noqa: F811
    mine("[from.2016.funders.DK]\npass_share = 0.9\n[from.2016]\nproject_months = 200\n", "first")
    funder, call = "[from.2016.funders.DK]\npass_share", "[from.2016]\nproject_months"
    scenario = mine(f'extends = "first.toml"\n{funder} = {{ times = 2 }}\n{call} = {{ times = 2 }}\n', "second")
    values = {each.name: each.value for each in scenario.settings}
    assert (values["pass_share"], values["project_months"]) == (1.0, 240.0)


@pytest.mark.parametrize("body", ["horizon_months = 60\n", "last_call = 2019\n"])
def test_what_has_no_date_set_to_what_it_is_changes_nothing(body, mine):  # noqa: F811
    scenario = mine(body)
    assert resolved_alike(scenario) and not scenario.differences()


def test_a_changed_behaviour_is_changed_in_every_draw(mine):  # noqa: F811
    scenario = mine("[parameters]\nidea_rate = { times = 0.9 }\n")
    for world in worlds():
        assert scenario.resolve(world).parameters.idea_rate == BASELINE.resolve(world).parameters.idea_rate * 0.9


def test_settings_travel_as_plain_values(mine):  # noqa: F811
    scenario = mine('[from.2016]\nproject_months = { add = 3 }\nfunding_rule = "common_pot"\n')
    assert tuple(from_row(as_row(each)) for each in scenario.settings) == scenario.settings


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("grant_eur = {}", "holds neither times nor add"),
        ("grant_eur = { plus = 3 }", "plus: this name is not known here; allowed: times, add"),
        ("grant_eur = { times = -1 }", "grant_eur.times: -1 is out of range"),
        ("takes_part = { times = 2 }", "allowed: true or false"),
        ('grant_eur = "much"', "or a change such as { times = 0.8 }"),
    ],
)
def test_what_is_no_change_gets_a_sentence(body, words, mine):  # noqa: F811
    with pytest.raises(InputError) as error:
        mine(f"[from.2016.funders.DK]\n{body}\n")
    assert words in str(error.value) and "\n" not in str(error.value)


# ---------- what is held where worlds differ


def test_a_grant_held_at_its_central_value_is_told(mine, tmp_path):  # noqa: F811
    scenario = mine("[from.2017.funders.DK]\ngrant_eur = 33_000\n")
    (row,) = scenario.differences()
    assert (row.was, row.now, row.ends) == (33_000.0, 33_000.0, False)
    line = next(line for line in show.lines(str(scenario.path)) if "grant_eur" in line and "2017" in line)
    assert "33,000 in every world" in line and "in nine worlds of ten" in line


@pytest.mark.slow
def test_the_answer_says_what_is_held_and_nothing_of_what_is_changed(mine):  # noqa: F811
    held = mine("[from.2016.funders.DK]\ngrant_eur = 33_000\n", "held")
    changed = mine("[from.2016.funders.DK]\ngrant_eur = { add = -5_000 }\n", "changed")
    found = compare("baseline", held, changed, draws=8, runs=1, smes=2_000, reasons=0, spending=0)
    first, second = (answer["sentence"] for answer in found.answers)
    assert "It holds the typical grant of Denmark at EUR 33,000 in every world (without that: EUR " in first
    assert "holds" not in second
    assert found.about["changed"]["changes"][0]["value"] == {"times": 1.0, "add": -5_000.0}


# ---------- what cannot act


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("top_up_share = 0.1", "acts only where funding_rule is virtual_common_pot"),
        ("fill_share = 0.5", "acts only where funding_rule is negotiated"),
        ("committed_months = 2", "acts only where decision_dates is committed"),
        ('decision_dates = "committed"\nlag_spread_factor = 2', "acts only where decision_dates is own or slowest"),
        ('funding_rule = "virtual_common_pot"\npartial_awards = false', "acts only where funding_rule is independent"),
        ("phase_two_months = 6", "acts only where phase_two_share is above 0"),
        ("openness_floor = 0.0001", "the rules of every call are the same without it"),
    ],
)
def test_a_lever_that_cannot_act_says_so_and_what_would_make_it(body, words, mine):  # noqa: F811
    idle = [row.idle for row in mine(f"[from.2016]\n{body}\n").differences() if row.idle]
    assert len(idle) == 1 and words in idle[0]


def test_a_lever_that_can_act_in_one_call_is_not_idle(mine):  # noqa: F811
    scenario = mine('[from.2016]\ntop_up_share = 0.1\n[from.2018]\nfunding_rule = "virtual_common_pot"\n')
    assert not any(row.idle for row in scenario.differences())


def test_who_takes_part_without_a_budget_is_told(mine):  # noqa: F811
    rows = mine("[from.2016.funders.IS]\ntakes_part = true\n").differences()
    assert [(row.year, row.was, row.now) for row in rows] == [(2017, False, True)]
    assert rows[0].idle == "IS has no budget in these calls: give it a budget_eur above 0"


@pytest.mark.parametrize("name", scenarios.names())
def test_every_lever_of_a_shipped_scenario_can_act(name):
    assert not [row for row in scenarios.load(name).differences() if row.idle]


@pytest.mark.slow
def test_no_difference_in_any_world_is_an_answer_of_its_own(mine):  # noqa: F811
    idle, null = (
        mine("[from.2016]\nfill_share = 0.5\n", "idle"),
        mine("[from.2016]\nproject_months = { add = 0 }\n", "null"),
    )
    found = compare("baseline", idle, null, draws=3, runs=1, smes=2_000, reasons=2, spending=0)
    first, second = (answer["sentence"] for answer in found.answers)
    assert first.startswith("Mine: no difference in any of 3 plausible worlds. Filling others' gaps cannot act here")
    assert second == "Mine: no difference in any of 3 plausible worlds. Nothing that it sets differs from the base."


# ---------- months are whole


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("project_months = 18.7", "months are whole: 18 for 18.7"),
        ("project_months = { times = 1.25 }", "months are whole: 18 for 18.75"),
        ('decision_dates = "committed"\ncommitted_months = 2.05', "months are whole: 3 for 2.05"),
        ("phase_two_share = 0.3\nphase_two_months = 6.9", "months are whole: 6 for 6.9"),
        ("project_months = 18", ""),
        ('decision_dates = "committed"\ncommitted_months = 4', ""),
    ],
)
def test_the_months_that_are_taken_are_told(body, taken, mine):  # noqa: F811
    rows = mine(f"[from.2016]\n{body}\n").differences()
    assert "".join(row.taken for row in rows) == taken


def test_a_part_of_a_month_is_no_month(mine):  # noqa: F811
    """What is told is what the model does: 18.7 months are 18, in every event of a run."""
    part, whole = (
        mine("[from.2016]\nproject_months = 18.7\n", "part"),
        mine("[from.2016]\nproject_months = 18\n", "whole"),
    )
    first, second = (simulate(each.resolve(smes=2_000), 3).rows("log") for each in (part, whole))
    np.testing.assert_array_equal(first, second)
