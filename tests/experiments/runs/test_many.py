"""One call, many runs: the same numbers however the question is cut, and memory that stays flat."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import ManyRuns, compare
from experiments.runs import many_runs as many
from experiments.runs import memory
from experiments.runs import parameter_draws as drawing
from scenarios import InputError
from simulator.threads import AHEAD, run_jobs

SMALL = {"runs": 2, "seed": 3, "smes": 3_000}


def test_results_come_in_the_order_of_the_jobs_whatever_the_threads():
    def slowest_first(job):
        time.sleep(0.02 if job < 4 else 0.0)
        return 10 * job

    for threads in (1, 2, 5):
        assert list(run_jobs(slowest_first, range(20), threads)) == [10 * job for job in range(20)]


def test_only_a_few_jobs_are_begun_ahead_of_the_reader():
    begun = []
    results = run_jobs(begun.append, range(1000), threads=2)
    for read in range(1, 6):
        next(results)
        time.sleep(0.02)
        assert len(begun) <= read + AHEAD * 2
    results.close()
    time.sleep(0.02)
    assert len(begun) <= 5 + AHEAD * 2


def test_no_job_is_begun_after_a_cancel_and_what_runs_is_given_out_or_left():
    stop = threading.Event()
    found = []
    for result in run_jobs(lambda job: job, range(1000), 2, stop.is_set):
        found.append(result)
        if len(found) == 3:
            stop.set()
    assert found == [0, 1, 2]


def test_an_error_in_a_job_is_raised_at_its_place():
    found = []
    with pytest.raises(ZeroDivisionError):
        for result in run_jobs(lambda job: 1 / (3 - job), range(10), 2):
            found.append(result)
    assert len(found) == 3


INTERRUPTED = """
import signal
from simulator.threads import run_jobs

inside = False

def interrupt(*_):
    if inside:
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupt)
print("ready", flush=True)
done = cut = 0
while done < 100 or cut < 100:
    try:
        inside = True
        assert list(run_jobs(lambda job: job, range(40), 2)) == list(range(40))
        inside = False
        done += 1
    except KeyboardInterrupt:
        inside = False
        cut += 1
