"""Executions."""

from collections.abc import Sequence
from typing import Any

from mooring.api.presenters.objects import artifact
from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE
from mooring.services.paging import ListedRow
from mooring.store.tables import Artifact, Execution


def execution(row: Execution | ListedRow, outputs: Sequence[Artifact]) -> dict[str, Any]:
    """As in a list, with what it has made. What is not known yet is left out."""
    shown = {
        "id": row.id,
        "configurationId": row.configuration_id,
        "configurationName": row.configuration_name,
        "executableId": row.executable_id,
        "scenarioId": row.scenario_id,
        "status": row.status,
        "statusMessage": row.status_message[:LONGEST_STATUS_MESSAGE],
        "targetStatus": row.target_status,
        "outputArtifacts": [artifact(each) for each in outputs],
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }
    optional = {
        "executionScheduleId": row.execution_schedule_id,
        "submissionTime": row.submission_time,
        "startTime": row.start_time,
        "completionTime": row.completion_time,
    }
    shown.update((name, value) for name, value in optional.items() if value is not None)
    return shown


def with_status_details(row: Execution, outputs: Sequence[Artifact]) -> dict[str, Any]:
    """As in a single answer."""
    return {**execution(row, outputs), "statusDetails": row.status_details}


def status_only(row: Execution | ListedRow) -> dict[str, Any]:
    """For `$select=status`. Any further field breaks the Python SDK."""
    return {
        "id": row.id,
        "configurationId": row.configuration_id,
        "status": row.status,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }


def status_only_with_details(row: Execution) -> dict[str, Any]:
    """For `$select=status` of a single execution."""
    return {**status_only(row), "statusDetails": row.status_details}
