"""One call, many runs: the same numbers however the question is cut, and memory that stays flat."""

import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from experiments import ManyRuns, compare, many
from scenarios import InputError
from simulator.many import AHEAD, each

SMALL = {"runs": 2, "seed": 3, "smes": 3_000}


def test_results_come_in_the_order_of_the_jobs_whatever_the_threads():
    def slowest_first(job):
        time.sleep(0.02 if job < 4 else 0.0)
        return 10 * job

    for threads in (1, 2, 5):
        assert list(each(slowest_first, range(20), threads)) == [10 * job for job in range(20)]


def test_only_a_few_jobs_are_begun_ahead_of_the_reader():
    begun = []
    results = each(begun.append, range(1000), threads=2)
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
    for result in each(lambda job: job, range(1000), 2, stop.is_set):
        found.append(result)
        if len(found) == 3:
            stop.set()
    assert found == [0, 1, 2]


def test_an_error_in_a_job_is_raised_at_its_place():
    found = []
    with pytest.raises(ZeroDivisionError):
        for result in each(lambda job: 1 / (3 - job), range(10), 2):
            found.append(result)
    assert len(found) == 3


INTERRUPTED = """
import signal
from simulator.many import each

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
        assert list(each(lambda job: job, range(40), 2)) == list(range(40))
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


def test_rows_are_those_of_the_comparison(frame):
    table = compare("baseline", "projects_24", draws=3, reasons=0, spending=0, **SMALL).by_call
    keys = ["scenario", "draw", "run", "call"]
    ours = frame.set_index(keys)[list(table.columns.drop(keys))].sort_index()
    pd.testing.assert_frame_equal(ours, table.set_index(keys).sort_index())
    net = ours["contracts_additional"] - ours["contracts_displaced"]
    pd.testing.assert_series_equal(frame.set_index(keys).sort_index()["contracts_net"], net, check_names=False)
    assert frame["contracts_net"].abs().sum() > 0


def test_the_same_rows_on_one_thread_in_parts_and_cut_by_hand(frame, monkeypatch):
    question = {"scenarios": ("baseline", "projects_24"), **SMALL}
    pd.testing.assert_frame_equal(ManyRuns(draws=3, threads=1, **question).frame(), frame)
    tail = ManyRuns(draws=2, first_draw=1, **question).frame()
    pd.testing.assert_frame_equal(tail, frame[frame["draw"] > 0].reset_index(drop=True))
    monkeypatch.setattr(many, "PART_ROWS", 1)
    parts = list(ManyRuns(draws=3, **question).parts())
    assert [sorted(set(part["draw"])) for part in parts] == [[0], [1], [2]]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), frame)


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


def test_written_rows_are_the_frame_and_carry_units(asked, frame, tmp_path):
    import pyarrow.parquet as pq

    path = asked.write(tmp_path / "runs.parquet")
    assert path == tmp_path / "runs.parquet"
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)
    assert pq.read_schema(path).field("contracts_net").metadata == {b"unit": b"SME contracts"}
    assert list(tmp_path.iterdir()) == [path]


def test_cut_short_the_file_holds_the_finished_draws_and_can_be_gone_on_from(asked, frame, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "PART_ROWS", 1)
    parts = []
    path = asked.write(tmp_path / "runs.parquet", progress=parts.append, cancelled=lambda: sum(parts) >= 6)
    done = pd.read_parquet(path)
    draws = done["draw"].nunique()
    assert 1 <= draws < 3 and path.name == f"runs-first-{draws}-draws.parquet"
    assert list(tmp_path.iterdir()) == [path]
    pd.testing.assert_frame_equal(done, frame[frame["draw"] < draws])


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
    ],
)
def test_wrong_input_gets_a_sentence_before_anything_runs(wrong, said):
    with pytest.raises(InputError, match=said):
        next(ManyRuns(**{"scenarios": "baseline", **wrong}).parts(progress=lambda _: pytest.fail("it ran")))
