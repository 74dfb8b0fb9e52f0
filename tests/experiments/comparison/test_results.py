"""Results on disk: whole or not at all, never overwritten, readable elsewhere, enough to ask again."""

import errno
import json
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import scenarios
from experiments import load, run
from experiments.comparison import folder as results
from experiments.comparison.folder import save
from experiments.comparison.large_tables import digest_of
from experiments.comparison.manifest import check_free, check_same, default_name, question_id, read_manifest
from experiments.comparison.tables import LARGE, SMALL
from experiments.runs import files
from experiments.runs.files import check_root
from scenarios import InputError
from tests.studies import SMES, small, tiny

ON_LINUX = sys.platform == "linux"


def files_of(folder):
    """All that lies below a folder, by relative path."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.fixture
def report(monkeypatch):
    """A report that is written at once; its writer can be replaced."""
    module = types.ModuleType("experiments.comparison.report")

    def write_report(comparison, folder):
        (folder / "figures").mkdir()
        (folder / "figures" / "answer.svg").write_text("<svg/>")
        (folder / "report.html").write_text("<html/>")

    module.write_report = write_report
    monkeypatch.setitem(sys.modules, "experiments.comparison.report", module)
    return module


@pytest.fixture
def folder(tmp_path):
    """A results folder with all tables and no report."""
    return save(small(), tmp_path / "results", with_report=False)


# ---------- what lies there


def test_a_folder_holds_tables_summary_and_manifest(folder):
    tables = {f"{table}.parquet" for table in LARGE + SMALL}
    assert files_of(folder) == tables | {"manifest.json", "summary.csv", "measures.csv", "words.json"}
    assert folder.name == f"baseline-vs-fast_and_synchronised-{question_id(small().manifest)}"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.slow
@pytest.mark.parametrize("table", LARGE + SMALL)
def test_tables_come_back_equal(folder, table):
    frame = getattr(small(), table)
    assert_frame_equal(pd.read_parquet(folder / f"{table}.parquet"), frame, check_exact=True)
    assert_frame_equal(getattr(load(folder), table), frame, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("table", LARGE + SMALL)
def test_every_number_has_a_unit(folder, table):
    for item in pq.read_schema(folder / f"{table}.parquet"):
        if pd.api.types.is_numeric_dtype(item.type.to_pandas_dtype()):
            assert item.metadata and item.metadata[b"unit"], item.name


def test_units_are_those_of_the_measures(folder):
    schema = pq.read_schema(folder / "by_call.parquet")
    assert schema.field("spent_eur").metadata[b"unit"] == b"EUR"
    assert schema.field("contracts").metadata[b"unit"] == small().measures.loc["contracts", "unit"].encode()
    parameters = pq.read_schema(folder / "parameters.parquet")
    assert parameters.field("trust_months").metadata[b"unit"] == scenarios.register()["trust_months"].unit.encode()


def test_names_are_stored_as_dictionaries(folder):
    columns = pq.read_metadata(folder / "by_month.parquet").row_group(0)
    kinds = {columns.column(n).path_in_schema: columns.column(n).encodings for n in range(columns.num_columns)}
    assert "RLE_DICTIONARY" in kinds["scenario"] or "PLAIN_DICTIONARY" in kinds["scenario"]
    assert not any("DICTIONARY" in kind for kind in kinds["spent_eur"])


def test_the_summary_reads_like_a_table(folder):
    summary = pd.read_csv(folder / "summary.csv")
    row = summary[(summary.measure == "contracts_net") & (summary.basis == "equal budget")].iloc[0]
    assert row["title"] == "One early decision date"
    assert row["label"] == "Net contracts: additional less displaced"
    assert row["unit"] == "SME contracts"
    effect = small().effects.query("measure == 'contracts_net' and basis == 'equal budget'").iloc[0]
    assert row["difference"] == pytest.approx(effect["difference"], rel=1e-5)
    assert "e+" not in (folder / "summary.csv").read_text()


def test_the_manifest_is_enough_to_ask_again(folder):
    told = json.loads((folder / "manifest.json").read_text(), parse_constant=pytest.fail)
    assert told["complete"] is True and told["missing"] == []
    assert (told["draws"], told["runs"], told["seed"], told["smes_asked"]) == (4, 2, 1, 2000)
    assert told["compared"] == ["baseline", "fast_and_synchronised"]
    assert told["versions"].keys() >= {"innovex", "numpy", "numba", "pandas", "mesa"}
    assert told["python"] and told["platform"] and told["processor"] and told["code"] and told["seeds"]
    assert told["answers"] == [small().answers[0]["sentence"]]
    for name in told["compared"]:
        resolved = scenarios.load(name).resolve(smes=2000)
        held = told["scenarios"][name]
        assert held["question"] == scenarios.load(name).question
        assert held["parameters_central"] == resolved.parameters._asdict()
        for rule, column in (resolved.rules.calls._asdict() | resolved.rules.terms._asdict()).items():
            assert np.array_equal(held["rules_central"][rule], column), rule


def test_the_manifest_puts_a_row_on_a_line(folder):
    lines = (folder / "manifest.json").read_text().splitlines()
    assert any('[2016, null, "decision_dates", "committed"]' in line for line in lines)


# ---------- the question's identity


def test_every_part_of_the_question_is_in_its_hash():
    manifest = small().manifest
    known = {question_id(manifest)}
    changes = {"draws": 5, "runs": 3, "seed": 2, "horizon_months": 61, "smes": 3000, "reasons": 0, "spending": 0}
    for key, value in (changes | {"code": "0", "finished_draws": 3, "missing": ["reasons"]}).items():
        changed = question_id(manifest | {key: value})
        assert changed not in known, key
        known.add(changed)
    backwards = manifest | {"compared": manifest["compared"][::-1]}
    assert question_id(backwards) not in known
    assert question_id(manifest | {"seconds": 1e9, "platform": "another"}) == question_id(manifest)


def test_one_changed_setting_makes_another_folder():
    manifest = json.loads(json.dumps(small().manifest))
    manifest["scenarios"]["fast_and_synchronised"]["settings"][-1][-1] = 5
    assert default_name(manifest) != default_name(small().manifest)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b/c", "ü" * 300, "..", "x\n"])
def test_any_name_makes_a_folder_in_its_place(name, tmp_path):
    told = default_name(small().manifest | {"compared": ["baseline", name]})
    assert "/" not in told and told.isprintable() and len(told.encode()) < 120
    (tmp_path / told).mkdir()
    assert (tmp_path / told).parent.resolve() == tmp_path.resolve()


# ---------- never overwritten


def test_the_same_question_twice_is_the_same_folder_untouched(folder):
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = save(small(), folder.parent, with_report=False)
    assert again == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times


def test_other_numbers_for_the_same_question_are_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["by_call.parquet"] = "0" * 32
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="holds other numbers for this question; nothing is overwritten"):
        save(small(), folder.parent, with_report=False)


def test_a_folder_of_another_question_is_refused(folder):
    with pytest.raises(InputError, match="holds the results of another question; nothing is overwritten"):
        save(tiny(), folder.parent, with_report=False, name=folder.name)
    with pytest.raises(InputError, match="holds the results of another question"):
        check_same(folder, tiny().manifest, None)


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_is_no_results_folder_is_refused_before_and_after(kind, tmp_path):
    target = tmp_path / default_name(small().manifest)
    if kind == "folder":
        target.mkdir()
        (target / "notes.txt").write_text("mine")
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    for attempt in (lambda: check_free(tmp_path, small().manifest), lambda: save(small(), tmp_path)):
        with pytest.raises(InputError, match="is there and holds no finished results"):
            attempt()
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    if kind == "folder":
        assert (target / "notes.txt").read_text() == "mine"


def test_what_a_killed_process_left_goes_and_what_another_has_in_hand_stays(tmp_path):
    name = default_name(small().manifest)
    left, lock = (tmp_path / f"{name}.0123abcd{files.UNFINISHED}{end}" for end in ("", ".lock"))
    left.mkdir()
    (left / "effects.parquet").write_text("half")
    lock.touch()
    with files.working_folder(tmp_path / name) as in_hand:
        assert not left.exists() and not lock.exists()
        folder = save(small(), tmp_path, with_report=False)
        assert in_hand.exists()
    assert read_manifest(folder)["complete"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_report_that_the_manifest_does_not_know_is_made_known(tmp_path, monkeypatch, report):
    """Killed after the report was moved in, before the manifest said so."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(results, "write_json", interrupt_after(2, results.write_json))
        save(small(), tmp_path)
    (folder,) = tmp_path.iterdir()
    assert (folder / "report.html").exists() and not read_manifest(folder)["complete"]
    save(small(), tmp_path)
    assert read_manifest(folder)["complete"]


