"""Executions: looked at."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from mooring.client import logs
from mooring.client.connection import PAGE_SIZE, ApiObject, Connection
from mooring.client.logs import LogLine


class Execution(ApiObject):
    """As the server says it is."""

    id: str
    configuration_id: str
    status: str
    configuration_name: str | None = None
    executable_id: str | None = None
    scenario_id: str | None = None
    status_message: str | None = None
    target_status: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    submission_time: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None


class Executions:
    """`/lm/executions`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, execution_id: str) -> Execution:
        return self._connection.read(Execution, _path(execution_id))

    def list(self, *, page_size: int = PAGE_SIZE) -> list[Execution]:
        """All of them, over all pages."""
        return self._connection.read_all(Execution, "/lm/executions", page_size=page_size)

    def logs(
        self,
        execution_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        top: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[LogLine]:
        """Its lines from `start` (the server's default: an hour ago) to `end`, at most `top` (1 to 5000)."""
        path = _path(execution_id)
        return logs.read(self._connection, path, start=start, end=end, top=top, newest_first=newest_first)


def _path(execution_id: str) -> str:
    return f"/lm/executions/{quote(execution_id, safe='')}"
