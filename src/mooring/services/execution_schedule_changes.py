"""What a client can change about an execution schedule."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest
from mooring.services import execution_schedules
from mooring.services.execution_checks import configuration_to_run
from mooring.services.execution_schedules import ScheduleStatus
from mooring.store.tables import ExecutionSchedule
from mooring.store.types import utc_now


class Changes(TypedDict, total=False):
    """What is to change; what is absent stays. None for `start` or `end` takes the limit away."""

    cron: str
    configuration_id: str
    start: datetime | None
    end: datetime | None
    status: ScheduleStatus


def change(session: Session, group: str, schedule_id: str, changes: Changes) -> None:
    """Apply the changes, all or none. Raises NotFound; InvalidRequest, naming the field."""
    schedule = execution_schedules.get(session, group, schedule_id, to_change=True)
    times = _times(schedule)
    if "cron" in changes:
        execution_schedules.refuse_wrong_cron(changes["cron"])
        schedule.cron = changes["cron"]
    if "configuration_id" in changes:
        schedule.configuration_id = configuration_to_run(session, group, changes["configuration_id"]).configuration.id
    _change_times(schedule, changes)
    if "status" in changes:
        _suspend_or_resume(schedule, changes["status"])
    if _times(schedule) != times:
        execution_schedules.plan_next_run(schedule)
    schedule.modified_at = utc_now()


def _times(schedule: ExecutionSchedule) -> tuple[object, ...]:
    return schedule.cron, schedule.start, schedule.end, schedule.suspended


def _change_times(schedule: ExecutionSchedule, changes: Changes) -> None:
    if "start" in changes:
        schedule.start = changes["start"]
    if "end" in changes:
        schedule.end = changes["end"]
    execution_schedules.refuse_wrong_times(schedule.start, schedule.end)


def _suspend_or_resume(schedule: ExecutionSchedule, status: ScheduleStatus) -> None:
    schedule.suspended = status is ScheduleStatus.INACTIVE
    if status is ScheduleStatus.ACTIVE and schedule.end is not None and schedule.end < utc_now():
        raise InvalidRequest(
            f"status cannot become ACTIVE: the schedule's end, {schedule.end:%Y-%m-%dT%H:%M:%SZ}, has passed. "
            "Give a later end, too"
        )
