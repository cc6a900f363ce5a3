"""The application of a file: refreshed, until its templates are those of the repository."""

import time

from mooring.client.applications import ApplicationStatus
from mooring.client.client import AIClient
from mooring.pipeline.listener import Listener
from mooring.pipeline.patience import Patience

_SYNC_SECONDS = 300.0
_QUIET_SECONDS = 20.0
"""Not every server says that it has looked when it has found nothing new: synced for so long counts as well."""


class NotSynced(Exception):
    """The message says why."""


def sync(
    name: str,
    client: AIClient,
    listener: Listener,
    patience: Patience,
    *,
    seconds: float = _SYNC_SECONDS,
    quiet_seconds: float = _QUIET_SECONDS,
) -> None:
    """Raises NotSynced (at once when a template is broken), ApiError."""
    applications = client.applications
    before = _moments(patience.through(lambda: applications.status(name)))
    patience.through(lambda: applications.refresh(name))
    began = time.monotonic()

    def is_synced() -> bool:
        found = applications.status(name)
        has_looked = _moments(found) != before
        if has_looked and found.sync_status != "Synced" and (broken := _broken(found)):
            raise NotSynced(f"application {name} is {found.sync_status}: {broken}")
        return found.sync_status == "Synced" and (has_looked or time.monotonic() - began >= quiet_seconds)

    if not patience.until(is_synced, seconds):
        found = applications.status(name)
        told = _broken(found) or found.message or "no reason given"
        raise NotSynced(f"application {name} is {found.sync_status} after {seconds:g} s: {told}")
    listener.did(f"application {name} is synced")


def _moments(status: ApplicationStatus) -> tuple[object, object]:
    return status.sync_finished_at, status.reconciled_at


def _broken(status: ApplicationStatus) -> str:
    """The templates that could not be synced, and why."""
    resources = status.sync_resources_status or ()
    return "; ".join(f"{each.name}: {each.message}" for each in resources if each.status not in ("Synced", ""))
