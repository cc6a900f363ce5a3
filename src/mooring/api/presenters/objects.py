"""Configurations, artifacts and resource groups."""

from typing import Any

from mooring.services.paging import ListedRow
from mooring.store.tables import Artifact, Configuration, ResourceGroup

TENANT = "mooring"
"""An installation is one tenant."""


def configuration(row: Configuration | ListedRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scenarioId": row.scenario_id,
        "executableId": row.executable_id,
        "parameterBindings": row.parameter_bindings,
        "inputArtifactBindings": row.input_artifact_bindings,
        "createdAt": row.created_at,
    }


def artifact(row: Artifact | ListedRow) -> dict[str, Any]:
    shown = {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "url": row.url,
        "scenarioId": row.scenario_id,
        "description": row.description,
        "labels": row.labels,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }
    made_by = {"executionId": row.execution_id, "configurationId": row.configuration_id}
    shown.update((name, value) for name, value in made_by.items() if value is not None)
    return shown


def resource_group(row: ResourceGroup) -> dict[str, Any]:
    return {
        "resourceGroupId": row.id,
        "tenantId": TENANT,
        "zoneId": TENANT,
        "createdAt": row.created_at,
        "labels": row.labels,
        "status": "PROVISIONED",
        "statusMessage": "",
    }
