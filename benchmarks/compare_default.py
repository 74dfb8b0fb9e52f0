"""The default comparison of two scenarios, as a user types it.

python -m benchmarks.run compare_default
"""

import tempfile

from benchmarks.figures import INNOVEX, Figure, both_clocks, command

ASKED = ("compare", "baseline", "fast_and_synchronised", "--draws", "200")


def figures(times: int = 2) -> list[Figure]:
    """Return the seconds from the command to the finished report, and the memory at the peak."""
    spent = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            spent.append(command([INNOVEX, *ASKED, "--threads", "2", "--out", folder]))
    what = f"`innovex {' '.join(ASKED)}`"
    note = "2 threads; with equal spending, reasons and report"
    memory = Figure(f"{what}, memory at the peak", "MiB", (max(each.peak_mib for each in spent),), None, "", note)
    return [*both_clocks(what, spent, "s", 60.0, note), memory]
