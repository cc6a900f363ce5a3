"""A lock that a process holds for as long as it lives, and that others can ask about without touching it.

An "open file description lock" goes with a descriptor to the process that inherits it, and the kernel drops it with
the last copy: no pid can be mistaken, and after a restart of the machine nothing is locked.
"""

import contextlib
import fcntl
import os
import struct
import time
from pathlib import Path

_LOOK_AGAIN_SECONDS = 0.01
_FLOCK = "hhqqi0q"
"""`struct flock`: type, whence, start, length (0: all), pid (0, as this kind of lock demands)."""
_EXCLUSIVE = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def take(path: Path) -> int | None:
    """A descriptor that holds the lock until it and its copies are closed; None when somebody else holds it.

    The file is made when it is missing, its folder is not. Raises OSError.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _EXCLUSIVE)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_same_file(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed between our open and our lock, perhaps made anew


def take_within(path: Path, *, timeout_seconds: float) -> int | None:
    """As `take`, waiting for a holder that is about to end."""
    deadline = time.monotonic() + timeout_seconds
    while (descriptor := take(path)) is None and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    return descriptor


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _EXCLUSIVE)
    finally:
        os.close(descriptor)
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)


def _is_same_file(descriptor: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
