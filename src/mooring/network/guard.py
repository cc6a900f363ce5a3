"""The one way out to hosts that clients have named: a proxy of our own, which lets through what is within reach.

A check of the url alone would not do: its name may have another address a moment later, and whoever answers there
may redirect to somewhere else, which the S3 client follows. Here each single connection goes to a checked address.
"""

import base64
import hmac
import logging
import re
import secrets
import socket
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from mooring.network.reach import OutOfReach, Reach

_HEAD_BYTES = 65_536
_HEAD_SECONDS = 10.0
_SILENCE_SECONDS = 1860.0
"""Longer than any client lets a request take: it is the one to give up."""
_PIECE_BYTES = 256 * 1024
_POLL_SECONDS = 0.05
_HOST = rb"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@]+)"
_TUNNEL = re.compile(rb"CONNECT " + _HOST + rb":(?P<port>\d{1,5}) HTTP/1\.1")
_PLAIN = re.compile(rb"(?P<method>[A-Z]+) http://" + _HOST + rb"(?::(?P<port>\d{1,5}))?(?P<path>/\S*) HTTP/1\.1")
_ONLY_FOR_US = (b"proxy-", b"connection:")
_logger = logging.getLogger(__name__)


class Guard:
    """Listens on the loopback interface from its first use until `close`. Usable from many threads."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def proxy_url(self) -> str:
        """What a client needs to go this way; nobody else may use it. Raises OSError."""
        with self._lock:
            if self._server is None:
                self._server = _Server(self.reach)
                threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
            return self._server.url

    def close(self) -> None:
        """What is under way goes on until its end."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, reach: Reach) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.reach = reach
        password = secrets.token_urlsafe(32)
        self.url = f"http://mooring:{password}@127.0.0.1:{self.server_address[1]}"
        self.proof = b"Basic " + base64.b64encode(f"mooring:{password}".encode())

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the class has it
        _logger.exception("a connection on the way out broke")


class _Connection(BaseRequestHandler):
    """One connection: a request's head says where to, the rest is passed on as it comes."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(_HEAD_SECONDS)
        with suppress(OSError):  # whoever has called sees it, too, and tells about it
            head, rest = self._head()
            target = _TUNNEL.match(head) or _PLAIN.match(head)
            if target is None or not self._is_ours(head):
                self._refuse()
                return
            try:
                store = self.server.reach.connect(target["host"].decode().strip("[]"), int(target["port"] or 80))
            except OutOfReach as error:
                _logger.warning("a host was not called: %s", error)
                self._refuse()
                return
            with store:
                self._pass_on(store, target, head, rest)

    def _head(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self.request.recv(_HEAD_BYTES)
            if not piece or len(received) > _HEAD_BYTES:
                return b"", b""
            received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        return head, rest

    def _is_ours(self, head: bytes) -> bool:
        given = [
            line.partition(b":")[2].strip() for line in head.split(b"\r\n") if _name(line) == b"proxy-authorization"
        ]
        return len(given) == 1 and hmac.compare_digest(given[0], self.server.proof)

    def _refuse(self) -> None:
        # Not one of the statuses that the client tries again or takes for a word of the store about its credentials.
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _pass_on(self, store: socket.socket, target: re.Match[bytes], head: bytes, rest: bytes) -> None:
        for each in (self.request, store):
            each.settimeout(_SILENCE_SECONDS)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.re is _TUNNEL:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            store.sendall(_for_the_host(target, head))
        store.sendall(rest)
        back = threading.Thread(target=_copy, args=(store, self.request), daemon=True)
        back.start()
        _copy(self.request, store)
        _end(store)  # the client has gone: a store that says nothing must not hold us any longer
        back.join()


def _for_the_host(target: re.Match[bytes], head: bytes) -> bytes:
    """The head as the host expects it. One request per connection, so that each one is checked."""
    _, *lines = head.split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(_ONLY_FOR_US)]
    first = target["method"] + b" " + target["path"] + b" HTTP/1.1"
    return b"\r\n".join((first, *kept, b"Connection: close", b"", b""))


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Until the source ends, or either side breaks."""
    try:
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _end(source)  # wakes the other direction as well
        _end(sink)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
