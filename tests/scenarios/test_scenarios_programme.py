"""The programme as it was agrees with the evidence."""

import csv
from pathlib import Path

import numpy as np
import pytest

import scenarios

EVIDENCE = Path(__file__).parents[2] / "calibration" / "evidence"
CODES = {"ES-Cat": "ES-CT", "DE-Brandenburg": "DE-BB", "DE-Baden-Wuerttemberg": "DE-BW"}
MONTHS = {"Apr": "04", "Sep": "09"}


def evidence_of_calls():
    with open(EVIDENCE / "calls.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", evidence_of_calls(), ids=lambda row: row["year"])
def test_calls_agree_with_the_evidence(row):
    call = scenarios.programme().calls[int(row["year"])]
    day_and_month = row["event"].split()[-1]
    assert sorted(call.funders) == sorted(CODES.get(code, code) for code in row["countries"].split(";"))
    assert call.total_budget_eur == float(row["total_budget_eur"])
    assert call.event_clusters == int(row["event_clusters"])
    assert call.event == f"{row['year']}-{MONTHS[day_and_month]}"


def test_budgets_of_a_call_sum_to_its_total_and_denmark_gives_most():
    resolved = scenarios.load("baseline").resolve(last_call=2017)
    totals = [float(row["total_budget_eur"]) for row in evidence_of_calls()]
    np.testing.assert_allclose(resolved.rules.terms.budget_eur.sum(axis=1), totals)
    assert set(resolved.rules.terms.budget_eur.argmax(axis=1)) == {resolved.funder_codes.index("DK")}


def test_budget_weights_of_2015_are_the_grants_at_approval():
    rows = list(csv.DictReader((EVIDENCE / "responses.csv").open(encoding="utf-8")))
    grants = {row["country"]: float(row["grants_at_approval_derived"]) for row in rows}
    assert scenarios.programme().calls[2015].budget_weights == grants


def test_sector_shares_are_counted_from_the_projects_of_2015():
    counted = dict.fromkeys(scenarios.programme().sectors, 0.0)
    place = {said: code for code, sector in scenarios.programme().sectors.items() for said in sector.mentions}
    for row in csv.DictReader((EVIDENCE / "projects_2015.csv").open(encoding="utf-8")):
        mentions = [said.strip() for said in row["sectors"].split(";")]
        for said in mentions:
            counted[place[said]] += 1 / len(mentions)
    shares = {code: sector.share for code, sector in scenarios.programme().sectors.items()}
    assert shares == pytest.approx(counted, abs=0.06)


def test_no_outcome_of_the_later_calls_stands_in_the_inputs():
    inputs = {"event", "open", "close", "event_clusters", "total_budget_eur", "funders", "budget_weights"}
    for call in scenarios.programme().calls.values():
        assert set(call.model_dump()) == inputs


def test_later_calls_repeat_the_last_one_a_year_and_two_later():
    resolved = scenarios.load("baseline").resolve()
    assert resolved.call_years == (2013, 2014, 2015, 2016, 2017, 2018, 2019)
    assert resolved.rules.calls.close_month.tolist() == [5, 21, 33, 45, 57, 69, 81]
    assert resolved.rules.calls.event_month.tolist() == [3, 20, 32, 44, 56, 68, 80]
    assert resolved.rules.calls.open_month.tolist() == [4, 20, 32, 44, 56, 68, 80]
    np.testing.assert_array_equal(resolved.rules.terms.budget_eur[5:], resolved.rules.terms.budget_eur[[4, 4]])


def test_four_hundred_clusters_have_about_sixteen_thousand_smes():
    world = scenarios.load("baseline").resolve().world
    assert len(world.cluster_members) == 400
    assert 15_500 < world.cluster_members.sum() < 16_500
    assert world.cluster_members.min() >= 4


def test_denmark_has_few_large_clusters_and_the_largest_comes_first():
    resolved = scenarios.load("baseline").resolve()
    danish = resolved.world.cluster_country == resolved.country_codes.index("DK")
    members = resolved.world.cluster_members[danish]
    assert (members.size, round(members.mean())) == (26, 400)
    assert members.tolist() == sorted(members, reverse=True) and members[0] > 4 * np.median(members)
