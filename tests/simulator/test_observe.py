"""What is counted, recounted in plain Python from the log and the tables; and rows of measures that hold together."""

from functools import cache

import numpy as np
import pytest

from simulator.instruments.calls import measures as calls
from simulator.measures import Concentration, Measure, Ratio, Sum, positions
from simulator.observe import (
    COLUMN,
    DERIVED,
    GROUP_MEASURES,
    MEASURES,
    MONTHLY,
    MONTHLY_BY_CALL,
    MONTHLY_OF_ALL,
    monthly_from,
    observe,
)
from simulator.outcomes import measures as outcomes
from simulator.outcomes.tables import OUTCOMES
from simulator.records import NEVER
from simulator.state import tabulate
from simulator.world.tables import SIZE_CLASSES
from tests.small_worlds import KIND, own_events_of, shipped, simulate

SIDES = {"knowledge": 1, "partnership": 2, "rni_collaboration": 2, "contract": 2}


@cache
def counted(name="clusters_package", seed=3):
    """A run with its inputs, and what is counted of it."""
    inputs = shipped(name)
    state = simulate(inputs, seed)
    return inputs, state, observe(seed, tabulate(inputs.parameters, inputs.rules, inputs.world), state)


def outcomes_in_time():
    """Call, month, outcome and SME of every outcome within the months for which its call is counted."""
    inputs, state, _ = counted()
    rules, log = inputs.rules.calls, state.rows("log")
    for outcome, (name, sides) in enumerate(SIDES.items()):
        for row in log[log.kind == KIND[name]]:
            if row.month < rules.close_month[row.call] + rules.counted_months[row.call]:
                for sme in (row.who, row.whom)[:sides]:
                    yield int(row.call), int(row.month), outcome, int(sme)


def test_outcomes_by_call_month_and_group_are_those_of_the_log():
    inputs, state, seen = counted()
    sectors = len(inputs.sector_names)
    months, groups = np.zeros_like(seen.by_month[..., :4]), np.zeros_like(seen.groups[..., 2:])
    cells = np.zeros((*seen.cells.shape[:2], len(OUTCOMES)))
    for call, month, outcome, sme in outcomes_in_time():
        firm = state.smes[sme]
        months[call, month, outcome] += 1
        cells[call, state.clusters.country[firm.cluster], outcome] += 1
        for group in (firm.sector, sectors + firm.size_class):
            groups[call, group, outcome] += 1
    assert months.sum() > 1000 and (months.sum(axis=(1, 2)) > 0).all()
    np.testing.assert_array_equal(seen.by_month[..., :4], months)
    np.testing.assert_array_equal(seen.groups[..., 2:], groups)
    np.testing.assert_array_equal(seen.cells[..., [COLUMN[name] for name in OUTCOMES]], cells)


def test_participants_by_call_month_and_group_are_those_of_the_tables():
    inputs, state, seen = counted()
    partners, t = state.rows("partners"), state.rows("participations")
    call = state.projects.call[partners.project]
    active = np.zeros(seen.by_month.shape[:2])
    for p in np.flatnonzero(partners.start_month != NEVER):
        active[call[p], partners.start_month[p] : partners.end_month[p]] += partners.active[p]
    np.testing.assert_array_equal(seen.by_month[..., 4], active)
    groups = np.zeros_like(seen.groups[..., :2])
    firms = state.smes[t.sme]
    for group in (firms.sector, len(inputs.sector_names) + firms.size_class):
        np.add.at(groups, (call[t.partner], group), np.stack([np.ones(len(t)), t.is_active], axis=1))
    np.testing.assert_array_equal(seen.groups[..., :2], groups)
    assert seen.groups.shape[1] == len(inputs.sector_names) + len(SIZE_CLASSES)


def test_money_and_own_contracts_by_month_are_of_all_calls():
    inputs, state, seen = counted()
    np.testing.assert_allclose(seen.months[:, 0], state.spent_by_month.sum(axis=1))
    own = own_events_of(inputs, state, "own_contract", 3)
    np.testing.assert_array_equal(seen.months[:, 1], np.bincount(own.month, minlength=inputs.months))


