"""The head of a request: how large it may get, and by when it has to be there."""

import asyncio
from collections.abc import Callable

_LARGEST_BYTES = 64 * 1024
"""Of what is no body: request line, headers, what stands around and behind the chunks of a body. The parser has no
limit of its own, and gathers whatever comes."""
_CHUNK_BYTES = 16
"""What may stand around a piece of a body."""


class Head:
    """Of one connection, one head after the other. Told of everything that comes; nothing else waits for a head."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, refuse: Callable[[int], None]) -> None:
        """`refuse` gets the status: 431 for what is too large, 408 for what is not there after `seconds`."""
        self._loop = loop
        self._seconds = seconds
        self._refuse = refuse
        self._bytes = 0
        self._is_begun = False
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> None:
        """Something has to come in time."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._is_late)

    def stop(self) -> None:
        """Nothing has to come any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def comes(self, size: int) -> None:
        """So many bytes are about to be parsed."""
        self._bytes += size

    def begins(self) -> None:
        """The parser has found a new head."""
        self._is_begun = True

    def ends(self) -> None:
        """The head is complete."""
        self._is_begun = False
        self._bytes = 0
        self.stop()

    def is_body(self, size: int) -> None:
        """So many of the bytes were a body's."""
        self._bytes = max(0, self._bytes - size - _CHUNK_BYTES)

    def check(self) -> None:
        """What had come is parsed."""
        if self._bytes > _LARGEST_BYTES:
            self._refuse(431)
        elif self._is_begun:
            self.wait()

    def _is_late(self) -> None:
        self._timer = None
        self._refuse(408)
