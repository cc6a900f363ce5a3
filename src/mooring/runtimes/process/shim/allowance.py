"""How much a replica may write to its log: a token bucket in bytes."""

import time

_FILES = 2
_SECONDS_PER_FILE = 10


class Allowance:
    """Both log files' worth at once, and one in ten seconds in the long run. What is spent beyond that is owed first.

    A flood must cost neither the disk nor the processor that the replica needs.
    """

    def __init__(self, file_bytes: int) -> None:
        self._most = _FILES * file_bytes
        self._per_second = file_bytes / _SECONDS_PER_FILE
        self._left: float = self._most
        self._at = time.monotonic()

    def is_left(self) -> bool:
        """Whether anything may be written at this moment."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left > 0

    def spend(self, count: int) -> None:
        """Take bytes out, even more than are left."""
        self._left -= count
