"""The documents hold what they say: the ODD is the code's, commands exist, code runs, links lead somewhere."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

import scenarios
from experiments.cli.main import app, main, scenarios_app
from experiments.sweeps.result import prepared

ROOT = Path(__file__).parents[1]
ADDED = "finland_returns|briefings"  # what docs/adding.md adds, as an example
OF_THE_ROOT = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES = [*OF_THE_ROOT, *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts)]
READ = [page for page in PAGES if page.name != "ODD.template.md"]  # ODD.md is what becomes of it
README = (ROOT / "README.md").read_text(encoding="utf-8")
# README's settings made small: what runs must run, and need not run long.
SMALL_STUDY = ("draws=200", "draws=2, runs=1, smes=2000, reasons=0, spending=0")
SMALL_MODEL = ('Innovex("fast_and_synchronised", rng=1)', 'Innovex("fast_and_synchronised", rng=1, smes=2000)')
SMALL_BATCH = ('"rng": range(5)}', '"rng": [1], "smes": 2000, "last_call": 2016}, display_progress=False')


def blocks(language):
    """README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def by_name(page):
    return page.relative_to(ROOT).as_posix()


def commands(text):
    """Words after `innovex`, `make` and `python -m` in code."""
    shown = re.findall(r"^```(?:sh|\{run\} sh)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    code = "\n".join([*shown, *re.findall(r"`[^`\n]+`", text)])
    return {tool: set(re.findall(rf"(?:^|[/`\s]){tool} ([\w.-]+)", code)) for tool in ("innovex", "make", "python -m")}


def test_the_odd_is_what_the_code_says():
    spec = importlib.util.spec_from_file_location("build_odd", ROOT / "docs" / "build_odd.py")
    build_odd = importlib.util.module_from_spec(spec)
    sys.modules["build_odd"] = build_odd  # where its classes look for their module
    spec.loader.exec_module(build_odd)
    written = (ROOT / "docs" / "ODD.md").read_text(encoding="utf-8")
    assert written == build_odd.build(), "docs/ODD.md is behind the code: run `python -m docs.build_odd`"


