"""What numbers were computed on: versions, processor, system."""

import os
import platform
import sys
from importlib import metadata
from typing import Any

from simulator.draws import generator

PACKAGES = ("innovex", "numpy", "numba", "llvmlite", "scipy", "pandas", "pyarrow", "mesa", "SALib")


def machine() -> dict[str, Any]:
    """Return the versions, the generator and the machine that this process runs on."""
    return {
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "generator": generator(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }
