"""Every SME in Europe in one run: 25 million SMEs in 3,000 clusters, with the report.

    python -m benchmarks.run large
"""

import tempfile
from pathlib import Path

from benchmarks.figures import INNOVEX, Figure, both_clocks, command, timed
from scenarios import load
from simulator.ensemble import measure

SMES, CLUSTERS = 25_000_000, 3_000
TARGET_S, TARGET_BYTES = 20.0, 100.0
NOTE = f"{SMES:,} SMEs, {CLUSTERS:,} clusters"


def figures(times: int = 3) -> list[Figure]:
    """The command a user gives, what it takes of memory, and the run and its measures alone."""
    asked = [INNOVEX, "run", "baseline", "--smes", str(SMES), "--clusters", str(CLUSTERS), "--runs", "1", "--out"]
    inputs = load("baseline").resolve(last_call=2013, horizon_months=36, smes=SMES, clusters=CLUSTERS)
    measure(load("baseline").resolve(last_call=2013, smes=2_000), 1, 0)
    alone = timed(lambda number: measure(inputs, number, 0), times)
    with tempfile.TemporaryDirectory() as folder:
        whole = [command([*asked, Path(folder, str(number))]) for number in range(times)]
    used = tuple(each.peak_mib * 2**20 / SMES for each in whole)
    months = load("baseline").resolve().months
    return [
        *both_clocks("Run and measures alone", alone, "s", TARGET_S, f"{NOTE}, {inputs.months} months"),
        *both_clocks("`innovex run baseline --runs 1`, with its report", whole, "s", None, f"{NOTE}, {months} months"),
        Figure("The same, memory at the peak", "bytes an SME", used, TARGET_BYTES, "", "all of the process"),
    ]
