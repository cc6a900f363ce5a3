"""What the registry is told: tags on the version and on the registered model. Only those that differ are written.

Keys and values of `deployed`, `model_endpoint` and `deployed version` (with a space) are those of the DPM360 Service
Builder, whose users look for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mooring.builder.mlflow import MlflowError, RegistryClient
from mooring.builder.plan import Plan
from mooring.builder.registry import Entry

DEPLOYED = "deployed"
ENDPOINT = "model_endpoint"
STATUS = "deployment_status"
ERROR = "deployment_error"
DEPLOYED_VERSION = "deployed version"
STOPPED = "STOPPED"

_LONGEST_ERROR = 5000


@dataclass(frozen=True)
class TagChange:
    """Of a version, or of the registered model when `version` is None; a value of None removes the tag."""

    version: int | None
    key: str
    value: str | None


def tag_changes(entry: Entry, plan: Plan, endpoint: str) -> list[TagChange]:
    """What has to be written so that the registry says what the plan says.

    A version's status comes last: as long as it is not written, the next round finds the rest to be written too.
    """
    changes = _differences(None, entry.model.tags, _model_tags(plan)) if plan.statuses else []
    for version, status in plan.statuses.items():
        have = entry.tags_of(version) or {}
        error = _told(plan.failure.reason) if status == "FAILED" and plan.failure else None
        due = _version_tags(status, endpoint if version == plan.serving else None, error)
        changes += _differences(version, have, due)
    return changes


def write_back(registry: RegistryClient, name: str, changes: list[TagChange]) -> None:
    """Make the changes; a version that was deleted meanwhile needs none. Raises MlflowError."""
    for change in changes:
        try:
            _write(registry, name, change)
        except MlflowError as error:
            if error.status != 404:
                raise


def _write(registry: RegistryClient, name: str, change: TagChange) -> None:
    match change:
        case TagChange(None, key, None):
            registry.delete_model_tag(name, key)
        case TagChange(None, key, str(value)):
            registry.set_model_tag(name, key, value)
        case TagChange(int(version), key, None):
            registry.delete_version_tag(name, version, key)
        case TagChange(int(version), key, str(value)):
            registry.set_version_tag(name, version, key, value)


def _told(reason: str) -> str:
    return reason.replace("\0", "")[:_LONGEST_ERROR]  # PostgreSQL, behind many an MLflow, takes no NUL


def _model_tags(plan: Plan) -> dict[str, str | None]:
    if plan.serving is None:
        return {DEPLOYED: None, DEPLOYED_VERSION: None}
    return {DEPLOYED: "true", DEPLOYED_VERSION: str(plan.serving)}


def _version_tags(status: str, endpoint: str | None, error: str | None) -> dict[str, str | None]:
    return {
        DEPLOYED: "true" if endpoint else None,
        ENDPOINT: endpoint,
        ERROR: error,
        STATUS: status,
    }


def _differences(version: int | None, have: Mapping[str, str], due: Mapping[str, str | None]) -> list[TagChange]:
    return [TagChange(version, key, value) for key, value in due.items() if have.get(key) != value]
