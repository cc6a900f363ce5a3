"""Executions."""

from datetime import datetime
from typing import Any, Literal

from mooring.api.schemas.artifacts import Artifact
from mooring.api.schemas.bulk import BulkItems, BulkRefusal
from mooring.api.schemas.common import Done, Id, Shape
from mooring.domain.lifecycle import Status, TargetStatus


class ExecutionCreate(Shape):
    """What is needed to run a configuration."""

    configuration_id: Id


class ExecutionCreated(Done):
    """The answer to a create."""

    status: Status
    target_status: TargetStatus


class ExecutionModify(Shape):
    """The end of an execution."""

    target_status: Literal["STOPPED"]


class ExecutionBulkModify(Shape):
    """Up to a hundred executions to stop or to delete."""

    executions: BulkItems


class ExecutionBulkModified(Shape):
    """The answer to a bulk change, in the order of the request."""

    executions: list[Done | BulkRefusal]


class Execution(Shape):
    """One run of a configuration. With `$select=status`, only some of the fields."""

    id: str
    configuration_id: str
    configuration_name: str | None = None
    executable_id: str | None = None
    scenario_id: str | None = None
    execution_schedule_id: str | None = None
    status: Status
    status_message: str | None = None
    status_details: dict[str, Any] | None = None
    target_status: TargetStatus | None = None
    output_artifacts: list[Artifact] | None = None
    created_at: datetime
    modified_at: datetime
    submission_time: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None


class ExecutionList(Shape):
    """A page of executions."""

    count: int
    resources: list[Execution]
