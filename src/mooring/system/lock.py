"""One control plane per home."""

import fcntl
import os

from mooring import processes
from mooring.home import Home
from mooring.system.errors import CannotStart


class HomeLock:
    """Held from start to end by the control plane; the kernel frees it when the process dies, however that happens."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = home.run / "control-plane.lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises CannotStart when another control plane runs in this home."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise CannotStart(
                f"Mooring runs already in {self._home.path}{_pid_of(self._home)}. "
                "See `mooring status`; end it with `mooring down`, or use another --home."
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _pid_of(home: Home) -> str:
    process = processes.running(home.control_plane_record)
    return f" (process {process.pid})" if process else ""
