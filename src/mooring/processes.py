"""Processes that outlive us: started in a session of their own, recognised later without mistaking a reused pid.

A process is identified by its pid *and* its start time (clock ticks since boot, field 22 of `/proc/<pid>/stat`),
so a pid that the kernel gave to somebody else is never signalled.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mooring.files import write_atomically

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class ProcessId:
    """One process, for as long as the machine runs: `started` is in clock ticks since boot."""

    pid: int
    started: int


def identify(pid: int) -> ProcessId | None:
    """The identity of a running process; None when there is none (a zombie counts as none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name is in parentheses and may itself hold blanks and parentheses.
    fields = stat[stat.rindex(")") + 2 :].split()
    state, started = fields[0], int(fields[19])
    return None if state in "ZX" else ProcessId(pid, started)


def is_alive(process: ProcessId) -> bool:
    """Whether exactly this process runs. Reaps it when it is a dead child of ours."""
    _reap(process.pid)
    return identify(process.pid) == process


def spawn_detached(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> ProcessId:
    """Start a process in a session of its own, output appended to `log`, no standard input.

    Raises OSError when the program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child.returncode = 0  # it is meant to outlive us: Popen must neither warn about it nor wait for it
    process = identify(child.pid)
    return process or ProcessId(child.pid, -1)


def send(process: ProcessId, signum: int) -> None:
    """Signal exactly this process; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            # The descriptor pins the pid: what we check now is what we signal.
            if identify(process.pid) == process:
                signal.pidfd_send_signal(descriptor, signum)
        finally:
            os.close(descriptor)


def stop(process: ProcessId, *, grace_seconds: float) -> bool:
    """Ask it to end (SIGTERM), make it end (SIGKILL) after the grace. True when it ended by itself."""
    send(process, signal.SIGTERM)
    if wait(process, timeout_seconds=grace_seconds):
        return True
    send(process, signal.SIGKILL)
    wait(process, timeout_seconds=5)
    return False


def stop_session(leader: ProcessId, *, grace_seconds: float) -> None:
    """End a process that `spawn_detached` started, and all that it has started in its session.

    Also when the leader has ended by itself: its session keeps its number as long as anybody is left in it.
    """
    stop(leader, grace_seconds=grace_seconds)
    for process in _session_members(leader.pid):
        stop(process, grace_seconds=1)


def wait(process: ProcessId, *, timeout_seconds: float) -> bool:
    """Wait until it has ended; False when it still runs at the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while is_alive(process):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def write_record(path: Path, process: ProcessId, **facts: object) -> None:
    """Keep a process's identity (and facts about it) for whoever adopts it later."""
    write_atomically(path, json.dumps({**asdict(process), **facts}).encode())


def read_record(path: Path) -> tuple[ProcessId, dict[str, object]] | None:
    """What `write_record` kept, or None when there is no readable record."""
    try:
        record = json.loads(path.read_bytes())
        return ProcessId(int(record.pop("pid")), int(record.pop("started"))), record
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running(path: Path) -> ProcessId | None:
    """The recorded process, when it still runs."""
    record = read_record(path)
    return record[0] if record and is_alive(record[0]) else None


def _session_members(session: int) -> list[ProcessId]:
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == session and (process := identify(int(folder.name))):
                members.append(process)
    return members


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
