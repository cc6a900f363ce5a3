# ruff: noqa: PTH115, PTH116, PTH208 (pathlib would cost each shim a megabyte)
"""What processes hold open although nothing else shows it: files in memory, and files on a disk that were removed."""

import os
import stat

_MOST_LINKS = 20_000
"""So many open files are looked at in one go: a third of a second, for who has them."""
_IN_MEMORY = ("/memfd:", "/dev/shm/")  # noqa: S108 (to compare with)
_REMOVED = " (deleted)"
_BLOCK_BYTES = 512


class Held:
    """Bytes of each file, by its device and number: several processes may hold the same one."""

    def __init__(self) -> None:
        self.memory: dict[tuple[int, int], int] = {}
        self.disk: dict[tuple[int, int], int] = {}
        self._left = _MOST_LINKS

    def add(self, pid: int) -> None:
        """What this process holds; nothing when it is gone."""
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            return
        for name in names[: self._left]:
            self._look(f"/proc/{pid}/fd/{name}")
        self._left -= min(len(names), self._left)

    def _look(self, path: str) -> None:
        try:
            link = os.readlink(path)
            is_memory = link.startswith(_IN_MEMORY)
            if not is_memory and not link.endswith(_REMOVED):
                return
            found = os.stat(path)
        except OSError:
            return  # closed in between
        if stat.S_ISREG(found.st_mode):
            files = self.memory if is_memory else self.disk
            files[found.st_dev, found.st_ino] = found.st_blocks * _BLOCK_BYTES


def held_by(pids: list[int]) -> Held:
    """What all of these hold, each file once."""
    held = Held()
    for pid in pids:
        held.add(pid)
    return held
