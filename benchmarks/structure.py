"""Count the structure of the code: rooms (folders), files, arrows (imports between rooms) and circles.

    python -m benchmarks.structure                      this checkout
    python -m benchmarks.structure /path/to/another     this one beside another, such as an earlier version

Imports are read from the source, wherever they stand in a file; those for type checking alone count too.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import networkx as nx

from simulator import sources


class Room(NamedTuple):
    """A folder: its files, their lines, the files that others import, and the rooms that it imports from."""

    files: int
    lines: int
    doors: int
    reaches: int


class Structure(NamedTuple):
    """rooms by name; arrows: imports of files by (room, room); circles: files that import each other, round about."""

    rooms: Mapping[str, Room]
    arrows: Counter[tuple[str, str]]
    circles: tuple[tuple[str, ...], ...]
    room_circles: tuple[tuple[str, ...], ...]


def structure(root: Path = sources.ROOT) -> Structure:
    """Count the structure of the checkout at `root`."""
    files = sources.modules_in(root)
    graph = nx.DiGraph((name, other) for name in files for other in sources.imports(name, root, for_types=True))
    graph.add_nodes_from(files)
    between = [(room_of(files[a]), room_of(files[b])) for a, b in graph.edges]
    arrows = Counter((a, b) for a, b in between if a != b)
    doors = {b for a, b in graph.edges if room_of(files[a]) != room_of(files[b])}
    rooms = {
        room: Room(
            files=len(inside),
            lines=sum(len((root / files[name]).read_text(encoding="utf-8").splitlines()) for name in inside),
            doors=len(doors.intersection(inside)),
            reaches=sum(1 for start, _ in arrows if start == room),
        )
        for room, inside in _grouped(files).items()
    }
    apart = [(a, b) for a, b in arrows if not (_lies_in(a, b) or _lies_in(b, a))]
    return Structure(rooms, arrows, _circles(graph), _circles(nx.DiGraph(apart)))


def _lies_in(room: str, other: str) -> bool:
    return room.startswith(f"{other}/")


def room_of(path: Path) -> str:
    """Return the room of a file: its folder."""
    return path.parent.as_posix()


def _grouped(files: Mapping[str, Path]) -> dict[str, list[str]]:
    rooms: dict[str, list[str]] = {}
    for name, path in sorted(files.items()):
        rooms.setdefault(room_of(path), []).append(name)
    return rooms


def _circles(graph: nx.DiGraph) -> tuple[tuple[str, ...], ...]:
    circles = (tuple(sorted(those)) for those in nx.strongly_connected_components(graph) if len(those) > 1)
    return tuple(sorted(circles, key=lambda those: (-len(those), those)))


def lines(counts: Structure) -> list[str]:
    """Return a structure as lines of text."""
    width = max(map(len, counts.rooms))
    text = [f"{'room':<{width}}  files  lines  doors  imports from"]
    for name, room in counts.rooms.items():
        text.append(f"{name:<{width}}  {room.files:>5}  {room.lines:>5}  {room.doors:>5}  {room.reaches:>5} rooms")
    total = len(counts.rooms), sum(room.files for room in counts.rooms.values())
    text.append(f"{total[0]} rooms, {total[1]} files, {len(counts.arrows)} arrows between rooms")
    text.append(_counted("circles of files", counts.circles))
    text.append(_counted("circles of rooms", counts.room_circles))
    return text


def _counted(what: str, circles: Iterable[tuple[str, ...]]) -> str:
    circles = list(circles)
    sizes = ", ".join(f"{len(those)} ({', '.join(those[:4])}{' ...' if len(those) > 4 else ''})" for those in circles)
    return f"{len(circles)} {what}" + (f": {sizes}" if circles else "")


def main() -> None:
    """Print the structure of the checkouts named on the command line, and of this one."""
    for root in [*map(Path, sys.argv[1:]), sources.ROOT]:
        print(f"{root.resolve().name}:" if len(sys.argv) > 1 else "", *lines(structure(root.resolve())), "", sep="\n")


if __name__ == "__main__":
    main()
