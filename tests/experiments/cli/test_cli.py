"""The command line: what it shows, what it refuses, what Ctrl-C leaves, and that a study can be repeated."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

import experiments
import scenarios
from experiments import load
from experiments.cli import main as cli
from experiments.cli import progress
from experiments.comparison import carry_out as comparison
from experiments.comparison import study
from experiments.comparison.manifest import content_of, read_manifest
from experiments.comparison.tables import TABLES
from simulator.parameters import FUNDING_RULES

SOURCES = Path(experiments.__file__).parent.parent
SMALL = ["--draws", "2", "--runs", "1", "--smes", "2000", "--reasons", "0", "--spending", "0", "--no-report"]
HEAD = 'title = "Mine"\nquestion = "What if?"\n'


@pytest.fixture
def innovex(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it

    def command(*args):
        monkeypatch.setattr(sys, "argv", ["innovex", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        told = capsys.readouterr()
        return end.value.code, told.out, told.err

    return command


def environment():
    """Where the subprocesses find these very sources."""
    return os.environ | {"PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1"}


def results_in(folder="results"):
    """The results folders, beside the store of finished runs."""
    return [path for path in Path(folder).iterdir() if path.name != "runs"]


def process(*args, cwd, **more):
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "experiments.cli.main", *args], cwd=cwd, env=environment(), capture_output=True, **more
    )


# ---------- help, version, scenarios


def test_help_comes_without_the_heavy_parts(tmp_path):
    code = "import sys; from experiments.cli import main as cli; sys.argv = ['innovex', '--help']\ntry: cli.main()\n"
    code += "finally: print([name for name in ('numpy', 'pandas', 'numba', 'pydantic', 'rich', 'scenarios') "
    code += "if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    for command in ("run", "compare", "rerun", "scenarios", "warmup"):
        assert command in done.stdout


def test_without_a_word_there_is_help(innovex):
    code, out, err = innovex()
    assert code == 0 and "Usage: innovex" in out and err == ""


def test_version(innovex):
    code, out, _ = innovex("--version")
    assert code == 0 and out.split()[0] == "innovex" and out.split()[1][0].isdigit()


def test_scenarios_are_listed_with_their_questions(innovex):
    code, out, _ = innovex("scenarios")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(scenarios.names())
    assert all(line.endswith("?") for line in out.splitlines())


@pytest.mark.slow
def test_a_closed_pipe_is_no_trouble(tmp_path):
    command = f"{sys.executable} -m experiments.cli.main scenarios show baseline | head -1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.stdout.startswith("baseline: ") and "Traceback" not in done.stderr


def test_the_schema_is_json(innovex):
    code, out, _ = innovex("scenarios", "schema")
    assert code == 0 and json.loads(out) == scenarios.schema()


@pytest.mark.parametrize("name", scenarios.names())
def test_every_value_of_a_scenario_is_shown_with_unit_and_source(innovex, name):
    code, out, _ = innovex("scenarios", "show", name)
    assert code == 0
    resolved = scenarios.load(name).resolve()
    shown = {line.split("(")[1].split(")")[0] for line in out.splitlines() if line.startswith("  ") and " (" in line}
    rules = {*resolved.rules.calls._fields, *resolved.rules.terms._fields} - {"year"}
    assert rules <= shown
    assert {*resolved.parameters._fields} <= shown
    drawn = sum(entry.kind != "lever" for entry in scenarios.register().values())
    assert out.count("      Source: ") == drawn + len(rules)
    assert "nan" not in out.lower().split()


def test_choices_are_shown_in_words_and_absent_funders_as_a_dash(innovex):
    _, out, _ = innovex("scenarios", "show", "negotiated")
    assert "Funding rule (funding_rule): independent in 2013 to 2015, negotiated in 2016 to 2019" in out
    assert "Funding rule (funding_rule) from the call of 2016: negotiated, was independent" in out
    assert "Call takes place (held): yes" in out
    assert "Call closes (close_month), month: 2013-06, 2014-10, 2015-10" in out
    budgets = out[out.index("(budget_eur), EUR") :].splitlines()
    assert budgets[1].strip().startswith("Source: Totals by call")
    assert budgets[2].split() == list(scenarios.load("baseline").resolve().funder_codes)
    assert budgets[3].split()[:4] == ["2013", "-", "-", "593,020"]
    assert FUNDING_RULES[2] == "negotiated"


def test_what_a_scenario_holds_is_shown_as_held(innovex, tmp_path):
    (tmp_path / "mine.toml").write_text(HEAD + "[parameters]\ntrust_months = 4.5\n")
    code, out, _ = innovex("scenarios", "show", "mine.toml")
    assert code == 0
    line = next(line for line in out.splitlines() if "Time to trust (trust_months), months always" in line)
    assert "4.5 in every world, was 9 at the central values" in line and line.endswith("in nine worlds of ten")
    assert "Time to trust (trust_months), months: 4.5, held by the scenario in every draw" in out


# ---------- bad input


def written(name, content):
    """A step that writes a file."""
    return lambda folder: (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def sparse(folder):
    with open(folder / "mine.toml", "wb") as file:
        file.truncate(100_000_000)


def taken(folder):
    (folder / "taken").write_text("")


def unfinished(folder):
    (folder / "old").mkdir()


MINE = ["compare", "baseline", "mine.toml"]
BAD_INPUT = {
    "unknown scenario": (["compare", "baseline", "sinchronised"], None, ["sinchronised", "did you mean synchronised?"]),
    "unknown scenario to run": (["run", "basline"], None, ["basline", "did you mean baseline?"]),
    "unknown scenario to show": (["scenarios", "show", "basline"], None, ["did you mean baseline?"]),
    "missing file": (["compare", "baseline", "no/such.toml"], None, ["no/such.toml", "there is no such file"]),
    "unknown key": (MINE, written("mine.toml", HEAD + "[from.2016]\nproject_month = 3\n"),
                    ["mine.toml, from.2016.project_month", "did you mean project_months?"]),
    "unknown funder": (MINE, written("mine.toml", HEAD + "[from.2016.funders.DX]\nbudget_eur = 3\n"),
                       ["mine.toml, from.2016.funders.DX", "did you mean DK?"]),
    "wrong type": (MINE, written("mine.toml", HEAD + '[from.2016]\nproject_months = "long"\n'),
                   ["mine.toml, from.2016.project_months: text 'long'", "(months)"]),
    "wrong unit": (MINE, written("mine.toml", HEAD + '[from.2016.funders.DK]\nbudget_eur = "1 MEUR"\n'),
                   ["mine.toml, from.2016.funders.DK.budget_eur: text '1 MEUR'", "(EUR)"]),
    "out of range": (MINE, written("mine.toml", HEAD + "[from.2016]\nfill_share = 30\n"),
                     ["mine.toml, from.2016.fill_share: 30 is out of range", "0 to 1 (share)"]),
    "NaN": (MINE, written("mine.toml", HEAD + "[parameters]\ntrust_months = nan\n"),
            ["mine.toml, parameters.trust_months: nan is not a finite number", "(months)"]),
    "wrong choice": (MINE, written("mine.toml", HEAD + '[from.2016]\nfunding_rule = "negotiate"\n'),
                     ["'negotiate' is not a choice", "common_pot", "did you mean negotiated?"]),
    "extends itself": (MINE, written("mine.toml", HEAD + 'extends = "./mine.toml"\n'),
                       ["mine.toml, extends: the scenario extends itself (mine -> mine)"]),
    "missing parent": (MINE, written("mine.toml", HEAD + 'extends = "sinchronised"\n'),
                       ["mine.toml, extends: there is no scenario 'sinchronised'", "did you mean synchronised?"]),
    "not TOML": (MINE, written("mine.toml", "title: Mine\n"), ["mine.toml: it is not TOML"]),
    "not UTF-8": (MINE, written("mine.toml", b"title = '\xff'"), ["mine.toml: it is not UTF-8 text (line 1)"]),
    "empty": (MINE, written("mine.toml", ""), ["mine.toml: it is empty"]),
    "100 MB": (MINE, sparse, ["mine.toml: it is too large (100.0 MB)", "up to 1 MB"]),
    "a directory": (["compare", "baseline", "./"], None, ["it is a directory", "a TOML file"]),
    "no runs": (["compare", "baseline", "projects_24", "--runs", "0"], None, ["--runs is 0", "from 1 to 1000000"]),
    "draws below 0": (["compare", "baseline", "projects_24", "--draws", "-1"], None, ["--draws is -1", "from 0"]),
    "seed below 0": (["run", "baseline", "--seed", "-3"], None, ["--seed is -3", "from 0"]),
    "no horizon": (["run", "baseline", "--horizon", "0"], None, ["--horizon is 0", "from 12 to 240"]),
    "no SMEs": (["run", "baseline", "--smes", "0"], None, ["--smes is 0", "from 1"]),
    "too few SMEs": (["run", "baseline", "--smes", "5"], None, ["number of SMEs: 5 is out of range", "from 1600"]),
    "no threads": (["run", "baseline", "--threads", "0"], None, ["--threads is 0"]),
    "no reasons": (["compare", "baseline", "projects_24", "--reasons", "-1"], None, ["--reasons is -1"]),
    "text for a number": (["run", "baseline", "--runs", "many"], None, ["'--runs'", "integer", "innovex run --help"]),
    "unknown option": (["run", "baseline", "--drows", "1"], None, ["--drows", "--draws", "innovex run --help"]),
    "unknown command": (["comapre"], None, ["comapre", "Did you mean 'compare'?"]),
    "nothing to repeat": (["rerun"], None, ["Missing argument", "innovex rerun --help"]),
    "nothing to compare": (["compare"], None, ["compare needs at least two scenarios"]),
    "one scenario": (["compare", "baseline"], None, ["compare needs at least two scenarios"]),
    "twice the same": (["compare", "baseline", "baseline"], None, ["baseline is given more than once"]),
    "names beside --shipped": (["compare", "baseline", "--shipped"], None, ["leave the names away"]),
    "other calls": (MINE, written("mine.toml", HEAD + "last_call = 2017\n"),
                    ["mine.toml, last_call: 2017", "allowed: 2019, as in baseline"]),
    "other horizon": (MINE, written("mine.toml", HEAD + "horizon_months = 61\n"),
                      ["mine.toml, horizon_months: 61", "allowed: 60, as in baseline"]),
    "out is a file": (["run", "baseline", "--out", "taken/below"], taken, ["--out taken/below: taken is a file"]),
    "no manifest": (["rerun", "nowhere"], None, ["nowhere: there is no such file"]),
    "unfinished folder": (["rerun", "old"], unfinished, ["old: is not a finished results folder"]),
}  # fmt: skip


def one_sentence(code, out, err):
    """Assert that wrong input was answered as it should be; return the sentence."""
    assert code == 2 and out == ""
    assert err.startswith("innovex: ") and err.endswith("\n") and err.count("\n") == 1
    assert err[:-1].isprintable() and "Traceback" not in err and len(err) < 900
    return err


@pytest.mark.parametrize(("args", "prepare", "words"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_gets_a_sentence_and_nothing_is_written(innovex, tmp_path, monkeypatch, args, prepare, words):
    monkeypatch.setattr(comparison, "carry_out", lambda *_: pytest.fail("something was run"))
    if prepare:
        prepare(tmp_path)
    before = set(tmp_path.rglob("*"))
    told = one_sentence(*innovex(*args))
    assert not [word for word in words if word not in told], told
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_a_world_beyond_the_limit_of_the_process_gets_a_sentence_and_nothing_is_written(tmp_path):
    command = f"ulimit -v 3000000; {sys.executable} -m experiments.cli.main run --smes 25000000 --runs 1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    told = one_sentence(done.returncode, done.stdout, done.stderr)
    assert "a world of 25,000,000 SMEs" in told and "allowed: --smes" in told
    assert not list(tmp_path.iterdir())


def test_memory_that_runs_out_gets_a_sentence_and_nothing_is_written(innovex, tmp_path, monkeypatch):
    def runs_out(*_):
        raise MemoryError("Unable to allocate 1.00 TiB")

    monkeypatch.setattr(comparison, "carry_out", runs_out)
    told = one_sentence(*innovex("run", "baseline", "--runs", "1", "--smes", "2000"))
    assert told == "innovex: memory has run out; allowed: fewer --smes, fewer --threads or fewer --draws\n"
    assert not list(tmp_path.iterdir())


def test_a_results_folder_that_is_unfinished_is_told_before_anything_runs(innovex, tmp_path, monkeypatch):
    code, out, _ = innovex("run", "baseline", "--runs", "1", "--smes", "2000", "--no-report")
    folder = Path(out.splitlines()[-1].removeprefix("Tables: "))
    assert code == 0
    (folder / "manifest.json").unlink()
    before = set(tmp_path.rglob("*"))
    monkeypatch.setattr(comparison, "carry_out", lambda *_: pytest.fail("something was run"))
    told = one_sentence(*innovex("run", "baseline", "--runs", "1", "--smes", "2000", "--no-report"))
    assert f"{folder}: is there and holds no finished results (no manifest.json); remove it or choose" in told
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("args", [MINE, ["run", "baseline", "--runs", "0"], ["comapre"]])
def test_bad_input_in_a_process_of_its_own(tmp_path, args):
    written("mine.toml", b"title = '\xff'")(tmp_path)
    done = process(*args, cwd=tmp_path, text=True)
    one_sentence(done.returncode, done.stdout, done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


# ---------- answers and progress


def test_a_comparison_tells_its_answers_and_where_they_are(innovex):
    code, out, err = innovex("compare", "baseline", "projects_24", *SMALL)
    assert code == 0
    lines = out.splitlines()
    folder = Path(lines[-1].removeprefix("Tables: "))
    assert lines[0].removeprefix("- ") == read_manifest(folder)["answers"][0]
    assert folder.parent == Path("results") and folder.name.startswith("baseline-vs-projects_24-")
    assert "scenarios: 4 runs" in err and "tables" in err.splitlines()


@pytest.mark.slow
def test_a_run_tells_its_main_values(innovex):
    code, out, _ = innovex("run", "baseline", "--runs", "2", "--smes", "2000", "--no-report", "--out", "mine/here")
    assert code == 0
    assert "- Net contracts: additional less displaced: " in out and "EUR" in out
    assert out.splitlines()[-1].startswith("Tables: mine/here/baseline-")


@pytest.mark.slow
def test_all_shipped_scenarios_can_be_compared(innovex):
    code, out, _ = innovex("compare", "--shipped", "--draws", "0", "--runs", "1", "--smes", "2000", "--reasons", "0",
                           "--spending", "0", "--no-report")  # fmt: skip
    assert code == 0 and len(out.splitlines()) == len(scenarios.names())


def test_plain_lines_tell_the_time_left(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    advance = progress.lines("reasons", 1000)
    for _ in range(10):
        now[0] += 6.0
        advance(50)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "reasons: 1,000 runs"
    assert told[1] == "reasons: 200 of 1,000 runs, about 2 minutes left"
    assert len(told) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 1 seconds"), (40, "about 40 seconds"), (200, "about 3 minutes"), (9000, "about 2.5 hours")],
)
def test_time_left_in_words(seconds, words):
    assert progress.time_left(seconds) == words


def test_the_first_start_says_that_it_compiles(capsys):
    from simulator import kernel_cache

    for kernels, lines in ((2, 1), (0, 0)):
        with progress.progress():
            for _ in range(kernels):
                kernel_cache._callbacks[-1]()
        assert capsys.readouterr().err.count("Compiling the model for this machine: once after install") == lines


@pytest.mark.slow
def test_every_stage_comes_to_its_end():
    """What a stage announces is what it hears of, equal spending too, whose rounds are not known before."""
    todo, heard = {}, {}

    def stage(what, runs):
        todo[what], heard[what] = runs, 0

        def advance(done):
            heard[what] += done

        return advance

    experiments.compare(
        "baseline", "budget_plus_30", "grants_large", draws=3, runs=1, smes=2000, reasons=1, spending=3, stage=stage
    )
    assert set(todo) == {"scenarios", "equal spending", "reasons"}
    assert heard == todo


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_bar_with_time_left(tmp_path):
    import pty

    main, side = pty.openpty()
    args = ["run", "baseline", "--runs", "6", "--smes", "2000", "--no-report"]
    running = subprocess.Popen(
        [sys.executable, "-m", "experiments.cli.main", *args], cwd=tmp_path, env=environment() | {"TERM": "xterm"},
        stdout=subprocess.DEVNULL, stderr=side,
    )  # fmt: skip
    os.close(side)
    told = b""
    with contextlib.suppress(OSError):  # so Linux tells the end
        while part := os.read(main, 4096):
            told += part
    os.close(main)
    assert running.wait() == 0
    assert b"scenarios" in told and b"6/6" in told and b"time left" in told


# ---------- Ctrl-C

DRIVER = """
import sys, time, types
from experiments.cli import main as cli
from experiments.cli import progress
from experiments.comparison import folder as results
progress.EVERY_SECONDS = 0.0
slow = types.ModuleType("experiments.comparison.report")
def write_report(comparison, folder):
    print("writing the report", file=sys.stderr, flush=True)
    (folder / "report.html").write_text("half")
    time.sleep(60)
