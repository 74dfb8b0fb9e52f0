"""Evidence files: what is known stands there once, and what is wrong is told by file, row and remedy."""

import csv
import shutil

import pytest

from calibration.evidence.csv_table import read_table
from calibration.evidence.load import FOLDER, load_evidence
from calibration.evidence.measures import measures
from calibration.hindcast.past_calls import target_values
from calibration.parameters import draw, register, split, survey_entries
from scenarios import InputError
from scenarios import draw as simulator_draw

HEADER = "measure,call,value,n,effective_n,fitted,source"


def rows_of(name):
    with open(FOLDER / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path):
    """An evidence folder of one's own, as a function of its targets' rows."""
    shutil.copy(FOLDER / "responses.csv", tmp_path)

    def write(*rows, header=HEADER):
        (tmp_path / "targets.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return tmp_path

    return write


def test_every_shipped_target_has_a_measure_a_source_and_numbers_that_fit():
    found = load_evidence().targets
    assert len(found) > 50
    assert len({target.name for target in found}) == len(found)
    for target in found:
        assert target.measure in measures() and target.source
        assert (target.n is None) == (target.family != "share")


def test_nothing_is_known_of_what_came_out_of_the_calls_of_2016_and_2017():
    assert {target.call for target in load_evidence().targets} == {2013, 2014, 2015}
    for row in rows_of("calls.csv"):
        if row["year"] in ("2016", "2017"):
            outcomes = ("applications_received", "transnational_projects", "individual_clusters")
            assert {row[name] for name in outcomes} == {"withheld"}


def test_targets_repeat_the_printed_tables():
    value = {target.name: target.value for target in load_evidence().targets}
    columns = {
        "applications": "applications_received",
        "approvals": "applications_approved",
        "projects": "transnational_projects",
        "clusters": "individual_clusters",
        "countries": "countries_in_projects",
        "clusters_in_two_projects": "clusters_in_more_than_one_project",
        "clusters_with_two_grants": "clusters_funded_in_two_or_more",
    }
    for row in rows_of("calls.csv")[:3]:
        for measure, column in columns.items():
            assert value[f"{measure}_{row['year']}"] == float(row[column]), (measure, row["year"])
        abroad = 1 - value[f"clusters_outside_bsr_{row['year']}"] / float(row["individual_clusters"])
        assert round(100 * abroad) == float(row["pct_clusters_bsr"])
    listed = rows_of("projects_2015.csv")
    for n in (2, 3, 4, 5):
        assert value[f"projects_{n}_countries_2015"] == sum(int(row["n_countries"]) == n for row in listed)
    assert value["smes_engaged_2015"] == sum(int(row["smes_engaged"]) for row in listed)
    assert sum(value[f"grants_{code}_2015"] for code in ("DK", "NO", "SE", "ES-CT", "IS", "LT")) == 40


def test_survey_targets_repeat_the_printed_shares():
    printed = {row["item"][:30]: row for row in rows_of("survey_2015.csv") if row["group"] == "SME"}
    value = {target.name: target for target in load_evidence().targets}
    for name, item in (
        ("sme_knowledge_2015", "Knowledge sharing and inspiration; "),
        ("sme_partners_2015", "Access to new partners and broadened networks"),
        ("sme_rni_2015", "Initiation of longer-term R&I collaboration"),
    ):
        row = printed[item[:30]]
        assert (value[name].value, value[name].n) == (float(row["share"]), int(row["n_respondents"]))
    answered = load_evidence().responses[2015].values()
    assert sum(response.smes_received for response in answered) == 124
    assert sum(response.clusters_received for response in answered) == 31


def test_a_folder_of_ones_own_is_read_and_answered(folder):
    own = folder(
        "applications,2014,30,,,yes,my report",
        "sme_rni,2015,0.2,50,40,no,my survey",
    )
    evidence = load_evidence(own)
    assert [target.name for target in evidence.targets] == ["applications_2014", "sme_rni_2015"]
    values = target_values({}, 1, evidence)
    assert list(values) == ["applications_2014", "sme_rni_2015"] and 0 <= values["sme_rni_2015"] <= 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("sme_rni,2015,13,124,85,yes,x", "row 2, value: text '13' does not fit; allowed: a share from 0 to 1"),
        ("sme_rni,2015,-0.1,124,85,yes,x", "row 2, value: text '-0.1' does not fit"),
        ("sme_rni,2015,0.1,,85,yes,x", "row 2, n: it is missing; allowed: the number of those"),
        ("sme_rni,2015,0.1,0,85,yes,x", "row 2, n: text '0' does not fit"),
        ("sme_rni,2015,0.1,124,,yes,x", "row 2, effective_n: it is missing; allowed: a number above 0 and up to"),
        ("sme_rni,2015,0.1,124,125,yes,x", "row 2, effective_n: text '125' does not fit"),
        ("sme_rnj,2015,0.1,124,85,yes,x", "there is no measure text 'sme_rnj'"),
        ("sme_rnj,2015,0.1,124,85,yes,x", "did you mean sme_rni?"),
        ("sme_rni,2025,0.1,124,85,yes,x", "row 2, call: there is no call of 2025"),
        ("sme_rni,,0.1,124,85,yes,x", "row 2, call: it is missing"),
        ("sme_rni,2014,0.1,124,85,yes,x", "nobody answered for the call of 2014"),
        ("sme_rni,2015,nan,124,85,yes,x", "row 2, value: text 'nan' does not fit"),
        ("sme_rni,2015,,124,85,yes,x", "leave the row out if the number is not known"),
        ("sme_rni,2015,0.1,124,85,perhaps,x", "row 2, fitted: text 'perhaps' does not fit; allowed: yes, or no"),
        ("sme_rni,2015,0.1,124,85,yes,", "row 2, source: it is missing"),
        ("applications,2015,58.5,,,yes,x", "row 2, value: text '58.5' does not fit; allowed: a whole number"),
        ("applications,2015,58,124,,yes,x", "row 2, n: applications is a count"),
        ("smes_median,2015,0,,,yes,x", "row 2, value: text '0' does not fit; allowed: a number above 0"),
        ("sme_rni,2015,0.1,124,85,yes", "row 2: it has 6 cells"),
    ],
)
def test_a_wrong_row_is_told_with_its_remedy(folder, row, told):
    with pytest.raises(InputError) as error:
        load_evidence(folder(row))
    assert told in str(error.value) and ".csv" in str(error.value) and "\n" not in str(error.value)


