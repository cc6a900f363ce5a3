"""Stops and deletes what is not needed any more."""

from mooring.client.client import AIClient
from mooring.client.deployments import Deployments
from mooring.client.errors import NotFound
from mooring.client.executions import Executions
from mooring.pipeline.found import GONE
from mooring.pipeline.patience import Patience
from mooring.pipeline.steps import Remove

_STOP_SECONDS = 300.0


class Remover:
    """What is gone already is removed."""

    def __init__(self, client: AIClient, patience: Patience, *, stop_seconds: float = _STOP_SECONDS) -> None:
        self._client = client
        self._patience = patience
        self._stop_seconds = stop_seconds

    def remove(self, step: Remove) -> str:
        """In words what was done. Raises ApiError, TimeoutError."""
        owners = self._client.executions if step.kind == "execution" else self._client.deployments
        try:
            if step.stop:
                self._stop(owners, step.id)
            if not self._patience.until(lambda: _can_be_deleted(owners, step.id), self._stop_seconds):
                raise TimeoutError(f"{step.kind} {step.id} has not stopped within {self._stop_seconds:g} s")
            self._patience.through(lambda: owners.delete(step.id))
        except NotFound:
            return f"{step.kind} {step.name} ({step.id}) was gone already"
        return f"{step.kind} {step.name} ({step.id}) is removed"

    def _stop(self, owners: Executions | Deployments, id_: str) -> None:
        """What has stopped is refused a second time."""

        def stop() -> str:
            owners.stop(id_)
            return id_

        self._patience.once(stop, lambda: id_ if owners.get(id_).target_status in GONE else None)


def _can_be_deleted(owners: Executions | Deployments, id_: str) -> bool:
    try:
        return owners.get(id_).status not in ("PENDING", "RUNNING", "STOPPING")
    except NotFound:
        return True
