"""Deployments."""

from collections.abc import Mapping
from typing import Any

from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE
from mooring.domain.revisions import RevisionState
from mooring.services.paging import ListedRow
from mooring.store.tables import Deployment, Revision


def url(public_url: str, row: Deployment | ListedRow) -> str:
    """Empty until something served there."""
    if row.latest_running_configuration_id is None:
        return ""
    return f"{public_url}/v2/inference/deployments/{row.id}"


def deployment(row: Deployment | ListedRow, public_url: str) -> dict[str, Any]:
    """As in a list. Times that are not known yet are left out."""
    shown = {
        "id": row.id,
        "deploymentUrl": url(public_url, row),
        "configurationId": row.configuration_id,
        "configurationName": row.configuration_name,
        "executableId": row.executable_id,
        "scenarioId": row.scenario_id,
        "status": row.status,
        "statusMessage": row.status_message[:LONGEST_STATUS_MESSAGE],
        "targetStatus": row.target_status,
        "lastOperation": row.last_operation,
        "ttl": row.ttl,
        "details": _details(),
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }
    optional = {
        "latestRunningConfigurationId": row.latest_running_configuration_id,
        "submissionTime": row.submission_time,
        "startTime": row.start_time,
        "completionTime": row.completion_time,
    }
    shown.update((name, value) for name, value in optional.items() if value is not None)
    return shown


def with_status_details(row: Deployment, public_url: str) -> dict[str, Any]:
    """As in a single answer."""
    return {**deployment(row, public_url), "statusDetails": _status_details(row)}


def status_only(row: Deployment | ListedRow) -> dict[str, Any]:
    """For `$select=status`. Any further field breaks the Python SDK."""
    return {
        "id": row.id,
        "configurationId": row.configuration_id,
        "status": row.status,
        "details": _details(),
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }


def status_only_with_details(row: Deployment) -> dict[str, Any]:
    """For `$select=status` of a single deployment."""
    return {**status_only(row), "statusDetails": _status_details(row)}


def _details() -> dict[str, Any]:
    return {"scaling": {"backendDetails": {}}, "resources": {"backendDetails": {}}}


def _status_details(row: Deployment) -> dict[str, Any]:
    shown: dict[str, Any] = {"revisions": [_revision(revision) for revision in row.revisions]}
    newest = max(row.revisions, key=lambda revision: revision.number, default=None)
    if newest is not None and newest.rollout is not None:
        shown["rollout"] = rollout(newest.rollout, _rollout_state(newest, row))
    serving = next((revision for revision in row.revisions if revision.id == row.serving_revision_id), None)
    if serving is not None and serving.returned is not None:
        shown["returned"] = returned(serving.returned)
    return shown


def _rollout_state(newest: Revision, row: Deployment) -> str:
    """`starting`, `watched` (something stands by, to go back to), `kept`, or `failed`."""
    if newest.state != RevisionState.SERVING.value:
        return "starting" if newest.state == RevisionState.STARTING.value else "failed"
    stands_by = any(revision.state == RevisionState.STANDBY.value for revision in row.revisions)
    return "watched" if stands_by or newest.switched_at is None else "kept"


def rollout(asked: Mapping[str, Any], state: str) -> dict[str, Any]:
    """How the newest configuration is watched, and how far that is."""
    return {
        "onFailure": "return",
        "windowSeconds": asked["window_seconds"],
        "maxErrorRate": asked["max_error_rate"],
        "minRequests": asked["min_requests"],
        "state": state,
    }


def returned(facts: Mapping[str, Any]) -> dict[str, Any]:
    """From what the configuration that serves was returned to, and why."""
    return {"fromConfigurationId": facts["from_configuration_id"], "reason": facts["reason"], "at": facts["at"]}


def _revision(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "configurationId": revision.configuration_id,
        "state": revision.state,
        "reason": revision.reason,
        "createdAt": revision.created_at,
    }
