"""The cache of compiled kernels on disk: sealed files, in a folder of their own per state of the sources.

numba's own cache looks only at the file of the kernel: after a change to a rule in another file it serves the kernel
with the old rule in it (numba issue 1833), and it takes a damaged file as it is. Here each file is sealed with a
checksum and carries its key. Nothing is set for the rest of the process: neither `NUMBA_CACHE_DIR` nor numba's
configuration, so it does not matter who imported numba before.

Where: in `INNOVEX_CACHE_DIR`, else `NUMBA_CACHE_DIR`, else the user's cache folder, else a private temporary one.
A read-only cache (a shared install) is still used.
"""

import contextlib
import hashlib
import os
import pickle
import platform
import shutil
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from enum import EnumMeta
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

from simulator.errors import SettingError

FOLDERS_KEPT = 3  # the newest, whatever their age
DAYS_KEPT = 30  # others, since their last use: another checkout may need them
FOLDERS_AT_MOST = 30  # while someone works on the rules, each change makes one

# numba's settings that change the machine code, so a kernel compiled under others is another kernel
_SETTINGS = ("BOUNDSCHECK", "OPT", "DEBUGINFO_DEFAULT", "ENABLE_AVX", "LOOP_VECTORIZE", "SLP_VECTORIZE")

# globals whose value is compiled in
_FROZEN = (bool, int, float, complex, str, np.generic, np.ndarray)


@cache
def cache_folder() -> Path:
    """Return the folder of the kernels compiled from these sources, by these versions, for this processor.

    Raises
    ------
    SettingError
        If `INNOVEX_CACHE_DIR` cannot be a folder.
    """
    base = next(folder for folder in _candidates() if _is_writable(folder))
    folder = base / _folder_name()
    with contextlib.suppress(OSError):
        if not folder.exists():
            _forget_old_folders(base)
        folder.mkdir(exist_ok=True)
        os.utime(folder)  # last use, for _forget_old_folders
    return folder


def _folders_to_read() -> Iterator[Path]:
    """Yield the folders to look in: our own, then read-only ones that come before it."""
    ours = cache_folder()
    yield ours
    yield from takewhile(lambda folder: folder != ours, (base / _folder_name() for base in _places()))


_callbacks: list[Callable[[], None]] = []