def interrupt_after(calls, function):
    """A function that works so many times and is interrupted at the next."""
    left = iter(range(calls))

    def limited(*args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*args)

    return limited


def test_two_at_once_make_one_whole_folder(tmp_path, monkeypatch):
    write, together = results._write, threading.Barrier(2)

    def write_together(*args):
        write(*args)
        together.wait(30)

    monkeypatch.setattr(results, "_write", write_together)
    found, trouble = [], []

    def one():
        try:
            found.append(save(small(), tmp_path, with_report=False))
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    assert found[0] == found[1]
    assert [path.name for path in tmp_path.iterdir()] == [found[0].name]
    assert_frame_equal(load(found[0]).by_call, small().by_call)


# ---------- the report


def test_the_report_comes_last_and_makes_it_complete(tmp_path, report):
    seen = {}
    write = report.write_report

    def look(comparison, working):
        target = tmp_path / default_name(comparison.manifest)
        seen.update(read_manifest(target))
        write(comparison, working)

    report.write_report = look
    folder = save(small(), tmp_path)
    assert seen["complete"] is False and seen["missing"] == ["report"]
    assert read_manifest(folder)["complete"] is True
    assert {"report.html", "figures", "figures/answer.svg"} <= files_of(folder)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_report_that_fails_leaves_the_tables(tmp_path, report):
    def fail(comparison, folder):
        (folder / "figures").mkdir()
        raise RuntimeError("no fonts")

    well, report.write_report = report.write_report, fail
    with pytest.raises(RuntimeError):
        save(small(), tmp_path)
    (folder,) = tmp_path.iterdir()
    assert read_manifest(folder)["missing"] == ["report"]
    assert_frame_equal(load(folder).by_call, small().by_call)
    report.write_report = well
    assert save(small(), tmp_path) == folder
    assert read_manifest(folder)["complete"] and (folder / "report.html").exists()


