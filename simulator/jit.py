"""Compilation: the one home of the compile flags and of the cache of compiled kernels.

`rule` marks a scalar sentence of the theory, `jit` a loop that calls rules. Loops are compiled once per
machine and kept on disk; rules are compiled into the loops that call them.

numba's own cache looks only at the file of the loop: after a change to a rule in another file it serves the
loop with the old rule in it (numba issue 1833), and it takes a damaged file as it is. So the loops are kept
here, in a folder of their own per state of the sources, each file sealed with a checksum. Nothing is set for
the rest of the process: neither `NUMBA_CACHE_DIR` nor numba's configuration, so it does not matter who
imported numba before.

Where: in `INNOVEX_CACHE_DIR`, else `NUMBA_CACHE_DIR`, else the user's cache folder, else a
private temporary one. A folder that can be read but not written to, as of an install for many users, is read all
the same.
"""

import contextlib
import gc
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
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

import llvmlite.binding
import numba
import numpy as np
from numba.core import config, types
from numba.core.caching import NullCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps


class SettingError(ValueError):
    """A setting of the environment that cannot be used; the message is one sentence for the person who set it."""


Function = TypeVar("Function", bound=Callable[..., Any])

# No fastmath and no parallel: a run is the same, bit for bit, alone, in a thread or in a worker.
# The error model of numpy: a division by zero gives inf or nan, as it does in a column.
FLAGS = {"nogil": True, "no_cfunc_wrapper": True, "error_model": "numpy"}

FOLDERS_KEPT = 3  # the newest, whatever their age
DAYS_KEPT = 30  # others, since their last use: another checkout may need them
FOLDERS_AT_MOST = 30  # while someone works on the rules, each change makes one

# numba's settings that change the machine code, so a kernel compiled under others is another kernel
_SETTINGS = ("BOUNDSCHECK", "OPT", "DEBUGINFO_DEFAULT", "ENABLE_AVX", "LOOP_VECTORIZE", "SLP_VECTORIZE")

# globals whose value is compiled in
_FROZEN = (bool, int, float, complex, str, np.generic, np.ndarray)


class _InnerCode(JITCodeLibrary):
    """The code of a callee, for the loops that take it in: as LLVM's text only, neither optimised nor made runnable.

    numba would do both for each function, with all that it calls, and again for its caller: the innermost rule was
    optimised and translated six times over. So a third of the time of a first start is saved.
    """

    def _optimize_final_module(self) -> None:
        """Nothing: the loop is optimised as a whole."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """0, numba's word for a function without an address: nobody calls it from Python."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Itself: it has no addresses at which an environment could be noted (see `_KernelCache.save_overload`)."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing: the loop's own machine code carries the environment."""


class _InnerCompiler(Compiler):
    """Compiles a callee no further than its callers need it."""

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        super().__init__(typing, target, library or _InnerCode(target.codegen(), "inner"), *rest)


def _called(kernel: Function, function: Function, inlined: bool = False) -> Function:
    """Gives a kernel a twin for calls from other compiled functions.

    The twin has no wrapper for Python, and takes the types of constants, not their values (numba would
    compile a callee anew for each constant passed to it: 20 copies of the function that writes an
    event). Together a sixth of the time of a first start.
    """
    if isinstance(kernel, Dispatcher):  # not so under NUMBA_DISABLE_JIT
        callee = numba.njit(no_cpython_wrapper=True, pipeline_class=_InnerCompiler, forceinline=inlined, **FLAGS)(
            function
        )

        def get_call_template(args: Any, kws: Any) -> Any:
            return callee.get_call_template(
                tuple(types.unliteral(each) for each in args),
                {name: types.unliteral(each) for name, each in kws.items()},
            )

        kernel.get_call_template = get_call_template
        kernel.get_overload = callee.get_overload
    return kernel


def rule(function: Function) -> Function:
    """A sentence of the theory: scalars in, scalar out, compiled into each loop that calls it.

    Not kept on disk: its code lies in the kept loop, and when the loop is loaded the rule need not be.
    """
    return _called(numba.njit(**FLAGS)(function), function, inlined=True)


def service(function: Function) -> Function:
    """A small step of a loop that reads or writes tables: its text is put into the loop before compiling.

    As a call, every array of every table would be pushed and counted each time: 146 against 20 ns for one
    look at a pair of clusters. Early returns are kept out of these functions where they can be.
    """
    return numba.njit(inline="always", **FLAGS)(function)


def jit(function: Function) -> Function:
    """A loop over columns: compiled at its first call with new types, kept on disk for the next process."""
    kernel = _called(numba.njit(**FLAGS)(function), function)
    if isinstance(kernel, Dispatcher):  # not so under NUMBA_DISABLE_JIT
        kernel._cache = _KernelCache(kernel.py_func)
        kernel.compile = _without_collection(kernel.compile)
    return kernel


def _without_collection(compile_: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Compiling without Python's collector of circular garbage: numba makes millions of objects that stay alive until
    it is done, and looking through them again and again takes a fifth of a first start. It takes 0.3 GB more."""

    def compiled(signature: Any) -> Any:
        if not gc.isenabled():
            return compile_(signature)
        gc.disable()
        try:
            return compile_(signature)
        finally:
            gc.enable()

    return compiled


