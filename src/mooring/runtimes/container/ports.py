"""Ports of this machine for servers in containers. A port belongs to its run until that one is forgotten.

The gateway may go on sending to a replica that has died for a moment: nobody else's may listen there then.
"""

import contextlib
import os
import socket
from pathlib import Path

_TRIES = 100


class Ports:
    """Taken ports are files in `folder`, so that they outlive the control plane."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, run_id: str) -> int:
        """A port on the loopback interface that nobody uses now. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(_TRIES):
            port = _free_port()
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(self._folder / str(port), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(run_id)
                return port
        raise OSError("No free port was found for a container: end some of what runs on this machine")

    def release(self, run_id: str) -> None:
        """All of a run."""
        for path, owner in self._taken():
            if owner == run_id:
                path.unlink(missing_ok=True)

    def keep_only(self, run_ids: set[str]) -> None:
        """Release those of all others."""
        for path, owner in self._taken():
            if owner not in run_ids:
                path.unlink(missing_ok=True)

    def _taken(self) -> list[tuple[Path, str]]:
        taken = []
        for path in self._folder.glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError):
                taken.append((path, path.read_text()))
        return taken


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
