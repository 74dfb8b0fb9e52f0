"""Ctrl-C while a command starts: an interrupt in the midst of an import can get lost, so until work begins it ends all.

From `heard_from_here` on, Ctrl-C raises KeyboardInterrupt as usual, and who is at work keeps what is finished.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED = 130  # exit code after Ctrl-C
NOTHING_YET = "innovex: interrupted before anything was finished; nothing is written."


@contextmanager
def ending_all() -> Iterator[None]:
    """Let Ctrl-C end the process with a sentence, until somebody says that it is heard, and within this block."""
    if threading.current_thread() is not threading.main_thread() or _is_taken():
        yield
        return
    signal.signal(signal.SIGINT, _end_all)
    try:
        yield
    finally:
        heard_from_here()


def heard_from_here() -> None:
    """Let Ctrl-C raise KeyboardInterrupt from now on."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _end_all:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_taken() -> bool:
    """Tell whether somebody else listens to Ctrl-C, or wants it ignored."""
    return signal.getsignal(signal.SIGINT) is not signal.default_int_handler


def _end_all(*_: Any) -> None:
    print(NOTHING_YET, file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)
