"""The lines of one deployment or execution as they come, each of them once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mooring.client.logs import LogLine

PAGE = 5000
"""Lines; the most that the API gives at a time."""


class LogReader(Protocol):
    """`Deployments` and `Executions` are such."""

    def logs(
        self, identifier: str, /, *, start: datetime | None = None, top: int | None = None
    ) -> Sequence[LogLine]: ...


class LogTail:
    """Begins with the lines of `start` (None: the server's default, an hour ago)."""

    def __init__(self, reader: LogReader, identifier: str, start: datetime | None) -> None:
        self._reader = reader
        self._identifier = identifier
        self._start = start
        self._seen: set[tuple[datetime, str | None, str]] = set()
        self.more = False

    def new(self) -> list[LogLine]:
        """Those that have come since the last call; `more` says that there are more already. Raises ApiError."""
        lines = self._reader.logs(self._identifier, start=self._start, top=PAGE)
        new = [line for line in lines if _key(line) not in self._seen]
        if lines:  # the last moment is asked for again: more may have been written in it
            self._start = lines[-1].timestamp
            self._seen = {_key(line) for line in lines if line.timestamp == self._start}
        self.more = bool(new) and len(lines) >= PAGE
        return new


def _key(line: LogLine) -> tuple[datetime, str | None, str]:
    return line.timestamp, line.pod, line.msg
