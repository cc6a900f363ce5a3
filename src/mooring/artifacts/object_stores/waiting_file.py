"""A file that is being received: without a name that anybody looks for, and gone when it is not used."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mooring.errors import Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class WaitingFile:
    """What has come so far."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def write(self, piece: bytes) -> None:
        """Raises Unavailable when the disk is full."""
        left = memoryview(piece)
        with disk_troubles_told():
            while left:
                left = left[os.write(self._descriptor, left) :]

    def complete(self) -> None:
        """All of it is on the disk now. Raises Unavailable."""
        with disk_troubles_told():
            # The name that it gets must not overtake the bytes when the power fails.
            os.fsync(self._descriptor)


@contextmanager
def waiting_file(folder: Path) -> Iterator[WaitingFile]:
    """A new one in this folder; removed at the end. Raises Unavailable when the disk is full."""
    with disk_troubles_told():
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        yield WaitingFile(path, descriptor)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            path.unlink()


@contextmanager
def disk_troubles_told() -> Iterator[None]:
    """Turns a full disk into Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("the disk for files is full: nothing was kept; free some room, then try again") from error
        raise
