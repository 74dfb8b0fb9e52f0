"""Write the large tables of a comparison, one row per scenario, draw and run, part by part: memory is flat in draws."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from experiments.comparison.study import Study
from experiments.comparison.tables import table
from experiments.runs.cells import CELLS, Runs, by_call, by_country, stacked
from experiments.runs.files import as_table, names_in
from experiments.runs.store import Store
from simulator.instruments.calls.tables import CAUSES
from simulator.jobs import Columns
from simulator.observe import GROUP_MEASURES, MEASURES, MONTHLY, monthly_from
from simulator.parameters import F64
from simulator.world.tables import SIZE_CLASSES

DRAWS_AT_A_TIME = 64  # whose rows are written, and read back, together


class Shape(NamedTuple):
    """How a table is made from a block of runs: its keys beside scenario, draw and run, its columns, its numbers."""

    keys: tuple[tuple[str, Sequence[Any]], ...]
    columns: Sequence[str]
    numbers: Any  # (parts of a block, first counted call) -> (draws, runs, keys ..., columns)


def shapes(study: Study) -> dict[str, Shape]:
    """Return the large tables by name."""
    centre = study.centre[0]
    measures = [measure.name for measure in MEASURES]
    groups = [("sector", name) for name in centre.sector_names] + [("size", name) for name in SIZE_CLASSES]
    funder, cause = ("funder", centre.funder_codes), ("cause", CAUSES)
    return {
        "by_call": Shape((("call", centre.call_years),), measures, lambda parts, _: by_call(stacked(parts, CELLS))),
        "by_country": Shape(
            (("country", centre.country_codes),),
            measures,
            lambda parts, first: by_country(stacked(parts, CELLS), first),
        ),
        "by_month": Shape(
            (("month", range(centre.months)),),
            [measure.name for measure in MONTHLY],
            lambda parts, first: monthly_from(stacked(parts, "by_month"), stacked(parts, "months"), first),
        ),
        "by_group": Shape(
            (("kind, group", groups),), list(GROUP_MEASURES), lambda parts, first: _from(parts, "groups", first)
        ),
        "lost": Shape((funder, cause), ["applications"], lambda parts, first: _from(parts, "lost", first)[..., None]),
        "short": Shape((funder,), ["short_eur"], lambda parts, first: _from(parts, "short", first)[..., None]),
    }


def _from(parts: Sequence[Columns], name: str, first: int) -> F64:
    """Return sums over the counted calls, (draws, runs, ...)."""
    return np.asarray(stacked(parts, name)[:, :, first:].sum(axis=2))


def frame_of(name: str, shape: Shape, scenario: str, draws: Any, cube: F64) -> pd.DataFrame:
    """Return the rows of some draws of a scenario; `cube` is (draws, runs, keys ..., columns)."""
    keys: list[tuple[str, Sequence[Any]]] = [("draw", draws), ("run", range(cube.shape[1])), *shape.keys]
    sizes = cube.shape[:-1]
    columns: dict[str, Any] = {"scenario": np.full(int(np.prod(sizes)), scenario, dtype=object)}
    for axis, (key, values) in enumerate(keys):
        if key == "kind, group":
            columns |= {"kind": _spread([kind for kind, _ in values], axis, sizes)}
            columns |= {"group": _spread([group for _, group in values], axis, sizes)}
        else:
            columns[key] = _spread(values, axis, sizes)
    numbers = pd.DataFrame(cube.reshape(-1, len(shape.columns)), columns=list(shape.columns))
    frame = pd.concat([pd.DataFrame(columns), numbers], axis=1)
    return frame[frame["cause"] != CAUSES[0]].reset_index(drop=True) if name == "lost" else frame


def _spread(values: Sequence[Any], axis: int, sizes: tuple[int, ...]) -> Any:
    """Return the values along one axis, repeated for every row of a flattened cube."""
    those = np.array([*values], dtype=object if isinstance(next(iter(values)), str) else np.int64)
    inside, outside = int(np.prod(sizes[axis + 1 :])), int(np.prod(sizes[:axis]))
    return np.tile(np.repeat(those, inside), outside)


class Writer:
    """A table's file, written part by part; its digest is that of the whole table."""

    def __init__(self, path: Path, units: dict[str, str]) -> None:
        self._path, self._units = path, units
        self._file: pq.ParquetWriter | None = None
        self._digest: Any = None

    def __enter__(self) -> "Writer":
        return self

    def add(self, frame: pd.DataFrame) -> None:
        """Write rows, as one group."""
        rows = as_table(frame, self._units)
        if self._file is None:
            names = names_in(rows.schema)
            self._file = pq.ParquetWriter(self._path, rows.schema, compression="zstd", use_dictionary=names)
            self._digest = hashlib.blake2b(",".join(map(str, frame.columns)).encode(), digest_size=16)
        self._file.write_table(rows)
        self._digest.update(_row_hashes(frame))

    @property
    def digest(self) -> str:
        """The hash of the table's columns and values, to the last bit, as `digest_of` gives it."""
        return str(self._digest.hexdigest())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def digest_of(frame: pd.DataFrame) -> str:
    """Return a hash of a frame's columns and values, to the last bit."""
    digest = hashlib.blake2b(",".join(map(str, frame.columns)).encode(), digest_size=16)
    digest.update(_row_hashes(frame))
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the hash of a table in a file, as `digest_of` gives it, some rows at a time."""
    with pq.ParquetFile(path, memory_map=False) as file:
        digest = hashlib.blake2b(",".join(file.schema_arrow.names).encode(), digest_size=16)
        for group in range(file.num_row_groups):
            digest.update(_row_hashes(file.read_row_group(group).to_pandas()))
    return digest.hexdigest()


def _row_hashes(frame: pd.DataFrame) -> bytes:
    return bytes(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())


def write_large_tables(
    study: Study, store: Store, jobs: Sequence[Sequence[Sequence[Runs]]], folder: Path
) -> tuple[dict[str, str], dict[tuple[str, str, str], float]]:
    """Write the large tables into `folder`; return their digests, and mean links by (scenario, country, other).

    jobs: finished runs by block of draws, scenario and run.
    """
    made = shapes(study)
    links: dict[tuple[str, str, str], float] = {}
    with ExitStack() as files:
        writers = {name: files.enter_context(Writer(folder / f"{name}.parquet", table(name).units)) for name in made}
        for place, scenario in enumerate(study.names):
            network = _Network(study)
            for parts, draws in _blocks(store, jobs, place):
                for name, shape in made.items():
                    cube = shape.numbers(parts, study.first_counted)
                    writers[name].add(frame_of(name, shape, scenario, draws, cube))
                network.add(_from(parts, "network", study.first_counted))
            links |= {(scenario, a, b): value for a, b, value in network.links()}
    return {f"{name}.parquet": writer.digest for name, writer in writers.items()}, links


def _blocks(store: Store, jobs: Sequence[Sequence[Sequence[Runs]]], place: int) -> Iterator[tuple[list[Columns], Any]]:
    """Return the parts of a scenario by run, for some draws at a time, with the numbers of the draws."""
    together = max(1, DRAWS_AT_A_TIME // max(1, jobs[0][place][0].runs))
    for start in range(0, len(jobs), together):
        blocks = [block[place] for block in jobs[start : start + together]]
        runs = [[store.read(job) for job in of_run] for of_run in zip(*blocks, strict=True)]
        parts = [{name: np.concatenate([part[name] for part in of_run]) for name in of_run[0]} for of_run in runs]
        yield parts, parts[0]["draw"]


class _Network:
    """The mean over runs of pairs of partners by pair of countries."""

    def __init__(self, study: Study) -> None:
        self._countries = study.centre[0].country_codes
        self._sum = np.zeros((len(self._countries), len(self._countries)))
        self._runs = 0

    def add(self, pairs: F64) -> None:
        """Take in pairs of partners, (draws, runs, N, N)."""
        self._sum += pairs.sum(axis=(0, 1))
        self._runs += pairs.shape[0] * pairs.shape[1]

    def links(self) -> Iterator[tuple[str, str, float]]:
        """Yield country, other country and the mean of their pairs, where there are any."""
        mean = self._sum / max(1, self._runs)
        for i, country in enumerate(self._countries):
            for j, other in enumerate(self._countries[i + 1 :], i + 1):
                if mean[i, j] > 0.0:
                    yield country, other, float(mean[i, j])
