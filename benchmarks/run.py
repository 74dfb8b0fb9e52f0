"""Measure all figures and print them with the machine beside them; `--write` puts them into docs/performance.md.

    python -m benchmarks.run                       all of them: about ten minutes
    python -m benchmarks.run history_run month     some
    python -m benchmarks.run --write               all, kept in docs/performance.md and in the README's table

Take figures to keep on a quiet machine: the load is printed beside them.
"""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from benchmarks.figures import Figure, load, machine

PARTS = {
    "history_run": "One run",
    "month": "Where the time of a run goes",
    "threads": "Ratios",
    "peers": "The same rules in a plain Mesa model",
    "generators": "What keyed draws cost",
    "scaling": "Size",
    "roofline": "What the machine allows",
    "large": "Every SME in Europe",
    "startup": "Starting",
    "compare_default": "The default comparison",
    "sweeps": "Sweeps",
}
ROOT = Path(__file__).parents[1]
PAGE, README = ROOT / "docs" / "performance.md", ROOT / "README.md"
README_PARTS = ("history_run", "startup", "compare_default")
README_TABLE = re.compile(r"(<!-- speed: .*? -->\n).*?(<!-- /speed -->)", re.DOTALL)


def main() -> None:
    """Measure and print; with `--write`, write the pages too."""
    arguments = _arguments()
    by_part = {}
    lines = [*_machine_lines(), ""]
    print("\n".join(lines), flush=True)
    for name in arguments.parts or PARTS:
        before = load()
        part = importlib.import_module(f"benchmarks.{name}")
        figures = part.figures()
        by_part[name] = figures
        section = _section(name, figures, before, load())
        if hasattr(part, "remarks"):
            section += [*part.remarks(figures), ""]
        print("\n".join(section), flush=True)
        lines += section
    if arguments.write:
        PAGE.write_text("\n".join([*_head(), *lines]).rstrip() + "\n", encoding="utf-8")
        text = README.read_text(encoding="utf-8")
        table = "\n".join(_short_table(by_part))
        README.write_text(README_TABLE.sub(lambda match: f"{match[1]}\n{table}\n\n{match[2]}", text), encoding="utf-8")
        print(f"kept in {PAGE} and {README}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Takes the figures on speed and memory.")
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help="keep all figures in docs/performance.md and README.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if arguments.write and arguments.parts:
        parser.error("--write keeps all figures together: leave the names of parts away")
    return arguments


def _head() -> list[str]:
    return [
        "<!-- Made by `python -m benchmarks.run --write`. Do not edit. -->",
        "",
        "# Speed and memory",
        "",
        "Every figure with its command and its machine. *Wall* is what a user waits; *processor* is the time of this",
        "work alone, which other work on the machine moves less. A target is held by the median of the wall. The load",
        "is the number of processes that wanted to run, one minute's average before and after: above the number of",
        "cores, the wall says more about the neighbours than about innovex.",
        "",
    ]


def _machine_lines() -> list[str]:
    facts = [f"{name} {value}" for name, value in machine().items()]
    return [f"Machine, {date.today().isoformat()}: {'; '.join(facts)}."]


def _section(name: str, figures: Iterable[Figure], before: float, after: float) -> list[str]:
    """Return a part's heading, command and table."""
    head = ("what", "clock", "unit", "min", "median", "max", "runs", "target", "", "note")
    rows = (
        (
            figure.what, figure.clock, figure.unit, *map(_number, _ends(figure)), len(figure.values),
            _target(figure), figure.verdict, figure.note,
        )
        for figure in figures
    )  # fmt: skip
    load_line = f"`python -m benchmarks.run {name}`; load {before:.1f} before, {after:.1f} after."
    return [f"## {PARTS[name]}", "", load_line, "", *_table(head, rows), ""]


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'at least ' if figure.at_least else ''}{figure.target:g}"


def _ends(figure: Figure) -> tuple[float, float, float]:
    return min(figure.values), figure.median, max(figure.values)


def _short_table(by_part: dict[str, list[Figure]]) -> list[str]:
    """Return the figures with a target, in wall time, for the README."""
    with_target = ((name, each) for name in README_PARTS for each in by_part[name] if each.target is not None)
    rows = (
        (each.what, f"{_number(each.median)} {each.unit}", _number(min(each.values)), _target(each), name)
        for name, each in with_target
    )
    head = ("what", "median", "best", "target", "`python -m benchmarks.run ...`")
    return [*_machine_lines(), "", *_table(head, rows)]


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    head = list(head)
    lines = [head, ["---"] * len(head), *([str(value) for value in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.exit(main())