slow.write_report = write_report
sys.modules["experiments.comparison.report"] = slow
write_table = results.write_table
def slowly(*args):
    print("writing a table", file=sys.stderr, flush=True)
    time.sleep(0.05)
    write_table(*args)
results.write_table = slowly
cli.main()
"""


def interrupted(folder, until, *args, times=1):
    """Start a command, press Ctrl-C at the first line that starts with `until`; return exit code, stdout, stderr."""
    running = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *args], cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    told = []
    for line in running.stderr:
        told.append(line)
        if line.startswith(until):
            break
    for _ in range(times):
        running.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, err = running.communicate(timeout=120)
    assert told[-1].startswith(until), "".join(told)
    return running.returncode, out, err


ASKED = ["compare", "baseline", "projects_24", "--runs", "1", "--smes", "2000"]
NO_PARTS = ["--reasons", "0", "--spending", "0"]
STAGES = {
    "main runs": (
        "scenarios: 24 of", ["--draws", "2000"], ["draws", "equal spending", "reasons"], "by_call", "-interrupted",
    ),
    "equal spending": (
        "equal spending: 14 of", ["--draws", "5"], ["equal spending", "reasons"], "by_call", "-interrupted",
    ),
    "reasons": ("reasons: 6 of", ["--draws", "3", "--spending", "0"], ["reasons"], "by_call", "-interrupted"),
    "writing tables": ("writing a table", ["--draws", "3", *NO_PARTS], ["report"], "lost", ""),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("until", "asked", "missing", "table", "tail"), STAGES.values(), ids=STAGES)
def test_ctrl_c_leaves_what_is_finished_readable(tmp_path, innovex, until, asked, missing, table, tail):
    more = ["--no-report"] if "report" not in missing else []
    code, out, err = interrupted(tmp_path, until, *ASKED, *asked, *more)
    assert code == 130, err
    (folder,) = results_in(tmp_path / "results")
    told = read_manifest(folder)
    assert told["complete"] is False and told["missing"] == missing
    assert folder.name.endswith(tail) and not (folder / "report.html").exists()
    frames = load(folder)
    assert len(getattr(frames, table)) > 0 and frames.by_call.draw.nunique() == told["finished_draws"]
    sentence = err.splitlines()[-1]
    draws = f"{told['finished_draws']} of {told['draws']:,} draws are finished"
    assert sentence.startswith(f"innovex: interrupted, {draws}")
    assert f"missing: {', '.join(missing)}" in sentence
    assert sentence.endswith("; the same command goes on from there.")
    assert "Traceback" not in err and "- Projects of 24 months: " in out


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("module", ["numba.core.types", "experiments.comparison.carry_out"])
def test_ctrl_c_while_a_command_starts_is_never_lost(tmp_path, module):
    """An import that is interrupted may keep it to itself: here one that swallows what it is hit by."""
    code = (
        "import builtins, os, signal, sys\n"
        "real = builtins.__import__\n"
        "def hit(name, *rest, **more):\n"
        f"    if name == {module!r}:\n"
        "        try: os.kill(os.getpid(), signal.SIGINT)\n"
        "        except BaseException: pass\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = hit\n"
        "from experiments.cli.main import main\n"
        "sys.argv = ['innovex', 'run', '--runs', '1', '--smes', '2000', '--no-report']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert done.stderr == "innovex: interrupted before anything was finished; nothing is written.\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_while_the_report_is_written_leaves_all_tables_even_pressed_thrice(tmp_path):
    code, _, _ = interrupted(tmp_path, "writing the report", *ASKED, "--draws", "3", *NO_PARTS, times=3)
    assert code in (130, -signal.SIGINT)  # the same to a shell
    (folder,) = results_in(tmp_path / "results")
    assert read_manifest(folder)["missing"] == ["report"] and not (folder / "report.html").exists()
    assert load(folder).by_call.draw.nunique() == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_before_anything_is_finished_writes_no_results(tmp_path):
    code, out, err = interrupted(tmp_path, "scenarios: ", *ASKED, "--draws", "3")
    assert code == 130 and out == ""
    if (tmp_path / "results").exists():  # the first runs were quicker than the signal
        assert [path.name for path in (tmp_path / "results").iterdir()] == ["runs"]
        assert "finished runs are kept in results/runs" in err.splitlines()[-1]
    else:
        assert err.splitlines()[-1] == "innovex: interrupted before anything was finished; nothing is written."
        assert list(tmp_path.iterdir()) == []


class Stop:
    """A stage-maker that presses Ctrl-C in the given stage after so many runs."""

    def __init__(self, where, runs):
        self.where, self.left = where, runs

    def __call__(self, what, todo):
        def advance(runs):
            if what == self.where:
                self.left -= runs
                if self.left <= 0:
                    raise KeyboardInterrupt

        return advance


class Heard:
    """A stage-maker that counts runs."""

    def __init__(self):
        self.runs = {}

    def __call__(self, what, todo):
        def advance(runs):
            self.runs[what] = self.runs.get(what, 0) + runs

        return advance


@pytest.mark.slow
@pytest.mark.parametrize(("where", "runs"), [("equal spending", 2), ("reasons", 20)])
def test_an_interrupted_part_does_not_touch_what_was_before(where, runs):
    asked = {"draws": 3, "runs": 1, "smes": 2000, "reasons": 1, "spending": 3, "threads": 1}
    part = experiments.compare("baseline", "projects_24", stage=Stop(where, runs), **asked)
    whole = experiments.compare("baseline", "projects_24", **asked)
    missing = ["equal spending", "reasons"] if where == "equal spending" else ["reasons"]
    assert part.manifest["missing"] == missing
    assert part.reasons.empty and part.spending.empty == (where == "equal spending")
    assert_frame_equal(part.by_call, whole.by_call)
    assert_frame_equal(part.effects, whole.effects[whole.effects.basis.isin(part.effects.basis)].reset_index(drop=True))


# ---------- report


@pytest.mark.slow
def test_a_report_is_written_again_from_the_tables(innovex, tmp_path):
    code, out, _ = innovex("compare", "baseline", "projects_24", *SMALL[:-1])
    folder = Path(out.splitlines()[-1].removeprefix("Tables: "))
    before = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    shutil.rmtree("results/runs")
    code, out, err = innovex("report", folder)
    assert (code, out) == (0, f"Report: {folder / 'report.html'}\n"), err
    assert (folder / "report.html").read_bytes() == before and not Path("results/runs").exists()
    (folder / "effects.parquet").unlink()
    assert "is not a whole results folder (effects.parquet missing)" in one_sentence(*innovex("report", folder))
    assert "is not a finished results folder" in one_sentence(*innovex("report", "."))


# ---------- rerun


def asked_and_rerun(innovex, *args):
    """Ask a question, forget the user's file, and repeat it from the manifest; return what rerun tells."""
    code, out, err = innovex(*args)
    assert code == 0, err
    folder = Path(out.splitlines()[-1].removeprefix("Tables: "))
    Path("mine.toml").unlink(missing_ok=True)
    return folder, innovex("rerun", folder, "--no-report")


