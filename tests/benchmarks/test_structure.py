"""The structure of the code: no file imports another round about, not for types either; what is counted is right."""

from benchmarks.structure import structure
from simulator import sources


def test_no_files_and_no_rooms_import_each_other_round_about():
    counts = structure(sources.ROOT)
    assert not counts.circles and not counts.room_circles


def test_circles_are_found_in_types_and_in_functions_too(tmp_path):
    for name, text in {
        "a": "def late():\n    from scenarios import b\n",
        "b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from scenarios import a\n",
        "room/c": "from scenarios import a\n",
        "hall/d": "from scenarios.room import c\n",
    }.items():
        path = tmp_path / "scenarios" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    counts = structure(tmp_path)
    assert counts.circles == (("scenarios.a", "scenarios.b"),) and counts.room_circles == ()
    assert counts.arrows == {("scenarios/room", "scenarios"): 1, ("scenarios/hall", "scenarios/room"): 1}
    assert counts.rooms["scenarios/room"][:3] == (1, 1, 1)
