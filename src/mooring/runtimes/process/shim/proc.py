"""What `/proc` says about processes, read with as few calls as possible."""

import os
import signal

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LONGEST_FILE = 4096


class Process:
    """One process at one moment. `started` is in clock ticks since boot and tells it from a later one of its pid."""

    def __init__(self, pid: int, parent: int, session: int, started: int) -> None:
        self.pid = pid
        self.parent = parent
        self.session = session
        self.started = started


def boot() -> str:
    """The identity of this run of the kernel: pids and start times mean something only within it."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


def find(pid: int) -> Process | None:
    """The process of this pid; None when there is none (a zombie counts as none)."""
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The command name is in parentheses and may itself hold blanks and parentheses.
    fields = stat[stat.rfind(b")") + 2 :].split()
    if not fields or fields[0] in b"ZX":
        return None
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def everything() -> list[Process]:
    """All processes that run."""
    names = os.listdir("/proc")  # noqa: PTH208 (pathlib would cost each shim a megabyte)
    found = (find(int(name)) for name in names if name.isdecimal())
    return [process for process in found if process is not None]


def descendants(root: int) -> list[Process]:
    """All processes below this one, at any depth."""
    children: dict[int, list[Process]] = {}
    for process in everything():
        children.setdefault(process.parent, []).append(process)
    below: list[Process] = []
    parents = [root]
    while parents:
        generation = children.get(parents.pop(), [])
        below += generation
        parents += [process.pid for process in generation]
    return below


def kill(process: Process) -> None:
    """End exactly this process at once; nothing happens when it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        # The descriptor pins the pid: what is checked now is what is killed.
        found = find(process.pid)
        if found is not None and found.started == process.started:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:
        return  # it ended in between, or has become another user's: not ours to end
    finally:
        os.close(descriptor)


def resident_bytes(pid: int) -> int:
    """Resident memory; pages shared with other processes count in full. 0 when it is gone."""
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def proportional_bytes(pid: int) -> tuple[int, int]:
    """Resident memory, and what of it is that of files in memory; a page shared by n processes counts 1/n.

    Slow for large ones (walks the page tables).
    """
    try:
        rollup = _read(f"/proc/{pid}/smaps_rollup")
        return _kibibytes(rollup, b"Pss:"), _kibibytes(rollup, b"Pss_Shmem:")
    except (OSError, IndexError):
        return resident_bytes(pid), 0


def shared_bytes_of_machine() -> int:
    """All files in memory of all processes of this machine."""
    return _kibibytes(_read("/proc/meminfo"), b"Shmem:")


def _kibibytes(text: bytes, name: bytes) -> int:
    """Of a line of /proc, in bytes. Raises IndexError when there is none."""
    return int(text.split(b"\n" + name, 1)[1].split(None, 1)[0]) * 1024


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, _LONGEST_FILE)
    finally:
        os.close(descriptor)