def test_a_number_that_stands_twice_is_refused(folder):
    own = folder("applications,2015,58,,,yes,x", "applications,2014,84,,,yes,x", "applications,2015,57,,,yes,x")
    with pytest.raises(InputError, match=r"row 4, measure: applications of 2015 is in row 2 already"):
        load_evidence(own)


def test_evidence_that_is_only_shown_cannot_be_fitted_to(folder):
    with pytest.raises(
        InputError,
        match=r"targets.csv, fitted: no row says yes, so there is nothing to fit to; allowed: yes in one row",
    ):
        load_evidence(folder("applications,2015,58,,,no,x"))


def test_columns_are_checked(folder):
    with pytest.raises(InputError, match=r"there is no column text 'effective'; .*did you mean effective_n"):
        load_evidence(folder("x", header=HEADER.replace("effective_n", "effective")))
    with pytest.raises(InputError, match=r"the column source is missing"):
        load_evidence(folder("x", header=HEADER.removesuffix(",source")))
    with pytest.raises(InputError, match=r"it has no rows"):
        load_evidence(folder())


def test_a_folder_without_the_table_is_told(tmp_path):
    with pytest.raises(InputError, match=r"targets.csv: there is no such file"):
        load_evidence(tmp_path)
    (tmp_path / "targets.csv").write_bytes(b"measure\n\xff\xfe")
    with pytest.raises(InputError, match=r"it is not UTF-8 text"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2015,DK,23,24,107", "row 2, clusters_received: 24 of 23 answered; allowed: 0 to 23"),
        ("2015,DK,0,0,0", "row 2, clusters_targeted: text '0' does not fit"),
        ("2015,DKK,23,21,107", "no funder is from text 'DKK'"),
        ("2015,NO,5,0,2", "row 2, smes_received: 2 SMEs of no cluster answered"),
        ("2015,LT,1,0,0", "call 2015: nobody answered"),
    ],
)
def test_who_answered_is_checked(folder, row, told):
    own = folder("sme_rni,2015,0.1,124,85,yes,x")
    header = "call,country,clusters_targeted,clusters_received,smes_received"
    (own / "responses.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_evidence(own)
    assert told in str(error.value)


def test_rows_are_numbered_as_an_editor_shows_them(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n\n3,4\n", encoding="utf-8")
    assert [row.number for row in read_table(path, ("a", "b"))] == [2, 4]


def test_the_survey_layer_is_drawn_with_the_rest():
    both, alone = draw(5, 3), simulator_draw(5, 3)
    assert set(both) == set(register()) and set(both) - set(alone) == set(survey_entries())
    assert all((both[name] == alone[name]).all() for name in alone)
    for name, entry in survey_entries().items():
        smallest, largest = entry.limits
        assert ((smallest <= both[name]) & (both[name] <= largest)).all()
        assert entry.kind == "survey" and entry.source


def test_values_that_nobody_knows_are_refused():
    with pytest.raises(InputError, match=r"did you mean survey_pick_odds"):
        split({"survey_pick_odd": 2.0})
    with pytest.raises(InputError, match=r"survey_tick_share: 1.5 is out of range"):
        split({"survey_tick_share": 1.5})
