"""Artifacts: data in an object store under a name."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from mooring.client.connection import PAGE_SIZE, ApiObject, Connection, parse


class Artifact(ApiObject):
    """`execution_id` is that of the execution that made it; None when it was registered."""

    id: str
    name: str
    kind: str
    url: str
    scenario_id: str | None = None
    description: str | None = None
    execution_id: str | None = None
    created_at: datetime | None = None


class _Created(ApiObject):
    id: str


class Artifacts:
    """`/lm/artifacts`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        name: str,
        kind: str,
        url: str,
        scenario_id: str,
        *,
        description: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Its id. The server does not look whether there is anything at the url."""
        body: dict[str, object] = {"name": name, "kind": kind, "url": url, "scenarioId": scenario_id}
        if description:
            body["description"] = description
        if labels:
            body["labels"] = [{"key": key, "value": value} for key, value in labels.items()]
        return parse(_Created, self._connection.call("POST", "/lm/artifacts", body=body)).id

    def get(self, artifact_id: str) -> Artifact:
        return self._connection.read(Artifact, f"/lm/artifacts/{quote(artifact_id, safe='')}")

    def list(
        self,
        *,
        scenario_id: str | None = None,
        name: str | None = None,
        kind: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> list[Artifact]:
        """All of them, over all pages; `name` is the whole name."""
        params = {"scenarioId": scenario_id, "name": name, "kind": kind}
        return self._connection.read_all(Artifact, "/lm/artifacts", params=params, page_size=page_size)
