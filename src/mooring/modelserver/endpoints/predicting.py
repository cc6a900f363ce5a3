"""An endpoint that predicts, in whatever protocol, within the server's limits. Imported once there is a model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mooring.modelserver.batching.ticket import Answer, Outcome, Ticket
from mooring.modelserver.compression import encoding_of, packed, unpacked
from mooring.modelserver.dataplane import DataPlane
from mooring.modelserver.errors import ServingError, SlowBody
from mooring.modelserver.http import Request, Response
from mooring.modelserver.inference import Reader
from mooring.modelserver.memory import Reclaimer
from mooring.modelserver.options import ServeOptions

ReaderOf = Callable[[Request], Reader]
"""Which reader a request's headers ask for. Raises UnsupportedMediaType, NotAcceptable."""


@dataclass(frozen=True)
class Desk:
    """Where all protocols over HTTP hand in what they have been sent."""

    plane: DataPlane
    options: ServeOptions
    reclaimer: Reclaimer

    async def run(self, request: Request, reader: Reader) -> Response:
        """Read the body and ask the model."""
        async with self.reading(request) as (body, deadline):
            return await self.ask(self.plane, reader, body, request, deadline)

    @asynccontextmanager
    async def reading(self, request: Request) -> AsyncIterator[tuple[bytes, float]]:
        """The body as it was before its encoding, and until when (the loop's time) there has to be an answer."""
        encoding, room, unpacked_bytes = encoding_of(request.header(b"content-encoding")), self.plane.room, 0
        deadline = asyncio.get_running_loop().time() + self.options.request_seconds
        try:
            body = await unpacked(await self._body(request), encoding, self.options.max_request_bytes)
            if encoding is not None:
                room.take(len(body))
                unpacked_bytes = len(body)
            yield body, deadline
        finally:
            room.give_back(request.received + unpacked_bytes)

    async def ask(self, plane: DataPlane, reader: Reader, body: bytes, request: Request, deadline: float) -> Response:
        """Ask the model, and pack the answer where that is wanted."""
        seconds = deadline - asyncio.get_running_loop().time()
        try:
            answer = await plane.infer(reader, body, request, deadline_seconds=seconds)
        finally:
            self.reclaimer.note(len(body))
        return await packed(whole(answer), request.header(b"accept-encoding"))

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self.options.request_seconds):
                return await request.body(self.options.max_request_bytes, self.plane.room.take)
        except TimeoutError:
            raise SlowBody(
                f"the body did not arrive within {self.options.request_seconds:g} s",
                headers=(("connection", "close"),),
            ) from None


@dataclass(frozen=True)
class Predicting:
    """The endpoint of one path. What comes whole and can be read as rows, it also takes without a task of its own."""

    desk: Desk
    reader_of: ReaderOf

    async def __call__(self, request: Request) -> Response:
        """One request, with all that can be about it."""
        return await self.desk.run(request, self.reader_of(request))

    def begin(self, request: Request, body: bytes, on_settled: Callable[[Ticket, Outcome], None]) -> Ticket | None:
        """Put it into a batch at once; None when it is nothing for here, and then nothing was begun."""
        room = self.desk.plane.room
        if len(body) > self.desk.options.max_request_bytes or request.header(b"content-encoding") is not None:
            return None
        if not room.has(len(body)):
            return None
        try:
            deadline = asyncio.get_running_loop().time() + self.desk.options.request_seconds
            ticket = self.desk.plane.begin(self.reader_of(request), body, request, deadline, on_settled)
        except ServingError:  # said to the caller by the other way
            return None
        if ticket is not None:
            room.take(len(body))
            ticket.room = room
        return ticket


def whole(answer: Answer) -> Response:
    """A body alone is JSON."""
    return answer if isinstance(answer, Response) else Response(answer)
