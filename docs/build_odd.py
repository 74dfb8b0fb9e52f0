"""Write `docs/ODD.md`: the prose of `docs/ODD.template.md`, and what the code itself says in its places.

    python -m docs.build_odd

State tables come from the rooms that own them, the schedule from `simulator.schedule.MONTH`, submodels from the
docstrings of processes and rules, measures from their rows, parameters from the register, inputs from the programme.
A test holds the committed file against what this writes.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import scenarios
from calibration import survey_entries
from experiments.comparison.mechanisms import MECHANISMS
from scenarios import Entry
from simulator import observe, parameters, schedule, state
from simulator.instruments import INSTRUMENTS
from simulator.instruments.calls.tables import CAUSES, KINDS, MONEY
from simulator.measures import Measure, Ratio, Sum

HERE = Path(__file__).parent
TEMPLATE, ODD = HERE / "ODD.template.md", HERE / "ODD.md"
EVIDENCE = HERE.parent / "calibration" / "evidence"
HEAD = "<!-- Made by `python -m docs.build_odd` from docs/ODD.template.md and the code. Do not edit. -->\n\n"
TABLES = (
    "simulator.world.tables",
    "simulator.outcomes.tables",
    "simulator.instruments.calls.tables",
    "simulator.outcomes.events",
)  # the modules that declare tables, in the order in which they are shown
THEORY = (
    "simulator.founding",
    "simulator.world",
    "simulator.outcomes",
    "simulator.instruments",
    "simulator.rules",
    "simulator.observe",
)  # the modules that describe the world
SKIPPED_STEPS = ("note", "note_in_project", "origin_of")  # they write the log, and say nothing about the world


def build() -> str:
    """Return the whole document."""
    text = TEMPLATE.read_text(encoding="utf-8")
    places = re.findall(r"^\{\{(\w+)\}\}$", text, flags=re.MULTILINE)
    if sorted(places) != sorted(PARTS):
        raise ValueError(f"{TEMPLATE.name} must hold each of these once: {', '.join(sorted(PARTS))}")
    for name, part in PARTS.items():
        text = text.replace(f"{{{{{name}}}}}", "\n".join(part()))
    return HEAD + text.rstrip() + "\n"


# Markdown.


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """Return a table's lines; cells may hold anything that fits into one line."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def _code(name: str) -> str:
    return f"`{name}`"


def _paragraphs(text: str) -> list[str]:
    """Return a docstring as Markdown: lines of a paragraph joined, so that no formula's `*` begins a list."""
    lines: list[str] = []
    for block in inspect.cleandoc(text).split("\n\n"):
        as_it_is = re.match(r"    |- ", block)
        lines += [block if as_it_is else " ".join(block.split()), ""]
    return lines


# State, from the source: a dtype knows its fields, and only the text knows what they mean.

_TABLE = re.compile(r"((?:^# [^\n]*\n)+)^([A-Z_]+) = table\(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^    \("(\w+)", np\.(\w+)(?:, [\w.-]+)?\),(?:  # (.*))?$', re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (?:# (.*)|(\w+): \w+(?:  # (.*))?)$", re.MULTILINE)
_FOR_TOOLS = re.compile(r"\s*(?:# )?(?:type: ignore|noqa|fmt:|pragma:)[^#]*")  # comments that are no meaning


def _state() -> list[str]:
    """Return every table of the state, field by field."""
    lines = []
    for module in map(importlib.import_module, TABLES):
        for comment, name, body in _TABLE.findall(inspect.getsource(module)):
            fields = _FIELD.findall(body)
            if tuple(field for field, _, _ in fields) != getattr(module, name).dtype.names:
                raise ValueError(f"the fields of {module.__name__}.{name} could not be read from its source")
            rows = ((_code(field), dtype, _meaning(meaning) or _in_words(field)) for field, dtype, meaning in fields)
            lines += [f"**{_code(name)}.** {_uncommented(comment)}", ""]
            lines += [*_table(("field", "type", "meaning"), rows), ""]
    lines += ["Kinds of events, with who and whom they are about:", "", *_events(), ""]
    for what, names in (
        ("Instruments", INSTRUMENTS), ("Money of a partner", MONEY), ("Causes of refusal", CAUSES[1:]),
        ("Kinds of projects", KINDS),
    ):  # fmt: skip
        lines += [f"{what}: {', '.join(map(_in_words, names))}.", ""]
    lines += ["**The run as a whole** (`State`).", "", *_attributes(state.State), ""]
    return lines