def test_a_report_is_added_to_tables_that_were_saved_without(folder, report):
    assert save(small(), folder.parent) == folder
    assert (folder / "report.html").exists() and read_manifest(folder)["complete"]


# ---------- trouble with the disk


@pytest.mark.parametrize("place", ["write_table", "summary_of", "write_json"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, place):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(results, place, full)
    with pytest.raises(InputError, match=r"cannot be written \(no space left on device\); make room or choose"):
        save(small(), tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_the_report_keeps_the_tables(tmp_path, report):
    def full(comparison, folder):
        (folder / "report.html").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    report.write_report = full
    with pytest.raises(InputError, match="holds all tables, but the report cannot be written"):
        save(small(), tmp_path)
    (folder,) = tmp_path.iterdir()
    assert not (folder / "report.html").exists()
    assert read_manifest(folder)["missing"] == ["report"]


@pytest.mark.skipif(not ON_LINUX, reason="mounts a small disk in memory")
def test_a_really_full_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("this user may not mount")
    try:
        with pytest.raises(InputError, match="MB are free on that disk; allowed: 50 MB or more"):
            check_root(place)
        with pytest.raises(InputError, match="cannot be written"):
            save(small(), place)
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", place], check=True)


def test_no_permission_is_told_before_anything_runs(tmp_path, monkeypatch):
    def forbidden(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", forbidden)
    with pytest.raises(InputError, match=rf"--out {tmp_path}/new: nothing can be written in {tmp_path} \(permission"):
        check_root(tmp_path / "new")


@pytest.mark.skipif(not ON_LINUX, reason="/proc takes no files from anybody")
def test_a_place_that_takes_no_files():
    with pytest.raises(InputError, match="--out /proc/innovex: nothing can be written in /proc"):
        check_root(Path("/proc/innovex"))


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken is a file; allowed: a folder"):
        check_root(tmp_path / "taken" / "below")
    with pytest.raises(InputError, match="cannot be written"):
        save(small(), tmp_path / "taken" / "below")


def test_looking_for_a_place_leaves_no_trace(tmp_path):
    check_root(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


# ---------- reading


MANIFESTS = {
    "nothing": (None, "there is no such file"),
    "empty": (b"", "is not a manifest: it is not JSON"),
    "text": (b"hello", "is not a manifest: it is not JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "is not a manifest: it is not UTF-8 text"),
    "a list": (b"[]", "is not a manifest of innovex: compared, scenarios"),
    "another's": (b'{"name": "npm"}', "is not a manifest of innovex"),
    "nested": (b"[" * 100_000, "is not a manifest: it is not JSON"),
}


@pytest.mark.parametrize(("content", "words"), MANIFESTS.values(), ids=MANIFESTS)
def test_what_is_no_manifest_is_told_in_a_sentence(tmp_path, content, words):
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_huge_manifest_costs_nothing(tmp_path):
    path = tmp_path / "manifest.json"
    with open(path, "wb") as file:
        file.truncate(100_000_000)
    started = time.monotonic()
    with pytest.raises(InputError, match="is too large for a manifest; allowed: up to 20 MB"):
        read_manifest(path)
    assert time.monotonic() - started < 0.5


def test_an_unfinished_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="is not a finished results folder"):
        load(tmp_path)


def test_hashes_see_the_last_bit_and_the_name_of_a_column():
    frame = tiny().by_call
    changed = frame.copy()
    changed.loc[0, "spent_eur"] = np.nextafter(changed.loc[0, "spent_eur"], np.inf)
    assert digest_of(changed) != digest_of(frame) == tiny().digests["by_call.parquet"]  # written part by part
    assert digest_of(frame.rename(columns={"spent_eur": "spent"})) != digest_of(frame)


# ---------- read back


@pytest.mark.slow
def test_a_comparison_comes_back_whole_with_its_report(tmp_path):
    """Everything that its report needs: the report written again is the same, byte by byte."""
    folder = save(small(), tmp_path)
    back = load(folder)
    for name in ("base", "scenarios", "about", "answers"):
        assert getattr(back, name) == getattr(small(), name), name
    assert_frame_equal(back.measures, small().measures)
    assert_frame_equal(back.monthly_measures, small().monthly_measures)
    back.report(tmp_path / "again")
    for path in sorted((tmp_path / "again").rglob("*.*")):
        name = path.relative_to(tmp_path / "again")
        assert path.read_bytes() == (folder / name).read_bytes(), name
    assert save(back, tmp_path) == folder  # it is what lies there


def test_the_first_run_of_a_single_scenario_comes_back_too(tmp_path):
    alone = run("baseline", draws=0, runs=1, smes=SMES)
    back = load(save(alone, tmp_path, with_report=False))
    assert set(back.trace) == set(alone.trace) and len(back.trace["events"]) == len(alone.trace["events"]) > 0


@pytest.mark.parametrize("name", ["by_call.parquet", "effects.parquet", "words.json"])
def test_a_folder_that_is_not_whole_is_told_in_a_sentence(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"is not a whole results folder \({name} missing\)"):
        load(folder)


def test_rows_of_one_scenario_are_read_alone(folder):
    back, whole = load(folder), small().by_month
    rows = back.rows("by_month", "fast_and_synchronised", ["draw", "month", "contracts"])
    ours = whole[whole.scenario == "fast_and_synchronised"][["draw", "month", "contracts"]].reset_index(drop=True)
    assert_frame_equal(rows, ours)
    groups = pq.read_metadata(folder / "by_month.parquet")
    scenarios_there = pq.ParquetFile(folder / "by_month.parquet").read_row_group(0, ["scenario"]).to_pandas()
    assert groups.num_row_groups == 2 and scenarios_there["scenario"].nunique() == 1


# ---------- a folder that was altered is not believed


def cut_short(folder):
    path = folder / "by_month.parquet"
    path.write_bytes(path.read_bytes()[:-200])


def flipped(folder):
    path = folder / "by_call.parquet"
    content = bytearray(path.read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 64)  # more than one byte: some are padding
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    path.write_bytes(content)


def other_table(name, by):
    return lambda folder: (folder / f"{name}.parquet").write_bytes((folder / f"{by}.parquet").read_bytes())


def doubled(folder):
    frame = pd.read_parquet(folder / "effects.parquet")
    frame["difference"] *= 2
    frame.to_parquet(folder / "effects.parquet")


def without(*keys, **new):
    def alter(folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k not in keys} | new))

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        cut_short, flipped, doubled, other_table("by_country", "by_call"), other_table("spending", "effects"),
        without("missing"), without(compared=[]), without(tables={}),
    ],
)  # fmt: skip
def test_an_altered_folder_gets_a_sentence(alter, folder):
    alter(folder)
    with pytest.raises(InputError) as error:
        load(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


def test_a_folder_is_read_by_its_manifest_too(folder):
    assert load(folder / "manifest.json").answers == load(folder).answers


@pytest.mark.parametrize("wrong", [None, 5])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(InputError, match="allowed: the path of a results folder"):
        load(wrong)


def test_a_comparison_says_in_one_line_what_it_is(folder):
    names = ", ".join(small().scenarios)
    assert repr(load(folder)) == f"<Comparison of {names}: {small().manifest['finished_draws']} draws of 2 runs>"
