"""The command line: `innovex`. Heavy parts are imported inside the commands, so that help comes at once."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.calibrate import calibrate
from experiments.cli.interrupts import INTERRUPTED, NOTHING_YET, ending_all
from experiments.cli.sweep import app as sweep_app
from experiments.cli.validate import validate

if TYPE_CHECKING:
    from experiments.comparison.compare import Comparison
    from experiments.comparison.study import Study
    from experiments.runs.engines import Where
    from experiments.runs.store import Store

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulates what funding rules do to cross-border partnerships, R&I collaborations and contracts of SMEs.",
)
scenarios_app = typer.Typer(rich_markup_mode=None, help="List the shipped scenarios; show one; print the file schema.")
app.add_typer(sweep_app, name="sweep")
app.command()(calibrate)
app.add_typer(scenarios_app, name="scenarios", invoke_without_command=True)
app.command()(validate)

WRONG_INPUT = 2
GOES_ON = "the same command goes on from there"
MAIN_VALUES = (
    "partnerships_net", "rni_collaborations_net", "contracts_net", "public_cost_eur", "cost_per_contract_eur",
)  # fmt: skip

Draws = Annotated[int, typer.Option(help="Parameter draws; 0 takes the central values.")]
DrawsFrom = Annotated[str, typer.Option(help="posterior, prior, or a .parquet file that calibrate has made.")]
Runs = Annotated[int, typer.Option(help="Seeds per draw.")]
Seed = Annotated[int, typer.Option(help="Seed of the whole study: same seed, same numbers.")]
Out = Annotated[Path, typer.Option(help="Folder in which the results folder is made.")]
Horizon = Annotated[int | None, typer.Option(help="Months for which each call is counted (60).")]
Smes = Annotated[int | None, typer.Option(help="Member SMEs of all clusters together (about 16,000).")]
Clusters = Annotated[int | None, typer.Option(help="Clusters of all countries (400; more beyond 16,000 SMEs).")]
Threads = Annotated[int | None, typer.Option(help="Runs at a time on this machine; no number depends on it.")]
EngineName = Annotated[str, typer.Option("--engine", help="threads, processes or dask; no number depends on it.")]
Dask = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, such as tcp://host:8786.")]
Report = Annotated[bool, typer.Option(help="Write report and figures too, or tables only.")]


def main() -> None:
    """Run the command line: wrong input gets a sentence on stderr and exit code 2, Ctrl-C exit code 130."""
    try:
        with ending_all():
            code = app(prog_name="innovex", standalone_mode=False)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        print(f"innovex: {sentence}", file=sys.stderr)
        sys.exit(WRONG_INPUT)
    if code == INTERRUPTED:
        print(NOTHING_YET, file=sys.stderr)
    sys.exit(code or 0)


def _sentence(error: Exception) -> str | None:
    """Say in one sentence what was wrong with the input; None if the error is not about input."""
    if isinstance(error, MemoryError):
        return "memory has run out; allowed: fewer --smes, fewer --threads or fewer --draws"
    from scenarios.errors import InputError

    if isinstance(error, InputError):
        return str(error)
    if hasattr(error, "format_message"):  # what typer raises for any wrong use
        context = getattr(error, "ctx", None)
        way = f"; see {context.command_path} --help" if context else ""
        return " ".join(error.format_message().split()).rstrip(".") + way
    from simulator.errors import SettingError

    return str(error) if isinstance(error, SettingError) else None


def _version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        print(f"innovex {version('innovex')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def innovex(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Print help where no command is given."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, or path of a file.")] = "baseline",
    draws: Draws = 0,
    draws_from: DrawsFrom = "posterior",
    runs: Runs = 20,
    seed: Seed = 1,
    out: Out = Path("results"),
    horizon: Horizon = None,
    smes: Smes = None,
    clusters: Clusters = None,
    threads: Threads = None,
    engine: EngineName = "threads",
    dask: Dask = None,
    report: Report = True,
) -> None:
    """Run one scenario, beside the world without the programme; stopped or killed, the same command goes on."""
    from experiments.comparison.study import Settings, prepare
    from experiments.runs.engines import Where

    where = Where(engine, None, dask).check()
    study = prepare((scenario,), Settings(draws, runs, seed, horizon, smes, 0, 0, threads, draws_from, clusters))
    _tell(_carry_out(study, out, report, where)[1])


@app.command()
def compare(
    scenario: Annotated[
        list[str] | None, typer.Argument(help="Names or paths; the first is the base, the others are held against it.")
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="All shipped scenarios against the baseline.")] = False,
    draws: Draws = 200,
    draws_from: DrawsFrom = "posterior",
    runs: Runs = 2,
    seed: Seed = 1,
    out: Out = Path("results"),
    horizon: Horizon = None,
    smes: Smes = None,
    clusters: Clusters = None,
    reasons: Annotated[int, typer.Option(help="Draws on which the reasons are computed; 0 leaves them out.")] = 12,
    spending: Annotated[int, typer.Option(help="Draws for equal spending; 0 leaves it out.")] = 24,
    threads: Threads = None,
    engine: EngineName = "threads",
    dask: Dask = None,
    report: Report = True,
) -> None:
    """Compare scenarios; the report opens with the answer. Stopped or killed, the same command goes on."""
    from experiments.comparison.study import Settings, at_least_two, prepare
    from experiments.runs.engines import Where
    from scenarios import InputError, names

    if shipped and scenario:
        raise InputError("--shipped takes all shipped scenarios: leave the names away, or leave --shipped away")
    scenarios = names() if shipped else tuple(scenario or ())
    at_least_two(scenarios)
    where = Where(engine, None, dask).check()
    settings = Settings(draws, runs, seed, horizon, smes, reasons, spending, threads, draws_from, clusters)
    study = prepare(scenarios, settings)
    _tell(_carry_out(study, out, report, where)[1])


@app.command()
def rerun(
    manifest: Annotated[Path, typer.Argument(help="manifest.json of a results folder, or the folder.")],
    out: Out = Path("results"),
    threads: Threads = None,
    engine: EngineName = "threads",
    dask: Dask = None,
    report: Report = True,
) -> None:
    """Repeat a study from its manifest, all of it run anew; tell whether every table is the same, bit for bit."""
    from experiments.comparison.manifest import read_manifest
    from experiments.comparison.rerun import differing, study_of
    from experiments.runs.engines import Where

    where = Where(engine, None, dask).check()
    original = read_manifest(manifest)
    comparison, folder = _carry_out(study_of(original, manifest, threads), out, report, where, original)
    other = differing(comparison, original)
    if not (original.get("complete") and comparison.manifest["complete"]):
        _say(comparison)
        _tell(folder)
    elif other:
        print(f"Not the same: {', '.join(other)} differ from those of {manifest}.")
        for name in ("code", "parameters_from", "versions", "python", "platform"):
            if original.get(name) != comparison.manifest[name]:
                print(f"  {name}: then {original.get(name)}, now {comparison.manifest[name]}")
        print(f"Tables: {folder}")
        sys.exit(1)
    else:
        print(f"The same, bit for bit: all {len(original['tables'])} tables of {manifest}.")
        print(f"Tables: {folder}")
        _end(folder)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A results folder of run or compare.")],
) -> None:
    """Write the report and the figures of a results folder, from its tables; nothing is run."""
    from experiments.comparison.folder import add_report, read

    frames = read(folder)
    print(f"Report: {add_report(frames, folder.parent if folder.is_file() else folder)}")


@app.command()
def warmup() -> None:
    """Compile the model now, so that the next start is quick."""
    from experiments import run as run_study
    from experiments.cli.progress import progress

    with progress() as stage:
        run_study("baseline", draws=0, runs=1, stage=stage)
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
    from experiments.cli.show import lines

    for line in lines(name):
        print(line)


@scenarios_app.command("schema")
def print_schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    import json

    from scenarios import schema

    print(json.dumps(schema(), indent=2))


def _carry_out(
    study: "Study", out: Path, report: bool, where: "Where", original: dict[str, Any] | None = None
) -> tuple["Comparison", Path]:
    """Run a study and save it, after making sure that it can be saved; `told` is the manifest of a repeated one.

    Finished runs are kept in `out/runs`; a repeated study has a store of its own, so that all of it is run anew.
    """
    from experiments.cli.progress import progress
    from experiments.comparison.carry_out import carry_out, where_of
    from experiments.comparison.manifest import check_free, content_of, question_id
    from experiments.runs.engines import engine_at
    from experiments.runs.files import check_root
    from experiments.runs.store import FOLDER, Store

    check_root(out)
    manifest = content_of(study)
    check_free(out, manifest)
    store = Store(out / FOLDER) if original is None else Store(out / f"{FOLDER}-rerun-{question_id(manifest)}")
    with progress() as stage:
        alone = original is None and len(study.chosen) == 1
        try:
            with engine_at(where_of(study, where)) as engine:
                done = carry_out(study, store, engine, stage, _say_values if alone else None)
        except KeyboardInterrupt:
            words = f"interrupted before a draw was finished in all scenarios; finished runs are kept in {store.root}"
            print(NOTHING_YET if store.forget_empty() else f"innovex: {words}, {GOES_ON}.", file=sys.stderr)
            sys.exit(INTERRUPTED)
        _say_kept(store)
        from experiments.comparison.compare import assembled  # here: pandas would keep the first result waiting
        from experiments.comparison.rerun import folder_name

        comparison = assembled(study, done, store)
        if original is None and not alone:  # of a repeated study it matters first whether it is the same
            _say(comparison)
        stage("tables and report" if report else "tables", 0)
        folder = _save(comparison, out, report, folder_name(comparison, original) if original else None)
        if original is not None and comparison.manifest["complete"]:
            store.forget()
        return comparison, folder


def _say_kept(store: "Store") -> None:
    """Say which runs were there already, and which parts had to be made again."""
    for part in store.damaged:
        print(f"{part.file} {part.why}; its runs were made again.", file=sys.stderr)
    if store.runs_read:
        print(f"{store.runs_read:,} of these runs were in {store.root} already.", file=sys.stderr)


def _save(comparison: "Comparison", out: Path, report: bool, name: str | None) -> Path:
    """Write the results; after Ctrl-C all tables still, but no report."""
    from experiments.comparison.folder import save

    missing = comparison.manifest["missing"]
    try:
        return save(comparison, out, with_report=report and "report" not in missing, name=name)
    except KeyboardInterrupt:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tables take a moment
        try:
            without = {*missing, "report"} if report else missing
            without_report = replace(comparison, manifest=comparison.manifest | {"missing": sorted(without)})
            return save(without_report, out, with_report=False, name=name)
        finally:
            signal.signal(signal.SIGINT, before)


def _say_values(effects: list[dict[str, Any]]) -> None:
    """Say what a single scenario brings, against the world without the programme, before there are tables."""
    from experiments.runs.measures import all_measures

    measures = all_measures()
    for row in effects:
        if row["measure"] in MAIN_VALUES:
            measure = measures[row["measure"]]
            span = f" (90% interval {row['difference_low']:,.0f} to {row['difference_high']:,.0f})"
            interval = span if row["draws"] > 1 else ""
            print(f"- {measure.label}: {row['value']:,.0f} {measure.unit}{interval}", flush=True)


def _say(comparison: "Comparison") -> None:
    """Say what was found, before the figures are drawn: nobody need wait for them."""
    for answer in comparison.answers:
        print(f"- {answer['sentence']}", flush=True)
    if not comparison.answers:
        _say_values(comparison.effects.to_dict("records"))


def _tell(folder: Path) -> None:
    """Tell where the results are; after Ctrl-C, what is missing and how to go on."""
    if (folder / "report.html").exists():
        print(f"Report: {folder / 'report.html'}")
    print(f"Tables: {folder}")
    _end(folder)


def _end(folder: Path) -> None:
    """Leave with exit code 130 if something is missing from the folder, and say how to go on."""
    from experiments.comparison.manifest import read_manifest

    content = read_manifest(folder)
    if content["complete"]:
        return
    done, wanted = content["finished_draws"], max(1, content["draws"])
    print(
        f"innovex: interrupted, {done:,} of {wanted:,} draws are finished and kept, "
        f"missing: {', '.join(content['missing'])}; {GOES_ON}.",
        file=sys.stderr,
    )
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