def _events() -> list[str]:
    """Return the kinds of events in the log, by number."""
    rows = ((int(kind), _in_words(kind.word), kind.who, kind.whom or "") for kind in state.KINDS_OF_EVENTS)
    return _table(("number", "event", "who", "whom"), rows)


def _meaning(comment: str) -> str:
    """Return a comment without what it says to tools."""
    return _FOR_TOOLS.sub("", comment).strip()


def _uncommented(comment: str) -> str:
    return " ".join(line.removeprefix("# ") for line in comment.splitlines())


def _in_words(field: str) -> str:
    return field.replace("_", " ")


def _attributes(cls: type) -> list[str]:
    """Return the attributes of a named tuple with their comments; a line of comment heads those that follow."""
    rows = []
    for heading, name, meaning in _ATTRIBUTE.findall(inspect.getsource(cls)):
        if heading:
            rows.append((f"*{heading}*", ""))
        else:
            entry = scenarios.register().get(name)
            rows.append(
                (_code(name), _meaning(meaning) or (f"{entry.label} ({entry.unit})" if entry else _in_words(name)))
            )
    return _table(("name", "meaning"), rows)


# The month and its parts, from the source of the processes.


class _Module(NamedTuple):
    functions: dict[str, ast.FunctionDef]
    imported: dict[str, tuple[str, str]]  # local name -> (module, name)


class Uses(NamedTuple):
    """What a process is made of, each in order of first use: (module, name) of steps and rules, and names."""

    steps: list[tuple[str, str]]
    rules: list[tuple[str, str]]
    parameters: list[str]
    draws: list[str]


@cache
def _module(name: str) -> _Module:
    tree = ast.parse(inspect.getsource(importlib.import_module(name)))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return _Module(functions, imported)


def uses(module: str, name: str) -> Uses:
    """Return what a function of a process reaches, through the functions that it calls."""
    parts = Uses([], [], [], [])
    _walk(module, name, parts)
    return parts


