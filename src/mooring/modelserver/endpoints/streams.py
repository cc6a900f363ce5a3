"""`/invocations` of a model that streams: `"stream": true` in the body asks for the answer piece by piece."""

from dataclasses import dataclass

from mooring.modelserver.dataplane import DataPlane
from mooring.modelserver.endpoints.predicting import Desk, ReaderOf
from mooring.modelserver.http import Request, Response
from mooring.modelserver.protocols.events import EventsReader, wants_stream


@dataclass(frozen=True)
class Streaming:
    """The endpoint; whoever does not ask for a stream is answered as by any other model."""

    desk: Desk
    plane: DataPlane
    """Of the same threads, with streams for predictions."""
    reader_of: ReaderOf

    async def __call__(self, request: Request) -> Response:
        """One request."""
        async with self.desk.reading(request) as (body, deadline):
            # First: whoever wants events may well accept nothing else, which is nothing that the readers write.
            if not wants_stream(body):
                return await self.desk.ask(self.desk.plane, self.reader_of(request), body, request, deadline)
            seconds = self.desk.options.request_seconds
            events = EventsReader(
                self.plane.model.signature, request, lambda work: self.plane.step(work, request, seconds), seconds
            )
            return await self.desk.ask(self.plane, events, body, request, deadline)
