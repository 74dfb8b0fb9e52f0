"""Large worlds: how many clusters and SMEs there are, what fits into memory, and what is said where it does not."""

import os
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import ManyRuns
from experiments.comparison import study
from experiments.runs import many_runs as many
from experiments.runs import memory
from scenarios import InputError, load, programme
from simulator.ensemble import simulate


@pytest.fixture
def free(monkeypatch):
    """Sets how much memory is free."""
    return lambda size: monkeypatch.setattr(memory, "free_bytes", lambda: size)


@pytest.mark.parametrize("clusters", [200, 399, 400, 401, 3_000])
def test_there_are_as_many_clusters_as_asked_each_country_with_its_part(clusters):
    was, now = load("baseline").resolve().world, load("baseline").resolve(clusters=clusters).world
    assert len(now.cluster_country) == clusters
    before, after = (np.bincount(world.cluster_country, minlength=len(was.country_key)) for world in (was, now))
    assert (np.abs(after - before * clusters / 400) <= 2).all() and (after > 0).tolist() == (before > 0).tolist()
    assert now.cluster_members.mean() == pytest.approx(was.cluster_members.mean(), rel=0.1)


def test_as_many_clusters_as_there_were_is_the_same_world():
    was, now = load("baseline").resolve().world, load("baseline").resolve(clusters=400).world
    assert all(np.array_equal(one, other) for one, other in zip(was, now))


def test_smes_and_clusters_may_both_be_given():
    world = load("baseline").resolve(smes=50_000, clusters=1_000).world
    assert len(world.cluster_country) == 1_000 and world.cluster_members.sum() == pytest.approx(50_000, rel=0.01)


def test_more_smes_than_the_programme_had_have_more_clusters_up_to_those_of_europe():
    own, europe = load("baseline").resolve().world, programme().europe
    usual = int(own.cluster_members.sum())
    sizes = [2_000, usual, 2 * usual, 10 * usual, europe.smes]
    worlds = [load("baseline").resolve(smes=smes, last_call=2013).world for smes in sizes]
    clusters, smes = ([len(w.cluster_country) for w in worlds], [int(w.cluster_members.sum()) for w in worlds])
    assert clusters[0] == clusters[1] == len(own.cluster_country) and clusters[-1] == europe.clusters
    assert smes == pytest.approx(sizes, rel=0.01)
    per_cluster = np.divide(smes, clusters)
    assert (np.diff(clusters[1:]) > 0).all() and (np.diff(per_cluster) > 0).all()


def test_a_number_of_clusters_that_is_given_stands():
    assert len(load("baseline").resolve(smes=64_000, clusters=400, last_call=2013).world.cluster_country) == 400


@pytest.mark.parametrize(("clusters", "said"), [(3, "out of range"), (10**6, "out of range"), ("many", "does not fit")])
def test_a_wrong_number_of_clusters_gets_a_sentence(clusters, said):
    with pytest.raises(InputError, match=f"number of clusters: .*{said}; allowed: a whole number from"):
        load("baseline").resolve(clusters=clusters)


def test_the_estimate_holds_what_a_run_fills():
    """The tables that grow with the SMEs, from below and not by much."""
    for smes in (20_000, 80_000):
        inputs = load("baseline").resolve(smes=smes, last_call=2014)
        state = simulate(inputs, 1)
        held = state.smes.nbytes + state.used.calendar * state.calendar.itemsize
        told = memory.sme_bytes(inputs) * len(state.smes)
        assert held <= told <= 1.5 * held
        touched = state.used.paths * (state.paths.itemsize + state.own[0].nbytes)
        assert touched < 0.5 * told


