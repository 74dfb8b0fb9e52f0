"""Settings of Sphinx: `make docs` builds the pages of this folder into `docs/_build/html`."""

import importlib
import os
import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT)]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
project, author, version = PROJECT["name"], PROJECT["authors"][0]["name"], PROJECT["version"]
project_copyright = author
release = version

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "docs.executed"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "ODD.template.md"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the rules of the ODD are fourth-level headings, so that the contents stay short

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False

autosummary_generate = False
autoclass_content = "both"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
default_role = "code"  # docstrings write code between single backticks, as Markdown does
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False

# Names that a package imports only when they are asked for, so that `innovex --help` stays quick.
for package in map(importlib.import_module, ("experiments", "experiments.sweeps")):
    vars(package).update({name: getattr(package, name) for name in package.__all__})

# Files of the root that are pages here.
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
PAGES = {ROOT / file: HERE / page for file, page in PAGES.items()}
LINK = re.compile(r"\]\((?!#|\w+:)([^)#\s]+)")


def links_in_included(_app, _path, _docname, content):
    """Turn the links of a file of the root, which start there, into links that start in this folder."""
    content[0] = _with_links(content[0], ROOT, HERE)


def links_in_page(_app, docname, content):
    """Turn links to files of the root into links to the pages that they become."""
    folder = (HERE / docname).parent
    content[0] = _with_links(content[0], folder, folder)


def _with_links(text, start, page):
    """Return a text whose links, from the folder `start`, lead to the same files from the folder `page`."""

    def link(match):
        target = (start / match[1]).resolve()
        return f"]({os.path.relpath(PAGES.get(target, target), page)}"

    return LINK.sub(link, text)


def examples_as_code(_app, _what, _name, _object, _options, lines):
    """Make code of what stands indented by itself in a docstring, as Markdown does; sections of arguments stay."""
    sections = next((number for number, line in enumerate(lines) if re.fullmatch("-{3,}", line)), len(lines))
    for number in reversed(range(1, sections)):
        before = next((line for line in reversed(lines[:number]) if line), "")
        if lines[number].startswith("    ") and not lines[number - 1] and not before.startswith("    "):
            lines[number:number] = ["::", ""]


def setup(app):
    """Register what is done to the pages on the way."""
    app.connect("include-read", links_in_included)
    app.connect("source-read", links_in_page)
    app.connect("autodoc-process-docstring", examples_as_code, priority=400)  # before numpydoc