@pytest.mark.parametrize("first", range(8))
def test_months_counted_from_a_call_are_the_sum_of_that_call_and_the_later_ones(first):
    """By hand, call by call; from a call after the last nothing is counted but money and own paths."""
    inputs, _, seen = counted()
    monthly = monthly_from(seen.by_month, seen.months, first)
    by_name = dict(zip([measure.name for measure in MONTHLY], monthly.T))
    for column, measure in enumerate(MONTHLY_BY_CALL):
        expected = sum((seen.by_month[call, :, column] for call in range(first, 7)), np.zeros(inputs.months))
        assert by_name[measure.name].tobytes() == expected.tobytes(), measure.name
    for column, measure in enumerate(MONTHLY_OF_ALL):
        np.testing.assert_array_equal(by_name[measure.name], seen.months[:, column])
    assert (sum(by_name[name].sum() for name in OUTCOMES) > 0) == (first < 7)
    several = monthly_from(np.stack([seen.by_month] * 2), np.stack([seen.months] * 2), first)
    assert several[0].tobytes() == several[1].tobytes() == monthly.tobytes()


# Rows


EVERY = (*MEASURES, *DERIVED)


def test_measures_have_one_name_each_and_their_columns_follow_the_rows():
    names = [measure.name for measure in EVERY]
    assert len(set(names)) == len(names)
    assert [measure.name for measure in MEASURES] == list(COLUMN) and list(COLUMN.values()) == list(
        range(len(MEASURES))
    )
    assert [*calls.AT._fields] == [measure.name for measure in calls.MEASURES]
    assert {*MONTHLY} == {*MONTHLY_BY_CALL, *MONTHLY_OF_ALL} and {*GROUP_MEASURES} <= {*COLUMN}
    assert [measure.name for measure in outcomes.MEASURES[outcomes.GROSS :: len(outcomes._ROLES)]] == [*OUTCOMES]
    assert counted()[2].cells.shape[2] == len(MEASURES)


def test_columns_follow_the_order_of_rows():
    rows = (Measure("b", "", ""), Measure("a", "", ""))
    assert (positions(rows).b, positions(rows).a) == (0, 1)


@pytest.mark.parametrize("measure", (*EVERY, *MONTHLY), ids=lambda measure: measure.name)
def test_a_row_says_how_it_is_shown(measure):
    assert measure.label[0].isupper() and measure.head[0].isupper() and len(measure.head) <= 48
    assert measure.form in ("count", "eur", "months", "share", "index") and measure.better in (-1, 0, 1)
    assert (measure.form == "eur") == measure.unit.startswith("EUR")
    assert (measure.form == "months") == ("months" in measure.unit.split("-"))
    assert (measure.form == "share") == (measure.unit == "share")


def test_what_is_derived_is_derived_from_what_stands_before_it():
    known = {measure.name for measure in MEASURES}
    for measure in DERIVED:
        of = measure.of
        used = {
            Sum: lambda of: [name for name, _ in of.terms],
            Ratio: lambda of: [*of],
            Concentration: lambda of: [*of],
        }
        assert {*used[type(of)](of)} <= known, measure.name
        known.add(measure.name)
    assert all(measure.of is None for measure in (*MEASURES, *MONTHLY))


def test_less_cost_waiting_and_loss_is_better_and_more_outcomes_are():
    better = {measure.name: measure.better for measure in EVERY}
    less = ["public_cost_eur", "cost_per_contract_eur", "cost_per_partnership_eur", "waiting_months_mean"]
    less += ["admin_eur", "smes_lost_waiting", "good_projects_lost", "contracts_displaced"]
    assert [better[name] for name in less] == [-1] * len(less)
    more = [f"{name}_net" for name in OUTCOMES] + [*OUTCOMES, "overlap_share", "smes_active"]
    assert [better[name] for name in more] == [1] * len(more)
    assert better["applications"] == better["country_concentration"] == 0
