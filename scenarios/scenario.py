"""Scenarios: a question in words, and what differs from a parent."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scenarios.differences import Difference, differences
from scenarios.errors import Fault, InputError, describe, echo, listed, nearest, refuse
from scenarios.files import read_toml
from scenarios.form import check
from scenarios.history import Programme, programme
from scenarios.resolve import Resolved, changed, resolve
from scenarios.scenario_file import GUIDE, Content, content_of, form
from scenarios.settings import Change, Setting, in_order, value_at

LIBRARY = Path(__file__).with_name("library")
ROOT = "baseline"
LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Scenario:
    """A scenario.

    Parameters
    ----------
    name : str
        The name of its file.
    title, question : str
        In words.
    path : Path
        Its file.
    parent : Scenario or None
        What it extends; None for the baseline.
    settings : tuple of Setting
        All that it sets, its parents' settings included.
    """

    name: str
    title: str
    question: str
    path: Path
    parent: "Scenario | None"
    settings: tuple[Setting, ...]

    def differences(self, other: "Scenario | None" = None) -> tuple[Difference, ...]:
        """Return the rows where a difference from another scenario begins, changes or ends.

        Parameters
        ----------
        other : Scenario, optional
            The baseline unless given.

        Returns
        -------
        tuple of Difference
            By year, funder and name; where a difference ends, `was` equals `now`.
        """
        return differences(self.settings, (other or load(ROOT)).settings)

    def resolve(
        self,
        parameters: Mapping[str, float] | None = None,
        *,
        budget_scale: float = 1.0,
        scale_from: int | None = None,
        horizon_months: int | None = None,
        last_call: int | None = None,
        smes: int | None = None,
        clusters: int | None = None,
        programme_as_it_was: Programme | None = None,
    ) -> Resolved:
        """Return what a run of this scenario needs.

        Parameters
        ----------
        parameters : mapping of str to float, optional
            A draw, in part or whole, in the units of the register. What it leaves out has its central value; what the
            scenario fixes wins over it.
        budget_scale : float, optional
            Multiplies all budgets from the call `scale_from` on.
        scale_from : int, optional
            A call year; the first call that the scenario changes unless given.
        horizon_months : int, optional
            Months after its close for which each call is counted; the scenario's own unless given.
        last_call : int, optional
            The last call year; the scenario's own unless given.
        smes : int, optional
            Scale all clusters so that they have nearly this many members in all.
        clusters : int, optional
            Clusters in all countries together; without it, they grow with SMEs beyond the programme's.
        programme_as_it_was : Programme, optional
            Another programme than the shipped one.

        Returns
        -------
        Resolved

        Raises
        ------
        InputError
            For an unknown name, and for a value that is out of range or of another kind.
        """
        return resolve(
            self.settings,
            load(ROOT).settings,
            parameters,
            budget_scale=budget_scale,
            scale_from=scale_from,
            horizon_months=horizon_months,
            last_call=last_call,
            smes=smes,
            clusters=clusters,
            past=programme_as_it_was,
        )


def names() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, the baseline first."""
    stems = sorted(path.stem for path in LIBRARY.glob("*.toml"))
    return (ROOT, *(name for name in stems if name != ROOT))


