"""Applications: folders of git repositories whose templates become executables."""

from datetime import datetime
from urllib.parse import quote

from mooring.client.connection import ApiObject, Connection


class TemplateSync(ApiObject):
    """How the sync of one template went."""

    name: str = ""
    kind: str = ""
    status: str = ""
    message: str | None = None


class ApplicationStatus(ApiObject):
    """`sync_status` is Synced, OutOfSync or Unknown."""

    sync_status: str | None = None
    health_status: str | None = None
    message: str | None = None
    sync_finished_at: datetime | None = None
    reconciled_at: datetime | None = None
    sync_resources_status: tuple[TemplateSync, ...] | None = None


class Applications:
    """`/admin/applications`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def refresh(self, name: str) -> None:
        """Accepted: the repository is read soon; see `status`."""
        self._connection.call("POST", f"{_path(name)}/refresh")

    def status(self, name: str) -> ApplicationStatus:
        return self._connection.read(ApplicationStatus, f"{_path(name)}/status")


def _path(name: str) -> str:
    return f"/admin/applications/{quote(name, safe='')}"
