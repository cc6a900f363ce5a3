"""The control plane's HTTP server, on a unix socket that only the gateway (and we) can reach."""

import contextlib
import socket
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI

_KEEP_ALIVE_SECONDS = 75
"""Longer than the gateway keeps an idle connection, so that no request meets a closing one."""
_BACKLOG = 512


class ControlServer:
    """uvicorn in a thread of its own."""

    def __init__(self, app: FastAPI, path: Path, *, stop_seconds: float) -> None:
        self._path = path
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=int(stop_seconds),
            )
        )
        self._thread = threading.Thread(target=self._serve, name="control-server", daemon=True)
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Requests are accepted from now on. Raises OSError when the socket cannot be made."""
        self._socket = _listen(self._path)
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then end."""
        self._server.should_exit = True
        self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _serve(self) -> None:
        if self._socket:
            self._server.run(sockets=[self._socket])


def _listen(path: Path) -> socket.socket:
    """Bound under another name first: whoever connects meets the old socket or the new one, never a missing file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(temporary))
    temporary.chmod(0o600)
    listener.listen(_BACKLOG)
    temporary.rename(path)
    return listener
