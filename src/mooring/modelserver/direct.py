"""Requests that come whole and are read at once are answered without a task and without ASGI's messages."""

import time
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, ClassVar, cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mooring.modelserver.app import Application, refusal
from mooring.modelserver.compression import WORTH_PACKING, packed
from mooring.modelserver.errors import ServingError
from mooring.modelserver.head import Head
from mooring.modelserver.http import JSON, Message, Request, Response
from mooring.modelserver.onewrite import OneWriteProtocol
from mooring.modelserver.request_ids import request_id_of
from mooring.modelserver.routes import Direct

if TYPE_CHECKING:
    import asyncio

    from mooring.modelserver.batching.ticket import Outcome, Ticket

Headers = list[tuple[bytes, bytes]]

_SMALL_BYTES = 1024 * 1024
_MOST_PIPELINED = 16
"""Then nothing more is read of this connection for the time being."""
_PATIENCE_SECONDS = 1.0
"""For the rest of a body. After that, the limits of the long way count."""


class _Defaults:
    """Uvicorn's own headers, written once for all connections."""

    headers: ClassVar[Headers] = []
    text: ClassVar[bytes] = b""


class _Flow(FlowControl):
    """Uvicorn's, but reading stops while much is pipelined: uvicorn itself would read 256 kB more with every answer."""

    def __init__(self, transport: "asyncio.Transport", pipeline: Sized) -> None:
        super().__init__(transport)
        self._pipeline = pipeline

    def resume_reading(self) -> None:
        if len(self._pipeline) < _MOST_PIPELINED:
            super().resume_reading()


