"""One at a time, over all processes of a machine; a holder that dies lets go."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mooring.artifacts.deadline import Deadline

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def exclusive(path: Path, deadline: Deadline) -> Iterator[None]:
    """Hold the lock of this file, waiting for it until the deadline. Raises TookTooLong, OSError."""
    descriptor = _opened(path)
    try:
        while not _taken(descriptor):
            time.sleep(min(_POLL_SECONDS, deadline.left()))
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Hold the lock of this file if nobody has it; whether it is held now. Raises OSError."""
    descriptor = _opened(path)
    try:
        yield _taken(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never unlinked: a second file of the same name would be a second lock.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
