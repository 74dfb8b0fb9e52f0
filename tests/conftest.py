"""Fixtures that several tests share, and what is told at the end of a test run."""

from pathlib import Path

import hypothesis
import pytest

import scenarios

# The first example of a test may compile, which takes longer than any deadline; the same examples every time.
hypothesis.settings.register_profile("innovex", deadline=None, derandomize=True)
hypothesis.settings.load_profile("innovex")

_FINDINGS = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config):
    config.stash[_FINDINGS] = []


def pytest_terminal_summary(terminalreporter, config):
    """Print what tests have found beyond passing or failing."""
    for title, text in config.stash[_FINDINGS]:
        terminalreporter.section(title)
        terminalreporter.write_line(text)


@pytest.fixture
def tell(request):
    """Tell a finding at the end of the test run, whether or not the test passes."""

    def found(title: str, text: str) -> None:
        request.config.stash[_FINDINGS].append((title, text))

    return found


@pytest.fixture
def scenario_file(tmp_path):
    """Write a scenario and load it."""

    def write(body: str, name: str = "mine") -> scenarios.Scenario:
        path = Path(tmp_path) / f"{name}.toml"
        path.write_text(f'title = "Mine"\nquestion = "What if?"\n{body}', encoding="utf-8")
        return scenarios.load(path)

    return write
