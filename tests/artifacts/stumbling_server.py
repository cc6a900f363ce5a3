"""Stands before a real server and makes it stumble: answers with errors, cuts connections and bodies, waits, lies."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = str | None
"""`error` (500), `reset`, `cut` (half of a body), `short` (a wrong length), or None."""
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass
class Stumbling:
    """`fault` decides for each request by method, path and how many there were before it."""

    address: str = ""
    fault: Callable[[str, str, int], Fault] = lambda *_: None
    before: Callable[[str, str, Mapping[str, str]], None] = lambda *_: None
    parts: bool = False
    """Whether a part is answered with 206, as S3 does and rclone does not."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Methods and paths."""


@contextmanager
def stumbling_before(address: str) -> Iterator[Stumbling]:
    """The address that callers are to use is in what is given."""
    state = Stumbling()

    here = {"state": state, "upstream": address, "lock": threading.Lock()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), here))
    server.daemon_threads = True
    state.address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Stumbling
    upstream: str
    lock: threading.Lock

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.state.before(self.command, self.path, dict(self.headers.items()))
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        with self.lock:
            fault = self.state.fault(self.command, self.path, len(self.state.requests))
            self.state.requests.append((self.command, self.path))
        if fault == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault == "error":
            self.answer(500, [], b"stumbled", None)
            return
        upstream = http.client.HTTPConnection(self.upstream, timeout=30)
        upstream.request(self.command, self.path, body, dict(self.headers.items()))
        answer = upstream.getresponse()
        content = answer.read()
        part = self.state.parts and answer.status == 200 and "range" in self.headers
        self.answer(
            206 if part else answer.status, answer.getheaders(), content, fault, answer.getheader("content-length")
        )
        upstream.close()

    do_PUT = do_HEAD = do_DELETE = do_POST = do_GET

    def answer(
        self, status: int, headers: list[tuple[str, str]], content: bytes, fault: Fault, length: str | None = None
    ) -> None:
        if fault == "short":
            content, length = content[:-1], None
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
        if fault == "cut":
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
