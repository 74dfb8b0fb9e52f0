"""Build the pages of this folder into `docs/_build/html`; what has not changed since is not built again.

    python -m docs.build_pages

The tutorials run while their pages are read, see `docs.executed`. A warning is an error.
"""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
PAGES = HERE / "_build" / "html"


def main() -> int:
    """Build the pages; return 0, or another number if there was a warning or an error."""
    code = build_main(["-q", "-W", "--keep-going", "-b", "html", str(HERE), str(PAGES)])
    if code:
        shutil.rmtree(PAGES / ".doctrees", ignore_errors=True)  # or Sphinx would not repeat its warnings
    else:
        print(f"Pages: {PAGES / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
