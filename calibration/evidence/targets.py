"""Targets: observed numbers that a calibration is compared with, and the survey responses behind some of them.

These are plain data; `calibration.evidence.load` reads them from files.
"""

from typing import NamedTuple

from calibration.evidence.measures import Block, Family, measures
from calibration.evidence.responses import Response


class Target(NamedTuple):
    """An observed number about one call.

    Parameters
    ----------
    name : str
        Measure and call, such as "projects_2015".
    block : {"programme", "survey"}
    family : {"count", "level", "share"}
        As in `calibration.evidence.measures.CallMeasure`.
    measure : str
        The measure of the model that corresponds to it.
    call : int
        The year of the call.
    value : float
        A share from 0 to 1, a whole number (count) or a number above 0 (level).
    n : int or None
        How many answered; None for counts and levels.
    effective_n : float or None
        How many independent answers they are worth, since several come from one project; None for counts and levels.
    fitted : bool
        False for what is shown beside the model only.
    group : str
        Targets with the same group are shown together.
    source : str
        Author, year, table or page.
    note : str
        What a reader must know.
    """

    name: str
    block: Block
    family: Family
    measure: str
    call: int
    value: float
    n: int | None
    effective_n: float | None
    fitted: bool
    group: str
    source: str
    note: str

    @property
    def label(self) -> str:
        """The measure in words, with its call."""
        return f"{measures()[self.measure].label}, {self.call}"


class Evidence(NamedTuple):
    """What a calibration is compared with.

    Parameters
    ----------
    targets : tuple of Target
        In the order of their file.
    responses : dict of int to dict of str to Response
        Who answered the survey, by call year and country.
    """

    targets: tuple[Target, ...]
    responses: dict[int, dict[str, Response]]

    @property
    def identity(self) -> str:
        """All of it that determines what a simulated world shows: names of targets and responses, not their values."""
        names = [target.name for target in self.targets]
        return repr((names, sorted((year, sorted(rows.items())) for year, rows in self.responses.items())))
