"""The cache of compiled kernels: it may save time and must never change a number."""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numba.core import config
from numba.core.errors import TypingError

from simulator import errors, jit, kernel_cache
from simulator.errors import SettingError
from simulator.jit import kernel, rule
from simulator.kernel_cache import _what_it_reads, cache_folder, is_compiled_before, when_compiling

needs_compiler = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


# A world of one rule and one loop, each in a file of its own


RULES = """
from simulator.jit import rule

@rule
def growth(size):
    return {factor} * size
"""

LOOPS = """
import numba
from simulator.jit import kernel
from simulator.rules import growth

@kernel
def grow(sizes):
    for i in range(len(sizes)):
        sizes[i] = growth(sizes[i])

@numba.njit(cache=True)
def grow_by_numba_alone(sizes):
    for i in range(len(sizes)):
        sizes[i] = growth(sizes[i])
"""

ASK = """
import numpy as np
from simulator import kernel_cache, loops

sizes = np.ones(3)
loops.{loop}(sizes)
hits = sum(getattr(loops.{loop}, "stats").cache_hits.values()) if hasattr(loops.{loop}, "stats") else 0
print(sizes[0], hits, kernel_cache.cache_folder())
"""


class Small(NamedTuple):
    """A copy of the compiler in a package of its own."""

    root: Path

    def write(self, file: str, text: str) -> None:
        (self.root / "simulator" / file).write_text(text)

    def ask(self, loop: str = "grow", **environment: str) -> tuple[float, int, Path]:
        """What the loop makes of 1 in a new process, how often the cache served, and where it lies."""
        ours = ("NUMBA", "INNOVEX")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        done = subprocess.run(
            [sys.executable, "-c", ASK.format(loop=loop)],
            cwd=self.root,
            env=kept | {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        value, hits, folder = done.stdout.split(maxsplit=2)
        return float(value), int(hits), Path(folder.strip())


@pytest.fixture
def small(tmp_path: Path) -> Small:
    package = tmp_path / "small" / "simulator"
    package.mkdir(parents=True)
    for module in (jit, kernel_cache, errors):
        shutil.copy(module.__file__, package)
    world = Small(package.parent)
    world.write("__init__.py", "")
    world.write("rules.py", RULES.format(factor=2.0))
    world.write("loops.py", LOOPS)
    return world


@pytest.mark.slow
@needs_compiler
def test_a_changed_rule_in_another_file_is_heard(small: Small, tmp_path: Path) -> None:
    cache = {"INNOVEX_CACHE_DIR": str(tmp_path / "cache")}
    before = small.ask(**cache)
    again = small.ask(**cache)
    small.write("rules.py", RULES.format(factor=3.0))
    after = small.ask(**cache)

    assert [before[:2], again[:2], after[:2]] == [(2.0, 0), (2.0, 1), (3.0, 0)]
    assert before[2] == again[2] != after[2]


@pytest.mark.slow
@needs_compiler
def test_numba_alone_does_not_hear_it(small: Small, tmp_path: Path) -> None:
    """The trap that the cache of our own is for. Should this fail one day, numba has learnt it."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert small.ask("grow_by_numba_alone", **cache)[0] == 2.0
    small.write("rules.py", RULES.format(factor=3.0))
    assert small.ask("grow_by_numba_alone", **cache)[0] == 2.0


@pytest.mark.slow
@needs_compiler
def test_without_a_home_it_compiles_into_a_private_temporary_folder(small: Small, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, so that nobody, not even root, can make a folder in it")
    nowhere = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": "", "LOCALAPPDATA": ""}
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    value, _, folder = small.ask(**nowhere, TMPDIR=str(temporary), TEMP=str(temporary), TMP=str(temporary))

    assert value == 2.0
    assert folder.parent.parent == temporary
    if sys.platform != "win32":
        assert folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="there the temporary folder is the user's own")
def test_a_temporary_folder_that_others_can_write_to_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    open_to_all = tmp_path / f"innovex-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(PermissionError):
        kernel_cache._private_temporary_folder()
    for name in ("INNOVEX_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    last_resort = list(kernel_cache._candidates())[-1]
    assert last_resort.parent == tmp_path
    assert last_resort.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_it_runs_uncompiled_too(small: Small, tmp_path: Path) -> None:
    value, _, folder = small.ask(NUMBA_DISABLE_JIT="1", INNOVEX_CACHE_DIR=str(tmp_path / "cache"))
    assert value == 2.0
    assert not list(folder.glob("*.nbc"))


# The cache in this process: `kernel` of the same function again is what a new process does


class Rates(NamedTuple):
    """Two numbers on their way into a kernel."""

    growth: float
    decay: float


@rule
def grown(size: float, rates: Rates) -> float:
    return size * rates.growth - rates.decay


@rule
def shrunk(size: float, rates: Rates) -> float:
    return size * rates.growth - 2.0 * rates.decay


CHANGE = grown


def change_all(sizes: np.ndarray, rates: Rates) -> None:
    for i in range(len(sizes)):
        sizes[i] = CHANGE(sizes[i], rates)


def last_but(sizes: np.ndarray, n: int) -> float:
    return sizes[len(sizes) - n]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("INNOVEX_CACHE_DIR", str(tmp_path))
    cache_folder.cache_clear()
    yield tmp_path
    cache_folder.cache_clear()


def changed() -> tuple[float, str]:
    """What a new process makes of 10 at rates 2 and 1, and where it has the kernel from."""
    change: Any = kernel(change_all)
    sizes = np.full(3, 10.0)
    change(sizes, Rates(2.0, 1.0))
    return float(sizes[0]), "cache" if change.stats.cache_hits else "compiler"


@needs_compiler
def test_a_kernel_is_compiled_once(cache: Path) -> None:
    assert not is_compiled_before()
    assert changed() == (19.0, "compiler")
    assert is_compiled_before()
    assert changed() == (19.0, "cache")


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def empty(content: bytes) -> bytes:
    return b""


def other_text(content: bytes) -> bytes:
    return b"no kernel"


@needs_compiler
@pytest.mark.parametrize("damage", [cut, flip_a_bit, empty, other_text])
def test_a_damaged_file_is_compiled_again(cache: Path, damage: Callable[[bytes], bytes]) -> None:
    changed()
    (file,) = cache_folder().glob("*.nbc")
    file.write_bytes(damage(file.read_bytes()))
    assert changed() == (19.0, "compiler")
    assert changed() == (19.0, "cache")


@needs_compiler
def test_it_is_told_when_something_is_compiled_and_only_then(cache: Path) -> None:
    told: list[str] = []
    with when_compiling(lambda: told.append("compiling")):
        changed()
        assert told == ["compiling"]
        changed()
        assert told == ["compiling"]
        (file,) = cache_folder().glob("*.nbc")
        file.write_bytes(cut(file.read_bytes()))
        changed()
        assert told == ["compiling"] * 2
    file.unlink()
    changed()
    assert told == ["compiling"] * 2


@needs_compiler
def test_a_cache_that_can_only_be_read_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed()
    theirs, ours = cache_folder(), cache / "ours"
    only_ours = lambda folder: folder == ours and not ours.mkdir(exist_ok=True)  # noqa: E731
    monkeypatch.setattr("simulator.kernel_cache._is_writable", only_ours)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(ours))
    cache_folder.cache_clear()
    assert cache_folder().parent == ours != theirs.parent
    assert changed() == (19.0, "cache") and not is_compiled_before()


@needs_compiler
@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_as_it_was_after_compiling_and_after_an_error_in_it(cache: Path, collecting: bool) -> None:
    @kernel
    def wrong(x: float) -> float:
        return x.no_such_thing  # type: ignore[attr-defined, no-any-return]

    (gc.enable if collecting else gc.disable)()
    try:
        changed()
        assert gc.isenabled() == collecting
        with pytest.raises(TypingError):
            wrong(1.0)
        assert gc.isenabled() == collecting
    finally:
        gc.enable()


@needs_compiler
def test_of_caches_that_can_be_written_the_first_alone_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    changed()
    monkeypatch.setenv("INNOVEX_CACHE_DIR", str(cache / "new"))
    cache_folder.cache_clear()
    assert changed() == (19.0, "compiler") and cache_folder().parent == cache / "new"


def test_a_folder_that_can_be_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for given in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("INNOVEX_CACHE_DIR", str(given))
        cache_folder.cache_clear()
        with pytest.raises(SettingError, match=r"INNOVEX_CACHE_DIR: .* is no folder; allowed: a folder"):
            cache_folder()
    cache_folder.cache_clear()


@needs_compiler
def test_another_default_of_a_rule_makes_another_kernel() -> None:
    def step(size: float, by: float = 1.0) -> float:
        return size + by

    before = _what_it_reads(step, {})[step]
    step.__defaults__ = (2.0,)
    assert _what_it_reads(step, {})[step] != before


@needs_compiler
def test_a_file_under_the_name_of_another_is_not_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed()
    (file,) = cache_folder().glob("*.nbc")
    kernel_of_grown = file.read_bytes()
    file.unlink()
    monkeypatch.setitem(globals(), "CHANGE", shrunk)
    changed()
    (file,) = cache_folder().glob("*.nbc")
    file.write_bytes(kernel_of_grown)
    assert changed() == (18.0, "compiler")


@needs_compiler
def test_a_rule_replaced_in_memory_makes_another_kernel(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert changed() == (19.0, "compiler")
    monkeypatch.setitem(globals(), "CHANGE", shrunk)
    assert changed() == (18.0, "compiler")
    monkeypatch.undo()
    monkeypatch.setenv("INNOVEX_CACHE_DIR", str(cache))
    assert changed() == (19.0, "cache")


@needs_compiler
def test_a_global_table_is_part_of_the_kernel(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in (np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([1.0, 2.0])):
        monkeypatch.setitem(globals(), "TABLE", table)
        assert kernel(second_of_table)() == table[1]
    assert len(list(cache_folder().glob("*.nbc"))) == 2


class Colour(IntEnum):
    RED = 1


class Recoloured(IntEnum):
    RED = 2


def red() -> int:
    return Colour.RED


@needs_compiler
def test_the_numbers_of_an_enumeration_are_part_of_the_kernel(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel(red)() == 1
    monkeypatch.setitem(globals(), "Colour", Recoloured)
    assert kernel(red)() == 2


TABLE = np.zeros(2)


def second_of_table() -> float:
    return TABLE[1]


@needs_compiler
def test_bounds_are_checked_with_a_warm_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = np.zeros(8)[2:6]
    kernel(last_but)(sizes, -1)  # reads behind the slice, unseen
    monkeypatch.setattr(config, "BOUNDSCHECK", 1)
    with pytest.raises(IndexError):
        kernel(last_but)(sizes, -1)


@needs_compiler
def test_a_full_or_read_only_disk_stops_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_folder().rmdir()
    cache_folder().write_text("a file where the folder should be")
    assert changed() == (19.0, "compiler")
    assert changed() == (19.0, "compiler")


@needs_compiler
def test_a_function_made_in_a_function_is_not_kept(cache: Path) -> None:
    def adding(step: float) -> Callable[[float], float]:
        def added(size: float) -> float:
            return size + step

        return kernel(added)

    assert adding(1.0)(1.0) == 2.0
    assert adding(2.0)(1.0) == 3.0
    assert not is_compiled_before()


def test_old_kernels_are_forgotten_and_recent_ones_kept(cache: Path) -> None:
    def folder(number: int, days: float) -> Path:
        made = cache / f"innovex-kernels-{number:016x}"
        made.mkdir()
        (made / "kernel.nbc").touch()
        used = time.time() - days * 24 * 3600
        os.utime(made, (used, used))
        return made

    recent = [folder(number, days=number) for number in range(5)]
    old = [folder(number, days=31 + number) for number in range(5, 10)]
    of_others = cache / "innovex-kernels-of-mine"
    of_others.mkdir()
    cache_folder()

    assert all(made.exists() for made in [*recent, of_others])
    assert not any(made.exists() for made in old)


def test_without_recent_ones_the_newest_three_are_kept(cache: Path) -> None:
    for number in range(5):
        made = cache / f"innovex-kernels-{number:016x}"
        made.mkdir()
        os.utime(made, (number, number))
    cache_folder()
    left = sorted(made.name[-1] for made in cache.iterdir() if made != cache_folder())
    assert left == ["2", "3", "4"]


def test_nothing_is_set_for_the_rest_of_the_process(cache: Path) -> None:
    before = dict(os.environ), config.CACHE_DIR
    cache_folder()
    kernel(last_but)
    assert (dict(os.environ), config.CACHE_DIR) == before


# Conditional stores: numba 0.62 to 0.68 get them wrong for one-byte columns on machines with AVX-512


@rule
def is_due(month: float, threshold: float) -> bool:
    return month > threshold


@kernel
def close_what_is_due(closed_month: np.ndarray, due: np.ndarray, share: np.ndarray, month: int) -> None:
    for i in range(len(due)):
        if closed_month[i] < 0 and is_due(month, due[i]):
            closed_month[i] = month
            share[i] = share[i] / 2.0
        elif closed_month[i] >= 0:
            share[i] = share[i] + 1.0


@needs_compiler
@pytest.mark.parametrize("size", [1, 2, 7, 15, 31, 33, 63, 65, 100, 127, 129, 257, 1000, 1031])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.float64])
def test_compiled_equals_plain_python(size: int, dtype: type) -> None:
    random = np.random.default_rng(size)
    due = random.uniform(0, 24, size)
    compiled: Any = (np.full(size, -1, dtype), due, random.uniform(0, 1, size))
    plain = tuple(column.copy() for column in compiled)
    for month in range(0, 24, 5):
        close_what_is_due(*compiled, month)
        close_what_is_due.py_func(*plain, month)  # type: ignore[attr-defined]
    for after, expected in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(after, expected)


@needs_compiler
def test_this_numba_is_the_one_that_was_checked() -> None:
    """One-byte columns are compiled rightly here; before another version is taken, this must hold with it."""
    assert numba.__version__ == "0.61.2"

    @numba.njit
    def mark(flag: np.ndarray, values: np.ndarray, threshold: float) -> None:
        for i in range(len(flag)):
            if not flag[i]:
                flag[i] = values[i] > threshold

    for size in (33, 65, 100, 1031):
        values = np.random.default_rng(size).uniform(size=size)
        flag = np.zeros(size, np.bool_)
        mark(flag, values, 0.5)
        mark(flag, values, 0.25)
        np.testing.assert_array_equal(flag, values > 0.25)
