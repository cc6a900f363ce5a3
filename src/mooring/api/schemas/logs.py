"""Log lines."""

from datetime import datetime

from mooring.api.schemas.common import Shape


class LogLine(Shape):
    """One line; `pod` is what wrote it."""

    timestamp: datetime
    msg: str
    container: str
    pod: str
    stream: str


class LogLines(Shape):
    """Lines, sorted by time."""

    result: list[LogLine]


class Logs(Shape):
    """The answer of the logs endpoints."""

    data: LogLines
