"""Log lines of deployments and of executions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mooring.client.connection import ApiObject, Connection, parse
from mooring.client.errors import ServerError


class LogLine(ApiObject):
    """One line; `msg` may end with a newline."""

    timestamp: datetime
    msg: str
    container: str | None = None
    pod: str | None = None
    stream: str | None = None


def read(
    connection: Connection,
    path: str,
    *,
    start: datetime | None,
    end: datetime | None,
    top: int | None,
    newest_first: bool,
) -> Sequence[LogLine]:
    """The lines of the object at this path. Raises ApiError."""
    params = {
        "start": _moment(start),
        "end": _moment(end),
        "$top": top,
        "$order": "desc" if newest_first else "asc",
    }
    return [parse(LogLine, line) for line in _result(connection.call("GET", f"{path}/logs", params=params))]


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _result(answer: Any) -> Sequence[object]:
    try:
        result = answer["data"]["result"]
    except (KeyError, TypeError) as error:
        raise ServerError(200, "the answer has no data.result with log lines") from error
    return result if isinstance(result, list) else []
