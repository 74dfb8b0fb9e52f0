"""Fixtures that several tests share, and what is told at the end of a test run."""

import signal
from pathlib import Path

import hypothesis
import pytest

import scenarios

# The first example of a test may compile, which takes longer than any deadline; the same examples every time.
hypothesis.settings.register_profile("innovex", deadline=None, derandomize=True)
hypothesis.settings.load_profile("innovex")

FINDING = "finding"
# A shell that starts tests in the background makes them ignore Ctrl-C, and so the processes that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    """Print what tests have found beyond passing or failing."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    for report in reports:
        if getattr(report, "when", None) == "call":
            for title, text in (words for name, words in report.user_properties if name == FINDING):
                terminalreporter.section(title)
                terminalreporter.write_line(text)


@pytest.fixture
def tell(request):
    """Tell a finding at the end of the test run, whether or not the test passes."""

    def add(title: str, text: str) -> None:
        request.node.user_properties.append((FINDING, (title, text)))  # comes back from a process of pytest-xdist too

    return add


@pytest.fixture
def scenario_file(tmp_path):
    """Write a scenario and load it."""

    def write(body: str, name: str = "mine") -> scenarios.Scenario:
        path = Path(tmp_path) / f"{name}.toml"
        path.write_text(f'title = "Mine"\nquestion = "What if?"\n{body}', encoding="utf-8")
        return scenarios.load(path)

    return write
