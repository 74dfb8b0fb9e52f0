"""Every SME in Europe in one run: 25 million SMEs in 3,000 clusters, with the report.

python -m benchmarks.run large
"""

import tempfile
from pathlib import Path

from benchmarks.figures import INNOVEX, Figure, both_clocks, command, timed
from scenarios import load
from simulator.ensemble import measure

SMES = 25_000_000
TARGET_S, TARGET_BYTES = 20.0, 100.0


def figures(times: int = 3) -> list[Figure]:
    """Return the time and memory of the command that a user gives, and the time of the run and its measures alone."""
    arguments = [INNOVEX, "run", "--smes", str(SMES), "--runs", "1", "--out"]
    inputs = load("baseline").resolve(last_call=2014, horizon_months=36, smes=SMES)  # 60 months
    measure(load("baseline").resolve(last_call=2013, smes=2_000), 1)
    alone = timed(lambda number: measure(inputs, number), times)
    with tempfile.TemporaryDirectory() as folder:
        whole = [command([*arguments, Path(folder, str(number))]) for number in range(times)]
    size = f"{SMES:,} SMEs, {len(inputs.world.cluster_country):,} clusters"
    used = tuple(each.peak_mib * 2**20 / SMES for each in whole)
    whole_size = f"{size}, {load('baseline').resolve().months} months"
    asked_as = f"`innovex run --smes {SMES} --runs 1`, with its report"
    return [
        *both_clocks("Run and measures alone", alone, "s", None, f"{size}, {inputs.months} months"),
        *both_clocks(asked_as, whole, "s", TARGET_S, whole_size),
        Figure("The same, memory at the peak", "bytes an SME", used, TARGET_BYTES, "", "all of the process"),
    ]
