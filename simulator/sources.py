"""Find the sources that a number depends on: the modules reached by imports, and the data files that they name.

A list of such sources kept by hand goes stale; imports cannot, since a module that is not reached cannot have a say.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("simulator", "scenarios", "calibration", "experiments")


def digest(*modules: str, root: Path = ROOT) -> str:
    """Return a hash (16 hex digits) of the source of `modules`, of all they import, and of the data files these name.

    modules: full names, such as "simulator.ensemble". Raises ValueError for one that does not exist.
    """
    content = hashlib.blake2b(digest_size=8)
    for path in sorted(reached(*modules, root=root)):
        content.update(path.as_posix().encode() + b"\0" + (root / path).read_bytes())
    return content.hexdigest()


def reached(*modules: str, root: Path = ROOT) -> frozenset[Path]:
    """Return the files, relative to `root`, on which what `modules` compute depends."""
    known = modules_in(root)
    if unknown := [name for name in modules if name not in known]:
        raise ValueError(f"there is no module {', '.join(unknown)} in {root}")
    waiting: list[str] = list(modules)
    names: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += [*imports(name, root), *parents(name)]
    paths = {known[name] for name in names}
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
    text = _code(root / known[name])
    text = text if for_types else _FOR_TYPES.sub("", text)
    modules = {_nearest(full, known) for match in _IMPORT.finditer(text) for full in _names(match, name, is_package)}
    return frozenset(module for module in modules if module and module != name)


def parents(name: str) -> Iterator[str]:
    """Yield the packages around a module, which are imported before it."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@cache
def named_files(path: Path, root: Path = ROOT) -> frozenset[Path]:
    """Return the files beside a module that one of its string literals names, relative to `root`."""
    names = {match[1] for match in _FILE_NAME.finditer(_code(root / path))}
    return frozenset(path.parent / name for name in names if (root / path.parent / name).is_file())


# By patterns and not by the parser, which takes ten times as long; a test holds both against each other.
_DOCSTRING = re.compile(r'"""(?:[^\\]|\\.)*?"""', re.DOTALL)
_FOR_TYPES = re.compile(r"^if (?:typing\.)?TYPE_CHECKING:\n(?:(?:[ \t]+[^\n]*)?\n)+", re.MULTILINE)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<start>\.*[\w.]*)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<all>[^\n]*))",
    re.MULTILINE,
)
_FILE_NAME = re.compile(r"""["']([^"'\n{}]{1,100}\.[A-Za-z0-9]+)["']""")


@cache
def _code(path: Path) -> str:
    """Return a module's text without its docstrings."""
    return _DOCSTRING.sub('""', path.read_text(encoding="utf-8"))


def _names(match: re.Match[str], name: str, is_package: bool) -> Iterator[str]:
    """Yield the full names that an import statement names."""
    listed = re.sub(r"#[^\n]*", "", match["names"] or match["all"]).strip("() \t\n")
    each = [part.split()[0] for part in listed.split(",") if part.split()]
    if match["all"]:
        yield from each
        return
    start = match["start"].lstrip(".")
    dots = len(match["start"]) - len(start)
    if dots:
        inside = name.split(".")
        start = ".".join([*inside[: len(inside) - dots + is_package], *([start] if start else [])])
    yield from (f"{start}.{part}" for part in each)


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the module that holds a dotted name, or an empty text for what is not the project's."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name
