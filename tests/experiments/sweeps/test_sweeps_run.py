"""Sweeps are run once, whatever happens: stopped, killed, damaged, extended, shared, on any engine."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

import experiments.sweeps.plan as plan_module
import experiments.sweeps.work as work_module
import tests.sweep_functions as functions
from experiments.cli.sweep import report_again
from experiments.cli.sweep_progress import progress
from experiments.runs import driver as driver_module
from experiments.runs.jobs import carry_out
from experiments.runs.provenance import machine
from experiments.sweeps import load, status, sweep
from experiments.sweeps.result import prepared
from experiments.sweeps.work import Cells, Rows
from scenarios import InputError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def log(tmp_path, monkeypatch):
    """A place for the functions to count their calls."""
    monkeypatch.setenv("SWEEP_LOG", str(tmp_path / "calls.txt"))


def driver(out, function="slow", more=""):
    """A process of its own that runs a sweep of a function."""
    code = (
        f"import tests.sweep_functions as f; from experiments.sweeps import sweep\n"
        f"sweep(f.experiment(24), {str(out)!r}, evaluate=f.{function}, workers=2{more})"
    )
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, cwd=ROOT)


def carried_out(plan, rows):
    """The results of some rows."""
    return Cells(plan.work, rows, plan.keys(rows), "").carry_out(lambda: False)


def wait_for_parts(out, least, process=None):
    """Wait until so many parts are there."""
    until = time.monotonic() + 60
    while len([*out.glob("*/parts/*.parquet")]) < least:
        assert time.monotonic() < until and (process is None or process.poll() is None)
        time.sleep(0.01)


@pytest.mark.slow
def test_a_base_that_no_lever_reaches_is_run_once_for_rows_that_differ_in_levers(tmp_path, monkeypatch):
    """A block holds 8 rows with two values of the parameter: two runs of the base, eight of the option."""
    plan, _ = prepared(functions.levers(method={"name": "sobol", "n": 2}, others="drawn"), tmp_path)
    plan_module.write_design(plan, tmp_path / "design.parquet")
    rows = plan_module.Design(plan, tmp_path / "design.parquet").rows(plan_module.Chunk(0, 16, 1))
    runs, real = [], work_module._measured
    monkeypatch.setattr(work_module, "_measured", lambda *asked: runs.append(asked) or real(*asked))
    together = carried_out(plan, rows)
    assert plan.block == 8 and len(runs) == 2 * (2 + 8)
    alone = [carried_out(plan, Rows(*(each[place : place + 1] for each in rows[:3]), 1)) for place in range(16)]
    assert len(runs) == 2 * (2 + 8) + 16 * 2
    for name in plan.work.measures:
        assert together[name].tobytes() == b"".join(each[name].tobytes() for each in alone)


def test_a_large_plan_is_never_held_as_a_whole(tmp_path, monkeypatch):
    """Drawn, written and read in pieces; the rows are those of a plan that is drawn at once."""
    plan, _ = prepared(functions.levers(method={"name": "sobol", "n": 40}), tmp_path)
    whole, drawn = [each.tobytes() for each in _rows_of(plan, tmp_path / "whole.parquet")], []
    monkeypatch.setattr(plan_module, "SLICE_ROWS", 37)  # no multiple of a block or a chunk
    real = plan_module.sample

    def counted(*asked):
        drawn.append(real(*asked))
        return drawn[-1]

    monkeypatch.setattr(plan_module, "sample", counted)
    assert [each.tobytes() for each in _rows_of(plan, tmp_path / "pieces.parquet")] == whole
    assert max(map(len, drawn)) <= 37 + 2 * plan.block < plan.rows


def _rows_of(plan, path):
    """The values of every chunk, read back from a design file."""
    plan_module.write_design(plan, path)
    design = plan_module.Design(plan, path)
    return [design.rows(chunk).values for chunk in plan.chunks()]


def test_more_runs_than_can_be_planned_get_a_size_that_can(tmp_path):
    with pytest.raises(InputError, match=r"method\.n: .*; allowed: up to 10,000,000, here n = [0-9,]+$") as told:
        prepared(functions.levers(method={"name": "sobol", "n": 90_000_000}), tmp_path)
    most = int(str(told.value).split("here n = ")[1].replace(",", ""))
    assert 9_000_000 < prepared(functions.levers(method={"name": "sobol", "n": most}), tmp_path)[0].cells <= 10_000_000


@pytest.mark.slow
def test_engines_and_workers_give_the_same_bytes(tmp_path):
    one = sweep(functions.levers(), tmp_path / "one", workers=1)
    three = sweep(functions.levers(), tmp_path / "three", workers=3)
    other = sweep(functions.levers(), tmp_path / "processes", engine="processes", workers=2)
    assert functions.content(one.folder) == functions.content(three.folder) == functions.content(other.folder)
    assert len(one.failures) == 0 and np.isfinite(one.outcomes("levers", "contracts_net")).all()
    assert np.ptp(one.outcomes("levers", "contracts_net")) > 0.0


@pytest.mark.slow
def test_a_cell_is_the_same_in_chunks_of_any_size(tmp_path, monkeypatch):
    asked = functions.levers(others="drawn")
    whole = sweep(asked, tmp_path / "whole")
    monkeypatch.setattr(plan_module, "FEWEST_CHUNK_ROWS", 3)
    pieces = sweep(asked, tmp_path / "pieces")
    assert len([*pieces.folder.glob("parts/*")]) > len([*whole.folder.glob("parts/*")])
    order = ["row", "run", "case"]
    first, second = (found.results.sort_values(order, ignore_index=True) for found in (whole, pieces))
    assert first.equals(second)


def test_rows_of_a_block_share_their_luck_and_others_do_not(tmp_path):
    found = sweep(functions.experiment(8, 3, options=("plain", "noisy")), tmp_path, evaluate=functions.its_seed)
    luck = found.values("plain", "y")
    assert (luck == found.values("noisy", "y")).all()
    blocks = luck.reshape(8, 8, 3)  # of 2 * 3 + 2 rows
    assert (blocks == blocks[:, :1]).all()
    assert len(np.unique(blocks[:, 0])) == 8 * 3


@pytest.mark.slow
def test_a_stopped_sweep_goes_on_to_the_same_bytes(tmp_path):
    asked = functions.experiment(16)
    undisturbed = sweep(asked, tmp_path / "undisturbed", evaluate=functions.ishigami)

    def stop(advance):
        if advance.run > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(asked, tmp_path / "stopped", evaluate=functions.ishigami, hear=stop, workers=1)
    (folder,) = (tmp_path / "stopped").iterdir()
    told = status(folder)
    assert 0 < told["done"] < told["cells"] and not told["complete"]
    assert np.isnan(load(folder).outcomes("plain", "y")).any()  # what is there can be read
    gone_on = sweep(asked, tmp_path / "stopped", evaluate=functions.ishigami, resume=True)
    assert functions.content(gone_on.folder) == functions.content(undisturbed.folder)


@pytest.mark.slow
def test_a_killed_driver_loses_the_chunks_in_hand_and_no_more(tmp_path):
    out = tmp_path / "killed"
    process = driver(out)
    wait_for_parts(out, 5, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (folder,) = out.iterdir()
    told, before = status(folder), functions.calls()
    assert 5 * 16 <= told["done"] < told["cells"] and told["at_work"] == 0 and told["damaged"] == []
    assert before - told["done"] <= 3 * 16  # two workers, and a chunk ahead
    went_on = sweep(functions.experiment(24), out, evaluate=functions.slow, resume=True)
    assert functions.calls() - before == told["cells"] - told["done"]
    undisturbed = sweep(functions.experiment(24), tmp_path / "undisturbed", evaluate=functions.slow)
    assert functions.content(went_on.folder) == functions.content(undisturbed.folder)


def test_what_a_killed_driver_had_begun_to_write_goes_and_what_is_in_hand_stays(tmp_path):
    whole = sweep(functions.experiment(4), tmp_path, evaluate=functions.counted)
    mine, theirs = sorted((whole.folder / "parts").glob("*.parquet"))[:2]
    begun = [path.with_name(f"{path.stem}.0a1b2c3d.unfinished") for path in (mine, theirs)]
    for path in begun:
        path.write_bytes(b"PAR1")
    with FileLock(whole.folder / ".claims" / f"{theirs.stem}.lock"):
        sweep(functions.experiment(4), tmp_path, evaluate=functions.counted)
        assert [path.exists() for path in begun] == [False, True]


@pytest.mark.slow
def test_two_drivers_share_a_folder(tmp_path):
    out = tmp_path / "shared"
    first, second = driver(out), driver(out)
    assert first.wait(120) == 0 and second.wait(120) == 0
    (folder,) = out.iterdir()
    assert functions.calls() == status(folder)["cells"]  # nothing was run twice
    alone = sweep(functions.experiment(24), tmp_path / "alone", evaluate=functions.slow)
    assert functions.content(folder) == functions.content(alone.folder)


@pytest.mark.slow
def test_a_repeated_question_is_read_and_an_extended_one_runs_what_is_new(tmp_path):
    def ask(**more):
        before = functions.calls()
        found = sweep(functions.experiment(5), tmp_path, evaluate=functions.counted, **more)
        return found, functions.calls() - before

    small, run = ask()
    assert run == 5 * 8 * 2
    again, run = ask()
    assert run == 0 and again.folder == small.folder
    larger, run = ask(n=9)
    assert run == 4 * 8 * 2 and larger.folder == small.folder
    longer, run = ask(n=9, runs=3)
    assert run == 9 * 8
    fresh = sweep(functions.experiment(9, 3), tmp_path / "fresh", evaluate=functions.counted)
    manifests = [functions.content(found.folder)["manifest.json"] for found in (longer, fresh)]
    assert manifests[0] == manifests[1]  # the hashes of all parts among them
    smaller, run = ask()  # and back
    assert run == 0
    assert smaller.outcomes("plain", "y").tobytes() == fresh.outcomes("plain", "y")[:40, :2].tobytes()


def _flip(path, others):
    content = bytearray(path.read_bytes())
    third = slice(len(content) // 3, len(content) // 3 + 64)  # more than one byte: some are padding
    content[third] = bytes(byte ^ 0xFF for byte in content[third])
    path.write_bytes(content)


def _cut(path, others):
    path.write_bytes(path.read_bytes()[:-20])


def _empty(path, others):
    path.write_bytes(b"")


def _swap(path, others):
    path.write_bytes(others[0].read_bytes())


def _alter(path, others):
    table = pq.read_table(path)
    column = table.column_names.index("y")
    pq.write_table(table.set_column(column, "y", pc.add(table["y"], 1e-9)), path)


@pytest.mark.parametrize("damage", [_flip, _cut, _empty, _swap, _alter])
def test_a_damaged_or_foreign_part_is_named_and_done_again(tmp_path, damage):
    asked = functions.experiment(8)
    whole = sweep(asked, tmp_path, evaluate=functions.counted)
    before, calls = functions.content(whole.folder), functions.calls()
    path, *others = sorted((whole.folder / "parts").iterdir())
    damage(path, others)
    assert [name for name, _ in status(whole.folder)["damaged"]] == [path.name]
    heard = []
    sweep(asked, tmp_path, evaluate=functions.counted, hear=lambda advance: heard.extend(advance.damaged))
    assert heard[0].file == path.name and len({part.file for part in heard}) == 1
    assert functions.content(whole.folder) == before and functions.calls() == calls + 16


@pytest.mark.slow
def test_a_damaged_design_or_plan_is_written_again(tmp_path):
    asked = functions.experiment(8)
    whole = sweep(asked, tmp_path, evaluate=functions.counted)
    before, calls = functions.content(whole.folder), functions.calls()
    for name in ("design.parquet", "plan.json", "manifest.json"):
        for damage in (_flip, _cut, _empty):
            damage(whole.folder / name, [])
            sweep(asked, tmp_path, evaluate=functions.counted)
            assert functions.content(whole.folder) == before and functions.calls() == calls
    _empty(whole.folder / "design.parquet", [])
    with pytest.raises(InputError, match=r"design.parquet: is damaged, or cannot be read; .* --resume writes it again"):
        status(whole.folder)


def test_a_worker_with_other_code_is_refused(tmp_path):
    plan, _ = prepared(functions.levers(), tmp_path)
    rows = Rows(np.array([0]), np.array([0]), plan.unit()[:1], 0)
    with pytest.raises(InputError, match=r"this worker runs code .*, the sweep was planned with another"):
        carry_out(Cells(replace(plan.work, code="another"), rows, np.zeros(1, np.int64), ""))


def test_a_foreign_file_does_not_get_into_the_results_and_is_named(tmp_path, capsys):
    whole = sweep(functions.experiment(4), tmp_path, evaluate=functions.counted)
    before = whole.results
    other = sweep(functions.experiment(4, seed=2), tmp_path / "other", evaluate=functions.counted)
    for part in (other.folder / "parts").iterdir():
        (whole.folder / "parts" / part.name).write_bytes(part.read_bytes())
    assert load(whole.folder).results.equals(before)
    (whole.folder / "parts" / "notes.txt").write_text("mine", encoding="utf-8")
    foreign = sorted([*(part.name for part in (other.folder / "parts").iterdir()), "notes.txt"])
    heard = []
    with progress() as lines:
        again = sweep(functions.experiment(4), tmp_path, evaluate=functions.counted,
                      hear=lambda advance: (heard.append(advance), lines(advance)))  # fmt: skip
    assert [file for file, _ in heard[0].aside] == foreign  # each is named, to callers and on the screen
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in said if line.endswith("it is put aside in kept/")] == foreign
    assert (again.folder / "kept" / "notes.txt").read_text(encoding="utf-8") == "mine"
    found = duckdb.sql(f"select count(*) from '{again.folder}/parts/*.parquet'").fetchall()
    assert found == [(len(before),)]
    heard.clear()  # parts of another size of the same question are no foreign files
    sweep(functions.experiment(4), tmp_path, evaluate=functions.counted, n=2, hear=heard.append)
    assert heard[0].aside == []


@pytest.mark.slow
def test_runs_that_fail_are_recorded_and_do_not_stop_the_rest(tmp_path):
    found = sweep(functions.experiment(32), tmp_path, evaluate=functions.fragile)
    a = found.design["a"].to_numpy()
    expected = (np.abs(a) > 2.5).sum() * 2
    assert 0 < expected == len(found.failures) == status(found.folder)["failed"] < found.plan.cells
    assert set(found.failures["failure"]) == {"ValueError: a is too large in plain", "not a finite number: y"}
    assert (found.failures["a"].abs() > 2.5).all()  # with what it was given
    outcomes = found.outcomes("plain", "y")
    assert (np.isnan(outcomes).any(axis=1) == (np.abs(a) > 2.5)).all()
    assert (found.folder / "failures.parquet").exists()


def test_failed_runs_are_run_again_when_asked(tmp_path):
    asked = functions.experiment(8)
    found = sweep(asked, tmp_path, evaluate=functions.fragile)
    failed = len(found.failures)
    mended = sweep(found.folder, evaluate=functions.ishigami)  # the same question to the folder: nothing is run
    assert len(mended.failures) == failed
    heard = []
    sweep(found.folder, evaluate=functions.fragile, redo_failed=True, hear=lambda advance: heard.append(advance.run))
    assert heard[-1] >= failed > 0


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(tmp_path):
    found = sweep(functions.experiment(8), tmp_path, evaluate=functions.deadly_once, engine="processes", workers=2)
    assert Path(os.environ["SWEEP_LOG"] + ".died").exists()
    assert len(found.failures) == 0
    alone = sweep(functions.experiment(8), tmp_path / "alone", evaluate=functions.ishigami)
    assert found.outcomes("plain", "y").tobytes() == alone.outcomes("plain", "y").tobytes()


@pytest.mark.slow
def test_a_row_that_kills_its_worker_is_recorded_and_the_rest_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(driver_module, "DEATHS_BELIEVED", 2)
    found = sweep(functions.experiment(8), tmp_path, evaluate=functions.deadly, engine="processes", workers=2)
    kills = found.design["a"].to_numpy() > 3.0
    assert kills.any()
    failed = found.failures.groupby("row").size()
    assert set(np.flatnonzero(kills)) <= set(failed.index) and len(failed) < len(kills)
    assert found.failures["failure"].str.contains("died").all()


def test_duckdb_and_pandas_read_the_parts(tmp_path):
    found = sweep(functions.experiment(8), tmp_path, evaluate=functions.ishigami)
    ((mean, rows),) = duckdb.sql(f"select avg(y), count(*) from '{found.folder}/parts/*.parquet'").fetchall()
    assert rows == len(found.results) == 128 and mean == pytest.approx(found.results["y"].mean(), rel=1e-12)
    joined = duckdb.sql(
        f"select max(abs(p.a - d.a)) from '{found.folder}/parts/*.parquet' p "
        f"join '{found.folder}/design.parquet' d using (row)"
    ).fetchall()
    assert joined == [(0.0,)]


def test_a_folder_of_another_question_or_of_none_is_refused(tmp_path):
    sweep(functions.experiment(4), tmp_path, evaluate=functions.ishigami)
    with pytest.raises(InputError, match="no sweep to go on with"):
        sweep(functions.experiment(4, seed=5), tmp_path, evaluate=functions.ishigami, resume=True)
    with pytest.raises(InputError, match="not the folder of a sweep"):
        status(tmp_path)


@pytest.mark.parametrize("content", ["{", "{}", '{"format": 1}', "[]", "\xff"])
def test_a_plan_that_is_not_whole_is_told_with_the_way_to_mend_it(tmp_path, content):
    asked = functions.experiment(4)
    whole = sweep(asked, tmp_path, evaluate=functions.counted)
    before, calls = functions.content(whole.folder), functions.calls()
    (whole.folder / "plan.json").write_text(content, encoding="latin-1")
    for again in (lambda: status(whole.folder), lambda: sweep(whole.folder, evaluate=functions.counted, resume=True)):
        with pytest.raises(InputError, match=r"plan.json: is .*; asking the experiment's file again writes it") as told:
            again()
        assert "Error" not in str(told.value) and "codec" not in str(told.value)
    sweep(asked, tmp_path, evaluate=functions.counted)
    assert functions.content(whole.folder) == before and functions.calls() == calls


@pytest.mark.slow
def test_to_resume_goes_on_with_the_size_that_the_folder_holds(tmp_path):
    def ask(**more):
        return sweep(functions.experiment(5), tmp_path, evaluate=functions.counted, **more)

    larger = ask(n=9, runs=3)
    before, calls = functions.content(larger.folder), functions.calls()
    for part in sorted((larger.folder / "parts").iterdir())[:2]:
        part.unlink()
    assert status(larger.folder)["done"] < 9 * 8 * 3
    again = ask(resume=True)
    assert (again.method.n, again.experiment.runs) == (9, 3) and functions.calls() > calls
    assert functions.content(larger.folder) == before
    _empty(larger.folder / "plan.json", [])
    assert ask(resume=True).plan.cells == 9 * 8 * 3  # the manifest holds it too
    found = ask(resume=True, n=6)  # what is asked for wins, by itself
    assert (found.method.n, found.experiment.runs) == (6, 3)
    assert ask().plan.cells == 5 * 8 * 2  # without it, the file is what is asked


def _with_report(found):
    """Put something in the place of a report; returns where it lies."""
    (found.folder / "figures").mkdir(exist_ok=True)
    paths = [found.folder / name for name in ("report.html", "indices.parquet", "figures/01-ranking.svg")]
    for path in paths:
        path.write_text("report", encoding="utf-8")
    return paths


def test_a_report_that_tells_of_something_else_does_not_stay(tmp_path):
    def ask(**more):
        return sweep(functions.experiment(5), tmp_path, evaluate=functions.counted, **more)

    report = _with_report(ask())
    ask()
    assert all(path.exists() for path in report)  # the same question: it holds still
    found = ask(n=6)
    assert not any(path.exists() for path in [*report, found.folder / "figures"])
    _with_report(found)
    next((found.folder / "parts").iterdir()).unlink()
    _with_report(found)  # of what is there, which says so
    ask(n=6)
    assert not any(path.exists() for path in report)


@pytest.mark.slow
def test_what_is_wrong_with_a_part_is_told_in_plain_words_and_beside_the_report(tmp_path, capsys):
    found = sweep(functions.experiment(8), tmp_path, evaluate=functions.ishigami)
    paths = sorted((found.folder / "parts").iterdir())[:2]
    for path, damage in zip(paths, (_cut, _empty)):
        damage(path, [])
    told = load(found.folder, functions.ishigami).damaged
    assert sorted(told) == [(path.name, "is damaged or cut short") for path in paths]
    report_again(found.folder)
    said = capsys.readouterr().err.splitlines()
    assert sorted(said) == [f"part {file} {why}: it is not in the report; --resume does it again"
                            for file, why in sorted(told)]  # fmt: skip


def test_the_versions_told_hold_the_one_of_the_package_that_computes_indices():
    assert "SALib" in machine()["versions"]


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so_and_does_not_hang(tmp_path):
    script = tmp_path / "script.py"
    call = f"sweep(f.experiment(4), {str(tmp_path / 'out')!r}, evaluate=f.ishigami, engine='processes', workers=2)"
    place = os.environ | {"PYTHONPATH": str(ROOT)}
    for guard, code in (("if True:", 1), ("if __name__ == '__main__':", 0)):
        text = f"import tests.sweep_functions as f; from experiments.sweeps import sweep\n{guard}\n    {call}\n"
        script.write_text(text, encoding="utf-8")
        ended = subprocess.run([sys.executable, script], env=place, capture_output=True, text=True, timeout=120)
        assert ended.returncode == code and (tmp_path / "out").exists() is (code == 0)
        last = ended.stderr.splitlines()[-1] if code else ""
        assert code == 0 or ("InputError: the workers of" in last and 'under `if __name__ == "__main__":`' in last)
