"""A model whose posterior is known: three parameters, each uniform, and one observed number for each."""

from dataclasses import dataclass, replace

import numpy as np

from calibration.fit.pipeline import Settings
from calibration.fit.problem import Problem
from calibration.fit.sampler import Effort
from experiments.runs.engines import Where
from experiments.runs.runner import runner
from scenarios import Entry

RATE = 20.0
SMALL = Settings(bank=1400, near=200, held_out=160, draws=500, seed=1, effort=Effort(2, 4, 150, 500))


@dataclass(frozen=True)
class Known:
    name: str
    family: str
    value: float
    effective_n: float | None = None
    block: str = "toy"
    fitted: bool = True
    call: int = 2015

    @property
    def measure(self) -> str:
        return self.name.split("_")[0]


def uniform(name: str) -> Entry:
    """A parameter that lies anywhere between 0 and 1."""
    return Entry(
        name=name, label=name, description=name, unit="share", kind="behaviour", evidence="assumption", source="toy",
        value=0.5, low=0.0, high=1.0, prior="beta", shape=[1.0, 1.0],
    )  # fmt: skip


ENTRIES = {name: uniform(name) for name in ("share", "rate", "few", "silent")}
TARGETS = (Known("asked", "share", 0.7, 80.0), Known("counted", "count", 7.0), Known("rare", "share", 29 / 31, 31.0))


class Toy:
    """Counts the worlds that it simulates, and may break down."""

    identity = "toy"

    def __init__(self, breaks_after: int | None = None) -> None:
        self.worlds, self.breaks_after = 0, breaks_after

    def __call__(self, values, seed):
        if self.breaks_after is not None and self.worlds >= self.breaks_after:
            raise KeyboardInterrupt
        self.worlds += 1
        count = np.random.default_rng(seed).poisson(RATE * values["rate"])
        return {"asked": values["share"], "counted": count, "rare": values["few"]}

    def problem(self, **changes) -> Problem:
        blocks = {"toy": ("share", "rate", "few")}
        return replace(Problem(ENTRIES, TARGETS, (0, 1, 2), blocks, self), **changes)


def stored(folder):
    """A runner that stores what it has computed in a folder, on one thread."""
    return runner(folder, Where("threads", 1))
