"""Requests and responses, as little of HTTP as the endpoints need."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mooring.modelserver.errors import InvalidInput, TooLarge

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json"


@dataclass(slots=True)
class Request:
    """One request; the body is read by the endpoints that take one."""

    id: str
    headers: Iterable[tuple[bytes, bytes]]
    receive: Receive
    query: bytes = b""
    received: int = 0
    """Bytes of the body so far."""
    waited: float = 0.0
    """Seconds in the queue of the model, where known."""
    predicted: float = 0.0
    """Seconds in the model, those of the whole batch; where known."""

    def header(self, name: bytes) -> str | None:
        """The first header of this (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    async def body(self, limit: int, take: Callable[[int], object] = int) -> bytes:
        """The whole body; `take` is told of each piece, and may refuse it.

        Raises TooLarge beyond `limit` bytes (at once when the header already says so), and what `take` raises.
        """
        if int(self.header(b"content-length") or 0) > limit:
            raise TooLarge(limit)
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise InvalidInput("the client went away in the middle of the body")
            chunks.append(message.get("body", b""))
            take(len(chunks[-1]))
            self.received = size = size + len(chunks[-1])
            more = message.get("more_body", False)
            if size > limit:
                raise TooLarge(limit)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


@dataclass(frozen=True, slots=True)
class Response:
    """One complete answer."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = field(default=())

    async def send(self, send: Send, request_id: str) -> int:
        """Write it, with the request's id; how many bytes the body has."""
        headers = [
            (b"content-type", self.content_type.encode("latin-1")),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-request-id", request_id.encode("latin-1")),
            *((name.encode(), value.encode("latin-1")) for name, value in self.headers),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
        return len(self.body)
