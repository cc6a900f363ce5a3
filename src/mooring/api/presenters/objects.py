"""Configurations, artifacts and resource groups."""

from typing import Any

from mooring.store.tables import Artifact, Configuration, ResourceGroup

TENANT = "mooring"
"""An installation is one tenant."""


def configuration(row: Configuration) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scenarioId": row.scenario_id,
        "executableId": row.executable_id,
        "parameterBindings": row.parameter_bindings,
        "inputArtifactBindings": row.input_artifact_bindings,
        "createdAt": row.created_at,
    }


def artifact(row: Artifact) -> dict[str, Any]:
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
    if row.execution_id is not None:
        shown["executionId"] = row.execution_id
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
