"""Batteries on every walk through the keys, kept as text, and the table made of them.

    python -m benchmarks.battery.run LOGS --practrand RNG_test --testu01 benchmarks/battery/testu01
    python -m benchmarks.battery.run LOGS --practrand RNG_test --size 64GB sme pair
    python -m benchmarks.battery.run LOGS --testu01 benchmarks/battery/testu01 --battery crush sme
    python -m benchmarks.battery.run LOGS --table

How to build the two programs stands in docs/randomness.md.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.battery.feed import AS_NUMBERS, AS_USED, IN_TWOS, RAW, WALKS

GROUPS = (
    ("as the model walks", AS_USED),
    ("what becomes of the bits", AS_NUMBERS),
    ("two draws, bit by bit", IN_TWOS),
    ("raw counters", RAW),
)
_LENGTH = re.compile(r"^length= (.+?) \(2\^(\d+) bytes\)", re.MULTILINE)
_WORDS = ("unusual", "mildly suspicious", "suspicious", "very suspicious", "VERY SUSPICIOUS", "FAIL")  # ever worse


def main() -> None:
    """Run the walks named on the command line, or print the table of what has been run."""
    arguments = _arguments()
    arguments.logs.mkdir(parents=True, exist_ok=True)
    if arguments.table:
        print("\n".join(table(arguments.logs)))
        return
    for walk in arguments.walks or WALKS:
        if arguments.practrand:
            program = [arguments.practrand, "stdin64", "-tlmin", "256MB", "-tlmax", arguments.size]
            _through(walk, program, arguments.logs / f"practrand-{walk}.txt")
        if arguments.testu01:
            for bits, more in (("upper", []), ("lower", ["reversed"])):
                program = [arguments.testu01, arguments.battery, *more]
                _through(walk, program, arguments.logs / f"{arguments.battery}-{walk}-{bits}.txt")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Batteries on the keyed draws.")
    parser.add_argument("logs", type=Path, help="folder for what the batteries say")
    parser.add_argument("walks", nargs="*", help=f"some of: {', '.join(WALKS)}")
    parser.add_argument("--practrand", help="PractRand's RNG_test")
    parser.add_argument("--size", default="4GB", help="how far PractRand goes")
    parser.add_argument("--testu01", help="the program made of testu01.c")
    parser.add_argument("--battery", default="small", choices=("small", "crush", "big"))
    parser.add_argument("--table", action="store_true", help="print the table of what lies in the folder")
    arguments = parser.parse_args()
    if unknown := set(arguments.walks) - set(WALKS):
        parser.error(f"no such walk: {', '.join(sorted(unknown))}; there are {', '.join(WALKS)}")
    return arguments


def _through(walk: str, program: list[str], log: Path) -> None:
    """Send one walk's words through one program, which stops reading when it has enough."""
    feed = subprocess.Popen([sys.executable, "-m", "benchmarks.battery.feed", walk], stdout=subprocess.PIPE)
    with log.open("w", encoding="utf-8") as out:
        subprocess.run(program, stdin=feed.stdout, stdout=out, stderr=subprocess.STDOUT, check=False)
    assert feed.stdout
    feed.stdout.close()
    feed.wait()


def table(logs: Path) -> list[str]:
    """Return a table of how far PractRand went in each walk, with its remarks and those of TestU01."""
    head = ("walk", "what changes", "PractRand", "TestU01, upper bits", "lower bits")
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for group, walks in GROUPS:
        lines.append(f"| *{group}* | | | | |")
        for walk in walks:
            name = walk.__name__
            about = " ".join((walk.__doc__ or getattr(walk, "py_func", walk).__doc__ or "").split())
            cells = [_practrand(logs / f"practrand-{name}.txt")]
            cells += [_testu01(logs, name, bits) for bits in ("upper", "lower")]
            lines.append(f"| `{name}` | {about} | {' | '.join(cells)} |")
    return lines


def _practrand(log: Path) -> str:
    """Return the size reached, the number of results there, and every remark at any size."""
    if not log.exists():
        return "not run"
    text = log.read_text(encoding="utf-8")
    lengths = list(_LENGTH.finditer(text))
    if not lengths:
        return "not run"
    last = text[lengths[-1].start() :]
    results = sum(map(int, re.findall(r"(\d+) test result", last))) + len(_remarks(last))
    summary = f"2^{lengths[-1][2]} bytes: {results} results, "
    remarks = _remarks(last)
    if not remarks:
        return summary + "nothing to remark"
    return summary + "; ".join(f"{name} {word} (p = {p})" for name, p, word in remarks)


def _remarks(text: str) -> list[tuple[str, str, str]]:
    """Return the name, p and word of each result that stands out."""
    words = "|".join(sorted(_WORDS, key=len, reverse=True))
    return re.findall(rf"^\s+(\S+)\s+R=.*?p =\s*(\S+)\s+({words})", text, flags=re.MULTILINE)


def _testu01(logs: Path, walk: str, bits: str) -> str:
    """Return the largest battery that was run, and the p-values outside [0.001, 0.999]."""
    for battery, name in (("big", "BigCrush"), ("crush", "Crush"), ("small", "SmallCrush")):
        log = logs / f"{battery}-{walk}-{bits}.txt"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        count = re.search(r"Number of statistics:\s+(\d+)", text)
        if not count:
            continue
        summary = f"{name}, {count[1]} statistics: "
        if "All tests were passed" in text:
            return summary + "all passed"
        rows = re.findall(r"^\s*\d+\s+\S.*$", text.split("Test ")[-1], flags=re.MULTILINE)
        return summary + "; ".join(" ".join(row.split()) for row in rows)
    return "not run"


if __name__ == "__main__":
    main()
