"""Copies of files by the kernel, within a deadline."""

import os

from mooring.artifacts.deadline import Deadline

_PIECE_BYTES = 16 << 20


def copy_between(source: int, sink: int, deadline: Deadline) -> int:
    """All bytes of one open file to the other; how many. Raises TookTooLong, OSError."""
    copied = 0
    while sent := os.sendfile(sink, source, copied, _PIECE_BYTES):
        copied += sent
        deadline.left()
    return copied
