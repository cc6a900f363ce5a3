"""Resource groups: what separates teams."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from mooring.client.connection import ApiObject, Connection, parse
from mooring.client.errors import ServerError


class Label(ApiObject):
    """Key and value."""

    key: str
    value: str


class ResourceGroup(ApiObject):
    """`status` is PROVISIONED, PROVISIONING or ERROR."""

    resource_group_id: str
    status: str = ""
    status_message: str | None = None
    labels: tuple[Label, ...] | None = None
    created_at: datetime | None = None


class ResourceGroups:
    """`/admin/resourceGroups`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, resource_group_id: str, *, labels: Mapping[str, str] | None = None) -> None:
        """Accepted; making one that exists changes nothing."""
        body: dict[str, object] = {"resourceGroupId": resource_group_id}
        if labels:
            body["labels"] = [{"key": key, "value": value} for key, value in labels.items()]
        self._connection.call("POST", "/admin/resourceGroups", body=body)

    def get(self, resource_group_id: str) -> ResourceGroup:
        return self._connection.read(ResourceGroup, _path(resource_group_id))

    def list(self) -> list[ResourceGroup]:
        """All of them: a tenant has at most a few dozen, so that there are no pages to follow."""
        answer = self._connection.call("GET", "/admin/resourceGroups")
        if not isinstance(answer, dict) or not isinstance(answer.get("resources"), list):
            raise ServerError(200, "the answer has no list of resources")
        return [parse(ResourceGroup, resource) for resource in answer["resources"]]

    def delete(self, resource_group_id: str) -> None:
        """Accepted; everything in it goes with it."""
        self._connection.call("DELETE", _path(resource_group_id))


def _path(resource_group_id: str) -> str:
    return f"/admin/resourceGroups/{quote(resource_group_id, safe='')}"