def _walk(module: str, name: str, parts: Uses) -> None:
    home = parts.rules if module.startswith("simulator.rules") else parts.steps
    if (module, name) in home:
        return
    home.append((module, name))
    here = _module(module)
    for node in (each for line in here.functions[name].body for each in _in_order(line)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            _note_attribute(node.value.id, node.attr, parts)
        elif isinstance(node, ast.Name):
            where, original = here.imported.get(node.id, (module, node.id))
            if where.startswith(THEORY) and original in _module(where).functions:
                _walk(where, original, parts)


def _in_order(node: ast.AST) -> Iterable[ast.AST]:
    """Yield a node and all below it, as they stand in the text."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _note_attribute(owner: str, name: str, parts: Uses) -> None:
    if owner == "parameters" and name in parameters.Parameters._fields and name not in parts.parameters:
        parts.parameters.append(name)
    if owner == "draws" and name.isupper() and name not in parts.draws:
        parts.draws.append(name)


def _doc(module: str, name: str) -> str:
    """Return what a function's docstring says of the world: what it returns, or what happens."""
    text = ast.get_docstring(_module(module).functions[name]) or ""
    returned = text.removeprefix("Return ")
    return text if returned == text else returned[:1].upper() + returned[1:]


def _processes() -> list[tuple[str, str, str]]:
    """Return (module, name, comment) of the month's processes, in order."""
    comments = dict(re.findall(r"^    (\w+),  # (.*)$", inspect.getsource(schedule), flags=re.MULTILINE))
    names = [getattr(each, "py_func", each).__name__ for each in schedule.MONTH]
    if list(comments) != names:
        raise ValueError("simulator.schedule.MONTH could not be read from its source")
    return [(_module("simulator.schedule").imported[name][0], name, comments[name]) for name in names]


def _schedule() -> list[str]:
    """Return the month as a table."""
    rows = (
        (place, f"[{_code(name)}](#7{place}-{name})", comment, _doc(module, name).split("\n\n")[0])
        for place, (module, name, comment) in enumerate(_processes(), start=1)
    )
    return _table(("order", "process", "step", "what happens"), rows)


def _submodels() -> list[str]:
    """Return every process of the month with its steps and rules; a rule stands where it is first used."""
    described: dict[tuple[str, str], str] = {}
    described |= {rule: "initialization" for rule in _founding().rules}
    lines: list[str] = []
    for number, (module, name, comment) in enumerate(_processes(), start=1):
        parts = uses(module, name)
        lines += [f"### 7.{number} {name}", "", f"Step of the month: {comment}. Source: `{module}`.", ""]
        lines += _paragraphs(_doc(module, name))
        lines += _steps(parts, (module, name), described)
        lines += _rules(parts, described, name)
        lines += _made_of(parts)
    unused = [rule for rule in _all_rules() if rule not in described]
    if unused:
        raise ValueError(f"rules that no process uses: {', '.join(name for _, name in unused)}")
    return lines


def _steps(parts: Uses, process: tuple[str, str], described: dict[tuple[str, str], str]) -> list[str]:
    """Return the steps of a process that no earlier one has, each by its docstring."""
    new = [step for step in parts.steps if step != process and step not in described and step[1] not in SKIPPED_STEPS]
    described |= dict.fromkeys(new, process[1])
    if not new:
        return []
    rows = [f"- {_code(name.lstrip('_'))}: {' '.join(_doc(module, name).split())}" for module, name in new]
    return ["Steps:", "", *rows, ""]


def _rules(parts: Uses, described: dict[tuple[str, str], str], process: str) -> list[str]:
    """Return the rules of a process: in full where they first occur, by name later."""
    new = [rule for rule in parts.rules if rule not in described]
    earlier = [name for module, name in parts.rules if (module, name) not in new]
    described |= dict.fromkeys(new, process)
    lines = []
    for module, name in new:
        arguments = ", ".join(argument.arg for argument in _module(module).functions[name].args.args)
        lines += [f"#### {name}", "", f"`{name}({arguments})` in `{module}`", "", *_paragraphs(_doc(module, name))]
    if earlier:
        links = ", ".join(f"[{_code(name)}](#{name})" for name in dict.fromkeys(earlier))
        lines += [f"Rules described above: {links}.", ""]
    return lines


def _made_of(parts: Uses) -> list[str]:
    lines = []
    if parts.parameters:
        lines += [f"Parameters: {', '.join(map(_code, parts.parameters))}.", ""]
    if parts.draws:
        lines += [f"Draws: {', '.join(map(_code, parts.draws))}.", ""]
    return lines


def _all_rules() -> list[tuple[str, str]]:
    files = sorted((HERE.parent / "simulator" / "rules").glob("[a-z]*.py"))
    modules = [f"simulator.rules.{file.stem}" for file in files]
    return [(module, name) for module in modules for name in _module(module).functions]


def _founding() -> Uses:
    return uses("simulator.founding", "found_world")


def _initialization() -> list[str]:
    """Return how the world before the first call is filled."""
    parts, lines = _founding(), []
    lines += _steps(parts, ("", ""), {})
    lines += _rules(parts, {}, "")
    return lines + _made_of(parts)


# Values, from the register and the programme.


def _prior(entry: Entry) -> str:
    if entry.prior == "fixed":
        return "fixed"
    return f"{entry.prior}, {entry.low:g} to {entry.high:g}"


@cache
def _used_in() -> dict[str, list[str]]:
    """Return the processes that use each parameter."""
    processes = [("simulator.founding", "found_world"), *(process[:2] for process in _processes())]
    processes += [("simulator.observe", "observe")]
    used_in: dict[str, list[str]] = {}
    for module, name in processes:
        for parameter in uses(module, name).parameters:
            used_in.setdefault(parameter, []).append(name)
    return used_in


def _parameters() -> list[str]:
    """Return every drawn entry of the register."""
    rows = [
        (
            _code(entry.name),
            f"{entry.label}. {entry.description}",
            _value(entry.value),
            entry.unit,
            _prior(entry),
            entry.evidence,
            entry.source,
            ", ".join(map(_code, _used_in().get(entry.name, ["resolve"]))),
        )
        for entry in scenarios.register().values()
        if entry.kind != "lever"
    ]
    missing = [name for name in parameters.Parameters._fields if name not in _used_in()]
    if missing:
        raise ValueError(f"parameters that no process uses: {', '.join(missing)}")
    return _table(("parameter", "meaning", "value", "unit", "prior", "evidence", "source", "used in"), rows)


def _survey() -> list[str]:
    """Return every entry of the survey layer."""
    rows = [
        (_code(entry.name), f"{entry.label}. {entry.description}", _value(entry.value), entry.unit, _prior(entry),
         entry.evidence, entry.source)
        for entry in survey_entries().values()
    ]  # fmt: skip
    return _table(("parameter", "meaning", "value", "unit", "prior", "evidence", "source"), rows)


def _value(value: Any) -> str:
    if value is None:
        return "by funder"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float | int) else str(value)


