"""Scenarios, versions and executables."""

from collections.abc import Iterable, Mapping
from typing import Any

from mooring.services.scenarios import Version
from mooring.store.tables import Executable, Scenario

_OF_PARAMETERS = ("name", "type", "default", "description")
_OF_ARTIFACTS = ("name", "kind", "description", "labels")
"""The Python SDK fails on any further field."""


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
        "parameters": _only(_OF_PARAMETERS, row.parameters),
        "inputArtifacts": _only(_OF_ARTIFACTS, row.input_artifacts),
        "outputArtifacts": _only(_OF_ARTIFACTS, row.output_artifacts),
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }


def _only(names: Iterable[str], items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: item[name] for name in names if name in item} for item in items]
