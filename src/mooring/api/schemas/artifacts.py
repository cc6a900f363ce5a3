"""Artifacts."""

from datetime import datetime

from pydantic import Field

from mooring.api.schemas.catalog import Scenario
from mooring.api.schemas.common import NULLABLE, Done, Id, KeyValue, Label, Name, Shape, Text, Url
from mooring.services.artifacts import Kind


class ArtifactCreate(Shape):
    """What is needed to register an artifact."""

    name: Name
    kind: Kind
    url: Url
    scenario_id: Id
    description: Text = ""
    labels: list[Label] = Field(default_factory=list, max_length=1000)


class ArtifactCreated(Done):
    """The answer to a create."""

    url: str


class Artifact(Shape):
    """A reference to data or a model."""

    id: str
    name: str
    kind: Kind
    url: str
    scenario_id: str
    description: str
    labels: list[KeyValue]
    execution_id: str | None = None
    configuration_id: str | None = None
    created_at: datetime
    modified_at: datetime
    scenario: Scenario | None = Field(None, json_schema_extra=NULLABLE)


class ArtifactList(Shape):
    """A page of artifacts."""

    count: int
    resources: list[Artifact]