print(done, cut, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent")
def test_ctrl_c_at_any_moment_is_heard_and_stalls_nothing():
    """Signals fall on every step of handing out, waiting and leaving; none of them may leave a lock held."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            process.send_signal(signal.SIGINT)
            time.sleep(0.0037)
        stalled = process.poll() is None
        process.kill()
        assert not stalled and "100" in process.stdout.read()


@pytest.fixture(scope="module")
def asked():
    return ManyRuns(("baseline", "projects_24"), draws=3, **SMALL)


@pytest.fixture(scope="module")
def frame(asked):
    return asked.frame()


@pytest.mark.slow
def test_rows_are_those_of_the_comparison(frame):
    table = compare("baseline", "projects_24", draws=3, reasons=0, spending=0, **SMALL).by_call
    keys = ["scenario", "draw", "run", "call"]
    ours = frame.set_index(keys)[list(table.columns.drop(keys))].sort_index()
    pd.testing.assert_frame_equal(ours, table.set_index(keys).sort_index())
    net = ours["contracts_additional"] - ours["contracts_displaced"]
    pd.testing.assert_series_equal(frame.set_index(keys).sort_index()["contracts_net"], net, check_names=False)
    assert frame["contracts_net"].abs().sum() > 0


@pytest.mark.slow
def test_the_same_rows_on_one_thread_in_parts_and_cut_by_hand(frame, monkeypatch):
    question = {"scenarios": ("baseline", "projects_24"), **SMALL}
    pd.testing.assert_frame_equal(ManyRuns(draws=3, threads=1, **question).frame(), frame)
    tail = ManyRuns(draws=2, first_draw=1, **question).frame()
    pd.testing.assert_frame_equal(tail, frame[frame["draw"] > 0].reset_index(drop=True))
    monkeypatch.setattr(many, "PART_ROWS", 1)
    parts = list(ManyRuns(draws=6, **question).parts())
    assert [sorted(set(part["draw"])) for part in parts] == [[0, 1, 2, 3], [4, 5]]
    whole = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(whole[whole["draw"] < 3], frame)


@pytest.mark.slow
def test_rows_by_run_are_the_sum_of_calls_and_of_countries(frame):
    question = {"scenarios": ("baseline", "projects_24"), "draws": 3, **SMALL}
    by_run = ManyRuns(by="run", **question).frame().set_index(["draw", "run", "scenario"])
    for rows in (frame, ManyRuns(by="country", **question).frame()):
        total = rows.groupby(["draw", "run", "scenario"], sort=False)["contracts_net"].sum()
        pd.testing.assert_series_equal(total, by_run["contracts_net"])


def test_given_values_of_parameters_are_used_and_others_are_central():
    drawn = {"idea_rate": [0.5, 1.0], "h_contract": [0.01, 0.02]}
    both = ManyRuns("baseline", drawn, measures=["proposals"], **SMALL).frame()
    second = ManyRuns("baseline", {name: values[1:] for name, values in drawn.items()}, first_draw=1, **SMALL).frame()
    assert both[both["draw"] == 1]["proposals"].tolist() == second["proposals"].tolist()


@pytest.mark.parametrize("draws_from", ["prior", "posterior"])
def test_a_draw_is_the_same_from_wherever_the_question_begins(draws_from):
    whole = ManyRuns("baseline", 5_005, draws_from=draws_from).parameters
    tail = ManyRuns("baseline", 5, first_draw=5_000, draws_from=draws_from).parameters
    assert {name: column[5_000:].tobytes() for name, column in whole.items()} == {
        name: column.tobytes() for name, column in tail.items()
    }
    assert len(set(whole["idea_rate"])) > 4_000 or draws_from == "posterior"  # whose rows come again


@pytest.mark.parametrize("draws_from", ["prior", "posterior"])
def test_draws_in_blocks_are_those_of_the_whole(draws_from, monkeypatch):
    whole = drawing.drawn(draws_from, 50, 3).values
    monkeypatch.setattr(drawing, "BLOCK", 7)
    taken = drawing.draw_source(draws_from)
    blocks = drawing.Blocks(50, lambda first, last: taken.draw(last - first, 3, first))
    for draw in (*range(50), *reversed(range(50))):
        assert blocks[draw] == {name: column[draw] for name, column in whole.items()}


def test_rows_do_not_depend_on_the_blocks(frame, monkeypatch):
    monkeypatch.setattr(drawing, "BLOCK", 2)
    pd.testing.assert_frame_equal(ManyRuns(("baseline", "projects_24"), draws=3, **SMALL).frame(), frame)


@pytest.mark.slow
def test_a_million_draws_take_no_more_than_a_block_at_a_time(monkeypatch):
    made, draw = [], drawing.Source.draw
    monkeypatch.setattr(drawing.Source, "draw", lambda self, n, *more: made.append(n) or draw(self, n, *more))
    question = {"by": "run", "measures": "contracts", "smes": 2_000, "runs": 1}
    far = ManyRuns("baseline", 1_000_000, first_draw=100_000_000, **question)
    done = []
    list(far.parts(progress=done.append, cancelled=lambda: len(done) >= 2))
    assert made == [drawing.BLOCK]
    ready = many._Ready(far)
    ready.drawn[999_999]
    assert made[1:] == [drawing.BLOCK, 1_000_000 % drawing.BLOCK]


def test_threads_that_come_to_a_block_together_have_it_made_once():
    made = []

    def make(first, last):
        made.append(first)
        time.sleep(0.02)
        return {"idea_rate": np.arange(first, last, dtype=float)}

    blocks = drawing.Blocks(10 * drawing.BLOCK, make)
    draws = range(0, 4 * drawing.BLOCK, drawing.BLOCK // 4)
    assert list(run_jobs(lambda draw: blocks[draw]["idea_rate"], draws, 8)) == list(draws)
    assert sorted(made) == [block * drawing.BLOCK for block in range(4)]


def test_a_frame_that_memory_cannot_hold_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1e9)
    asked = ManyRuns("baseline", 1_000_000, smes=2_000)
    with pytest.raises(InputError, match=r"allowed: [0-9,]+ draws, or write\(file\), which keeps memory flat"):
        asked.frame(progress=lambda _: pytest.fail("it ran"))


def test_numpys_whole_numbers_are_whole_numbers(frame):
    question = {"draws": np.int64(3), "runs": np.int8(2), "seed": np.uint32(3), "first_draw": np.int16(0)}
    numpys = ManyRuns(("baseline", "projects_24"), **{**SMALL, **question, "threads": np.int64(2)})
    pd.testing.assert_frame_equal(numpys.frame(), frame)


def test_one_measure_may_be_given_as_it_is():
    one, several = (
        ManyRuns("baseline", 0, measures=names, **SMALL).frame() for names in ("contracts_net", ["contracts_net"])
    )
    pd.testing.assert_frame_equal(one, several)


@pytest.mark.parametrize("path", ["gone/runs.parquet", ".", 3, "\0.parquet", 250 * "x" + ".parquet"])
def test_a_file_that_cannot_be_written_is_told_before_anything_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"(allowed: |choose another file)") as told:
        ManyRuns("baseline", 1).write(path, progress=lambda _: pytest.fail("it ran"))
    assert "unfinished" not in str(told.value) and not list(tmp_path.iterdir())


def test_written_rows_are_the_frame_and_carry_units(asked, frame, tmp_path):
    import pyarrow.parquet as pq

    path = asked.write(tmp_path / "runs.parquet")
    assert path == tmp_path / "runs.parquet"
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)
    assert pq.read_schema(path).field("contracts_net").metadata == {b"unit": b"SME contracts"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_cut_short_the_file_holds_the_finished_draws_and_can_be_gone_on_from(asked, frame, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "PART_ROWS", 1)
    longer, runs = replace(asked, draws=11), []
    path = longer.write(tmp_path / "runs.parquet", progress=runs.append, cancelled=lambda: sum(runs) >= 6)
    done = pd.read_parquet(path)
    draws = done["draw"].nunique()
    assert draws in (4, 8) and path.name == f"runs-first-{draws}-draws.parquet"
    pd.testing.assert_frame_equal(done[done["draw"] < 3], frame)
    kept = tmp_path / "runs.parquet.parts"  # what is finished: the same call goes on
    assert set(tmp_path.iterdir()) == {path, kept}
    runs.clear()
    whole = longer.write(tmp_path / "runs.parquet", progress=runs.append)
    assert whole == tmp_path / "runs.parquet" and set(tmp_path.iterdir()) == {path, whole}
    pd.testing.assert_frame_equal(pd.read_parquet(whole), longer.frame())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_while_it_writes_the_same_call_goes_on(asked, tmp_path):
    code = (
        "from experiments import ManyRuns\n"
        f"ManyRuns(('baseline', 'projects_24'), draws=40, **{SMALL!r}).write({str(tmp_path / 'runs.parquet')!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    until = time.monotonic() + 120
    while len([*tmp_path.glob("*.parts/parts/*.parquet")]) < 3:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    runs, longer = [], replace(asked, draws=40)
    there = len([*tmp_path.glob("*.parts/parts/*.parquet")])
    path = longer.write(tmp_path / "runs.parquet", progress=runs.append)
    assert path == tmp_path / "runs.parquet" and list(tmp_path.glob("*.parquet*")) == [path]
    assert there >= 3 and sum(runs) == 40 * 2 * 2
    pd.testing.assert_frame_equal(pd.read_parquet(path), longer.frame())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scenarios": "basline"}, "did you mean baseline"),
        ({"by": "year"}, "allowed: run, call, country"),
        ({"measures": ["contract_net"]}, "did you mean contracts_net"),
        ({"draws": {"idea": [1.0]}}, "idea: this name is not known"),
        ({"draws": {"idea_rate": [1.0], "h_rni": [0.1, 0.2]}}, "all with as many values"),
        ({"draws": -1}, "draws is -1"),
        ({"runs": 0}, "runs is 0"),
        ({"first_year": 1999}, "first_year is 1999"),
        ({"scenarios": ("baseline", "baseline")}, "different names"),
        ({"scenarios": ()}, "scenarios is empty; allowed: a name, a path"),
        ({"scenarios": 3}, "scenarios is 3; allowed: a name, a path"),
        ({"scenarios": "baseline", "first_draw": "x"}, "first_draw is text 'x'; allowed: a whole number"),
        ({"by": ["call"]}, "by is a list; allowed: run, call, country"),
        ({"by": "runs"}, "did you mean run?"),
        ({"draws": {"idea_rate": ["a"]}}, "draws, idea_rate: this is no list of numbers"),
        ({"draws": {"idea_rate": [[1.0]]}}, "draws, idea_rate: this is no list of numbers"),
        ({"draws": {"idea_rate": [1.0, -1.0]}}, "draws, idea_rate: -1.0 is out of range"),
        ({"draws": {"idea_rate": [1.0, float("nan")]}}, "draws, idea_rate: nan is out of range"),
        ({"draws": {}}, "one column or more"),
        ({"draws": 10**5000}, "draws is a number that is far too large"),
        ({"draws": np.float64(2.0)}, "draws is 2.0; allowed: a whole number"),
        ({"runs": True}, "runs is true; allowed: a whole number"),
        ({"smes": [3_000]}, "smes is a list; allowed: a whole number"),
        ({"clusters": {}}, "clusters is a table; allowed: a whole number"),
        ({"first_year": np.array([2016, 2017])}, "allowed: 2013, 2014"),
        ({"measures": []}, "measures is empty; allowed: names of measures, or None"),
        ({"measures": 3}, "measures is 3; allowed: names of measures"),
        ({"measures": "contract_net"}, "did you mean contracts_net"),
        ({"measures": ["contracts", "contracts"]}, "contracts is given more than once"),
        ({"draws_from": 3}, "--draws-from is '3': it takes posterior, prior"),
    ],
)
def test_wrong_input_gets_a_sentence_before_anything_runs(wrong, said):
    with pytest.raises(InputError, match=said):
        next(ManyRuns(**{"scenarios": "baseline", **wrong}).parts(progress=lambda _: pytest.fail("it ran")))
