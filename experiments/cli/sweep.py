"""The commands of `innovex sweep`. Heavy parts are imported inside them, so that help comes at once."""

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from experiments.cli.interrupts import INTERRUPTED

if TYPE_CHECKING:
    from experiments.sweeps.result import Sweep

STOPPED, NOTHING_RAN = 1, 1


class FileFirst(TyperGroup):
    """`innovex sweep FILE` is `innovex sweep run FILE`: what is not a command is an experiment."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front that is left out."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            _check_word(args[0], list(self.commands))
            args = ["run", *args]
        return list(super().parse_args(ctx, args or ["--help"]))


def _check_word(word: str, commands: list[str]) -> None:
    """Raise InputError for a word that is neither a command nor an experiment, nor an option or a path."""
    from experiments.sweeps.form import shipped
    from scenarios.errors import Fault, echo, listed, nearest, refuse

    known = [*shipped(), *commands]
    if word in known or word.startswith("-") or "/" in word or word.endswith(".toml") or Path(word).exists():
        return
    allowed = f"{listed(commands)}, a path, or one of {listed(shipped(), 30)}"
    fault = Fault("", "there is no such command or experiment", allowed, nearest(word, known))
    raise refuse(f"sweep {echo(word)!r}", [fault])


app = typer.Typer(
    cls=FileFirst,
    rich_markup_mode=None,
    help="Run an experiment over the space of assumptions and rules: innovex sweep FILE; list, status, report.",
)


@app.command()
def run(
    experiment: Annotated[
        str, typer.Argument(metavar="FILE", help="Name of a shipped experiment, path of a file, or folder of a sweep.")
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a sweep that is there; begin none.")] = False,
    engine: Annotated[str, typer.Option(help="threads or processes of this machine.")] = "threads",
    workers: Annotated[int | None, typer.Option(min=1, help="How many; no number depends on it.")] = None,
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler: tcp://host:8786.")] = None,
    out: Annotated[Path, typer.Option(help="Folder in which the sweep's folder is made.")] = Path("results"),
    n: Annotated[int | None, typer.Option(min=2, help="Blocks of the design, instead of the file's n.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Runs (seeds) per row, instead of the file's.")] = None,
    redo_failed: Annotated[bool, typer.Option("--redo-failed", help="Run failed runs again.")] = False,
    report: Annotated[bool, typer.Option(help="Write the report too.")] = True,
) -> None:
    """Run an experiment (or what is missing of it) and write its report."""
    from experiments.cli.sweep_progress import progress
    from experiments.runs.engines import ClusterLost
    from experiments.sweeps.result import prepared, sweep

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what schedulers send before they kill
    _, folder = prepared(experiment, out, None, n, runs)
    try:
        with progress() as hear:
            result = sweep(
                experiment, out, engine=engine, workers=workers, dask=dask, n=n, runs=runs, resume=resume,
                redo_failed=redo_failed, hear=hear,
            )  # fmt: skip
    except KeyboardInterrupt:
        _stopped(folder, "interrupted", INTERRUPTED)
    except ClusterLost as error:
        _stopped(folder, f"the cluster is lost ({error})", STOPPED)
    _tell(result, report)


@app.command()
def status(folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")]) -> None:
    """Tell how far a sweep is: runs, failures, damaged parts, time left."""
    from experiments.cli.sweep_progress import status_lines
    from experiments.sweeps.result import status as status_of

    for line in status_lines(status_of(folder)):
        print(line)


@app.command("report")
def report_again(folder: Annotated[Path, typer.Argument(help="Folder of a sweep, whole or not.")]) -> None:
    """Write the report of a sweep, as far as it has come."""
    from experiments.sweeps.result import load

    result = load(folder)
    for file, why in result.damaged:
        print(f"part {file} {why}: it is not in the report; --resume does it again", file=sys.stderr)
    _tell(result, True)


@app.command("list")
def list_shipped() -> None:
    """List the shipped experiments with their questions."""
    from experiments.sweeps.form import read, shipped

    width = max(len(name) for name in shipped())
    for name in shipped():
        print(f"{name:<{width}}  {read(name)[0].question}")


def _tell(result: "Sweep", report: bool) -> None:
    """Say what failed, write the report, say where all of it is."""
    failed = len(result.failures)
    if failed == result.plan.cells:
        print(f"innovex: every run failed: {result.failures['failure'].iloc[0]}", file=sys.stderr)
    elif failed:
        causes = result.failures["failure"].value_counts()
        print(f"{failed:,} of {result.plan.cells:,} runs failed, mostly: {causes.index[0]} ({causes.iloc[0]:,})")
    if report and failed < result.plan.cells:
        from experiments.sweeps.report import write_report

        print(f"Report: {write_report(result)}")
    print(f"Tables: {result.folder}")
    if failed == result.plan.cells:
        sys.exit(NOTHING_RAN)


def _stopped(folder: Path, why: str, code: int) -> None:
    """Say what is kept and how to go on."""
    from experiments.sweeps.result import status as status_of

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not (folder / "plan.json").exists():
        print(f"innovex: {why} before anything was finished; nothing is written.", file=sys.stderr)
        sys.exit(code)
    state = status_of(folder)
    print(
        f"innovex: {why}, {state['done']:,} of {state['cells']:,} runs are finished and kept; "
        f"to go on: innovex sweep {shlex.quote(str(folder))} --resume",
        file=sys.stderr,
    )
    sys.exit(code)
