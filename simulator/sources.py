"""Find the sources that a number depends on: the modules reached by imports, and the data files that they name.

A list of such sources kept by hand goes stale; imports cannot, since a module that is not reached cannot have a say.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("simulator", "scenarios", "calibration", "experiments")


def digest(*modules: str, root: Path = ROOT) -> str:
    """Return a hash (16 hex digits) of the source of `modules`, of all they import, and of the data files these name.

    modules: full names, such as "simulator.ensemble". Raises ValueError for one that does not exist.
    """
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(reached(*modules, root=root)):
        found.update(path.as_posix().encode() + b"\0" + (root / path).read_bytes())
    return found.hexdigest()


def reached(*modules: str, root: Path = ROOT) -> frozenset[Path]:
    """Return the files, relative to `root`, on which what `modules` compute depends."""
    known = modules_in(root)
    if unknown := [name for name in modules if name not in known]:
        raise ValueError(f"there is no module {', '.join(unknown)} in {root}")
    waiting: list[str] = list(modules)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [*imports(name, root), *parents(name)]
    paths = {known[name] for name in found}
    return frozenset(paths | {data for path in paths for data in named_files(path, root)})


@cache
def modules_in(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> dict[str, Path]:
    """Return every module of the project by its full name, with its path relative to `root`."""
    paths = [path.relative_to(root) for package in packages for path in (root / package).rglob("*.py")]
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def imports(name: str, root: Path = ROOT, *, for_types: bool = False) -> frozenset[str]:
    """Return the project's modules that a module imports anywhere in it.

    Imports under `if TYPE_CHECKING:` count only `for_types`: they are never carried out.
    """
    known = modules_in(root)
    is_package = known[name].name == "__init__.py"
    found: set[str] = set()
    for node in _nodes(_tree(root / known[name]), for_types):
        if isinstance(node, ast.Import):
            found.update(_nearest(alias.name, known) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = _absolute(node, name, is_package)
            found.update(_nearest(f"{start}.{alias.name}", known) for alias in node.names)
    return frozenset(module for module in found if module and module != name)


def parents(name: str) -> Iterator[str]:
    """Yield the packages around a module, which are imported before it."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@cache
def named_files(path: Path, root: Path = ROOT) -> frozenset[Path]:
    """Return the files beside a module that one of its string literals names, relative to `root`."""
    names = {
        node.value
        for node in ast.walk(_tree(root / path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_be_a_file(node.value)
    }
    return frozenset(path.parent / name for name in names if (root / path.parent / name).is_file())


def _may_be_a_file(text: str) -> bool:
    return 0 < len(text) < 100 and "." in text[1:] and not text.startswith("/") and text.isprintable()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def _nodes(tree: ast.AST, for_types: bool) -> Iterator[ast.AST]:
    """Yield all nodes, without the bodies of `if TYPE_CHECKING:` unless wanted."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _asks_for_types(node.test) and not for_types:
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _asks_for_types(test: ast.expr) -> bool:
    return (test.id if isinstance(test, ast.Name) else getattr(test, "attr", "")) == "TYPE_CHECKING"


def _absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    """Return the module that `from ... import` names, in full."""
    if node.level == 0:
        return node.module or ""
    steps = node.level - is_package
    start = name.split(".")[: len(name.split(".")) - steps]
    return ".".join([*start, *([node.module] if node.module else [])])


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the module that holds a dotted name, or an empty text for what is not the project's."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name
