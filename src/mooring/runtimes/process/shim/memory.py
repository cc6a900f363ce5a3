"""How much memory a replica uses, asked often without costing much."""

import time

from mooring.runtimes.process.shim import proc

_SHARE_OF_TIME = 0.002
"""At most this part of a processor goes into looking for new descendants."""


class MemoryWatch:
    """Watches the processes below `root`. Pages that several processes share are counted once, in shares."""

    def __init__(self, root: int, limit_bytes: int) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._pids: list[int] = []
        self._next_search = 0.0

    def excess(self) -> str:
        """What is wrong, in words, or nothing."""
        self._search()
        # The quick sum counts shared pages too often; only when it is too large is the slow, exact one needed.
        if sum(map(proc.resident_bytes, self._pids)) <= self._limit_bytes:
            return ""
        used = sum(map(proc.proportional_bytes, self._pids))
        if used <= self._limit_bytes:
            return ""
        return f"used {used >> 20} MiB of memory, its limit is {self._limit_bytes >> 20} MiB"

    def _search(self) -> None:
        began = time.monotonic()
        if began < self._next_search:
            return
        self._pids = [process.pid for process in proc.descendants(self._root)]
        self._next_search = began + (time.monotonic() - began) / _SHARE_OF_TIME
