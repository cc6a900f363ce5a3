"""What was tracked for executions, read and sent in pieces: an execution may have measured very often.

A piece has metrics of one execution or of several, and is read in a short transaction of its own. See `long_lists`,
whose promises hold here as well.
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence

from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from mooring.api import answers
from mooring.api.long_lists import BEGINNINGS_AT_A_TIME, JSON, PIECE, PIECE_BYTES, in_turn
from mooring.api.presenters import metrics as presenter
from mooring.services import tracked
from mooring.services.paging import ListedRow
from mooring.services.tracked import Filter, Part
from mooring.store.database import Database

_BEGINNING = 100
"""Metrics that are read at once before it is known how long they are; one has at most 20 labels, or 10 KB."""
_GROWTH = 4
_BEFORE_ALL = 0


def long_metrics(database: Database, group: str, wanted: Filter, *, top: int, skip: int) -> Response:
    """`{"count", "resources"}`: an ordinary answer if it is short; raises what goes wrong with its first piece."""
    reader = _Reader(database, group, wanted)
    with BEGINNINGS_AT_A_TIME:
        first = reader.begin(top, skip)
    if reader.is_done:
        return Response(first, media_type=JSON)
    return StreamingResponse(_sent(first, reader), media_type=JSON)


async def _sent(piece: bytes, reader: "_Reader") -> AsyncIterator[bytes]:
    yield piece
    while not reader.is_done:
        yield await in_turn(reader.read)


class _Reader:
    """Makes the answer piece by piece. Its executions are those of the beginning; what is forgotten meanwhile ends."""

    def __init__(self, database: Database, group: str, wanted: Filter) -> None:
        self._database = database
        self._group = group
        self._wanted = wanted
        self._left: deque[ListedRow] = deque()
        self._last: int | None = None
        """The id of the last metric that was read of the first one that is left; None before its beginning."""
        self._has_opened = False
        self._most = _BEGINNING
        self.is_done = False

    def begin(self, top: int, skip: int) -> bytes:
        """The beginning of the answer."""
        with self._database.reading() as session:
            self._left.extend(tracked.find(session, self._group, self._wanted, top=top, skip=skip))
            return b'{"count":%d,"resources":[%b' % (len(self._left), self._piece(session))

    def read(self) -> bytes:
        """What comes next."""
        with self._database.reading() as session:
            return self._piece(session)

    def _piece(self, session: Session) -> bytes:
        piece, room = bytearray(), PIECE
        while self._left and room > 0 and len(piece) < PIECE_BYTES:
            if self._last is None:
                piece += self._opening(session)
            room -= self._add_metrics(session, piece, room)
        if not self._left:
            piece += b"]}"
            self.is_done = True
        return bytes(piece)

    def _opening(self, session: Session) -> bytes:
        """An execution up to its first metric."""
        self._last = _BEFORE_ALL
        row, parts = self._left[0], self._wanted.parts
        texts = tracked.texts(session, self._group, row.execution_id, parts)
        comma = b"," if self._has_opened else b""
        self._has_opened = True
        key = b',"metrics":[' if Part.METRICS in parts else b""
        return comma + answers.encode(presenter.resource(row, texts, parts))[:-1] + key

    def _add_metrics(self, session: Session, piece: bytearray, most: int) -> int:
        """Some more metrics, and the end of the execution behind its last one. Returns how many these were."""
        wanted = min(most, self._most)
        rows = self._metrics(session, wanted)
        if rows:
            text = answers.encode([presenter.metric(row) for row in rows])[1:-1]
            piece += text if self._last == _BEFORE_ALL else b"," + text
            self._last = rows[-1].id
            self._most = max(1, min(PIECE, _GROWTH * len(rows), PIECE_BYTES * len(rows) // len(text)))
        if len(rows) < wanted:
            piece += b"]}" if Part.METRICS in self._wanted.parts else b"}"
            self._left.popleft()
            self._last = None
        return len(rows)

    def _metrics(self, session: Session, most: int) -> Sequence[ListedRow]:
        if Part.METRICS not in self._wanted.parts:
            return ()
        after = self._last or _BEFORE_ALL
        return tracked.metrics(session, self._group, self._left[0].execution_id, after=after, most=most)
