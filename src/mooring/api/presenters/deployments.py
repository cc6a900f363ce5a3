"""Deployments."""

from typing import Any

from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE
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
    return {"revisions": [_revision(revision) for revision in row.revisions]}


def _revision(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "configurationId": revision.configuration_id,
        "state": revision.state,
        "reason": revision.reason,
        "createdAt": revision.created_at,
    }
