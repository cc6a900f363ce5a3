"""Scenarios, their versions, executables and models."""

from datetime import datetime
from typing import Any

from mooring.api.schemas.common import KeyValue, Shape


class Scenario(Shape):
    """A use case that executables belong to."""

    id: str
    name: str
    description: str
    labels: list[KeyValue]
    created_at: datetime
    modified_at: datetime


class ScenarioList(Shape):
    """All scenarios."""

    count: int
    resources: list[Scenario]


class Version(Shape):
    """A version of a scenario."""

    id: str
    scenario_id: str
    description: str
    created_at: datetime
    modified_at: datetime


class VersionList(Shape):
    """The versions of a scenario."""

    count: int
    resources: list[Version]


class Parameter(Shape):
    """A parameter that configurations bind."""

    name: str
    type: str
    description: str | None = None
    default: str | None = None


class ExecutableArtifact(Shape):
    """An artifact that an executable takes or makes."""

    name: str
    kind: str | None = None
    description: str | None = None
    labels: list[KeyValue] | None = None


class Executable(Shape):
    """Something that configurations configure; `deployable` is false for workflows."""

    id: str
    scenario_id: str
    version_id: str
    name: str
    description: str
    deployable: bool
    labels: list[KeyValue]
    parameters: list[Parameter]
    input_artifacts: list[ExecutableArtifact]
    output_artifacts: list[ExecutableArtifact]
    created_at: datetime
    modified_at: datetime


class ExecutableList(Shape):
    """The executables of a scenario."""

    count: int
    resources: list[Executable]


class ModelVersion(Shape):
    """A version of a foundation model."""

    name: str
    is_latest: bool
    deprecated: bool
    retirement_date: str | None = None
    context_length: int | None = None
    input_types: list[str] | None = None
    capabilities: list[str] | None = None
    metadata: list[dict[str, Any]] | None = None
    cost: list[dict[str, Any]] | None = None
    suggested_replacements: list[str] | None = None
    streaming_supported: bool | None = None
    orchestration_capabilities: list[str] | None = None


class AllowedScenario(Shape):
    """Where a foundation model may be used."""

    scenario_id: str
    executable_id: str


class Model(Shape):
    """A foundation model."""

    model: str
    executable_id: str
    description: str
    versions: list[ModelVersion]
    display_name: str | None = None
    access_type: str | None = None
    provider: str | None = None
    allowed_scenarios: list[AllowedScenario] | None = None


class ModelList(Shape):
    """Foundation models; there are none here."""

    count: int
    resources: list[Model]
