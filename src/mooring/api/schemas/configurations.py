"""Configurations."""

from datetime import datetime

from pydantic import Field

from mooring.api.schemas.catalog import Scenario
from mooring.api.schemas.common import NULLABLE, Done, Id, Key, Name, Shape, Text


class ParameterBinding(Shape):
    """A value for a parameter."""

    key: Key
    value: Text


class InputArtifactBinding(Shape):
    """An artifact for an input."""

    key: Key
    artifact_id: Id


class ConfigurationCreate(Shape):
    """What is needed to make a configuration."""

    name: Name
    scenario_id: Id
    executable_id: Id
    parameter_bindings: list[ParameterBinding] = Field(default_factory=list, max_length=1000)
    input_artifact_bindings: list[InputArtifactBinding] = Field(default_factory=list, max_length=1000)


class ConfigurationCreated(Done):
    """The answer to a create."""


class Configuration(Shape):
    """Values for an executable's parameters and inputs."""

    id: str
    name: str
    scenario_id: str
    executable_id: str
    parameter_bindings: list[ParameterBinding]
    input_artifact_bindings: list[InputArtifactBinding]
    created_at: datetime
    scenario: Scenario | None = Field(None, json_schema_extra=NULLABLE)


class ConfigurationList(Shape):
    """A page of configurations."""

    count: int
    resources: list[Configuration]
