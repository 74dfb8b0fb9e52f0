"""Compilation: the one home of the compile flags, and of the ways in which a function is compiled.

- `kernel`: a loop over tables. It is compiled once per machine and kept on disk (`simulator.kernel_cache`).
- `rule`: a sentence of the theory, scalars in and scalar out, in `simulator.rules`.
- `inline`: any other small function. Its machine code goes into each kernel that calls it, as a rule's does.
- `paste`: a small step on tables. Its text goes into each kernel before compiling.

Under `NUMBA_DISABLE_JIT=1` all of them are the plain Python functions.
"""

import gc
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.dispatcher import Dispatcher

from simulator.kernel_cache import KernelCache

Function = TypeVar("Function", bound=Callable[..., Any])

# No fastmath and no parallel: a run is the same, bit for bit, alone, in a thread or in a worker.
# The error model of numpy: a division by zero gives inf or nan, as it does in a column.
FLAGS = {"nogil": True, "no_cfunc_wrapper": True, "error_model": "numpy"}


def kernel(function: Function) -> Function:
    """Compile a loop over tables at its first call with new types, and keep it on disk for the next process."""
    compiled = _with_callee(numba.njit(**FLAGS)(function), function)
    if isinstance(compiled, Dispatcher):  # not so under NUMBA_DISABLE_JIT
        compiled._cache = KernelCache(compiled.py_func)
        compiled.compile = _without_collector(compiled.compile)
    return compiled


def inline(function: Function) -> Function:
    """Compile a small function into each kernel that calls it.

    It is not kept on disk: its code lies in the kernel, and when the kernel is loaded the function need not be.
    """
    return _with_callee(numba.njit(**FLAGS)(function), function, inlined=True)


def rule(function: Function) -> Function:
    """Mark a sentence of the theory: scalars in, scalar out; no tables, no clock, no dice."""
    return inline(function)


def paste(function: Function) -> Function:
    """Put the text of a small step on tables into each kernel that calls it, before compiling.

    As a call, every array of every table would be pushed and counted each time: 146 against 20 ns for one look at a
    pair of clusters. Early returns are kept out of these functions where they can be.
    """
    return numba.njit(inline="always", **FLAGS)(function)


def is_loaded(compiled: Callable[..., Any]) -> bool:
    """Return whether this process has compiled a kernel or read it from disk; true where nothing is compiled."""
    return not isinstance(compiled, Dispatcher) or bool(compiled.signatures)


def _with_callee(compiled: Function, function: Function, inlined: bool = False) -> Function:
    """Give a compiled function a twin for calls from other compiled functions.

    The twin has no wrapper for Python, and takes the types of constants, not their values (numba would compile a
    callee anew for each constant passed to it: 20 copies of the function that writes an event). Together a sixth of
    the time of a first start.
    """
    if isinstance(compiled, Dispatcher):  # not so under NUMBA_DISABLE_JIT
        callee = numba.njit(no_cpython_wrapper=True, pipeline_class=_InnerCompiler, forceinline=inlined, **FLAGS)(
            function
        )

        def get_call_template(args: Any, kws: Any) -> Any:
            return callee.get_call_template(
                tuple(_without_value(argument) for argument in args),
                {name: _without_value(argument) for name, argument in kws.items()},
            )

        compiled.get_call_template = get_call_template
        compiled.get_overload = callee.get_overload
    return compiled


def _without_value(argument: types.Type) -> types.Type:
    """Return the type of an argument without the value of a constant; a member of an enumeration is its number."""
    if isinstance(argument, types.IntEnumMember):
        return argument.dtype
    return types.unliteral(argument)


class _InnerCode(JITCodeLibrary):
    """The code of a callee, for the kernels that take it in: as LLVM's text only, neither optimised nor runnable.

    numba would do both for each function, with all that it calls, and again for its caller: the innermost rule was
    optimised and translated six times over. This saves a third of the time of a first start.
    """

    def _optimize_final_module(self) -> None:
        """Do nothing: the kernel is optimised as a whole."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0, numba's word for a function without an address: nobody calls it from Python."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """The library itself: it has no addresses at which an environment could be noted (see `KernelCache`)."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing: the kernel's own machine code carries the environment."""


class _InnerCompiler(Compiler):
    """A compiler that takes a callee no further than its callers need it."""

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        super().__init__(typing, target, library or _InnerCode(target.codegen(), "inner"), *rest)


def _without_collector(compile_: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Compile with Python's collector of circular garbage off.

    numba makes millions of objects that stay alive until it is done, and looking through them again and again takes
    a fifth of a first start. Without it compiling takes 0.3 GB more.
    """

    def compiled(signature: Any) -> Any:
        if not gc.isenabled():
            return compile_(signature)
        gc.disable()
        try:
            return compile_(signature)
        finally:
            gc.enable()

    return compiled
