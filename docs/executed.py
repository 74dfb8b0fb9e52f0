"""Pages that run: what a block of a tutorial prints and draws when the pages are built stands below it.

    ```{run} sh                     a command, as typed in a terminal; with `:fails:` it must end with an error
    ```{run} python                 Python; a last expression is shown, blocks of a page share their names
    ```{write} mine.toml            a file for the blocks below
    ```{show} out/*/01-answer.svg   a figure that a block has written, with its text for those who cannot see it
    ```{show} out/*/report.html     a page that a block has written: kept beside this one, with the text as its link

The blocks of a page run in a folder of its own, from the top of the page to its end.
"""

import ast
import base64
import contextlib
import html
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import matplotlib
import matplotlib.figure
import pandas as pd
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[1]
PACKAGES = ("simulator", "scenarios", "calibration", "experiments")
SECONDS_AT_MOST = 300  # of a command
IMAGES = {".svg": "image/svg+xml", ".png": "image/png"}


class Workplace:
    """A page's folder and the names that its Python blocks have made."""

    def __init__(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="innovex-docs-")
        self.folder = Path(self.temporary.name)
        self.names: dict[str, Any] = {"__name__": "__main__"}


class Block(SphinxDirective):
    """A block of a page that runs."""

    required_arguments = 1
    has_content = True

    @property
    def workplace(self) -> Workplace:
        """The workplace of the page that is being read."""
        return self.env.temp_data.setdefault("workplace", Workplace())

    def find(self, pattern: str) -> Path:
        """Return the one file of the page's folder that fits a pattern."""
        files = sorted(self.workplace.folder.glob(pattern))
        if len(files) != 1:
            raise self.fault(f"asks for {pattern}: {len(files)} files, and it should be one")
        return files[0]

    def fault(self, what: str) -> SphinxError:
        """Return the error of a block that does not do what its page says."""
        source, line = self.get_source_info()
        return SphinxError(f"{source}:{line}: this block {what}")

    def listing(self, text: str, language: str, kind: str) -> nodes.Node:
        """Return a listing of code or of what it has printed."""
        return nodes.literal_block(text, text, language=language, classes=[kind])


class Write(Block):
    """Show a file and write it into the page's folder."""

    def run(self) -> list[nodes.Node]:
        """Write the file; return its name and its listing."""
        name, text = self.arguments[0], "\n".join(self.content) + "\n"
        (self.workplace.folder / name).write_text(text, encoding="utf-8")
        caption = nodes.paragraph("", "", nodes.literal(name, name), classes=["file-name"])
        return [caption, self.listing(text, Path(name).suffix.removeprefix("."), "code")]


class Show(Block):
    """Show a file that a block has written."""

    def run(self) -> list[nodes.Node]:
        """Return the figure, or a link to the page."""
        file, words = self.find(self.arguments[0]), html.escape(" ".join(self.content))
        return [
            _raw(_image(file.read_bytes(), file.suffix, words) if file.suffix in IMAGES else self._kept(file, words))
        ]

    def _kept(self, file: Path, words: str) -> str:
        """Copy a page beside this one; return a link to it."""
        name = f"{Path(self.env.docname).name}-{file.name}"
        folder = Path(self.env.app.outdir, self.env.docname).parent
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / name)
        return f'<p><a href="{name}">{words}</a></p>'


class Run(Block):
    """Show code, run it, and show what it printed, returned and drew."""

    option_spec: ClassVar = {"fails": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Run the block; return its code and its output."""
        language, code = self.arguments[0], "\n".join(self.content)
        _depend_on_the_packages(self.env)
        printed, value = self._python(code) if language == "python" else (self._command(code), None)
        shown = [self.listing(code, language, "code")]
        if printed.strip():
            shown.append(self.listing(printed.rstrip(), "text", "output"))
        if value is not None:
            shown.append(_raw(_as_html(value)))
        return shown

    def _command(self, code: str) -> str:
        """Run a command; return what it printed."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-ec", code],
            cwd=self.workplace.folder,
            env=os.environ | {"PATH": path, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=SECONDS_AT_MOST,
        )
        fails = "fails" in self.options
        if (done.returncode != 0) != fails:
            raise self.fault(f"ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
        return (done.stdout + (done.stderr if fails else "")).replace(f"{ROOT}/", "")

    def _python(self, code: str) -> tuple[str, Any]:
        """Run Python; return what it printed and the value of its last expression."""
        tree, last = ast.parse(code), None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        names, printed = self.workplace.names, io.StringIO()
        with contextlib.chdir(self.workplace.folder), contextlib.redirect_stdout(printed):
            try:
                exec(compile(tree, "<block>", "exec"), names)
                value = eval(compile(last, "<block>", "eval"), names) if last else None
            except Exception as error:
                raise self.fault(f"{type(error).__name__}: {error}") from error
        return printed.getvalue(), value


def _as_html(value: Any) -> str:
    """Return a value as a notebook would show it."""
    if isinstance(value, matplotlib.figure.Figure):
        file = io.BytesIO()
        with matplotlib.rc_context({"svg.hashsalt": "innovex"}):
            value.savefig(file, format="svg", metadata={"Date": None})
        return _image(file.getvalue(), ".svg", "The figure that the code above draws")
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return f'<div class="table-wrapper frame">{value.to_html(border=0, float_format=_number)}</div>'
    return f"<pre>{html.escape(repr(value))}</pre>"


def _number(value: float) -> str:
    """Write a number short."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _image(content: bytes, suffix: str, words: str) -> str:
    """Return a figure as part of the page."""
    data = base64.b64encode(content).decode()
    return f'<div class="drawing"><img alt="{words}" src="data:{IMAGES[suffix]};base64,{data}"></div>'


def _raw(text: str) -> nodes.Node:
    return nodes.raw("", text, format="html")


def _depend_on_the_packages(env: Any) -> None:
    """Read the page again after a change in the code that it runs."""
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                env.note_dependency(str(file))


def _leave(app: Sphinx, _doctree: nodes.document) -> None:
    """Remove a page's folder once it is read."""
    if workplace := app.env.temp_data.pop("workplace", None):
        workplace.temporary.cleanup()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the blocks."""
    matplotlib.use("svg")
    app.add_directive("run", Run)
    app.add_directive("write", Write)
    app.add_directive("show", Show)
    app.connect("doctree-read", _leave)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
