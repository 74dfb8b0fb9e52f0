"""Results of jobs on disk, so that work that was killed goes on where it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from calibration.jobs import Columns, Job, Runner, Stopped
from scenarios.files import replacing


def kept_in(folder: Path, run: Runner) -> Runner:
    """Return a runner that stores the result of each job in a folder, and reads it from there the next time.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    run : Runner
        Carries out the jobs.
    """

    def keep(what: str, jobs: Sequence[Job]) -> list[Columns]:
        folder.mkdir(parents=True, exist_ok=True)
        return run(what, [KeptJob(job, folder / f"{job.address}.parquet") for job in jobs])

    return keep


@dataclass(frozen=True, eq=False)
class KeptJob:
    """A job whose result is stored in a file as soon as it is there, and read from it if it is there already."""

    job: Job
    path: Path

    @property
    def address(self) -> str:
        """The address of the job."""
        return self.job.address

    @property
    def runs(self) -> int:
        """The runs of the job."""
        return self.job.runs

    def carry_out(self, stopped: Stopped) -> Columns | None:
        """Return the result, from the file if it is whole."""
        columns = _read(self.path)
        if columns is None and (columns := self.job.carry_out(stopped)) is not None:
            with replacing(self.path) as working:
                pq.write_table(pa.table(columns), working, compression="zstd", write_page_checksum=True)
        return columns


def _read(path: Path) -> Columns | None:
    """Return the columns of a file that is whole; None if it is missing or damaged."""
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
    except (OSError, pa.ArrowException):
        return None
    return {name: table[name].to_numpy() for name in table.column_names}
