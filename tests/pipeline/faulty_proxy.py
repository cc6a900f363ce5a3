"""A proxy in front of an AI API that does what networks, gateways and busy servers do, at any call."""

import threading
from collections.abc import Callable
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx

_UPSTREAM_SECONDS = 60
_NOT_PASSED_ON = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Fault(StrEnum):
    CUT = "the connection ends, and nothing was passed on"
    LOST = "it is passed on, and the connection ends in place of the answer"
    BROKEN = "503, and nothing was passed on"
    LATE = "it is passed on, and the answer is 504"
    GARBLED = "it is passed on, and the answer is no JSON"
    BUSY = "429 with Retry-After"
    EXPIRED = "401"


_STATUSES = {Fault.BROKEN: 503, Fault.LATE: 504, Fault.GARBLED: 200, Fault.BUSY: 429, Fault.EXPIRED: 401}
_PASSED_ON = (None, Fault.LOST, Fault.LATE, Fault.GARBLED)

Decide = Callable[[int, str, str], Fault | None]


class FaultyProxy:
    """`decide(number, method, path)` says what becomes of each call but those for tokens; `calls` are those."""

    def __init__(self, upstream: str) -> None:
        self._upstream = httpx.Client(
            base_url=upstream, timeout=_UPSTREAM_SECONDS, transport=httpx.HTTPTransport(verify=False)
        )
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.decide: Decide = lambda *_: None
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None
        self.retry_after = "0"
        self.calls: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._upstream.close()

    def call(self, method: str, path: str, pass_on: Callable[[], httpx.Response]) -> httpx.Response | None:
        """What is answered; None when the connection is to end."""
        with self._lock:
            self.calls.append((method, path))
            number = len(self.calls) - 1
        self.before(number)
        fault = self.decide(number, method, path)
        answer = pass_on() if fault in _PASSED_ON else None
        self.after(number)
        if fault in _STATUSES:
            return httpx.Response(_STATUSES[fault], headers={"retry-after": self.retry_after}, text="upstream")
        return None if fault else answer

    def pass_on(self, method: str, path: str, headers: dict[str, str], content: bytes) -> httpx.Response:
        kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_PASSED_ON}
        return self._upstream.request(method, path, headers=kept, content=content)


def _handler(proxy: FaultyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.partition("?")[0]

            def pass_on() -> httpx.Response:
                return proxy.pass_on(self.command, self.path, dict(self.headers), content)

            answer = pass_on() if path == "/oauth/token" else proxy.call(self.command, path, pass_on)
            if answer is None:
                self.close_connection = True
            else:
                self._answer(answer)

        def _answer(self, answer: httpx.Response) -> None:
            self.send_response(answer.status_code)
            for name in ("content-type", "retry-after"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the tests look at `calls`."""

    return Handler
