"""Answers in pieces: server-sent events, as MLflow's own server of agents sends them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mooring.modelserver.errors import ServingError, describe
from mooring.modelserver.http import Receive, Request, Response, Send
from mooring.modelserver.inference import Call, Columnar, Inference
from mooring.modelserver.protocols.error_bodies import scoring_error
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.scoring import from_json
from mooring.modelserver.schema import Signature
from mooring.modelserver.streaming import Stream

_logger = logging.getLogger("mooring.modelserver")

_KEY = "stream"
Step = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a piece of work where the model predicts, within the deadline of a request. Raises ServingError."""


def wants_stream(body: bytes) -> bool:
    """Whether it is a JSON object with `"stream": true`."""
    if b'"stream"' not in body:
        return False
    try:
        return parse_object(body).get(_KEY) is True
    except ServingError:  # said to the caller by whoever reads it in earnest
        return False


@dataclass(frozen=True, slots=True)
class EventsReader:
    """Reads one request for a stream: any JSON body of MLflow's protocol."""

    signature: Signature
    request: Request
    step: Step
    seconds: float
    """How long one piece may take to be made, and to be sent."""

    def columnar(self, _: bytes) -> Columnar | None:
        """Nothing: a stream is one request's own."""
        return None

    def call(self, body: bytes) -> Call:
        """Raises InvalidInput."""
        document = {key: value for key, value in parse_object(body).items() if key != _KEY}
        return _EventsCall(from_json(document, self.signature), self._answer)

    def _answer(self, stream: Stream) -> Response:
        return Events(b"", stream=stream, receive=self.request.receive, step=self.step, seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class _EventsCall:
    inference: Inference
    encode: Callable[[Any], Response]


@dataclass(frozen=True, slots=True)
class Events(Response):
    """One event per piece, then `[DONE]`; an event `error` in its place when the model fails in between."""

    content_type: str = "text/event-stream; charset=utf-8"
    stream: Stream = field(kw_only=True)
    receive: Receive = field(kw_only=True)
    step: Step = field(kw_only=True)
    seconds: float = field(kw_only=True)

    async def send(self, send: Send, request_id: str) -> int:
        """Write until the model has no more, or the client has gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self._head(request_id)})
        sent, gone = 0, asyncio.ensure_future(self._gone())
        try:
            async for event in self._events(request_id):
                if gone.done():
                    return sent
                await self._write(send, event)
                sent += len(event)
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            _logger.warning("request %s: its stream is given up: nobody read it for %g s", request_id, self.seconds)
        finally:
            gone.cancel()
            await self._close()
        return sent

    def _head(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self.content_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),  # proxies in front shall pass each event on at once
            (b"x-request-id", request_id.encode("latin-1")),
        ]

    async def _events(self, request_id: str) -> "Any":
        while True:
            try:
                piece: bytes | None = await self.step(self.stream.next)
            except Exception as error:  # noqa: BLE001 - a model's code raises what it likes
                yield b"event: error\ndata: " + scoring_error(_refusal(error, request_id)) + b"\n\n"
                return
            if piece is None:
                yield b"data: [DONE]\n\n"
                return
            yield b"data: " + piece + b"\n\n"

    async def _write(self, send: Send, event: bytes) -> None:
        # Raises TimeoutError: a slow reader stops the model, and one that stopped reading ends it.
        async with asyncio.timeout(self.seconds):
            await send({"type": "http.response.body", "body": event, "more_body": True})

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _close(self) -> None:
        try:
            await self.step(self.stream.close)
        except ServingError:  # no thread is free for it: then here, as whatever it holds has to be given back
            self.stream.close()


def _refusal(error: Exception, request_id: str) -> ServingError:
    if isinstance(error, ServingError):
        return error
    _logger.error("request %s: the model failed in its stream", request_id, exc_info=error)
    return ServingError(f"the model failed: {describe(error)}")