def test_a_world_that_cannot_fit_gets_a_size_that_can(free):
    free(2e8)
    with pytest.raises(InputError, match=r"allowed: --smes [0-9]+ or fewer") as told:
        study.prepare(("baseline",), study.Settings(0, 1, smes=50_000_000))
    smes = int(str(told.value).split("--smes ")[1].split()[0])
    assert smes > 100_000
    study.prepare(("baseline",), study.Settings(0, 1, smes=smes))  # as the sentence says
    with pytest.raises(InputError, match="allowed: --smes"):
        next(ManyRuns("baseline", 1, smes=50_000_000).parts())


def test_no_more_runs_are_held_than_fit(free):
    inputs = load("baseline").resolve()
    free(2.5 * memory.run_bytes(inputs) / memory.SHARE)
    assert memory.threads_that_fit(inputs, 8) == 2
    free(100 * memory.run_bytes(inputs))
    assert memory.threads_that_fit(inputs, 8) == 8


@pytest.fixture
def only(monkeypatch):
    """Leaves one source of what is free: the name of its function."""
    others = {"_free_of_machine", "_free_of_containers", "_free_of_process"}

    def keep(name):
        for other in others - {name}:
            monkeypatch.setattr(memory, other, lambda: iter([1e18]))

    return keep


def test_a_limit_of_the_process_counts_less_what_it_has_mapped(monkeypatch, only):
    only("_free_of_process")
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (mapped + 10**9, resource.RLIM_INFINITY))
    assert memory.free_bytes() == pytest.approx(1e9, abs=1e8)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert memory.free_bytes() == 1e18


@pytest.mark.parametrize(
    ("stat", "free"), [("anon 5\nactive_file 7\ninactive_file 300\n", 700), ("anon 5\n", 400), (None, 400)]
)
def test_what_a_container_keeps_of_files_is_free(tmp_path, monkeypatch, only, stat, free):
    only("_free_of_containers")
    files = {"memory.max": "1000\n", "memory.current": "600\n", "memory.stat": stat}
    for name, text in files.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_CGROUPS", ((tmp_path, *memory._CGROUPS[0][1:]),))
    assert memory.free_bytes() == free
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_bytes() == 1e18


def test_a_world_is_weighed_under_the_draw_and_the_scenario_with_the_most_contracts():
    small, large = (load("baseline").resolve({"own_h_contract": value}) for value in (0.004, 0.01))
    drawn = {"own_h_contract": np.array([0.005, 0.02]), "own_readiness_slope": np.array([1.0, 1.0])}
    under = load("baseline").resolve({"own_h_contract": 0.02, "own_readiness_slope": 1.0})
    assert memory.heaviest([small, large], {}) == large
    assert memory.run_bytes(memory.heaviest([small, large], drawn)) == memory.run_bytes(under)


def test_threads_follow_from_the_largest_of_the_draws(free):
    usual, most = (load("baseline").resolve({"own_h_contract": value}, smes=300_000) for value in (0.004, 0.02))
    free(2.5 * memory.run_bytes(most) / memory.SHARE)
    assert memory.threads_that_fit(usual, 8) > 2
    drawn = {"own_h_contract": [0.004, 0.02]}
    assert many._Ready(ManyRuns("baseline", drawn, smes=300_000, threads=8)).where.workers == 2


@pytest.mark.slow
def test_a_study_whose_measures_cannot_fit_says_how_many_draws_can(free):
    free(3e8)
    settings = study.Settings(100_000, 2, draws_from="prior")
    with pytest.raises(InputError, match=r"allowed: [0-9,]+ draws, or experiments\.ManyRuns") as told:
        study.prepare(("baseline", "projects_24"), settings)
    draws = int(str(told.value).split("allowed: ")[1].split(" draws")[0].replace(",", ""))
    study.prepare(("baseline", "projects_24"), replace(settings, draws=draws))


def test_many_runs_are_not_bound_by_their_number(free):
    free(1e9)
    parts = ManyRuns("baseline", 1_000_000, smes=2_000, by="run", measures=["contracts"]).parts(cancelled=lambda: True)
    assert list(parts) == []
