"""Files: read TOML that anybody may have written; write a file whole or not at all."""

import contextlib
import os
import stat
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenarios.errors import Fault, refuse

LARGEST_FILE_BYTES = 1_000_000
UNFINISHED = ".unfinished"  # ends the name of what is being written


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it becomes `target` when the block ends well, else it goes.

    So `target` is never half written, whatever happens. Raises OSError as the disk does.
    """
    working = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    try:
        yield working
        os.replace(working, target)
    finally:
        with contextlib.suppress(OSError):
            working.unlink(missing_ok=True)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises InputError for anything that is not a readable, plain, small TOML file in UTF-8. The size is
    asked before reading, so that a huge file costs nothing.
    """
    try:
        return _parse(path, _read(path))
    except FileNotFoundError:
        raise _fault(path, "there is no such file") from None
    except PermissionError:
        raise _fault(path, "there is no permission to read it") from None
    except OSError as error:
        raise _fault(path, f"it cannot be read ({(error.strerror or 'unknown reason').lower()})") from None


def _read(path: Path) -> bytes:
    if "\0" in str(path):
        raise _fault(path, "a file name cannot hold a zero character")
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise _fault(path, "it is a directory", "a TOML file")
    if not stat.S_ISREG(status.st_mode):
        raise _fault(path, "it is not a plain file", "a TOML file")
    if status.st_size > LARGEST_FILE_BYTES:
        raise _too_large(path, status.st_size)
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE_BYTES + 1)  # it may grow between the two calls
    if len(content) > LARGEST_FILE_BYTES:
        raise _too_large(path, len(content))
    if not content.strip():
        raise _fault(path, "it is empty", "a TOML file with at least a title and a question")
    return content


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")  # some editors put a byte order mark in front
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(path, f"it is not UTF-8 text (line {line})", "text saved as UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        raise _fault(path, f"it is not TOML: {reason[:1].lower()}{reason[1:]}") from None
    except RecursionError:
        raise _fault(path, "it is nested too deeply") from None
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise _fault(path, "it holds a number that is too long") from None


def _fault(path: Path, what: str, allowed: str = "") -> Exception:
    return refuse(path, [Fault("", what, allowed)])


def _too_large(path: Path, size: int) -> Exception:
    return _fault(path, f"it is too large ({size / 1e6:.1f} MB)", f"up to {LARGEST_FILE_BYTES / 1e6:.0f} MB")
