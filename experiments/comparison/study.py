"""A question made ready: scenarios loaded, parameters drawn, and everything checked before anything is run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import scenarios as library
from experiments.runs.arguments import check_same_calls
from experiments.runs.cells import Case, Draws, block_rows
from experiments.runs.memory import check_values, heaviest, threads_that_fit
from experiments.runs.parameter_draws import POSTERIOR, drawn
from scenarios import InputError, Resolved, Scenario
from scenarios.settings import FIRST_POLICY_CALL

CENTRAL = 0  # draws = 0: one run of the study at the register's central values

Named = str | os.PathLike[str] | Scenario  # a scenario by name or path, or loaded


@dataclass(frozen=True)
class Settings:
    """How much is computed: draws of the parameters, seeds per draw, and the parts that cost extra runs.

    reasons, spending: draws for the reasons and for equal spending; 0 leaves them out. draws_from: "posterior" (the
    shipped one), "prior", or the path of a posterior. No number depends on `threads`.
    """

    draws: int = 200
    runs: int = 2
    seed: int = 1
    horizon: int | None = None
    smes: int | None = None
    reasons: int = 12
    spending: int = 24
    threads: int | None = None
    draws_from: str = POSTERIOR
    clusters: int | None = None


@dataclass(frozen=True)
class Study:
    """What all runs of one comparison share.

    chosen: the scenarios, the base first. centre: what a run of each needs at the register's central values.
    drawn_from: where the draws come from, in words. informed: parameters about which the evidence says something.
    """

    chosen: tuple[Scenario, ...]
    settings: Settings
    draws: Draws
    first_year: int
    centre: tuple[Resolved, ...]
    drawn_from: str
    informed: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return tuple(scenario.name for scenario in self.chosen)

    @property
    def first_counted(self) -> int:
        """Row of the first counted call."""
        return self.centre[0].call_years.index(self.first_year)

    @property
    def cases(self) -> tuple[Case, ...]:
        """The scenarios as they are run."""
        return tuple(self.case(scenario) for scenario in self.chosen)

    def case(self, scenario: Scenario, off: Sequence[tuple[str, float]] = (), budget_scale: float = 1.0) -> Case:
        """Return a scenario as it is run, with parameters held at values or all budgets scaled."""
        settings = self.settings
        return Case.of(
            scenario,
            self.first_year,
            off=tuple(off),
            budget_scale=budget_scale,
            horizon_months=settings.horizon,
            smes=settings.smes,
            clusters=settings.clusters,
        )

    def blocks(self, draws: int) -> list[Draws]:
        """Return the first draws, cut into the blocks that one job runs."""
        return self.draws[:draws].blocks(block_rows(self.centre[0]))


def prepare(chosen: Sequence[Named], settings: Settings) -> Study:
    """Load and draw, and check that the scenarios can be compared. Raises InputError."""
    _check(settings)
    loaded = tuple(each if isinstance(each, Scenario) else library.load(each) for each in chosen)
    names = [scenario.name for scenario in loaded]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given more than once: scenarios to compare must have different names.")
    source = drawn(settings.draws_from, settings.draws, settings.seed)
    centre = tuple(
        scenario.resolve(horizon_months=settings.horizon, smes=settings.smes, clusters=settings.clusters)
        for scenario in loaded
    )
    for scenario, resolved in zip(loaded, centre, strict=True):
        check_same_calls(scenario, resolved, loaded[0], centre[0])
    threads = threads_that_fit(heaviest(centre, source.values), settings.threads)
    check_values(len(loaded), max(1, settings.draws), settings.runs)
    changed = [resolved.change_year for resolved in centre if resolved.change_year is not None]
    first = min(changed, default=min(FIRST_POLICY_CALL, centre[0].call_years[-1]))
    return Study(
        loaded, replace(settings, threads=threads), Draws.of(source.values), first, centre, source.words,
        source.informed,
    )  # fmt: skip


def at_least_two(scenarios: Sequence[Named]) -> None:
    """Raise InputError if there is nothing to compare."""
    if len(scenarios) < 2:
        raise InputError("compare needs at least two scenarios: the base first, then what to hold against it.")


def _check(settings: Settings) -> None:
    """Raise InputError for numbers that cannot be."""
    limits = {
        "draws": (0, 1_000_000), "runs": (1, 1_000_000), "seed": (0, 2**63 - 1), "horizon": (12, 240),
        "smes": (1, 1_000_000_000), "clusters": (1, 30_000), "reasons": (0, 1_000_000), "spending": (0, 1_000_000),
        "threads": (1, 1024),
    }  # fmt: skip
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if value is None and name in ("horizon", "smes", "clusters", "threads"):
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"--{name} is {value!r}: it takes a whole number from {low} to {high}.")
