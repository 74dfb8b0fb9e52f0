"""`innovex calibrate`: the fit on the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.interrupts import INTERRUPTED

if TYPE_CHECKING:
    from calibration.posterior import Posterior


def calibrate(
    bank: Annotated[int | None, typer.Option(help="Worlds drawn from the priors (8,000).")] = None,
    evidence: Annotated[Path | None, typer.Option(help="Folder of your own targets.csv and responses.csv.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for worlds, chains and posterior; what is there is used again.")
    ] = Path("results/calibration"),
    seed: Annotated[int | None, typer.Option(help="Seed of the whole fit: same seed, same numbers.")] = None,
    threads: Annotated[int | None, typer.Option(help="Runs at a time here; no number depends on it.")] = None,
    engine: Annotated[str, typer.Option(help="threads, processes or dask; no number depends on it.")] = "threads",
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, such as tcp://host:8786.")] = None,
    ship: Annotated[
        bool, typer.Option("--ship", help="Put the posterior into the package too, for run and compare.")
    ] = False,
) -> None:
    """Fit the model to the evidence; a fit that was stopped goes on with the same command."""

    from calibration import posterior
    from calibration.fit import shipped_problem as shipped
    from calibration.fit import write_posterior as outcome
    from calibration.fit.pipeline import fit
    from experiments.cli.progress import progress
    from experiments.runs.engines import Where
    from experiments.runs.files import check_root
    from experiments.runs.runner import runner

    _check(bank, seed, threads)
    where = Where(engine, threads, dask).check()
    check_root(out)
    problem, settings = shipped.problem(evidence), shipped.settings(bank, seed)
    below = shipped.fit_file()["settings"]["unidentified_below"]
    path = out / "posterior.parquet"
    try:
        with progress() as stage:
            fitted = fit(problem, settings, runner(out, where, stage), stage)
            outcome.save(fitted, path, below)
            outcome.parameter_frame(fitted).to_csv(out / "parameters.csv", index=False)
    except KeyboardInterrupt:
        way_on = f"what is finished is kept in {out}, and the same command goes on from there"
        print(f"innovex: interrupted; {way_on}.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if ship:
        outcome.save(fitted, posterior.SHIPPED, below)
    for line in _in_words(posterior.read(path)):
        print(line)
    print(f"Posterior: {path}")
    if not ship:
        print(f"To use it: innovex compare ... --draws-from {path}")


def _check(bank: int | None, seed: int | None, threads: int | None) -> None:
    from scenarios import InputError

    limits = {"bank": (bank, 500, 1_000_000), "seed": (seed, 0, 2**63 - 1), "threads": (threads, 1, 1024)}
    for name, (value, low, high) in limits.items():
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name} is {value!r}: it takes a whole number from {low} to {high}.")


def _in_words(posterior: "Posterior") -> list[str]:
    """Say what the evidence tells of each fitted parameter, and what it cannot tell."""
    from experiments.validation.sentences import inside

    rows = {row["parameter"]: row for row in posterior.manifest["parameters"]}
    lines = []
    for name in posterior.informed:
        row = rows[name]
        lines.append(
            f"- {row['label']}: {row['median']:.3g} {row['unit']} (90% {row['low']:.3g} to {row['high']:.3g}; "
            f"before {row['prior_low']:.3g} to {row['prior_high']:.3g})"
        )
    without = [inside(rows[name]["label"]) for name in posterior.fitted if name not in posterior.informed]
    if without:
        lines.append(f"Not told apart by the evidence, as good as at their priors: {', '.join(without)}.")
    lines.append(
        f"Smallest effective sample {posterior.manifest['smallest_ess']:,.0f}, "
        f"largest R-hat {posterior.manifest['largest_rhat']:.3f}."
    )
    return lines
