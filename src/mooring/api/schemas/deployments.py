"""Deployments."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mooring.api.schemas.bulk import BulkItems, BulkRefusal
from mooring.api.schemas.common import NULLABLE, Done, Id, Shape
from mooring.domain.lifecycle import Status, TargetStatus

Ttl = Annotated[str, StringConstraints(pattern=r"^[0-9]+[mMhHdD]$", max_length=16)]


class DeploymentCreate(Shape):
    """What is needed to make a deployment."""

    configuration_id: Id
    ttl: Ttl | None = None


class DeploymentCreated(Done):
    """The answer to a create."""

    deployment_url: str
    status: Status
    ttl: str | None


class DeploymentModify(Shape):
    """Either another configuration, or the end."""

    configuration_id: Id | None = None
    target_status: Literal["STOPPED"] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.configuration_id is None) == (self.target_status is None):
            raise ValueError("give exactly one of configurationId and targetStatus")
        return self


class DeploymentBulkModify(Shape):
    """Up to a hundred deployments to stop or to delete."""

    deployments: BulkItems


class DeploymentBulkModified(Shape):
    """The answer to a bulk change, in the order of the request."""

    deployments: list[Done | BulkRefusal]


class Deployment(Shape):
    """What is served under one URL. With `$select=status`, only some of the fields."""

    id: str
    deployment_url: str | None = None
    configuration_id: str
    configuration_name: str | None = None
    executable_id: str | None = None
    scenario_id: str | None = None
    status: Status
    status_message: str | None = None
    status_details: dict[str, Any] | None = None
    target_status: TargetStatus | None = None
    last_operation: str | None = None
    latest_running_configuration_id: str | None = None
    ttl: str | None = Field(None, json_schema_extra=NULLABLE)
    details: dict[str, Any] | None = None
    created_at: datetime
    modified_at: datetime
    submission_time: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None


class DeploymentList(Shape):
    """A page of deployments."""

    count: int
    resources: list[Deployment]
