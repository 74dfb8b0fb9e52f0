"""Renew the stored baseline of numbers, by hand and never by a test.

    python -m tests.baseline.renew          numbers anew, from the draws that are kept
    python -m tests.baseline.renew --draws  draws anew too, where the register has other parameters

It prints which numbers moved; say in CHANGELOG.md which and why.
"""

import argparse
import tempfile
from pathlib import Path

from tests.baseline import numbers


def main() -> None:
    """Compute the baseline, print what moved, and write it."""
    parser = argparse.ArgumentParser(description="Renews the stored baseline of numbers.")
    parser.add_argument("--draws", action="store_true", help="draw parameter values anew too")
    draws = numbers.new_draws() if parser.parse_args().draws else numbers.kept_draws()
    numbers.write_draws(draws)
    with tempfile.TemporaryDirectory() as folder:
        tables = numbers.compute(draws, Path(folder))
    for table, frame in tables.items():
        if (numbers.FOLDER / f"{table}.csv").exists():
            found = numbers.moved(numbers.kept(table), frame, table)
            print(numbers.in_words(found, table) if len(found) else f"{table}: all {len(frame):,} as before")
        numbers.write(frame, table)


if __name__ == "__main__":
    main()
