"""Room on the disk: what a program has left may be far larger than what it took (holes, links), and is taken over."""

import errno
import os
from pathlib import Path

_KEPT_FREE_BYTES = 256 << 20


_TO_BEGIN_BYTES = 1 << 30
"""What runs already needs this more than what has not begun."""


def why_not_begin(folder: Path) -> str:
    """Why nothing more should be begun that writes there, in words, or nothing. Raises OSError."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free >= _TO_BEGIN_BYTES:
        return ""
    return f"waits for room on the disk: {free >> 20} MiB are free, {_TO_BEGIN_BYTES >> 20} MiB are needed to begin"


def require_room(folder: Path, size: int) -> None:
    """Before a file of so many bytes is written there: the store and the logs need the last of it.

    Raises OSError (ENOSPC).
    """
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize - size < _KEPT_FREE_BYTES:
        raise OSError(errno.ENOSPC, f"{size} bytes would leave less than {_KEPT_FREE_BYTES >> 20} MiB of the disk free")
