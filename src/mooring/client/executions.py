"""Executions: made, looked at, stopped and removed."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from mooring.client import logs
from mooring.client.artifacts import Artifact
from mooring.client.connection import PAGE_SIZE, ApiObject, Connection, parse
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
    output_artifacts: tuple[Artifact, ...] | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    submission_time: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None


class _Created(ApiObject):
    id: str


class Executions:
    """`/lm/executions`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, configuration_id: str) -> str:
        """Its id; it has not begun yet."""
        body = {"configurationId": configuration_id}
        return parse(_Created, self._connection.call("POST", "/lm/executions", body=body)).id

    def stop(self, execution_id: str) -> None:
        """PATCH: only while it is PENDING or RUNNING."""
        self._connection.call("PATCH", _path(execution_id), body={"targetStatus": "STOPPED"})

    def delete(self, execution_id: str) -> None:
        """Only when it does not run; PreconditionFailed (some servers: BadRequest) otherwise."""
        self._connection.call("DELETE", _path(execution_id))

    def get(self, execution_id: str) -> Execution:
        return self._connection.read(Execution, _path(execution_id))

    def list(
        self,
        *,
        scenario_id: str | None = None,
        executable_ids: Sequence[str] = (),
        configuration_id: str | None = None,
        status: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> list[Execution]:
        """All of them, over all pages."""
        params = {
            "scenarioId": scenario_id,
            "executableIds": ",".join(executable_ids) or None,
            "configurationId": configuration_id,
            "status": status,
        }
        return self._connection.read_all(Execution, "/lm/executions", params=params, page_size=page_size)

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
