"""What determines numbers is found by imports: a change anywhere in it changes the hash."""

import ast
import shutil

import pytest

from simulator import sources

ENTRIES = ("experiments.runs.cells", "experiments.comparison.assemble", "calibration.hindcast.past_calls")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy")
    for package in sources.PACKAGES:
        shutil.copytree(sources.ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_changed_line_in_any_source_that_is_reached_changes_the_hash(copy, entry):
    before = sources.digest(entry, root=copy)
    for path in sources.reached(entry, root=copy):
        content = (copy / path).read_bytes()
        (copy / path).write_bytes(content + b"\n")
        assert sources.digest(entry, root=copy) != before, path
        (copy / path).write_bytes(content)
    assert sources.digest(entry, root=copy) == before


def test_what_draws_values_and_what_runs_are_reached():
    found = {path.as_posix() for path in sources.reached("experiments.comparison.assemble")}
    drawing = {"calibration/posterior.py", "calibration/parameters.py", "experiments/runs/parameter_draws.py"}
    assert drawing | {"scenarios/parameters.toml", "scenarios/programme.toml", "calibration/posterior.parquet"} <= found


def test_imports_are_found_wherever_they_stand(tmp_path):
    package = tmp_path / "simulator"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in "abcdef":
        (package / f"{name}.py").write_text("")
    (package / "main.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "import simulator.a\n"
        "from simulator import b\n"
        "from .c import x\n"
        "if TYPE_CHECKING:\n    from simulator import e\n"
        "def later():\n    from simulator.d import y\n"
        'FILE = "data.toml"\n'
    )
    (package / "data.toml").write_text("")
    found = {path.name for path in sources.reached("simulator.main", root=tmp_path)}
    assert found == {"__init__.py", "main.py", "a.py", "b.py", "c.py", "d.py", "data.toml"}
    assert "simulator.e" in sources.imports("simulator.main", tmp_path, for_types=True)


def test_what_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"simulator\.nothing"):
        sources.reached("simulator.nothing")


def by_the_parser(name, for_types):
    """Modules of the project that a module imports, and the files that it names, as Python's own parser reads it."""
    known = sources.modules_in()
    path = sources.ROOT / known[name]
    tree, found, files = ast.parse(path.read_bytes()), set(), set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" and not for_types:
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are tried in a test of their own"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 100:
            place = path.parent / node.value
            if node.value.isprintable() and "." in node.value[1:] and "/" not in node.value[:1] and place.is_file():
                files.add(place.relative_to(sources.ROOT))
        for full in names:
            while full and full not in known:
                full = full.rpartition(".")[0]
            found |= {full} - {"", name}
    return found, files


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(sources.modules_in()))
def test_patterns_read_imports_as_the_parser_does(name):
    for for_types in (False, True):
        modules, files = by_the_parser(name, for_types)
        assert sources.imports(name, for_types=for_types) == modules
    assert sources.named_files(sources.modules_in()[name]) == files
