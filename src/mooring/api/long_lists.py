"""Lists that may be long: read and sent in pieces, so that neither memory nor anybody else suffers from their length.

Each piece is read in a short transaction of its own and begins behind the last row of the one before it. A client
that reads slowly holds nothing but a piece or two of bytes. However many long lists are under way, one piece at a time
is made, so that there is always a moment for everybody else.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from threading import BoundedSemaphore
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from mooring.api import answers
from mooring.services.paging import ListedRow, Page
from mooring.store.database import Database

PIECE = 500
"""Items: about 5 ms of work, which somebody else may have to wait for."""
_BEGINNING = 25
"""The first piece is small, because nobody knows yet how long the items are: a configuration may have 5 MB."""
_GROWTH = 4
BEGINNINGS_AT_A_TIME = BoundedSemaphore(4)
PIECE_BYTES = 1_048_576
"""What a piece should not be longer than; where items are long, the next one has fewer of them."""
JSON = "application/json"

Rows = Sequence[ListedRow]
Find = Callable[[Session, Page], Rows]
Show = Callable[[Session, Rows], Sequence[Mapping[str, Any]]]

_turns: RunVar[CapacityLimiter] = RunVar("mooring_long_lists")


def long_list(database: Database, page: Page, find: Find, show: Show) -> Response:
    """`{"count", "resources"}`; count is the number of items in this answer.

    What goes wrong with the first piece is raised here. A list of one piece is an ordinary answer. A longer one is
    sent while it is read, with its count at the end; what goes wrong then cuts the connection, so that nobody takes
    a part for the whole.
    """
    reader = _Reader(database, page, find, show)
    with BEGINNINGS_AT_A_TIME:
        first = _beginning(reader)
    if reader.is_done:
        return Response(b'{"count":%d,"resources":%b}' % (reader.count, first), media_type=JSON)
    return StreamingResponse(_sent(memoryview(first), reader), media_type=JSON)


def _beginning(reader: "_Reader") -> bytes:
    """What is found before the answer begins: as an array, about a piece."""
    found = reader.read()
    while not reader.is_done and reader.count < PIECE and len(found) < PIECE_BYTES:
        more = reader.read(at_most=PIECE - reader.count)
        if reader.has_read:
            found = found[:-1] + b"," + more[1:]
    return found


class _Reader:
    """Reads piece by piece."""

    def __init__(self, database: Database, page: Page, find: Find, show: Show) -> None:
        self._database = database
        self._rest = page
        self._find = find
        self._show = show
        self._most = _BEGINNING
        self.has_read = False
        self.count = 0
        self.is_done = False

    def read(self, *, at_most: int = PIECE) -> bytes:
        """The next piece as a JSON array; an empty one when there is no more."""
        wanted = self._rest.beginning(min(at_most, self._most))
        with self._database.reading() as session:
            rows = self._find(session, wanted)
            piece = answers.encode(self._show(session, rows))
        self.has_read = bool(rows)
        self.count += len(rows)
        self.is_done = len(rows) < wanted.top or wanted.top == self._rest.top
        if not self.is_done:
            self._rest = self._rest.rest(rows)
            self._most = max(1, min(PIECE, _GROWTH * len(rows), PIECE_BYTES * len(rows) // len(piece)))
        return piece


async def _sent(piece: memoryview, reader: _Reader) -> AsyncIterator[bytes | memoryview]:
    """The arrays become one, without being copied."""
    yield b'{"resources":'
    yield piece[:-1]
    while not reader.is_done:
        piece = memoryview(await in_turn(reader.read))
        if reader.has_read:
            yield b","
            yield piece[1:-1]
    yield b'],"count":%d}' % reader.count


async def in_turn(read: Callable[[], bytes]) -> bytes:
    """Make a piece in a thread, while nobody else makes one."""
    return await to_thread.run_sync(read, limiter=_one_at_a_time())


def _one_at_a_time() -> CapacityLimiter:
    """The one limiter of the event loop that this runs in."""
    try:
        return _turns.get()
    except LookupError:
        limiter = CapacityLimiter(1)
        _turns.set(limiter)
        return limiter
