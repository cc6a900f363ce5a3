"""The head and the body of an answer leave together."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on a transport that gathers.

    Uvicorn writes the head and then the body. A replica that is killed in between has begun to answer, so the gateway
    cannot ask another one. (An answer that is larger than the socket's buffer, some 200 kB, still leaves in parts.)
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self._gathering = _Gathering(transport, self.loop, self.timeout_keep_alive)
        super().connection_made(cast("asyncio.Transport", self._gathering))

    def write_whole(self, answer: bytes) -> None:
        """Head and body that are one piece already."""
        self._gathering.write_whole(answer)


class _Gathering:
    """A transport that hands on as one piece what is written in one turn of the event loop.

    A reader who takes nothing for a while is cut off: nobody else would ever give back what an answer holds.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, patience_seconds: float) -> None:
        self._transport = transport
        self._loop = loop
        self._patience_seconds = patience_seconds
        self._pieces: list[bytes] = []
        self._written = 0
        self._taken = 0
        """Of what was written, as seen at the last look."""
        self._is_watched = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(piece)

    def write_whole(self, piece: bytes) -> None:
        if self._pieces:  # of an answer before this one
            self._flush()
        self._transport.write(piece)
        self._watch(len(piece))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        # Closed meanwhile: by the client, who wants no answer any more.
        if pieces and not self._transport.is_closing():
            self._transport.writelines(pieces)  # one `writev`, so that no body is copied
            self._watch(sum(map(len, pieces)))

    def _watch(self, written: int) -> None:
        self._written += written
        if not self._is_watched and self._transport.get_write_buffer_size():
            self._is_watched = True
            self._loop.call_later(self._patience_seconds, self._look)

    def _look(self) -> None:
        left = self._transport.get_write_buffer_size()
        taken, self._taken = self._taken, self._written - left
        self._is_watched = bool(left)
        if left and self._taken == taken:
            self._transport.abort()
        elif left:
            self._loop.call_later(self._patience_seconds, self._look)
