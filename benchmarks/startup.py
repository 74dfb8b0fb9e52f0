"""How long a user waits: for help, for a first result, and for the first start after install.

python -m benchmarks.run startup
"""

import tempfile
from pathlib import Path

from benchmarks.figures import INNOVEX, Figure, both_clocks, command, first_line


def figures(times: int = 5) -> list[Figure]:
    """Return the times of `innovex --help`, a warm `innovex run`, and `innovex warmup` into an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"INNOVEX_CACHE_DIR": f"{folder}/cache"}
        cold = [command([INNOVEX, "warmup"], cache)]
        run = [INNOVEX, "run", "baseline", "--runs", "1", "--out"]
        command([*run, Path(folder, "first")])
        warm = [command([*run, Path(folder, str(number))]) for number in range(times)]
        first = [command([*run, Path(folder, f"bare-{number}"), "--no-report"]) for number in range(times)]
        first_results = [first_line([*run, Path(folder, f"first_results-{number}")]) for number in range(times)]
        cold += [
            command([INNOVEX, "warmup"], {"INNOVEX_CACHE_DIR": f"{folder}/cache-{number}"})
            for number in range(1, min(times, 3))
        ]
    help_ = [command([INNOVEX, "--help"]) for _ in range(4 * times)]
    return [
        *both_clocks("`innovex --help`", help_, "s", 0.2),
        both_clocks("`innovex run baseline --runs 1`, to its first result", first_results, "s", 1.3)[0],
        *both_clocks("`innovex run baseline --runs 1 --no-report`", first, "s", None, "to its end"),
        *both_clocks("`innovex run baseline --runs 1`, with its report", warm, "s"),
        *both_clocks("`innovex warmup` into an empty cache (first start after install)", cold, "s", 25.0),
    ]
