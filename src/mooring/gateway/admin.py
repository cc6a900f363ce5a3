"""Envoy's admin interface, on a unix socket that only its owner can open."""

import http.client
import socket
import struct
from pathlib import Path
from urllib.parse import quote

from mooring.gateway.errors import GatewayError


class Admin:
    """Asks the Envoy behind one admin socket. Each question has a deadline of its own."""

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds

    def is_live(self) -> bool:
        """Whether Envoy has started completely and takes requests."""
        try:
            return self._ask("GET", "/ready") == b"LIVE\n"
        except GatewayError:
            return False

    def stats(self, pattern: str, *, form: str = "text") -> bytes:
        """The statistics whose name matches the regular expression. Raises GatewayError when there is no answer."""
        return self._ask("GET", f"/stats?filter={quote(pattern)}&format={form}")

    def stop_listening(self) -> None:
        """No new connections from now on; requests that run go on. Raises GatewayError when there is no answer."""
        # An Envoy that calls itself unwell asks its clients with every answer to close their connection.
        self._ask("POST", "/healthcheck/fail")
        self._ask("POST", "/drain_listeners")

    def owner(self) -> int | None:
        """The process id of whoever listens on the socket, also when it does not answer; None when nobody does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._timeout_seconds)
            try:
                connection.connect(str(self._path))
                credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            except OSError:
                return None
        return int(struct.unpack("3i", credentials)[0])

    def _ask(self, method: str, path: str) -> bytes:
        connection = _UnixConnection(self._path, self._timeout_seconds)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as reason:
            raise GatewayError(f"Envoy does not answer at {self._path}: {reason!r}") from reason
        finally:
            connection.close()
        if answer.status != http.client.OK:
            text = body.decode(errors="replace").strip()
            raise GatewayError(f"Envoy answers {method} {path} with {answer.status}: {text}")
        return body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path
        self._timeout_seconds = timeout_seconds

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_seconds)
        self.sock.connect(str(self._path))