def load(name_or_path: str | os.PathLike[str]) -> Scenario:
    """Return a shipped scenario, or one from a file.

    Parameters
    ----------
    name_or_path : str or path
        A shipped name, or a path: anything with a slash or with .toml at its end.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For an unknown name, and for a file that cannot be used.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise refuse("scenario", [Fault("", f"{describe(name_or_path)} does not fit", "a name or a path")])
    if not _is_path(name_or_path):
        return _load_shipped(str(name_or_path))
    return _load(Path(name_or_path), ())


@cache
def _load_shipped(name: str) -> Scenario:
    if name not in names():
        raise refuse(f"scenario {echo(name)!r}", [_no_such_name(name)])
    return _load(LIBRARY / f"{name}.toml", ())


def _is_path(name_or_path: str | os.PathLike[str]) -> bool:
    text = os.fspath(name_or_path)
    return not isinstance(name_or_path, str) or text.endswith(".toml") or "/" in text or os.sep in text


def _load(path: Path, children: tuple[Path, ...]) -> Scenario:
    """Load a file; `children` are the files that extend it, to detect a circle."""
    content = content_of(check(form(), _read(path), path, GUIDE))
    parent = _parent(path, content, (*children, path))
    settings = _merged(parent.settings if parent else (), content.settings)
    faults = [fault for setting in content.settings if (fault := _participation_fault(setting, settings))]
    if faults:
        raise refuse(path, faults)
    return Scenario(path.stem, content.title, content.question, path, parent, settings)


def _merged(inherited: tuple[Setting, ...], own: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """Return a parent's settings with those of a file over them; a change goes on top of what the parent sets."""
    settings = {setting[:3]: setting for setting in inherited}
    for setting in own:
        year, funder, name, value = setting
        if isinstance(value, Change):
            value = _on_top(name, value, value_at(inherited, year, funder, name))
        if value == Change():
            settings.pop(setting[:3], None)
        else:
            settings[setting[:3]] = Setting(year, funder, name, value)
    return in_order(settings.values())


def _on_top(name: str, change: Change, before: Any) -> Any:
    """Return a change on top of what a parent sets: within the limits, where that is a number."""
    return (
        change.after(before) if before is None or isinstance(before, Change) else float(changed(name, change, before))
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except InputError as error:
        if os.path.lexists(path) or "zero character" in str(error):
            raise
        raise refuse(path, [_no_such_name(path.stem, "there is no such file")]) from None


def _no_such_name(name: str, what: str = "there is no such scenario") -> Fault:
    meant = nearest(name, names())
    allowed = "a shipped name or a path to a TOML file" if meant else f"a path or one of {listed(names(), 30)}"
    return Fault("", what, allowed, meant)


def _parent(path: Path, content: Content, chain: tuple[Path, ...]) -> Scenario | None:
    """Return the scenario that a file extends: the baseline unless it names another. The baseline extends none."""
    if content.extends is None and path.resolve() == (LIBRARY / f"{ROOT}.toml").resolve():
        return None
    extends = content.extends or ROOT
    if not _is_path(extends) and extends not in names():
        raise refuse(path, [_missing_parent(extends)])
    target = path.parent / extends if _is_path(extends) else LIBRARY / f"{extends}.toml"
    files = [file.resolve() for file in chain]
    if target.resolve() in files:
        way = " -> ".join(file.stem for file in (*chain[files.index(target.resolve()) :], target))
        raise refuse(
            path,
            [Fault("extends", f"the scenario extends itself ({way})", "a parent that does not lead back")],
        )
    if len(chain) >= LONGEST_CHAIN:
        raise refuse(path, [Fault("extends", "the chain of parents is too long", f"up to {LONGEST_CHAIN} files")])
    if not os.path.lexists(target):
        raise refuse(path, [_missing_parent(extends)])
    return _load(target, chain)


def _missing_parent(extends: str) -> Fault:
    allowed = "a shipped name or a path from this file"
    return Fault("extends", f"there is no scenario {echo(extends)!r}", allowed, nearest(Path(extends).stem, names()))


def _participation_fault(setting: Setting, settings: tuple[Setting, ...]) -> Fault | None:
    """Return the fault of a rule for a funder that takes no part in the call, or of a newcomer without a budget."""
    year, funder = setting.year, setting.funder
    if year is None or funder is None:
        return None
    where = f"from.{year}.funders.{funder}.{setting.name}"
    was_there = funder in programme().calls[year].funders
    takes_part = value_at(settings, year, funder, "takes_part")
    if setting.name == "takes_part":
        lacks_budget = setting.value and not was_there and value_at(settings, year, funder, "budget_eur") is None
        allowed = "a budget_eur beside takes_part = true"
        return Fault(where, f"{funder} took no part in {year} and has no budget", allowed) if lacks_budget else None
    if takes_part if takes_part is not None else was_there:
        return None
    allowed = f"{listed(programme().calls[year].funders)}, or takes_part = true with a budget_eur for {funder}"
    return Fault(where, f"{funder} takes no part in the call of {year}", allowed)
