"""Homes that share one store on one machine, and with it their replicas.

A replica is a process: whoever looks after it has to be on its machine and to know its folder. So the first control
plane of a store names the home in which the replicas, their sockets and journals and the models lie, and the others
use it. Who shares it is written down there, on the disk, so that `mooring status` and `mooring down` need no store.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mooring import processes
from mooring.files import write_atomically
from mooring.home import Home
from mooring.system.errors import CannotStart

_LONGEST_SECONDS = 30.0
_POLL_SECONDS = 0.01


def runtime_home(home: Home) -> Home:
    """Where the replicas of a home lie."""
    try:
        return Home(Path(json.loads(home.runtime_record.read_bytes())["home"]))
    except FileNotFoundError:
        return home


def share(home: Home, runtime: Home) -> None:
    """From now on the replicas of `home` lie in `runtime`, which may be the same. Raises CannotStart."""
    leave(home)
    if not os.access(runtime.replicas, os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(
            f"the replicas of this store lie in {runtime.path}, which this user may not use. "
            "Run all control planes of a store as the same user."
        )
    write_atomically(_mark(home, runtime), json.dumps({"home": str(home.path)}).encode())
    if runtime.path != home.path:
        write_atomically(home.runtime_record, json.dumps({"home": str(runtime.path)}).encode())


def leave(home: Home) -> None:
    """The home shares its replicas with nobody (any more)."""
    _mark(home, runtime_home(home)).unlink(missing_ok=True)
    home.runtime_record.unlink(missing_ok=True)


def others(home: Home) -> list[Home]:
    """The other homes with the same replicas of which anything runs: the control plane, or the gateway alone."""
    runtime = runtime_home(home)
    sharers = [Home(Path(json.loads(mark.read_bytes())["home"])) for mark in _marks(runtime)]
    return [each for each in sharers if each.path != home.path and _lives(each)]


def control_planes_run(homes: list[Home]) -> bool:
    """Whether one of them has a control plane, and not only a gateway."""
    return any(processes.running(home.control_plane_record) for home in homes)


@contextmanager
def exclusively(runtime: Home, purpose: str) -> Iterator[None]:
    """One of the sharing processes at a time, for a purpose in one word; the kernel ends it for who dies.

    Raises TimeoutError when somebody else does not come to an end.
    """
    with (runtime.run / f"{purpose}.lock").open("w") as file:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not _is_taken(file):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"another control plane has held {file.name} for more than {_LONGEST_SECONDS:g} s")
            time.sleep(_POLL_SECONDS)
        yield


def _is_taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(home: Home) -> bool:
    return any(processes.running(record) for record in (home.control_plane_record, home.gateway_record))


def _mark(home: Home, runtime: Home) -> Path:
    return runtime.sharers / f"{hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]}.json"


def _marks(runtime: Home) -> list[Path]:
    return sorted(runtime.sharers.glob("*.json"))
