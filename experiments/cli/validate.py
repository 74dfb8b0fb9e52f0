"""`innovex validate`: proof of what the calibration is worth, on the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.interrupts import INTERRUPTED

if TYPE_CHECKING:
    from calibration.posterior import Posterior
    from simulator.jobs import Runner


def validate(
    draws: Annotated[int, typer.Option(help="Draws of the posterior for predictions and forecast.")] = 400,
    checked: Annotated[
        int, typer.Option(help="Worlds with known parameters on which the fit is checked; 0 leaves these checks out.")
    ] = 200,
    outside: Annotated[int, typer.Option(help="Draws for the checks against other studies.")] = 60,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Only the forecast of the calls of 2016 and 2017, as a CSV file.")
    ] = False,
    ship: Annotated[bool, typer.Option("--ship", help="With --forecast: put the file into the package.")] = False,
    posterior: Annotated[Path | None, typer.Option(help="A posterior of your own; the shipped one without.")] = None,
    fit: Annotated[Path, typer.Option(help="Folder of innovex calibrate; what lies there is used again.")] = Path(
        "results/calibration"
    ),
    bank: Annotated[
        int | None, typer.Option(help="Worlds of the fit that is checked; those of the shipped settings without.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Folder with targets.csv and responses.csv of your own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed: same seed, same numbers.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder in which the results folder is made.")] = Path("results"),
    threads: Annotated[int | None, typer.Option(help="Runs at a time here; no number depends on it.")] = None,
    engine: Annotated[str, typer.Option(help="threads, processes or dask; no number depends on it.")] = "threads",
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, such as tcp://host:8786.")] = None,
) -> None:
    """Hold the calibrated model against data, known worlds, a call left out, and other studies."""
    from calibration.posterior import read
    from experiments.cli.progress import progress
    from experiments.runs.engines import Where
    from experiments.runs.files import check_root
    from experiments.runs.runner import runner
    from experiments.runs.store import FOLDER
    from experiments.validation.folder import save
    from experiments.validation.sentences import findings
    from experiments.validation.study import Ask
    from experiments.validation.study import validate as carry_out

    _check(draws, checked, outside, seed, threads, bank)
    where = Where(engine, threads, dask).check()
    check_root(out)
    store = out / FOLDER / "checks"
    drawn_from = read(posterior)
    try:
        with progress() as stage:
            if forecast:
                _forecast(drawn_from, seed, runner(store, where, stage), out, ship)
                return
            ask = Ask(draws, checked, outside, seed, where, fit, store, posterior, evidence, bank)
            validation = carry_out(ask, drawn_from, stage)
            folder = save(validation, out)
    except KeyboardInterrupt:
        print(
            f"innovex: interrupted, no report is written; runs that are finished are kept in {fit} and {store}, and "
            "the same command goes on from there.",
            file=sys.stderr,
        )
        sys.exit(INTERRUPTED)
    for finding in findings(validation):
        print(f"- {finding.title} {finding.sentence}")
    print(f"Report: {folder / 'report.html'}")
    print(f"Tables: {folder}")


def _forecast(drawn_from: "Posterior", seed: int, run: "Runner", out: Path, ship: bool) -> None:
    """Write the forecast and say what it holds."""
    from calibration.checks.shipped_forecast import FILE
    from experiments.runs.files import write_csv
    from experiments.validation.study import shipped_forecast

    table = shipped_forecast(drawn_from, seed, run).assign(posterior=drawn_from.identity, seed=seed)
    path = FILE if ship else out / FILE.name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(table, path)
    for _, row in table.iterrows():
        half, most = (f"{row[f'low{level}']:.0f} to {row[f'high{level}']:.0f}" for level in (50, 90))
        print(f"- {row['label']}, {row['call']}: {row['median']:.0f} (50% {half}, 90% {most})")
    print(f"Forecast: {path}")


def _check(draws: int, checked: int, outside: int, seed: int, threads: int | None, bank: int | None) -> None:
    from calibration.fit import shipped_problem as shipped
    from scenarios import InputError

    limits = {
        "draws": (draws, 20, 100_000),
        "checked": (checked, 0, shipped.settings().held_out),
        "outside": (outside, 10, 100_000),
        "seed": (seed, 0, 2**31),
        "threads": (threads, 1, 1024),
        "bank": (bank, 500, 1_000_000),
    }
    for name, (value, low, high) in limits.items():
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name} is {value!r}: it takes a whole number from {low} to {high}.")
