"""Large worlds: how many clusters and SMEs there are, what fits into memory, and what is said where it does not."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import ManyRuns, comparison, memory
from scenarios import InputError, load, programme
from simulator.ensemble import simulate
from simulator.state import N_DUE, N_PATHS


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
        held = state.smes.nbytes + state.count[N_DUE] * state.calendar.itemsize
        told = memory.sme_bytes(inputs) * len(state.smes)
        assert held <= told <= 1.5 * held
        touched = state.count[N_PATHS] * (state.paths.itemsize + state.own[0].nbytes)
        assert touched < 0.5 * told


def test_a_world_that_cannot_fit_gets_a_size_that_can(free):
    free(2e8)
    with pytest.raises(InputError, match=r"allowed: --smes [0-9]+ or fewer") as told:
        comparison.prepare(("baseline",), comparison.Settings(0, 1, smes=50_000_000))
    smes = int(str(told.value).split("--smes ")[1].split()[0])
    assert smes > 100_000
    comparison.prepare(("baseline",), comparison.Settings(0, 1, smes=smes))  # as the sentence says
    with pytest.raises(InputError, match="allowed: --smes"):
        next(ManyRuns("baseline", 1, smes=50_000_000).parts())


def test_no_more_runs_are_held_than_fit(free):
    inputs = load("baseline").resolve()
    free(2.5 * memory.run_bytes(inputs) / memory.SHARE)
    assert memory.threads_that_fit(inputs, 8) == 2
    free(100 * memory.run_bytes(inputs))
    assert memory.threads_that_fit(inputs, 8) == 8


def test_a_study_whose_measures_cannot_fit_says_how_many_draws_can(free):
    free(1e9)
    settings = comparison.Settings(100_000, 2, draws_from="prior")
    with pytest.raises(InputError, match=r"allowed: [0-9,]+ draws, or experiments\.ManyRuns") as told:
        comparison.prepare(("baseline", "projects_24"), settings)
    draws = int(str(told.value).split("allowed: ")[1].split(" draws")[0].replace(",", ""))
    comparison.prepare(("baseline", "projects_24"), replace(settings, draws=draws))


def test_many_runs_are_not_bound_by_their_number(free):
    free(1e9)
    parts = ManyRuns("baseline", 1_000_000, smes=2_000, by="run", measures=["contracts"]).parts(cancelled=lambda: True)
    assert list(parts) == []