def test_every_rule_and_parameter_stands_in_the_odd():
    odd = (ROOT / "docs" / "ODD.md").read_text(encoding="utf-8")
    for file in (ROOT / "simulator" / "rules").glob("[a-z]*.py"):
        for name in re.findall(r"^def (\w+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
            assert odd.count(f"#### {name}\n") == 1, name
    for name in scenarios.register():
        assert f"| `{name}` |" in odd, name


@pytest.mark.parametrize("page", READ, ids=by_name)
def test_commands_exist(page):
    found = commands(page.read_text(encoding="utf-8"))
    groups = {group.name for group in app.registered_groups}
    known = {command.callback.__name__ for command in app.registered_commands} | groups | {"--help", "--version"}
    assert found["innovex"] <= known
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert found["make"] <= set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
    for module in found["python -m"]:
        assert (ROOT / f"{module.replace('.', '/')}.py").exists() or importlib.util.find_spec(module), module


@pytest.mark.parametrize("page", READ, ids=by_name)
def test_named_files_exist(page):
    text = page.read_text(encoding="utf-8")
    if page.name == "CHANGELOG.md":  # earlier entries name what was there then
        text = re.split(r"^## ", text, flags=re.MULTILINE)[1]
    rooms = "simulator|scenarios|calibration|experiments|tests|benchmarks|docs"
    for name in set(re.findall(rf"`((?:{rooms})/[\w./*-]*)`", text)):
        made = name.startswith("docs/_build") or re.search(ADDED, name)
        assert made or any(ROOT.glob(name.rstrip("/"))), name


def test_the_readme_shows_commands_to_start_and_to_ask():
    found = commands(README)
    assert {"demo", "test"} <= found["make"] and {"compare", "scenarios", "rerun"} <= found["innovex"]
    subcommands = {command.name or command.callback.__name__ for command in scenarios_app.registered_commands}
    assert set(re.findall(r"innovex scenarios ([a-z]+)", README)) <= subcommands


@pytest.mark.parametrize("page", READ, ids=by_name)
def test_named_scenarios_exist(page):
    text = page.read_text(encoding="utf-8")
    asked = re.findall(r"innovex (?:run|compare|scenarios show) ([^`#|\n]+)", text)
    words = {word for line in asked for word in re.split(r"(?:^|\s+)--", line)[0].split()}
    names = {word for word in words if not word.endswith(".toml")}
    names |= set(re.findall(r"(?:extends = |Innovex\()\"(\w+)\"", text))
    for listed in re.findall(r"(?:\"scenario\": \[|compare\()((?:\"\w+\",? ?)+)", text):
        names |= set(re.findall(r"\w+", listed))
    assert {name for name in names if not name.isupper()} <= {*scenarios.names(), *ADDED.split("|")}


def test_the_readmes_scenario_file_is_eight_lines_and_loads(tmp_path):
    (block,) = [block for block in blocks("toml") if "extends" in block]
    assert len(block.splitlines()) == 8
    file = tmp_path / "mine.toml"
    file.write_text(block, encoding="utf-8")
    assert scenarios.load(file).resolve().change_year == 2017


def test_the_readmes_experiment_is_one(tmp_path):
    (block,) = [block for block in blocks("toml") if "[method]" in block]
    (tmp_path / "mine.toml").write_text(block, encoding="utf-8")
    plan, _ = prepared(tmp_path / "mine.toml", tmp_path)
    assert {"idea_rate", "project_months", "displacement"} <= {factor.name for factor in plan.factors}


def test_the_scenario_and_the_experiment_that_are_added_load(tmp_path):
    page = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
    for name, block in re.findall(r"^```toml\n# \S+/(\w+)\.toml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        file = tmp_path / f"{name}.toml"
        file.write_text(block, encoding="utf-8")
        if "[method]" in block:
            assert prepared(file, tmp_path)[0].factors
        else:
            assert scenarios.load(file).resolve().change_year == 2016
    assert len(list(tmp_path.iterdir())) == 2


def test_the_readmes_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study, many, model = (_block_with(word) for word in ("compare(", "ManyRuns(", "Innovex("))
    told = {}
    exec(
        _smaller(study, SMALL_STUDY).replace('comparison.save("results")', 'comparison.save("results", report=False)'),
        told,
    )
    assert set(told["effects"]["scenario"]) == {"fast_and_synchronised"}
    assert set(told["by_country"].index.get_level_values("scenario")) == {"baseline", "fast_and_synchronised"}
    assert (tmp_path / told["folder"] / "manifest.json").exists()
    exec(_smaller(many, ("draws=1_000", "draws=1, smes=2_000")), told)
    assert set(told["frame"]["scenario"]) == {"baseline", "projects_24"} and (tmp_path / "runs.parquet").exists()
    exec(_smaller(model, SMALL_MODEL, SMALL_BATCH), told)
    assert len(told["months"]) == told["model"].months and len(told["rows"]) == 4


def _block_with(word):
    (block,) = (block for block in blocks("python") if word in block)
    return block


def _smaller(code, *changes):
    for was, now in changes:
        assert was in code, f"README no longer says {was}"
        code = code.replace(was, now)
    return code


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        assert "://" not in target, f"{target}: a link out of the project, which nobody checks"
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), target
        if anchor:
            assert anchor in anchors(goal.read_text(encoding="utf-8")), target


def anchors(text):
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_no_page_names_a_host():
    hosts = re.compile(r"py[p]i|python[h]osted|npm[j]s|deb\.[d]ebian|https?://|/wo[r]k/", flags=re.IGNORECASE)
    for page in PAGES:
        assert not hosts.search(page.read_text(encoding="utf-8")), page.name


def test_the_readmes_speed_is_that_of_the_page_on_speed():
    told = re.search(r"<!-- speed: .*? -->\n(.*?)<!-- /speed -->", README, flags=re.DOTALL)[1]
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    machine = next(line for line in told.splitlines() if line.startswith("Machine, "))
    assert machine in page
    for row in re.findall(r"^\| (.+)$", told, flags=re.MULTILINE)[2:]:
        what, median, best, target, part = (cell.strip() for cell in row.strip(" |").split(" | "))
        number, unit = median.split(" ")
        assert f"| {what} | wall | {unit} | {best} | {number} |" in page
        assert f"| {target} |" in page and f"benchmarks.run {part}`" in page


def test_the_version_is_the_same_everywhere(capsys, monkeypatch):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    entries = re.findall(r"^## \[(.+)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert entries[0][0] == version, "the changelog's first entry is that of the version"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in entries[1:]), "earlier versions have a date"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d|unreleased", entries[0][1])
    monkeypatch.setattr(sys, "argv", ["innovex", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == f"innovex {version}\n", "install again: make .venv/test.stamp"
