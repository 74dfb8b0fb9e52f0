"""The model written a second time, in objects on plain Mesa, does the same things: `benchmarks/peer`.

The two share the scalar rules and the inputs; loops, tables, funding rules and the arithmetic of luck are
written anew there. So a slip in a kernel that is not in a rule shows here.
"""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import scenarios
from simulator.ensemble import own_events
from simulator.outcomes.events import EVENT
from simulator.outcomes.tables import OUTCOMES
from tests.small_worlds import log_of, simulate, tiny

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.peer.model import PeerModel, run

EVERY_RULE = ("baseline", "all_or_none", "negotiated", "virtual_common_pot", "common_pot", "clusters_package")
CLOSE = 1e-12
ROOMS = r"(?:world|outcomes|instruments\.calls)"
ITS_LOOPS = rf"^from simulator\.(?:schedule|founding|{ROOMS}\.(?!tables|events|sectors)\w+) import (?!_WISHES)"


def assert_same_events(inputs, seed, state, peer):
    """Who, when, why: equal; amounts to 1e-12. In a month the order of SMEs on their own paths is nobody's.

    The peer follows every SME from month to month, the simulator those that the programme touches.
    """
    every = [*log_of(state).tolist(), *own_events(inputs, seed, state).tolist()]
    mine, theirs = sorted(map(tuple, every)), sorted(peer.log)
    for name, ours, others in zip(EVENT.dtype.names, zip(*mine), zip(*theirs), strict=True):
        if name == "amount":
            np.testing.assert_allclose(ours, others, rtol=CLOSE)
        else:
            assert ours == others, name


def assert_same(names, table, objects):
    """Columns of a table against attributes of objects, row by row."""
    assert len(table) == len(objects)
    for column, attribute in names.items():
        told = [getattr(each, attribute) for each in objects]
        np.testing.assert_allclose(table[column], np.array(told, float), rtol=CLOSE, err_msg=column)


def same(*names):
    return {name: name for name in names}


@pytest.mark.parametrize("name", EVERY_RULE)
def test_the_same_happens_in_objects(name):
    """Every event, and what projects, partners, SMEs, clusters, ties and funders are left with."""
    inputs = tiny(name, 2017)
    state, peer = simulate(inputs), run(inputs, 1)
    assert_same_events(inputs, 1, state, peer)
    partners = [each for project in peer.projects for each in project.partners]
    assert_same(
        same("effect", "size_deviate", "quality", "joint_score", "threshold", "phase", "end_month", "partnerships"),
        state.rows("projects"),
        peer.projects,
    )
    assert_same(
        same("money", "grant_eur", "own_share", "cause", "short_eur", "start_month", "end_month", "leave_hazard")
        | {"blocking_funder": "blocking"},
        state.rows("partners"),
        partners,
    )
    assert_same(same("identity", "capacity", "busy", "experience", "followon"), state.clusters, peer.clusters)
    assert_same(same("readiness", "spare_time", "projects", "size_class", "sector"), state.smes, peer.smes)
    assert_same(same("trust", "complementarity"), state.rows("ties"), list(peer.ties.values()))
    assert_same(same("belief", "carried", "debt"), state.funders, peer.funders)
    touched = state.rows("paths")["sme"]
    for outcome in range(len(OUTCOMES)):
        due = [peer.smes[row].due[outcome] for row in touched]
        np.testing.assert_allclose(state.own["month"][: len(touched), outcome], due, rtol=CLOSE)
    for funder in peer.funders:
        names = vars(funder.books[0])
        assert_same(same(*names), state.ledger[:, funder.row], funder.books)
    for table in ("trust", "familiarity"):
        told = [[getattr(one, table).get(row, 0.0) for row in range(len(peer.clusters))] for one in peer.clusters]
        np.testing.assert_allclose(getattr(state, table), told, rtol=CLOSE)


@pytest.mark.slow
def test_the_cases_are_lively_enough_to_tell():
    """Contracts, displaced rivals, partners that leave, meetings: nothing of it is only in the text."""
    happened = {}
    for name in EVERY_RULE:
        peer = run(tiny(name, 2017), 1)
        for event in ("meeting", "contract", "displaced", "partner_left", "refused", "not_started", "extended"):
            happened[event] = happened.get(event, 0) + peer.count(event)
    assert min(happened.values()) >= 2, happened


@pytest.mark.slow
def test_the_same_happens_in_a_world_of_its_usual_clusters():
    inputs = scenarios.load("clusters_package").resolve(smes=1600, last_call=2014, horizon_months=24)
    assert_same_events(inputs, 3, simulate(inputs, 3), run(inputs, 3))


@pytest.mark.slow
def test_compiled_rules_called_from_objects_do_the_same():
    inputs = tiny()
    assert_same_events(inputs, 2, simulate(inputs, 2), run(inputs, 2, compiled=True))


def test_the_peer_is_plain_mesa():
    """One agent per SME, cluster and funder, and none of the simulator's loops."""
    peer = PeerModel(tiny(), 1)
    assert len(peer.agents) == len(peer.smes) + len(peer.clusters) + len(peer.funders) > 150
    folder = Path(sys.modules["benchmarks.peer.model"].__file__).parent
    text = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    assert re.findall(ITS_LOOPS, text, re.MULTILINE) == []
    assert "new_state" not in text
