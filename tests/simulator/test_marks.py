"""What the three ways of compiling a function are called is what they are."""

import ast
import inspect
from pathlib import Path

import simulator
from tests.simulator.test_rules import RULES, plain

ROOT = Path(simulator.__file__).parent
COMPILED = {"kernel", "rule", "inline", "paste"}


def compiled_functions():
    """Module, decorator and function of everything in the simulator that is compiled."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Name) and mark.id in COMPILED:
                        yield path.relative_to(ROOT), mark.id, node


def test_a_rule_stands_among_the_rules_and_nothing_else_does():
    marks = {(path.parts[0] == "rules", mark) for path, mark, _ in compiled_functions()}
    assert (True, "rule") in marks and not marks & {
        (False, "rule"),
        (True, "kernel"),
        (True, "inline"),
        (True, "paste"),
    }
    assert {mark for _, mark in marks} == COMPILED


def test_a_rule_takes_scalars_alone():
    """No argument is indexed, and none has fields: neither tables, nor records, nor arrays."""
    for (module, name), rule in RULES.items():
        function = ast.parse(inspect.getsource(plain(rule))).body[0]
        arguments = {argument.arg for argument in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id not in arguments, (module, name, node.value.id)
