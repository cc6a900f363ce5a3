"""The fork servers of one home: kept warm, asked for, ended. All that is known of them lies in a folder."""

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from mooring import __version__, processes
from mooring.runtimes.base import Warm
from mooring.runtimes.process import lock

_MODULE = "mooring.runtimes.process.forkserver"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS"), "1")
"""While importing: a pool that has threads already does not survive a fork. Replicas size theirs themselves."""
_STOP_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 5.0
_START_AGAIN_SECONDS = 60.0
"""One that cannot get warm must not keep a processor busy."""


class ForkServers:
    """Several control planes may look after one folder: a server holds its own lock for as long as it lives."""

    def __init__(self, folder: Path, sockets: Path, modules: Path | None = None) -> None:
        """`modules`: where else Python finds what it is to import."""
        self._folder = folder.absolute()
        self._python_path = {"PYTHONPATH": str(modules)} if modules else {}
        self._sockets = sockets.absolute()
        self._next_look: dict[Warm, float] = {}

    def keep(self, warm: Warm) -> None:
        """Start it unless it runs. Returns at once; it is warm some seconds later. Raises OSError."""
        now = time.monotonic()
        if now < self._next_look.get(warm, 0.0):
            return
        self._next_look[warm] = now + _LOOK_AGAIN_SECONDS
        name = _name(warm)
        home = self._folder / name
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take(self._lock(name))
        if held is None:
            return
        self._next_look[warm] = now + _START_AGAIN_SECONDS
        try:
            self._start(name, warm, home, held)
        finally:
            os.close(held)  # the server keeps its copy

    def socket(self, warm: Warm) -> Path:
        """Where it listens, once it is warm."""
        return self._socket(_name(warm))

    def end_all_but(self, kept: set[Warm]) -> None:
        """End those that nobody needs. What they have forked lives on."""
        names = {_name(warm) for warm in kept}
        for name in self._names():
            if name not in names:
                self._end(name)

    def _start(self, name: str, warm: Warm, home: Path, held: int) -> None:
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", _MODULE, warm.module),
                    *(str(self._socket(name)), str(self._lock(name)), str(held)),
                ],
                env={**_environment(home), **self._python_path},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(held,),
                start_new_session=True,
            )
        process.returncode = 0  # it is meant to outlive us, and is recognised by its record
        if found := processes.identify(process.pid):
            processes.write_record(self._record(name), found)

    def _end(self, name: str) -> None:
        if server := processes.running(self._record(name)):
            processes.stop(server, grace_seconds=_STOP_SECONDS)
        for path in (self._socket(name), self._record(name)):
            path.unlink(missing_ok=True)

    def _names(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError):
            yield from sorted(path.stem for path in self._folder.glob("*.json"))

    def _record(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _lock(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def _socket(self, name: str) -> Path:
        return self._sockets / f"fork-{name}.sock"


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home), **_ONE_THREAD}


def _name(warm: Warm) -> str:
    """Another one when what it has imported has changed: an upgrade must not serve with old code."""
    facts = (warm.module, warm.tenant, sys.executable, sys.version, __version__, *_installed())
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:20]


def _installed() -> Iterator[str]:
    """When packages were last installed or removed."""
    for folder in sys.path:
        if folder.endswith("-packages"):
            with contextlib.suppress(OSError):
                yield str(Path(folder).stat().st_mtime_ns)
