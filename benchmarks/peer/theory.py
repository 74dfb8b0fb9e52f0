"""The project's scalar rules as plain Python functions, or as compiled ones called from Python; and luck for both."""

import math
from types import FunctionType, ModuleType, SimpleNamespace

import numpy as np
from numba.core.dispatcher import Dispatcher

from simulator import draws
from simulator.outcomes import own_paths
from simulator.rules import consortia, funding, learning, matching, outcomes, projects, traits, trust
from simulator.world import sectors

RULES = (consortia, funding, learning, matching, outcomes, projects, traits, trust)
SOURCES = (*RULES, sectors, own_paths)  # the two last: which sector, and whose base hazard
_ARITHMETIC = {"log": math.log, "exp": math.exp, "power": math.pow}  # for `simulator.elementary`: as Python has it
_MASK, _WEYL = (1 << 64) - 1, 0x9E3779B97F4A7C15


def theory(compiled: bool) -> SimpleNamespace:
    """Return all rules by name, and the luck: `key`, `identity`, `uniform`, `uniform_of_pair` on whole numbers."""
    rules: dict[str, object] = {}
    for module in (*SOURCES, draws):
        rules |= _functions(module, compiled)
    luck = _compiled_luck() if compiled else _plain_luck()
    return SimpleNamespace(**(rules | luck))


def _functions(module: ModuleType, compiled: bool) -> dict[str, object]:
    """Return a module's rules; uncompiled, those that they call are uncompiled too."""
    rules = {name: each for name, each in vars(module).items() if isinstance(each, Dispatcher)}
    if compiled:
        return dict(rules)
    namespace = dict(vars(module))
    namespace |= _ARITHMETIC
    for name, each in rules.items():
        if name in _ARITHMETIC:
            continue
        text = each.py_func
        namespace[name] = FunctionType(text.__code__, namespace, name, text.__defaults__)
    return {name: namespace[name] for name in rules}


def _compiled_luck() -> dict[str, object]:
    """Return the simulator's own draws, called one by one."""
    word = np.uint64

    def uniform(start: int, who: int, whom: int) -> float:
        return draws.uniform(word(start), word(who), word(whom))

    def uniform_of_pair(start: int, one: int, other: int) -> float:
        return draws.uniform_of_pair(word(start), word(one), word(other))

    def identity(parent: int, number: int) -> int:
        return int(draws.identity(word(parent), number))

    def key(seed: int, decision: int, time: int) -> int:
        return int(draws.key(seed, decision, time))

    return {"uniform": uniform, "uniform_of_pair": uniform_of_pair, "identity": identity, "key": key}


def _mixed(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


def _plain_luck() -> dict[str, object]:
    """Return the same numbers in whole-number arithmetic of Python, which is faster than numpy's one by one."""

    def uniform(start: int, who: int, whom: int) -> float:
        return ((_mixed((_mixed((start + who) & _MASK) + whom) & _MASK) >> 12) + 0.5) * 2.0**-52

    def uniform_of_pair(start: int, one: int, other: int) -> float:
        return uniform(start, one, other) if one < other else uniform(start, other, one)

    def identity(parent: int, number: int) -> int:
        return _mixed((parent + _WEYL * (number + 1)) & _MASK)

    def key(seed: int, decision: int, time: int) -> int:
        return _mixed((_mixed((seed + _WEYL * decision) & _MASK) + _WEYL * int(time)) & _MASK)

    def since(call_year: int, months: int) -> int:
        return call_year * 4096 + months

    return {"uniform": uniform, "uniform_of_pair": uniform_of_pair, "identity": identity, "key": key, "since": since}