QUESTIONS = {
    "two shipped": ["compare", "baseline", "projects_24", *SMALL],
    "the user's own, with a parameter and rules of a funder": ["compare", "baseline", "mine.toml", *SMALL],
    "the user's own as base": ["compare", "mine.toml", "baseline", *SMALL, "--seed", "7"],
    "another horizon": ["compare", "baseline", "mine.toml", *SMALL, "--horizon", "37"],
    "central values": ["compare", "baseline", "mine.toml", "--draws", "0", "--runs", "2", "--smes", "1700",
                       "--reasons", "0", "--spending", "0", "--no-report"],
    "one scenario": ["run", "mine.toml", "--runs", "2", "--smes", "2000", "--no-report"],
    "all parts": ["compare", "baseline", "mine.toml", "--draws", "2", "--runs", "1", "--smes", "2000", "--reasons", "1",
                  "--spending", "1", "--no-report"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_study_is_repeated_bit_for_bit_without_its_files(innovex, tmp_path, question):
    mine = "[parameters]\ntrust_months = 4.1\n[from.2016]\nproject_months = 20\nheld = true\n"
    mine += 'funding_rule = "negotiated"\n'
    (tmp_path / "parent.toml").write_text(HEAD + "[from.2017.funders.DK]\nbudget_eur = 123456.7\n")
    (tmp_path / "mine.toml").write_text(HEAD + 'extends = "./parent.toml"\n' + mine)
    folder, (code, out, _) = asked_and_rerun(innovex, *question)
    assert code == 0
    assert out.splitlines()[0] == f"The same, bit for bit: all 13 tables of {folder}."
    assert [path.name for path in results_in()] == [folder.name]


@pytest.mark.slow
def test_a_manifest_is_enough_when_its_folder_is_gone(innovex, tmp_path):
    folder, (code, _, _) = asked_and_rerun(innovex, *QUESTIONS["two shipped"])
    assert code == 0
    names = [declared.name for declared in TABLES]
    tables = {name: getattr(load(folder), name) for name in names}
    shutil.copy(folder / "manifest.json", "kept.json")
    shutil.rmtree("results")
    code, out, _ = innovex("rerun", "kept.json", "--no-report")
    assert code == 0 and out.startswith("The same, bit for bit")
    for name in names:
        assert_frame_equal(getattr(load(folder), name), tables[name], check_exact=True)


@pytest.mark.slow
def test_other_numbers_than_the_manifest_says_are_told_and_kept_apart(innovex, tmp_path):
    folder, _ = asked_and_rerun(innovex, *QUESTIONS["two shipped"])
    told = json.loads((folder / "manifest.json").read_text())
    told["tables"]["lost.parquet"] = "0" * 32
    told["platform"] = "another machine"
    (folder / "manifest.json").write_text(json.dumps(told))
    code, out, _ = innovex("rerun", folder, "--no-report")
    assert code == 1
    assert out.splitlines()[0] == f"Not the same: lost.parquet differ from those of {folder}."
    assert "platform: then another machine, now" in out
    assert out.splitlines()[-1] == f"Tables: results/{folder.name}-rerun"


@pytest.mark.slow
def test_the_same_command_goes_on_after_ctrl_c_and_rerun_runs_all_anew(innovex, tmp_path, monkeypatch):
    question = ("compare", "baseline", "projects_24", *SMALL[2:], "--draws", "20", "--threads", "1")
    with monkeypatch.context() as patched:
        patched.setattr(progress, "lines", Stop("scenarios", 18))
        code, _, err = innovex(*question)
    assert code == 130
    (part,) = results_in()
    assert read_manifest(part)["finished_draws"] == 8 and "8 of 20 draws are finished" in err
    heard = Heard()
    monkeypatch.setattr(progress, "lines", heard)
    code, out, _ = innovex(*question)
    whole = Path(out.splitlines()[-1].removeprefix("Tables: "))
    assert code == 0 and whole != part and read_manifest(whole)["complete"]
    kept, all_draws = load(part).by_call, load(whole).by_call
    assert_frame_equal(all_draws[all_draws.draw < 8].reset_index(drop=True), kept, check_exact=True)
    assert innovex("rerun", part, "--no-report")[1].startswith("The same, bit for bit") is False  # it was cut short
    assert innovex("rerun", whole, "--no-report")[1].startswith("The same, bit for bit: all 13 tables")
    assert {path.name for path in Path("results").iterdir()} == {part.name, whole.name, "runs"}


def setting(*row):
    """A step that adds a setting to a manifest's second scenario."""
    return lambda told: told["scenarios"]["projects_24"]["settings"].append(list(row))


SPOILT = {
    "unknown lever": (setting(2016, None, "project_month", 3),
                      ["scenarios.projects_24, from.2016.project_month", "did you mean project_months?"]),
    "value out of range": (setting(2017, None, "held", 3), ["from.2017.held: 3 does not fit", "true or false"]),
    "text for a number": (lambda told: told.update(draws="many"), ["draws: 'many' does not fit", "a whole number"]),
    "number out of range": (lambda told: told.update(runs=0), ["--runs is 0"]),
    "no settings": (lambda told: told["scenarios"]["projects_24"].pop("settings"), ["scenarios.projects_24"]),
    "a scenario that is not there": (lambda told: told["compared"].append("other"), ["scenarios.other"]),
    "no list": (lambda told: told.update(compared="baseline"), ["compared: does not fit"]),
    "no tables": (lambda told: told.pop("tables"), ["tables is missing"]),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_manifest_is_told_in_a_sentence(innovex, tmp_path, monkeypatch, spoil, words):
    ready = study.prepare(("baseline", "projects_24"), study.Settings(2, 1, smes=2000))
    told = content_of(ready) | {"tables": {}, "complete": True}
    spoil(told)
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    monkeypatch.setattr(comparison, "carry_out", lambda *_: pytest.fail("something was run"))
    sentence = one_sentence(*innovex("rerun", "manifest.json"))
    assert sentence.startswith("innovex: ") and not [word for word in words if word not in sentence], sentence
