"""Scenarios, versions and executables."""

from typing import Any

from mooring.services.scenarios import Version
from mooring.store.tables import Executable, Scenario


def scenario(row: Scenario) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "labels": row.labels,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }


def version(found: Version) -> dict[str, Any]:
    return {
        "id": found.id,
        "scenarioId": found.scenario_id,
        "description": found.description,
        "createdAt": found.created_at,
        "modifiedAt": found.modified_at,
    }


def executable(row: Executable) -> dict[str, Any]:
    return {
        "id": row.id,
        "scenarioId": row.scenario_id,
        "versionId": row.version_id,
        "name": row.name,
        "description": row.description,
        "deployable": row.deployable,
        "labels": row.labels,
        "parameters": row.parameters,
        "inputArtifacts": row.input_artifacts,
        "outputArtifacts": row.output_artifacts,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }
