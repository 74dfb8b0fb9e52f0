"""The store of runs: what is finished is read and not run again, whoever asked for it and however it ended."""

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from experiments import compare
from experiments.comparison.folder import table_hashes
from experiments.comparison.study import Settings, prepare
from experiments.runs import cells, parts
from experiments.runs.cells import CELLS, EVERYTHING, Runs, code_here
from experiments.runs.engines import Where, engine_at
from experiments.runs.jobs import hash_of
from experiments.runs.store import Store
from scenarios import InputError

ROOT = Path(__file__).parents[3]
SMES = 2000
ASKED = {"runs": 2, "smes": SMES, "reasons": 0, "spending": 0}


@pytest.fixture
def runs(monkeypatch):
    """Counts the runs that are carried out in this process."""
    real, count = cells.measure, []
    monkeypatch.setattr(cells, "measure", lambda *args: count.append(1) or real(*args))
    return count


def fresh(runs):
    """Runs since this was last asked."""
    number = len(runs)
    runs.clear()
    return number


# ---------- nothing is run twice


@pytest.mark.slow
def test_a_question_that_was_run_is_read(tmp_path, runs):
    first = compare("baseline", "projects_24", draws=3, store=tmp_path, **ASKED)
    assert fresh(runs) == 3 * 2 * 2
    again = compare("baseline", "projects_24", draws=3, store=tmp_path, **ASKED)
    assert fresh(runs) == 0 and table_hashes(again) == table_hashes(first) and again.answers == first.answers


@pytest.mark.slow
def test_a_base_is_run_once_for_all_its_comparisons_and_whatever_it_is_called(tmp_path, runs, scenario_file):
    compare("baseline", "projects_24", draws=2, store=tmp_path, **ASKED)
    fresh(runs)
    compare("baseline", "fast_and_synchronised", draws=2, store=tmp_path, **ASKED)
    assert fresh(runs) == 2 * 2
    later = scenario_file("[from.2017]\nproject_months = 24\n", "later")  # counted from another call on
    compare("baseline", later, draws=2, store=tmp_path, **ASKED)
    assert fresh(runs) == 2 * 2
    same = scenario_file("", "another_name")  # it sets nothing: it is the baseline
    compare("baseline", same, draws=2, store=tmp_path, **ASKED)
    assert fresh(runs) == 0


@pytest.mark.slow
def test_more_draws_and_more_seeds_run_only_what_is_new(tmp_path, runs):
    compare("baseline", "projects_24", draws=5, store=tmp_path, **ASKED)
    fresh(runs)
    larger = compare("baseline", "projects_24", draws=11, store=tmp_path, **ASKED)
    assert fresh(runs) == 6 * 2 * 2
    compare("baseline", "projects_24", draws=11, store=tmp_path, **ASKED | {"runs": 3})
    assert fresh(runs) == 11 * 2
    compare("baseline", "projects_24", draws=4, store=tmp_path, **ASKED)
    assert fresh(runs) == 0
    assert table_hashes(larger) == table_hashes(compare("baseline", "projects_24", draws=11, **ASKED))


@pytest.mark.slow
def test_parts_that_larger_ones_hold_too_go(tmp_path):
    for draws in (5, 11):
        compare("baseline", "projects_24", draws=draws, store=tmp_path, **ASKED)
    sizes = [len(parts.read(path)["draw"]) for path in tmp_path.rglob("*.parquet")]
    assert sorted(sizes) == [3] * 4 + [8] * 4


@pytest.mark.slow
def test_reasons_and_equal_spending_are_kept_too(tmp_path, runs):
    asked = ASKED | {"reasons": 2, "spending": 3}
    first = compare("baseline", "projects_24", draws=4, store=tmp_path, **asked)
    assert fresh(runs) > 4 * 2 * 2
    again = compare("baseline", "projects_24", draws=4, store=tmp_path, **asked)
    assert fresh(runs) == 0 and table_hashes(again) == table_hashes(first)
    compare("baseline", "projects_24", draws=4, store=tmp_path, **asked | {"reasons": 3})
    assert fresh(runs) == 14 * 2 * 2  # one draw more, 14 mechanisms, two scenarios, two seeds


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"seed": 2}, {"smes": 2100}, {"horizon": 48}, {"draws_from": "prior"}])
def test_another_question_is_another(tmp_path, runs, change):
    compare("baseline", "projects_24", draws=2, store=tmp_path, **ASKED)
    fresh(runs)
    compare("baseline", "projects_24", draws=2, store=tmp_path, **ASKED | change)
    assert fresh(runs) == 2 * 2 * 2


@pytest.mark.slow
def test_other_code_shares_nothing(tmp_path, runs, monkeypatch):
    compare("baseline", "projects_24", draws=2, store=tmp_path, **ASKED)
    fresh(runs)
    for module in ("experiments.runs.cells", "experiments.runs.jobs"):
        monkeypatch.setattr(f"{module}.code_of", lambda *modules: "another")
    compare("baseline", "projects_24", draws=2, store=tmp_path, **ASKED)
    assert fresh(runs) == 2 * 2 * 2


# ---------- damage


def damaged(path, how):
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[:-9]
    elif how == "empty":
        content = bytearray()
    else:
        content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "empty", "a bit"])
def test_a_damaged_part_is_made_again(tmp_path, runs, how):
    first = compare("baseline", "projects_24", draws=3, store=tmp_path, **ASKED)
    fresh(runs)
    damaged(next(iter(sorted(tmp_path.rglob("*.parquet")))), how)
    again = compare("baseline", "projects_24", draws=3, store=tmp_path, **ASKED)
    assert fresh(runs) == 3 and table_hashes(again) == table_hashes(first)


def test_a_part_that_goes_while_tables_are_made_is_told(tmp_path):
    study = prepare(("baseline",), Settings(2, 1, smes=SMES))
    job = Runs(study.cases[0], study.draws, 0, 1, code_here())
    store = Store(tmp_path)
    with engine_at(Where()) as engine:
        assert list(store.finish([job], engine, lambda runs: None)) == [0]
    assert store.read(job)["cells"].shape[0] == 2
    store.parts(job.base).path(job.address).unlink()
    with pytest.raises(InputError, match="is gone; the same command makes it again"):
        store.read(job)


# ---------- what identifies a run


def test_a_cell_is_known_by_what_determines_it_and_by_nothing_else():
    study = prepare(("baseline", "projects_24"), Settings(3, 1, smes=SMES))
    base, other = study.cases

    def keys(case=base, draws=study.draws, run=0, seed=1, keep=EVERYTHING, code="c"):
        return Runs(case, draws, run, seed, code, keep).index["cell"].tolist()

    known = keys()
    assert len(set(known)) == 3 and keys(draws=study.draws[1:]) == known[1:]
    for change in ({"case": other}, {"run": 1}, {"seed": 2}, {"keep": CELLS}, {"code": "d"}):
        assert not set(keys(**change)) & set(known), change
    for case in (
        study.case(study.chosen[0], [("fatigue", 0.0)]),
        study.case(study.chosen[0], (), 2.0),
    ):
        assert not set(keys(case=case)) & set(known)
    moved = study.draws.values.copy()
    moved[1, 5] = np.nextafter(moved[1, 5], np.inf)
    changed = keys(draws=type(study.draws)(study.draws.number, study.draws.names, moved))
    assert [a == b for a, b in zip(changed, known, strict=True)] == [True, False, True]


def test_hashes_tell_arrays_of_other_kinds_and_shapes_apart():
    one = np.arange(6.0)
    assert len({hash_of(["a"], one), hash_of(["a"], one.reshape(2, 3)), hash_of(["a"], one.astype(np.int64))}) == 3


# ---------- engines


@pytest.mark.slow
def test_processes_and_threads_give_the_same_bits(tmp_path):
    asked = ASKED | {"reasons": 1, "spending": 2}
    threads = compare("baseline", "projects_24", draws=3, **asked)
    processes = compare("baseline", "projects_24", draws=3, engine="processes", threads=2, **asked)
    assert table_hashes(processes) == table_hashes(threads) and processes.answers == threads.answers


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"engine": "thread"}, "did you mean threads?"),
        ({"engine": "dask"}, "needs the address of a scheduler"),
        ({"engine": "processes", "dask": "tcp://127.0.0.1:1"}, "exclude each other"),
    ],
)
def test_engines_that_cannot_be_are_refused_before_anything_runs(how, words, runs):
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        compare("baseline", "projects_24", draws=2, **ASKED, **how)
    assert fresh(runs) == 0


# ---------- killed


def started(out, *more):
    command = [sys.executable, "-m", "experiments.cli.main", "compare", "baseline", "projects_24", *more]
    size = ["--draws", "20", "--runs", "2", "--smes", "2000", "--reasons", "2", "--spending", "4", "--threads", "2"]
    return subprocess.Popen(
        [*command, *size, "--no-report", "--out", str(out)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def results_in(out):
    """Every file of the results folder by its name, and its bytes."""
    (folder,) = (path for path in out.iterdir() if path.name != "runs")
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("engine", [(), ("--engine", "processes")], ids=["threads", "processes"])
def test_a_killed_comparison_goes_on_and_ends_with_the_same_bytes(tmp_path, engine):
    assert started(tmp_path / "whole").wait() == 0
    for number, least in enumerate((1, 9, 20, 45)):
        out = tmp_path / f"killed-{number}"
        process, until = started(out, *engine), time.monotonic() + 120
        while len([*out.rglob("*.parquet")]) < least and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.parquet")}
        assert len(before) >= least
        assert started(out, *engine).wait() == 0
        assert results_in(out) == results_in(tmp_path / "whole")
        there = {path: path.stat().st_mtime_ns for path in before if path.exists()}
        assert there == before, "a finished part was run or written again"
        assert not [*out.rglob("*.unfinished")] and not [*(out / "runs" / ".claims").iterdir()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_two_at_once_share_the_work(tmp_path):
    both = [started(tmp_path / "shared") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert started(tmp_path / "alone").wait() == 0
    assert results_in(tmp_path / "shared") == results_in(tmp_path / "alone")


@pytest.mark.slow
def test_what_was_kept_of_a_stopped_comparison_is_whole(tmp_path, runs):
    """Stopped within, by an error of the caller's own: what was finished is there, and no more is run for it."""

    def fail_after(limit):
        def stage(what, todo):
            done = 0

            def advance(number):
                nonlocal done
                done += number
                if done >= limit:
                    raise RuntimeError("no more")

            return advance

        return stage

    with pytest.raises(RuntimeError):
        compare("baseline", "projects_24", draws=20, store=tmp_path, threads=1, stage=fail_after(32), **ASKED)
    kept = sum(len(parts.read(path)["draw"]) for path in tmp_path.rglob("*.parquet"))
    fresh(runs)
    whole = compare("baseline", "projects_24", draws=20, store=tmp_path, **ASKED)
    assert fresh(runs) == 20 * 2 * 2 - kept and kept >= 32
    assert_frame_equal(whole.by_call, compare("baseline", "projects_24", draws=20, **ASKED).by_call, check_exact=True)


# ---------- several questions on one store


def test_a_part_that_a_larger_question_tidied_away_is_read_from_its_parts(tmp_path):
    compare("baseline", "projects_24", draws=2, store=tmp_path / "runs", **ASKED)
    before = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.parquet")}
    found = compare("baseline", "projects_24", draws=3, store=tmp_path / "runs", **ASKED)
    gone = [path for path in before if not path.exists()]
    assert gone, "a larger question tidies up"
    jobs, read = [], Store.read

    def note(self, job, names=None):
        jobs.append(job)
        return read(self, job, names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "tidy", lambda self, jobs: None)
        patch.setattr(Store, "read", note)
        compare("baseline", "projects_24", draws=2, store=tmp_path / "runs", **ASKED)
    smaller = list({job.address: job for job in jobs if len(job.draws) == 2}.values())
    store = Store(tmp_path / "runs")
    wanted = [store.read(job) for job in smaller]
    for job in smaller:
        store.parts(job.base).path(job.address).unlink()
    for job, columns in zip(smaller, wanted, strict=True):
        again = store.read(job)
        assert again.keys() == columns.keys()
        assert all(np.array_equal(again[name], columns[name], equal_nan=True) for name in columns)
    assert found.manifest["complete"]


@pytest.mark.parametrize("store", [5, ["runs"]])
def test_a_store_that_is_no_path_is_refused(store):
    with pytest.raises(InputError, match="allowed: a path, or None"):
        compare("baseline", "projects_24", draws=2, store=store, **ASKED)


def test_a_store_that_cannot_be_made_gets_a_sentence(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(InputError) as error:
        compare("baseline", "projects_24", draws=2, store=tmp_path / "runs", **ASKED)
    assert str(tmp_path / "runs") in str(error.value) and "\n" not in str(error.value)


def test_tables_that_do_not_fit_on_the_disk_get_a_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("experiments.comparison.compare.frames_of", full)
    with pytest.raises(InputError, match="the tables cannot be written"):
        compare("baseline", "projects_24", draws=2, store=tmp_path / "runs", **ASKED)


def test_large_tables_are_put_together_in_the_store_and_go_with_the_comparison(tmp_path):
    found = compare("baseline", "projects_24", draws=2, store=tmp_path / "runs", **ASKED)
    (tables,) = (tmp_path / "runs").glob("tables.*.unfinished")
    assert (tables / "by_call.parquet").exists() and len(found.by_call)
    del found
    gc.collect()
    assert not [*(tmp_path / "runs").glob("tables.*")]
