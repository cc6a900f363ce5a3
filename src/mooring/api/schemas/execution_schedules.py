"""Execution schedules."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from mooring.api.schemas.common import Done, Id, Key, Shape, Text
from mooring.api.schemas.moments import WholeSecond
from mooring.services.execution_schedule_changes import Changes
from mooring.services.execution_schedules import ScheduleStatus

ScheduleName = Key
"""1 to 256 characters."""
Cron = Annotated[Text, Field(max_length=255, description="Five fields, in UTC, as in `30 3 * * 1`.")]


class ExecutionScheduleCreate(Shape):
    """What is needed to run a configuration again and again."""

    name: ScheduleName
    cron: Cron
    configuration_id: Id
    start: WholeSecond | None = None
    end: WholeSecond | None = None


class ExecutionScheduleCreated(Done):
    """The answer to a create."""


class ExecutionScheduleModify(Shape):
    """What is to change: at least one of the fields. A start or an end of null takes that limit away."""

    cron: Cron | None = None
    configuration_id: Id | None = None
    start: WholeSecond | None = None
    end: WholeSecond | None = None
    status: ScheduleStatus | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.changes():
            raise ValueError("give at least one of cron, start, end, configurationId and status")
        return self

    def changes(self) -> Changes:
        """What is to change. Null means something for the limits only."""
        found = Changes()
        if self.cron is not None:
            found["cron"] = self.cron
        if self.configuration_id is not None:
            found["configuration_id"] = self.configuration_id
        if self.status is not None:
            found["status"] = self.status
        if "start" in self.model_fields_set:
            found["start"] = self.start
        if "end" in self.model_fields_set:
            found["end"] = self.end
        return found


class ExecutionSchedule(Shape):
    """When a configuration is run."""

    id: str
    name: str
    cron: str
    configuration_id: str
    start: datetime | None = None
    end: datetime | None = None
    status: ScheduleStatus
    created_at: datetime
    modified_at: datetime


class ExecutionScheduleList(Shape):
    """A page of execution schedules."""

    count: int
    resources: list[ExecutionSchedule]