@contextlib.contextmanager
def when_compiling(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` before each kernel that the cache does not hold, or holds damaged, is compiled."""
    _callbacks.append(callback)
    try:
        yield
    finally:
        _callbacks.remove(callback)


def is_compiled_before() -> bool:
    """Return whether the cache holds kernels, so that the next run starts without compiling first."""
    return any(cache_folder().glob("*.nbc"))


class KernelCache(NullCache):
    """One kernel's files: a sealed file per types of arguments, written beside and renamed.

    A file that cannot be read, or does not carry its own key, counts as missing: the kernel is compiled again.
    """

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    @property
    def cache_path(self) -> str:
        return str(cache_folder())

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the kernel for these types from disk, or None."""
        target_context.refresh()
        key = self._key(signature, target_context.codegen())
        for folder in _folders_to_read():
            reduced = _read(folder / self._file_name(key), key)
            if reduced is not None:
                return CompileResult._rebuild(target_context, *reduced)
        for callback in _callbacks:
            callback()
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Write the kernel for these types; a full or read-only disk is no reason to stop."""
        for environment in result._find_referenced_environments():  # its callees', which have no place of their own
            result.codegen.set_env(environment.env_name, environment)
        is_bound_to_this_process = self.function.__closure__ or result.lifted or result.library.has_dynamic_globals
        if is_bound_to_this_process:
            return
        key = self._key(signature, result.codegen)
        content = dumps((key, result._reduce()))
        file = cache_folder() / self._file_name(key)
        unfinished = file.with_name(f"{uuid.uuid4().hex}.tmp")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(hashlib.sha256(content).digest() + content)
            unfinished.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def _key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        settings = [getattr(config, name, None) for name in _SETTINGS]
        reads = _digest(_what_it_reads(self.function, {}).values())
        return signature, codegen.magic_tuple(), str(settings), reads

    def _file_name(self, key: tuple[Any, ...]) -> str:
        name = self.function.__qualname__.replace("<locals>.", "")
        return f"{name}-{_digest(map(str, key))}.nbc"


def _read(file: Path, key: tuple[Any, ...]) -> Any:
    """Return the kernel in a file of the cache; None if the file is missing, damaged or of another key."""
    try:
        sealed = file.read_bytes()
        seal, content = sealed[:32], sealed[32:]
        if hashlib.sha256(content).digest() != seal:
            return None
        own_key, reduced = pickle.loads(content)
    except Exception:  # of any kind: pickle raises what it meets
        return None
    return reduced if own_key == key else None


def _what_it_reads(function: FunctionType, known: dict[FunctionType, str]) -> dict[FunctionType, str]:
    """Return digests of the code and globals that a kernel is compiled from, by function, its callees included.

    So a rule that was replaced in memory, in a test or to try another theory, makes another kernel.
    """
    if function in known:
        return known
    codes = list(_with_nested(function.__code__))
    names = [name for code in codes for name in code.co_names]
    values = [function.__globals__.get(name) for name in names]
    modules = [value for value in values if isinstance(value, ModuleType)]
    values += [vars(module).get(name) for module in modules for name in names]
    values = list(_flat(values))
    frozen = [value for value in values if isinstance(value, _FROZEN)]
    frozen += [value for code in codes for value in code.co_consts if not isinstance(value, CodeType)]
    frozen += [repr(list(value)) for value in values if isinstance(value, EnumMeta)]
    known[function] = _digest(
        [
            f"{function.__module__}.{function.__qualname__}",
            *(code.co_code.hex() for code in codes),
            repr((function.__defaults__, function.__kwdefaults__)),
            *names,
            *(value.tobytes().hex() if isinstance(value, np.ndarray) else repr(value) for value in frozen),
        ]
    )
    for value in values:
        if isinstance(value, Dispatcher):
            _what_it_reads(value.py_func, known)
    return known


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the values, and the contents of tuples in their place: a tuple of rules is as good as the rules."""
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of what is defined in it, as comprehensions are on Python 3.11."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_nested(constant)


def _digest(texts: Iterable[str]) -> str:
    """Return a short name for a list of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _state_of_sources() -> str:
    """Return a name for the simulator's sources, the versions that compile them, and the processor."""
    root = Path(__file__).parent
    sources = [f"{file.relative_to(root)} {file.read_text('utf-8')}" for file in sorted(root.rglob("*.py"))]
    return _digest(
        [
            *sources,
            numba.__version__,
            llvmlite.__version__,
            np.__version__,
            platform.python_implementation(),
            sys.version,
            llvmlite.binding.get_host_cpu_name(),
            llvmlite.binding.get_host_cpu_features().flatten(),
        ]
    )


@cache
def _folder_name() -> str:
    return f"innovex-kernels-{_state_of_sources()}"


def _candidates() -> Iterator[Path]:
    """Yield the folders that may hold the cache, best first; the last two are made if no other is writable."""
    yield from _places()
    with contextlib.suppress(OSError):
        yield _private_temporary_folder()
    yield Path(tempfile.mkdtemp(prefix="innovex-"))


def _places() -> Iterator[Path]:
    """Yield the folders for caches that the user has set or the system provides, best first."""
    for name in ("INNOVEX_CACHE_DIR", "NUMBA_CACHE_DIR"):
        if os.environ.get(name):
            folder = Path(os.environ[name]).absolute()
            if name == "INNOVEX_CACHE_DIR" and any(path.is_file() for path in (folder, *folder.parents)):
                raise SettingError(f"{name}: {os.environ[name]} is no folder; allowed: a folder, there or to be made")
            yield folder
    if sys.platform == "win32":
        if os.environ.get("LOCALAPPDATA"):
            yield Path(os.environ["LOCALAPPDATA"]) / "innovex" / "Cache"
    else:
        if Path(os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
            yield Path(os.environ["XDG_CACHE_HOME"]) / "innovex"
        with contextlib.suppress(RuntimeError):  # a user without a home
            yield Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "innovex"


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _private_temporary_folder() -> Path:
    """Return a temporary folder that only this user can write to: what a cache holds is executed."""
    if sys.platform == "win32":  # the temporary folder is the user's own
        return Path(tempfile.gettempdir()) / "innovex"
    folder = Path(tempfile.gettempdir()) / f"innovex-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode != stat.S_IFDIR | 0o700:
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder


def _forget_old_folders(base: Path) -> None:
    """Remove the kernels of earlier sources. A process that still uses them compiles again, no more."""
    last_use = {folder: folder.stat().st_mtime for folder in base.glob("innovex-kernels-" + "?" * 16)}
    newest_first = sorted(last_use, key=last_use.__getitem__, reverse=True)
    long_ago = time.time() - DAYS_KEPT * 24 * 3600
    for place, folder in enumerate(newest_first):
        is_old = place >= FOLDERS_KEPT and last_use[folder] < long_ago
        if is_old or place >= FOLDERS_AT_MOST:
            shutil.rmtree(folder, ignore_errors=True)
