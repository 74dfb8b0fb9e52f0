"""The command line: `innovex`. Heavy parts are imported inside the commands, so that help comes at once."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.comparison import Comparison, Stage

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulates what funding rules do to cross-border partnerships, R&I collaborations and contracts of SMEs.",
)
scenarios_app = typer.Typer(rich_markup_mode=None, help="List the shipped scenarios; show one; print the file schema.")
app.add_typer(scenarios_app, name="scenarios", invoke_without_command=True)

Draws = Annotated[int, typer.Option(help="Parameter draws from the priors; 0 takes the central values.")]
Runs = Annotated[int, typer.Option(help="Seeds per draw.")]
Seed = Annotated[int, typer.Option(help="Seed of the whole study: same seed, same numbers.")]
Out = Annotated[Path, typer.Option(help="Folder in which the results folder is made.")]
Horizon = Annotated[int | None, typer.Option(help="Months for which each call is counted (60).")]
Smes = Annotated[int | None, typer.Option(help="Member SMEs of all clusters together (about 16,000).")]
Threads = Annotated[int | None, typer.Option(help="Threads; no number depends on it.")]


def main() -> None:
    """Entry point: wrong input gets a sentence and exit code 2, Ctrl-C exit code 130."""
    try:
        app()
    except ValueError as error:
        from scenarios.errors import InputError

        if not isinstance(error, InputError):
            raise
        print(f"innovex: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("innovex: interrupted before a single draw was finished; nothing was written.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, or path of a file.")],
    draws: Draws = 0,
    runs: Runs = 20,
    seed: Seed = 1,
    out: Out = Path("results"),
    horizon: Horizon = None,
    smes: Smes = None,
    threads: Threads = None,
) -> None:
    """Run one scenario, beside the world without the programme."""
    from experiments.results import check_root

    check_root(out)
    with _progress() as stage:
        from experiments import run as run_study

        found = run_study(
            scenario, draws=draws, runs=runs, seed=seed, horizon=horizon, smes=smes, threads=threads, stage=stage
        )
        _save(found, out, stage)


@app.command()
def compare(
    scenario: Annotated[
        list[str] | None, typer.Argument(help="Names or paths; the first is the base, the others are held against it.")
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="All shipped scenarios against the baseline.")] = False,
    draws: Draws = 200,
    runs: Runs = 2,
    seed: Seed = 1,
    out: Out = Path("results"),
    horizon: Horizon = None,
    smes: Smes = None,
    reasons: Annotated[int, typer.Option(help="Draws on which the reasons are computed; 0 leaves them out.")] = 24,
    spending: Annotated[int, typer.Option(help="Draws for equal spending; 0 leaves it out.")] = 40,
    threads: Threads = None,
) -> None:
    """Compare scenarios; the report opens with the answer."""
    from experiments.results import check_root
    from scenarios import InputError, names

    if shipped and scenario:
        raise InputError("--shipped takes all shipped scenarios: leave the names away, or leave --shipped away.")
    check_root(out)
    asked = names() if shipped else tuple(scenario or ())
    with _progress() as stage:
        from experiments import compare as compare_study

        found = compare_study(
            *asked, draws=draws, runs=runs, seed=seed, horizon=horizon, smes=smes, reasons=reasons, spending=spending,
            threads=threads, stage=stage,
        )  # fmt: skip
        _save(found, out, stage)


@app.command()
def rerun(
    manifest: Annotated[Path, typer.Argument(help="manifest.json of a results folder, or the folder.")],
    out: Out = Path("results"),
) -> None:
    """Repeat a study from its manifest and tell whether every table is the same, bit for bit."""
    from experiments.results import check_root, read_manifest

    told = read_manifest(manifest)
    check_root(out)
    with _progress() as stage:
        from experiments.rerun import rerun as rerun_study

        found, differing = rerun_study(told, stage)
    if differing:
        print(f"Not the same: {', '.join(differing)} differ from the manifest's.")
        for name in ("code", "versions", "python", "platform"):
            if told.get(name) != found.manifest[name]:
                print(f"  {name}: then {told.get(name)}, now {found.manifest[name]}")
        _save(found, out, None)
        raise typer.Exit(1)
    print(f"The same, bit for bit: all {len(told['tables'])} tables of {manifest}.")


@app.command()
def warmup() -> None:
    """Compile the model now, so that the next start is quick."""
    from experiments import run as run_study

    with _progress():
        run_study("baseline", draws=0, runs=1)
    print("The model is compiled.")


@scenarios_app.callback()
def scenarios(context: typer.Context) -> None:
    """List the shipped scenarios with their questions."""
    if context.invoked_subcommand is None:
        from scenarios import load, names

        width = max(len(name) for name in names())
        for name in names():
            print(f"{name:<{width}}  {load(name).question}")


@scenarios_app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a shipped scenario, or path of a file.")],
) -> None:
    """Print a scenario's resolved values, with unit, source and what differs."""
    from experiments.show import lines

    for line in lines(name):
        print(line)


@scenarios_app.command("schema")
def print_schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    import json

    from scenarios import schema

    print(json.dumps(schema(), indent=2))


def _save(found: "Comparison", out: Path, stage: "Stage | None") -> None:
    """Write the results and tell where they are and what they say."""
    if stage is not None:
        stage("tables and report", 0)
    folder = found.save(out)
    if not found.manifest["complete"]:
        done, asked = found.manifest["finished_draws"], max(1, found.manifest["draws"])
        print(
            f"Interrupted: {done} of {asked} draws are finished and kept; `innovex rerun {folder}` runs the whole study.",
            file=sys.stderr,
        )
    for answer in found.answers:
        print(f"- {answer['sentence']}")
    if (folder / "report.html").exists():
        print(f"Report: {folder / 'report.html'}")
    print(f"Tables: {folder}")


@contextmanager
def _progress() -> Iterator["Stage"]:
    """A bar per stage with time left, on a terminal; a line per stage elsewhere. Says so when it has to compile."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simulator.jit import is_compiled_before

    console = Console(stderr=True)
    if not is_compiled_before():
        console.print("Compiling the model for this machine: once after install, about a minute.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def stage(what: str, todo: int) -> Callable[[int], None]:
            if not console.is_terminal:
                console.print(f"{what}: {todo:,} runs" if todo else what)
            task = progress.add_task(what, total=todo or None)

            def advance(runs: int) -> None:
                progress.advance(task, runs)

            return advance

        yield stage


if __name__ == "__main__":
    main()
