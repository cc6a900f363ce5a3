"""What a replica whose shim was killed has left running."""

import os
import time
from pathlib import Path

from mooring.runtimes.process.layout import HOME
from mooring.runtimes.process.records import State
from mooring.runtimes.process.shim import proc

_LOOK_AGAIN_SECONDS = 0.01


def end(state: State, folder: Path, *, timeout_seconds: float) -> bool:
    """Kill the program and whatever it started; False when some of it still runs at the deadline.

    The kernel has killed the program itself along with its shim; this is about its descendants.
    """
    deadline = time.monotonic() + timeout_seconds
    while left := _find(state, folder):
        if time.monotonic() >= deadline:
            return False
        for process in left:
            proc.kill(process)
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _find(state: State, folder: Path) -> list[proc.Process]:
    if state.boot != proc.boot():
        return []
    leader = proc.find(state.program.pid)
    number_is_reused = leader is not None and leader.started != state.program.started
    mark = b"HOME=" + os.fsencode(folder / HOME)
    return [
        process
        for process in proc.everything()
        if (process.session == state.program.pid and not number_is_reused) or _has(mark, process.pid)
    ]


def _has(variable: bytes, pid: int) -> bool:
    try:
        return variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False  # gone, or another user's and so none of ours
