"""Files: read text that anybody may have written; write a file whole or not at all."""

import contextlib
import os
import stat
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenarios.errors import Fault, InputError, refuse

LARGEST_FILE_BYTES = 1_000_000
UNFINISHED = ".unfinished"  # ends the name of what is being written


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it becomes `target` when the block ends well, else it is removed.

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
    """Return the content of a TOML file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If it is not a readable, plain TOML file of at most 1 MB in UTF-8.
    """
    text = read_text(path, "a TOML file", "a TOML file with at least a title and a question")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        raise _error(path, f"it is not TOML: {reason[:1].lower()}{reason[1:]}") from None
    except RecursionError:
        raise _error(path, "it is nested too deeply") from None
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise _error(path, "it holds a number that is too long") from None


def read_text(path: Path, allowed: str, allowed_content: str) -> str:
    """Return the text of a file, without a byte order mark.

    Parameters
    ----------
    path : Path
    allowed, allowed_content : str
        What the message allows in place of something that is not a plain file, and of an empty one.

    Raises
    ------
    InputError
        If it is not a readable, plain file of at most 1 MB in UTF-8. The size is checked before reading, so that a
        huge file costs nothing.
    """
    try:
        content = _read(path, allowed)
    except FileNotFoundError:
        raise _error(path, "there is no such file", allowed) from None
    except PermissionError:
        raise _error(path, "there is no permission to read it") from None
    except OSError as error:
        raise _error(path, f"it cannot be read ({(error.strerror or 'unknown reason').lower()})") from None
    if not content.strip():
        raise _error(path, "it is empty", allowed_content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(path, f"it is not UTF-8 text (line {line})", "text saved as UTF-8") from None


def _read(path: Path, allowed: str) -> bytes:
    if "\0" in str(path):
        raise _error(path, "a file name cannot hold a zero character")
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise _error(path, "it is a directory", allowed)
    if not stat.S_ISREG(status.st_mode):
        raise _error(path, "it is not a plain file", allowed)
    if status.st_size > LARGEST_FILE_BYTES:
        raise _too_large(path, status.st_size)
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE_BYTES + 1)  # it may grow between the two calls
    if len(content) > LARGEST_FILE_BYTES:
        raise _too_large(path, len(content))
    return content


def _error(path: Path, what: str, allowed: str = "") -> InputError:
    return refuse(path, [Fault("", what, allowed)])


def _too_large(path: Path, size: int) -> InputError:
    return _error(path, f"it is too large ({size / 1e6:.1f} MB)", f"up to {LARGEST_FILE_BYTES / 1e6:.0f} MB")
