"""The pages build without a warning, run what they show, load nothing from elsewhere, and lead where they say."""

import importlib
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from sphinx.cmd.build import build_main

from docs.build_pages import PAGES

ROOT = Path(__file__).parents[2]
TUTORIALS = ("funding_scenarios", "sweep", "rule_change")
PUBLIC = ("experiments", "experiments.sweeps", "scenarios", "calibration")
# Attributes by which a page makes a browser load something; links that a reader may follow are none of them.
LOADING = {
    "audio": ("src",), "embed": ("src",), "iframe": ("src",), "img": ("src", "srcset"), "input": ("src",),
    "link": ("href",), "object": ("data",), "script": ("src",), "source": ("src", "srcset"), "track": ("src",),
    "video": ("src", "poster"), "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
}  # fmt: skip
ELSEWHERE = re.compile(r"\s*(?:\w+:)?//")
IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])([^'\")\s]+)")
IN_SCRIPT = re.compile(r"""(?:src|href)\s*=\s*['"`]([^'"`]+)|(?:fetch|import|importScripts|open)\(\s*['"`]([^'"`]+)""")
CONF = 'extensions = ["myst_parser", "docs.executed"]\nhtml_theme = "basic"\n'

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs")]


class Page(HTMLParser):
    """What stands in a page: anchors, links, and addresses that a browser loads by itself."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        text = path.read_text(encoding="utf-8")
        self.feed(text)
        self.loaded += IN_STYLE.findall(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        self.loaded += [attributes[name] for name in LOADING.get(tag, ()) if attributes.get(name)]


@pytest.fixture(scope="module")
def folder():
    """The pages of the project, made as `make docs` makes them: what has not changed since is not made again."""
    done = subprocess.run([sys.executable, "-m", "docs.build_pages"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return PAGES


@pytest.fixture
def built(tmp_path, capsys):
    """Build a page of its own; return exit code, all that was said, and the page."""

    def build(text):
        (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
        (tmp_path / "index.md").write_text(text, encoding="utf-8")
        code = build_main(["-q", "-W", "-b", "html", str(tmp_path), str(tmp_path / "html")])
        page = tmp_path / "html" / "index.html"
        return code, capsys.readouterr().err, page.read_text(encoding="utf-8") if page.exists() else ""

    return build


@cache
def read(path):
    return Page(path)


def test_no_page_loads_anything_from_elsewhere(folder):
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) > 20
    for path in pages:
        assert [address for address in read(path).loaded if ELSEWHERE.match(address)] == [], path
    for path in folder.rglob("*.css"):
        addresses = IN_STYLE.findall(path.read_text(encoding="utf-8"))
        assert [address for address in addresses if ELSEWHERE.match(address)] == [], path
    for path in folder.rglob("*.js"):
        addresses = map("".join, IN_SCRIPT.findall(path.read_text(encoding="utf-8")))
        assert [address for address in addresses if ELSEWHERE.match(address)] == [], path


def test_every_link_leads_somewhere(folder):
    for path in sorted(folder.rglob("*.html")):
        for link in read(path).links:
            file, anchor = urldefrag(link)
            if ELSEWHERE.match(file) or file.startswith("mailto:"):
                continue
            goal = (path.parent / unquote(file)).resolve() if file else path
            assert goal.is_file(), f"{path.name}: {link}"
            if anchor and goal.suffix == ".html":
                assert unquote(anchor) in read(goal).anchors, f"{path.name}: {link}"


def test_the_front_page_is_the_readme(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings and all(f"<h2>{heading}<" in page for heading in headings)


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_has_its_entry(folder, package):
    anchors = set().union(*(read(path).anchors for path in (folder / "api").glob("*.html")))
    module = importlib.import_module(package)
    for name in module.__all__:
        public = getattr(module, name)
        assert {f"{package}.{name}", f"{public.__module__}.{name}"} & anchors, f"{package}.{name}"


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_shows_what_its_blocks_printed_and_drew(folder, name):
    page = (folder / "tutorials" / f"{name}.html").read_text(encoding="utf-8")
    source = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    assert page.count('class="drawing"') >= 1 and page.count("frame") >= 1
    assert page.count('<div class="output ') >= 1 and "/tmp/" not in page and str(ROOT) not in page
    if "innovex compare" in source:
        assert "net contracts (90% interval" in page
    assert f'href="{name}-report.html"' in page and (folder / "tutorials" / f"{name}-report.html").is_file()


@pytest.mark.parametrize(
    "block, complaint",
    [
        ("```{run} sh\ninnovex no_such_command\n```", "ended with code 2"),
        ("```{run} sh\n:fails:\ntrue\n```", "ended with code 0"),
        ("```{run} python\n1 / 0\n```", "ZeroDivisionError"),
        ("```{show} nothing.svg\nNothing\n```", "nothing.svg: 0 files"),
    ],
)
def test_a_block_that_does_not_do_what_its_page_says_stops_the_build(built, block, complaint):
    code, said, _ = built(f"# A page\n\n{block}\n")
    assert code != 0 and "index.md:3" in said and complaint in said


def test_blocks_of_a_page_share_their_folder_and_names(built):
    text = "# A page\n\n```{write} mine.toml\nseven = 7\n```\n\n```{run} sh\ncat mine.toml\n```\n\n"
    text += "```{run} python\nline = open('mine.toml').read()\n```\n\n"
    text += "```{run} python\nprint(line[:5] * 2)\nlen(line)\n```\n"
    code, said, page = built(text)
    assert code == 0, said
    assert "sevenseven" in page and "<pre>10</pre>" in page and page.count("seven") >= 4
