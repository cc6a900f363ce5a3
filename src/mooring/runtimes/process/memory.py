"""How much memory this machine has left, and what one replica uses of it."""

from contextlib import suppress
from pathlib import Path

from mooring import processes
from mooring.runtimes.process.records import State
from mooring.runtimes.process.shim import proc

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
"""What we may use as a whole, when we run in a container ourselves (cgroup v2)."""


def free_bytes() -> int | None:
    """What can be used without swapping; None when the kernel does not say."""
    found = [size for size in (_available(), _left_in_cgroup()) if size is not None]
    return min(found, default=None)


def used_bytes(folder: Path) -> int | None:
    """By the processes of a replica, pages that it shares with others in shares. None when it does not run.

    Takes milliseconds: the kernel walks the page tables.
    """
    state = State.read(folder)
    if state is None or state.boot != proc.boot() or not processes.is_alive(state.program):
        return None
    pids = {state.program.pid, *(process.pid for process in proc.descendants(state.shim.pid))}
    return sum(proc.proportional_bytes(pid)[0] for pid in pids)


def _available() -> int | None:
    with suppress(OSError, IndexError, ValueError):
        return int(_MEMINFO.read_text().split("MemAvailable:", 1)[1].split(None, 1)[0]) * 1024
    return None


def _left_in_cgroup() -> int | None:
    with suppress(OSError, IndexError, ValueError):
        most = int((_CGROUP / "memory.max").read_text())  # "max" when there is no limit
        used = int((_CGROUP / "memory.current").read_text())
        cached = int((_CGROUP / "memory.stat").read_text().split("\ninactive_file ", 1)[1].split(None, 1)[0])
        return max(0, most - used + cached)
    return None