@cache
def cache_folder() -> Path:
    """The folder of the kernels compiled from these sources, by these versions, for this processor.

    Raises SettingError where `INNOVEX_CACHE_DIR` can be no folder.
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
    """Where kernels may lie: in our own folder, or in one that comes before it and cannot be written to."""
    ours = cache_folder()
    yield ours
    yield from takewhile(lambda folder: folder != ours, (base / _folder_name() for base in _places()))


_tellers: list[Callable[[], None]] = []


@contextlib.contextmanager
def told_when_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """Calls `tell` before each kernel that has to be compiled since it does not lie in the cache, or not whole."""
    _tellers.append(tell)
    try:
        yield
    finally:
        _tellers.remove(tell)


def is_compiled_before() -> bool:
    """Whether kernels lie in the cache, so that the next run starts without compiling first."""
    return any(cache_folder().glob("*.nbc"))


def is_loaded(kernel: Callable[..., Any]) -> bool:
    """Whether this process has compiled a kernel or has it from disk; true where nothing is compiled."""
    return not isinstance(kernel, Dispatcher) or bool(kernel.signatures)


class _KernelCache(NullCache):
    """One kernel's files: a file per types of arguments, sealed, written in one move.

    What cannot be read, or does not carry its own key, counts as not there: it is compiled again.
    """

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    @property
    def cache_path(self) -> str:
        return str(cache_folder())

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The kernel for these types from disk, or None."""
        target_context.refresh()
        key = self._key(signature, target_context.codegen())
        for folder in _folders_to_read():
            reduced = _kept(folder / self._file_name(key), key)
            if reduced is not None:
                return CompileResult._rebuild(target_context, *reduced)
        for tell in _tellers:
            tell()
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the kernel for these types; a full or read-only disk is no reason to stop."""
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


def _kept(file: Path, key: tuple[Any, ...]) -> Any:
    """What a file of the cache holds for a key; None if it is not there, damaged or another's."""
    try:
        sealed = file.read_bytes()
        seal, content = sealed[:32], sealed[32:]
        if hashlib.sha256(content).digest() != seal:
            return None
        kept_key, reduced = pickle.loads(content)
    except Exception:  # of any kind: pickle raises what it meets
        return None
    return reduced if kept_key == key else None


def _what_it_reads(function: FunctionType, known: dict[FunctionType, str]) -> dict[FunctionType, str]:
    """The code and the globals that a kernel is compiled from, with those of the rules it calls.

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
    """The values, with tuples opened: a tuple of rules is as good as the rules."""
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of what is defined in it, as comprehensions are on Python 3.11."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_nested(constant)


def _digest(texts: Iterable[str]) -> str:
    """A short name for a list of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _state_of_sources() -> str:
    """A name for the simulator's sources, the versions that compile them, and the processor."""
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
    """Where the cache may lie, best first; the last two are made if nothing else can be written to."""
    yield from _places()
    with contextlib.suppress(OSError):
        yield _private_temporary_folder()
    yield Path(tempfile.mkdtemp(prefix="innovex-"))


def _places() -> Iterator[Path]:
    """Where the cache may lie, best first: as the user has set, or is used to."""
    for name in ("INNOVEX_CACHE_DIR", "NUMBA_CACHE_DIR"):
        if os.environ.get(name):
            given = Path(os.environ[name]).absolute()
            if name == "INNOVEX_CACHE_DIR" and any(each.is_file() for each in (given, *given.parents)):
                raise SettingError(f"{name}: {os.environ[name]} is no folder; allowed: a folder, there or to be made")
            yield given
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
    """A temporary folder of this user that nobody else can write to: what lies in a cache is executed."""
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
