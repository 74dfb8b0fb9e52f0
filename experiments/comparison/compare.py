"""Compare scenarios from Python: `compare`, `run`, and `load` for a comparison that lies in a folder."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from experiments.comparison.assemble import frames_of
from experiments.comparison.carry_out import Done, carry_out, where_of
from experiments.comparison.frames import Frames, OnDisk
from experiments.comparison.study import CENTRAL, Named, Settings, Study, at_least_two, prepare
from experiments.runs.engines import Where, engine_at
from experiments.runs.files import TemporaryFolder, check_root, in_one_sentence
from experiments.runs.parameter_draws import POSTERIOR
from experiments.runs.store import Store
from scenarios import InputError
from scenarios.errors import describe
from simulator.jobs import Stage


class Comparison(Frames):
    """Scenarios side by side: tables as pandas frames, answers as sentences, and what was computed how.

    See `experiments.comparison.frames.Frames` for its attributes.
    """

    def __repr__(self) -> str:
        runs = f"{self.manifest['finished_draws']:,} draws of {self.manifest['runs']:,} runs"
        return f"<Comparison of {', '.join(self.scenarios)}: {runs}>"

    @property
    def summary(self) -> pd.DataFrame:
        """The paired effects, one row per scenario, basis and measure."""
        return self.effects

    def save(self, folder: str | os.PathLike[str] = "results", *, report: bool = True) -> Path:
        """Write tables, manifest and report to a new folder below `folder`; return it.

        Parameters
        ----------
        folder : str or path
            Where the results folder is made. Its name follows from the question.
        report : bool
            Whether to write figures and `report.html` too.

        Returns
        -------
        Path
            The results folder.

        Raises
        ------
        InputError
            If the place cannot be written to, or holds the results of another question.
        """
        from experiments.comparison import folder as files  # here, since figures take time to load

        return files.save(self, Path(folder), with_report=report)

    def report(self, folder: str | os.PathLike[str]) -> Path:
        """Write `report.html` and its figures into a folder.

        Parameters
        ----------
        folder : str or path
            An existing folder.

        Returns
        -------
        Path
            The report.
        """
        from experiments.comparison.report import write_report

        return write_report(self, Path(folder))


def compare(
    *scenarios: Named,
    draws: int = 200,
    runs: int = 2,
    seed: int = 1,
    horizon: int | None = None,
    smes: int | None = None,
    reasons: int = 12,
    spending: int = 24,
    threads: int | None = None,
    draws_from: str = POSTERIOR,
    clusters: int | None = None,
    stage: Stage | None = None,
    engine: str = "threads",
    dask: str | None = None,
    store: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Compare scenarios, the first being the base, and return tables and answers.

    Parameters
    ----------
    *scenarios : str, path or Scenario
        Two or more: names of shipped scenarios, paths of scenario files, or loaded scenarios.
    draws : int
        Draws of the parameters; 0 takes the central values, once.
    runs : int
        Seeds per draw.
    seed : int
        Seed of the whole comparison: same seed, same numbers.
    horizon : int, optional
        Months for which each call is counted; by default the scenario's own (60).
    smes, clusters : int, optional
        Member SMEs and clusters of all countries together; by default the programme's.
    reasons, spending : int
        Draws for the reasons and for the comparison at equal spending; 0 leaves them out.
    threads : int, optional
        Runs at a time on this machine; by default one per core. No number depends on it.
    draws_from : str
        "posterior" (the shipped one), "prior", or the path of a posterior.
    stage : callable, optional
        Called with a name and a number of runs when a part begins. It returns a callback for the runs done.
    engine : str
        "threads", "processes" or "dask". No number depends on it.
    dask : str, optional
        Address of a Dask scheduler.
    store : str or path, optional
        A folder that keeps finished runs, such as "results/runs": a stopped comparison resumes there, and a larger one
        runs only what is new. By default it is a temporary one.

    Returns
    -------
    Comparison
        Tables and answers.

    Raises
    ------
    InputError
        For wrong input, in one sentence, before anything runs.

    Examples
    --------
    >>> from experiments import compare
    >>> compare("baseline", "projects_24", draws=20).summary  # doctest: +SKIP
    """
    settings = Settings(draws, runs, seed, horizon, smes, reasons, spending, threads, draws_from, clusters)
    at_least_two(scenarios)
    return _computed(prepare(scenarios, settings), Where(engine, None, dask), store, stage or _quiet)


def run(
    scenario: Named,
    *,
    draws: int = CENTRAL,
    runs: int = 20,
    seed: int = 1,
    horizon: int | None = None,
    smes: int | None = None,
    threads: int | None = None,
    draws_from: str = POSTERIOR,
    clusters: int | None = None,
    stage: Stage | None = None,
    engine: str = "threads",
    dask: str | None = None,
    store: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Run one scenario, and compare it with the world without the programme.

    Parameters
    ----------
    scenario : str, path or Scenario
        Name of a shipped scenario, path of a scenario file, or a loaded scenario.
    draws, runs, seed, horizon, smes, threads, draws_from, clusters, stage, engine, dask, store : optional
        As for `compare`.

    Returns
    -------
    Comparison
        Tables; `trace` holds every event of the first run.

    Raises
    ------
    InputError
        For wrong input, in one sentence, before anything runs.
    """
    settings = Settings(draws, runs, seed, horizon, smes, 0, 0, threads, draws_from, clusters)
    return _computed(prepare((scenario,), settings), Where(engine, None, dask), store, stage or _quiet)


def load(folder: str | os.PathLike[str]) -> Comparison:
    """Read a comparison back from its results folder: tables, answers, and all that its report needs.

    Parameters
    ----------
    folder : str or path
        A results folder.

    Returns
    -------
    Comparison
        As it was saved.

    Raises
    ------
    InputError
        If this is not a results folder, or not a complete one.
    """
    from experiments.comparison import folder as files

    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"folder is {describe(folder)}; allowed: the path of a results folder")
    return Comparison(**vars(files.read(Path(folder))))


def _computed(study: Study, where: Where, store: str | os.PathLike[str] | None, stage: Stage) -> Comparison:
    with opened(store) as place:
        with engine_at(where_of(study, where)) as engine:
            done = carry_out(study, place, engine, stage)
        return assembled(study, done, place)


@contextmanager
def opened(store: str | os.PathLike[str] | None) -> Iterator[Store]:
    """Yield the store in a folder, or a temporary one."""
    if store is None:
        with Store.temporary() as place:
            yield place
    elif isinstance(store, str | os.PathLike):
        check_root(Path(store), name="store")
        yield Store(Path(store))
    else:
        raise InputError(f"store is {describe(store)}; allowed: a path, or None for a temporary folder")


def assembled(study: Study, done: Done, store: Store) -> Comparison:
    """Return the comparison of a finished study; its large tables lie in a temporary folder until it is saved.

    What is finished is not lost to a Ctrl-C while the tables are made: then the manifest says that the report is
    missing.
    """
    try:
        return _assembled(study, done, store)
    except KeyboardInterrupt:
        done.missing.append("report")
        return _assembled(study, done, store)


def _assembled(study: Study, done: Done, store: Store) -> Comparison:
    with in_one_sentence(store.tables, "the tables cannot be written"):
        owner = TemporaryFolder(store.tables)
        frames = frames_of(study, done, store, owner.path)
    return Comparison(**vars(replace(frames, large=OnDisk(owner.path, owner))))


def _quiet(what: str, todo: int) -> Callable[[int], None]:
    """Report no progress: a library prints nothing."""
    return lambda _: None
