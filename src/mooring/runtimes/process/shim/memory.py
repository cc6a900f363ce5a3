"""How much memory a replica uses, asked often without costing much."""

import time

from mooring.runtimes.process.shim import proc
from mooring.runtimes.process.shim.held import held_by

_SHARE_OF_TIME = 0.002
"""At most this part of a processor goes into looking for new descendants."""
_SHARE_FOR_FILES = 0.02
"""And this one into looking at what they have open, while that matters."""


class MemoryWatch:
    """Watches the processes below `root`. Pages that several processes share are counted once, in shares.

    Files in memory (memfd) count as well, mapped or not. What is mapped and what is open may be the same memory: of the
    two, the larger counts.
    """

    def __init__(self, root: int, limit_bytes: int) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._pids: list[int] = []
        self._next_search = 0.0
        self._held_bytes = 0
        self._next_look = 0.0

    def excess(self) -> str:
        """What is wrong, in words, or nothing."""
        self._search()
        # The quick sum counts shared pages too often; only when it is too large is the slow, exact one needed. Open
        # files in memory cannot be more than the whole machine has of them, which is quick to ask, too.
        resident = sum(map(proc.resident_bytes, self._pids))
        if resident + proc.shared_bytes_of_machine() <= self._limit_bytes:
            return ""
        self._look_at_files()
        if resident + self._held_bytes <= self._limit_bytes:
            return ""
        used = self._exactly()
        if used <= self._limit_bytes:
            return ""
        return f"used {used >> 20} MiB of memory, its limit is {self._limit_bytes >> 20} MiB"

    def _exactly(self) -> int:
        shares = [proc.proportional_bytes(pid) for pid in self._pids]
        in_files = sum(of_files for _, of_files in shares)
        return sum(all_ for all_, _ in shares) - in_files + max(in_files, self._held_bytes)

    def _search(self) -> None:
        began = time.monotonic()
        if began < self._next_search:
            return
        self._pids = [process.pid for process in proc.descendants(self._root)]
        self._next_search = began + (time.monotonic() - began) / _SHARE_OF_TIME

    def _look_at_files(self) -> None:
        began = time.monotonic()
        if began < self._next_look:
            return
        self._held_bytes = sum(held_by(self._pids).memory.values())
        self._next_look = began + (time.monotonic() - began) / _SHARE_FOR_FILES