def _levers() -> list[str]:
    """Return every lever, with what is known of its effect."""
    rows = [
        (
            _code(entry.name),
            f"{entry.label}. {entry.description}",
            _value(entry.value),
            entry.allowed,
            " and ".join(entry.scope),
            entry.effect_evidence,
            entry.effect_why,
        )
        for entry in scenarios.register().values()
        if entry.kind == "lever"
    ]
    return _table(("lever", "meaning", "as it was", "allowed", "set by", "its effect is", "because"), rows)


def _scenarios() -> list[str]:
    """Return the shipped scenarios with their questions."""
    rows = ((_code(name), scenarios.load(name).question) for name in scenarios.names())
    return _table(("scenario", "question"), rows)


def _calls() -> list[str]:
    """Return the calls' inputs."""
    rows = (
        (
            year, call.event, call.event_clusters, call.open, call.close, f"{call.total_budget_eur:,.0f}",
            ", ".join(call.funders),
        )
        for year, call in scenarios.programme().calls.items()
    )  # fmt: skip
    return _table(("call", "event", "clusters invited", "opens", "closes", "budget, EUR", "funders"), rows)


def _world() -> list[str]:
    """Return who there is, in numbers."""
    resolved = scenarios.load("baseline").resolve(last_call=2017)
    world = resolved.world
    rows = [
        ("countries and regions", len(world.country_key)),
        ("nations", len(np.unique(world.country_nation))),
        ("clusters at risk", len(world.cluster_country)),
        ("member SMEs", f"{int(world.cluster_members.sum()):,}"),
        ("funders, at least once", len(world.funder_country)),
        ("sectors", len(world.sector_share)),
        ("families of sectors", len(np.unique(world.sector_family))),
        ("months from January 2013 to the end of counting, calls to 2017", resolved.months),
        ("months, calls to 2019 (the shipped scenarios)", scenarios.load("baseline").resolve().months),
    ]
    return _table(("what", "number"), rows)


def _call_patterns() -> list[str]:
    """Return what is known of the calls of 2013 to 2015."""
    columns = {
        "year": "call",
        "applications_received": "applications",
        "applications_approved": "approved",
        "transnational_projects": "projects",
        "individual_clusters": "clusters",
        "countries_in_projects": "countries",
        "clusters_in_more_than_one_project": "clusters in two or more projects",
    }
    lines = (EVIDENCE / "calls.csv").read_text(encoding="utf-8").splitlines()
    head = lines[0].split(",")
    rows = [dict(zip(head, line.split(","))) for line in lines[1:]]
    known = [row for row in rows if row["applications_received"].isdigit()]
    return _table(columns.values(), ([row[name] for name in columns] for row in known))


def _measures() -> list[str]:
    """Return what is counted and what is derived from it."""
    better = {1: "more", -1: "less", 0: ""}
    rows = (
        (_code(m.name), m.unit, m.label, better[m.better], _derived(m)) for m in (*observe.MEASURES, *observe.DERIVED)
    )
    return _table(("measure", "unit", "what it is", "better", "derived from"), rows)


def _derived(measure: Measure) -> str:
    """Return in a formula what a measure is derived from; nothing if it is counted."""
    of = measure.of
    if isinstance(of, Sum):
        terms = [f"{'-' if sign < 0 else '+'} {_code(name)}" for name, sign in of.terms]
        return " ".join(terms).removeprefix("+ ")
    if isinstance(of, Ratio):
        return f"{_code(of.over)} / {_code(of.under)}"
    return f"{_code(of.of)} by country" if of else ""


def _mechanisms() -> list[str]:
    """Return what can be switched off."""
    rows = []
    for each in MECHANISMS:
        off = [f"{_code(name)} = {value:g}" for name, value in each.off.items()]
        off += [f"budgets x {each.budget_scale:g}"] if each.budget_scale != 1 else []
        rows.append((_code(each.name), each.label, ", ".join(off)))
    return _table(("mechanism", "what it stands for", "switched off by"), rows)


PARTS: dict[str, Callable[[], list[str]]] = {
    "scenarios": _scenarios,
    "call_patterns": _call_patterns,
    "world": _world,
    "world_inputs": lambda: _attributes(parameters.World),
    "call_rules": lambda: _attributes(parameters.CallRules),
    "terms": lambda: _attributes(parameters.Terms),
    "state": _state,
    "schedule": _schedule,
    "measures": _measures,
    "initialization": _initialization,
    "calls": _calls,
    "levers": _levers,
    "submodels": _submodels,
    "parameters": _parameters,
    "mechanisms": _mechanisms,
    "survey": _survey,
}


def main() -> None:
    """Write the document."""
    ODD.write_text(build(), encoding="utf-8")
    print(f"{ODD}: written")


if __name__ == "__main__":
    main()
