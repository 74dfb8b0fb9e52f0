"""A sweep on a real Dask cluster of two worker processes on this machine, one of which is killed in the middle."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tests.sweep_functions as functions
from experiments.runs.engines import ClusterLost
from experiments.sweeps import load, status, sweep
from scenarios import InputError

ROOT = Path(__file__).parents[3]
WORKER = "--no-dashboard --nthreads 1 --no-nanny --host 127.0.0.1 --death-timeout 60"

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A scheduler and two workers: (address, scheduler, workers), all ended afterwards."""
    monkeypatch.setenv("SWEEP_LOG", str(tmp_path / "calls.txt"))
    place = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    address = f"tcp://127.0.0.1:{free_port()}"
    started = []

    def start(*words):
        log = open(tmp_path / f"{words[0]}-{len(started)}.txt", "w")  # noqa: SIM115
        command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        started.append(subprocess.Popen(command, env=place, cwd=tmp_path, stdout=log, stderr=log))
        return started[-1]

    port = address.rsplit(":", 1)[1]
    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")
    workers = [start("dask_worker", address, *WORKER.split()) for _ in range(2)]
    yield address, scheduler, workers
    for process in started:
        process.kill()
        process.wait()


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=120)


def test_a_worker_is_killed_and_the_bytes_are_the_same(tmp_path, cluster):
    address, _, workers = cluster
    wait_for_workers(address, 2)
    asked = functions.experiment(16)

    def kill_one(advance):
        if advance.run >= 48 and workers[0].poll() is None:
            os.kill(workers[0].pid, signal.SIGKILL)
            workers[0].wait()

    found = sweep(asked, tmp_path / "dask", evaluate=functions.slow, dask=address, hear=kill_one)
    assert workers[0].poll() == -signal.SIGKILL
    alone = sweep(asked, tmp_path / "alone", evaluate=functions.slow)
    assert functions.content(found.folder) == functions.content(alone.folder)
    assert len(found.failures) == 0

    model = sweep(functions.levers(), tmp_path / "dask", dask=address)  # the model too, on what is left
    assert functions.content(model.folder) == functions.content(sweep(functions.levers(), tmp_path / "alone").folder)


def test_a_lost_scheduler_leaves_a_sweep_that_can_be_gone_on_with(tmp_path, cluster, capfd, caplog):
    address, scheduler, _ = cluster
    wait_for_workers(address, 2)
    asked = functions.experiment(32)

    def kill_scheduler(advance):
        if advance.run >= 48 and scheduler.poll() is None:
            os.kill(scheduler.pid, signal.SIGKILL)
            scheduler.wait()

    with pytest.raises(ClusterLost):
        sweep(asked, tmp_path / "lost", evaluate=functions.slow, dask=address, hear=kill_scheduler)
    assert capfd.readouterr().err == "" and caplog.records == []  # the sentence says it all
    (folder,) = (tmp_path / "lost").iterdir()
    told = status(folder)
    assert 48 <= told["done"] < told["cells"]
    gone_on = sweep(folder, evaluate=functions.slow)
    assert gone_on.complete and load(folder).outcomes("plain", "y").shape == (32 * 8, 2)


def test_an_address_where_nobody_answers_is_told():
    started = time.monotonic()
    with pytest.raises(InputError, match=r"--dask tcp://127.0.0.1:\d+: no scheduler answers there"):
        sweep(functions.levers(), "unused", dask=f"tcp://127.0.0.1:{free_port()}")
    assert not Path("unused").exists() and time.monotonic() - started < 300


def test_an_address_that_is_none_gets_a_sentence_at_once():
    innovex = Path(sys.executable).with_name("innovex")
    started = time.monotonic()
    ended = subprocess.run(
        [innovex, "sweep", "levers_sobol", "--dask", "nonsense"], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1 and time.monotonic() - started < 15
    assert "--dask nonsense: no scheduler answers there (missing port number" in ended.stderr