class DirectProtocol(OneWriteProtocol):
    """Uvicorn's protocol with a shorter way for predictions.

    Taken when the connection has nothing else to do, and a small body is there within a moment. All else (what is
    large, slow, pipelined, compressed, refused) goes uvicorn's way, from the beginning: so there is one place only for
    each limit.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.application = cast("Application", self.config.app)
        self._endpoint: Direct | None = None
        self._pieces: list[bytes] = []
        self._patience: asyncio.TimerHandle | None = None
        self._head = Head(self.loop, self.timeout_keep_alive, self._refuse_head)

    def data_received(self, data: bytes) -> None:
        self._head.comes(len(data))
        super().data_received(data)
        self._head.check()
        if self._endpoint is not None and self._patience is None:
            if _is_small(self.headers):
                self._patience = self.loop.call_later(_PATIENCE_SECONDS, self._lose_patience)
            else:
                self._lose_patience()

    def connection_made(self, transport: "asyncio.Transport") -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.flow = _Flow(self.transport, self.pipeline)
        self._head.wait()  # whoever connects should say something, too

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.stop()
        self._taken()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        self._lose_patience()  # what has begun to come is still answered
        super().shutdown()

    def on_message_begin(self) -> None:
        self._head.begins()
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._head.ends()
        endpoint = self.application.table.direct.get(self.url)
        if endpoint is not None and self._is_plain_post():
            self._endpoint = endpoint
        else:
            self._go_the_long_way(None)

    def on_body(self, body: bytes) -> None:
        self._head.is_body(len(body))
        if self._endpoint is None:
            super().on_body(body)
        else:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        endpoint = self._endpoint
        if endpoint is None:
            super().on_message_complete()
            return
        body = self._taken()
        exchange = Exchange(self, self.headers, self.url, len(body))
        if exchange.begin(endpoint, body):
            self.cycle = cast("RequestResponseCycle", exchange)
        else:
            self._go_the_long_way(body)
            super().on_message_complete()

    def head_of(self, answer: bytes | Response) -> bytes:
        """Status and headers but for those that every answer has anew."""
        status = STATUS_LINE[answer.status if isinstance(answer, Response) else 200]
        defaults = self.server_state.default_headers
        if defaults is not _Defaults.headers:  # the date, once a second
            _Defaults.headers, _Defaults.text = defaults, b"".join(b"%b: %b\r\n" % field for field in defaults)
        return status + _Defaults.text + _fields(answer)

    def _taken(self) -> bytes:
        """What has come of the body; the short way is left."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        pieces, self._pieces, self._endpoint = self._pieces, [], None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _lose_patience(self) -> None:
        if self._endpoint is not None and not self.transport.is_closing():
            self._go_the_long_way(self._taken())

    def _refuse_head(self, status: int) -> None:
        if self.transport.is_closing():
            return
        if status == 408 and self.flow.read_paused:  # it is us who do not read
            self._head.wait()
            return
        is_free = self.cycle is None or self.cycle.response_complete
        if is_free and self.headers is not None:  # else it has sent nothing yet, or still gets another answer
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _is_plain_post(self) -> bool:
        is_free = self.cycle is None or self.cycle.response_complete
        if not is_free or self.flow.write_paused or self.parser.get_method() != b"POST":
            return False
        return bool(self.parser.should_keep_alive()) and not self.parser.should_upgrade()

    def _go_the_long_way(self, body: bytes | None) -> None:
        """As if uvicorn had seen all from the beginning."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        super().on_url(url)
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
        if body:
            super().on_body(body)


def _is_small(headers: Headers) -> bool:
    """Whether the rest of the body is worth waiting for: it comes by itself, and there is not much of it."""
    fields = dict(headers)
    length = fields.get(b"content-length", b"")
    return length.isdigit() and int(length) < _SMALL_BYTES and b"expect" not in fields


class Exchange:
    """One request on the short way, and its answer. To uvicorn it looks like one of its own cycles."""

    __slots__ = (
        "_path", "_protocol", "_received", "_request", "_started", "_ticket", "keep_alive", "message_event",
        "response_complete",
    )  # fmt: skip

    def __init__(self, protocol: DirectProtocol, headers: Headers, path: bytes, received: int) -> None:
        self._protocol = protocol
        self._path = path.decode("ascii")
        self._received = received
        self._request = Request(request_id_of(headers), headers, _nothing)
        self._started = time.perf_counter()
        self._ticket: Ticket | None = None
        self.keep_alive = True
        self.response_complete = False
        self.message_event = _NOBODY

    def begin(self, endpoint: Direct, body: bytes) -> bool:
        """Whether it is under way."""
        access = self._protocol.application.access
        try:
            if access:
                access.guard(self._path, self._request.headers)
        except ServingError:
            return False
        self._ticket = endpoint.begin(self._request, body, self._settled)
        return self._ticket is not None

    @property
    def disconnected(self) -> bool:
        """Whether the client has gone."""
        return self._protocol.transport.is_closing()

    @disconnected.setter
    def disconnected(self, _: bool) -> None:
        if self._ticket is not None:
            self._ticket.drop()

    def _settled(self, ticket: "Ticket", outcome: "Outcome") -> None:
        self._request.waited, self._request.predicted = ticket.waited, ticket.predicted
        self._ticket = None  # the connection keeps this object until its next request, but not what came in it
        if isinstance(outcome, ServingError):
            outcome = refusal(outcome, "POST", self._path, self._request)
        accepted = self._request.header(b"accept-encoding") if len(_body(outcome)) >= WORTH_PACKING else None
        if accepted is None:
            self._answer(outcome)
        else:
            task = self._protocol.loop.create_task(self._answer_packed(outcome, accepted))
            self._protocol.tasks.add(task)
            task.add_done_callback(self._protocol.tasks.discard)

    async def _answer_packed(self, outcome: bytes | Response, accepted: str) -> None:
        self._answer(await packed(outcome if isinstance(outcome, Response) else Response(outcome), accepted))

    def _answer(self, answer: bytes | Response) -> None:
        protocol, request = self._protocol, self._request
        self.response_complete = True
        if protocol.transport.is_closing():  # nobody is there any more
            return
        body, status = _body(answer), answer.status if isinstance(answer, Response) else 200
        closing = b"" if self.keep_alive else b"connection: close\r\n"
        protocol.write_whole(
            b"%bcontent-length: %d\r\nx-request-id: %b\r\n%b\r\n%b"
            % (protocol.head_of(answer), len(body), request.id.encode("latin-1"), closing, body)
        )
        protocol.application.observer.answered(
            request.id, "POST", self._path, request.headers, status, self._received, len(body),
            time.perf_counter() - self._started, request.waited, request.predicted,
        )  # fmt: skip
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


def _body(answer: bytes | Response) -> bytes:
    return answer.body if isinstance(answer, Response) else answer


def _fields(answer: bytes | Response) -> bytes:
    """What is not the same for all answers."""
    if isinstance(answer, bytes):
        return _JSON_FIELD
    fields = (("content-type", answer.content_type), *answer.headers)
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in fields)


async def _nothing() -> Message:
    raise AssertionError("the body has come already")


class _Nobody:
    """Uvicorn wakes whoever waits for more of the body; nobody does."""

    def set(self) -> None:
        """Nothing to do."""


_NOBODY = _Nobody()
_JSON_FIELD = f"content-type: {JSON}\r\n".encode()
