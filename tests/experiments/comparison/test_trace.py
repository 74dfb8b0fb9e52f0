"""One run in full: names are unique, so that tables can be joined, and every event says where it comes from."""

import pytest

import scenarios
from experiments.comparison.trace import trace
from simulator.state import EVENTS, KINDS_OF_EVENTS


@pytest.fixture(scope="module")
def frames():
    return trace(scenarios.load("baseline").resolve(smes=4_000), seed=1)


def test_names_are_unique(frames):
    for table, name in (("clusters", "cluster"), ("smes", "sme"), ("projects", "project")):
        assert frames[table][name].is_unique and frames[table][name].notna().all(), table
    assert not frames["partners"].duplicated(["project", "cluster"]).any()
    assert not frames["participations"].duplicated(["project", "sme"]).any()
    assert not frames["ties"].duplicated(["one", "other"]).any()


def test_a_project_says_its_call_its_lead_and_its_number_where_the_lead_has_several(frames):
    projects = frames["projects"]
    several = projects.groupby(["call", "lead"])["project"].transform("size") > 1
    assert several.sum() > 10 and (~several).sum() > 10
    plain = projects["call"].astype(str) + "/" + projects["lead"]
    number = projects.groupby(["call", "lead"]).cumcount() + 1
    assert (projects["project"] == plain.where(~several, plain + "/" + number.astype(str))).all()


def test_tables_join_without_a_row_more(frames):
    events = frames["events"]
    projects = frames["projects"].set_index("project")
    in_project = events.dropna(subset="project")
    joined = in_project.join(projects, on="project", rsuffix="_of_project")
    assert len(joined) == len(in_project) > 1000
    assert (joined["call"].astype(int) == joined["call_of_project"]).all() and (joined["origin"] == "calls").all()
    partners = frames["partners"].merge(frames["projects"], on="project", validate="many_to_one")
    assert len(partners) == len(frames["partners"])
    assert partners.groupby("project")["cluster"].first().to_dict() == projects["lead"].to_dict()


def test_who_and_whom_have_the_names_of_their_kind(frames):
    events = frames["events"]
    names = {
        "cluster": set(frames["clusters"]["cluster"]), "SME": set(frames["smes"]["sme"]),
        "funder": set(frames["partners"]["funder"].dropna()),
    }  # fmt: skip
    happened = set()
    for kind in KINDS_OF_EVENTS:
        those = events[events["event"] == kind.word]
        happened |= {kind.word} if len(those) else set()
        assert set(those["who"]) <= names[kind.who], kind
        assert set(those["whom"].dropna()) <= (names[kind.whom] if kind.whom else set()), kind
    assert happened >= {*EVENTS} - {"reviewed", "extended"}
    alone = events[events["event"].str.startswith("own_")]
    assert alone["call"].isna().all() and alone["origin"].isna().all() and len(alone) > 100
