"""Execution schedules: configurations that are run again and again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, func, not_, or_, select
from sqlalchemy.orm import Session

from mooring.domain import schedules
from mooring.domain.identifiers import new_uuid
from mooring.errors import InvalidRequest, NotFound
from mooring.services import resource_groups
from mooring.services.execution_checks import configuration_to_run
from mooring.services.paging import ListedRow, Page
from mooring.store.tables import ExecutionSchedule
from mooring.store.types import utc_now

_LISTED = (
    ExecutionSchedule.id,
    ExecutionSchedule.name,
    ExecutionSchedule.cron,
    ExecutionSchedule.configuration_id,
    ExecutionSchedule.start,
    ExecutionSchedule.end,
    ExecutionSchedule.suspended,
    ExecutionSchedule.created_at,
    ExecutionSchedule.modified_at,
)


class ScheduleStatus(Enum):
    """Whether a schedule starts executions. It follows from `suspended` and `end`, and is not stored."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


@dataclass(frozen=True)
class NewSchedule:
    """What a client gives; without `start` and `end` it runs from now on and for ever."""

    name: str
    cron: str
    configuration_id: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Filter:
    """Which schedules are listed; None asks for all."""

    configuration_id: str | None = None
    status: ScheduleStatus | None = None


def create(session: Session, group: str, new: NewSchedule) -> ExecutionSchedule:
    """Keep a schedule, once cron, times and configuration are right. Raises InvalidRequest, naming the field."""
    resource_groups.require(session, group)
    refuse_wrong_cron(new.cron)
    refuse_wrong_times(new.start, new.end)
    configuration_to_run(session, group, new.configuration_id)
    created = ExecutionSchedule(id=new_uuid(), resource_group=group, suspended=False, **vars(new))
    plan_next_run(created)
    session.add(created)
    session.flush()
    return created


def get(session: Session, group: str, schedule_id: str, *, to_change: bool = False) -> ExecutionSchedule:
    """Raises NotFound, also for one of another group. With `to_change`, nobody else changes it meanwhile."""
    query = select(ExecutionSchedule).where(
        ExecutionSchedule.resource_group == group, ExecutionSchedule.id == schedule_id
    )
    found = session.scalar(query.with_for_update() if to_change else query)
    if found is None:
        raise NotFound(f"there is no execution schedule {schedule_id!r} in the resource group {group!r}")
    return found


def plan_next_run(schedule: ExecutionSchedule) -> None:
    """Work out anew when it is due: from now on, so that nothing is caught up that another plan has missed."""
    schedule.next_run_at = (
        None if schedule.suspended else schedules.next_run(schedule.cron, utc_now(), schedule.start, schedule.end)
    )


def remove(session: Session, group: str, schedule_id: str) -> None:
    """No more executions are started; those that were stay. Raises NotFound."""
    session.delete(get(session, group, schedule_id, to_change=True))


def status_at(now: datetime, *, suspended: bool, end: datetime | None) -> ScheduleStatus:
    """What a schedule's status is at a moment."""
    is_over = end is not None and end < now
    return ScheduleStatus.INACTIVE if suspended or is_over else ScheduleStatus.ACTIVE


def list_of(session: Session, group: str, wanted: Filter, page: Page) -> Sequence[ListedRow]:
    """The schedules of a group that are asked for, newest first: plain rows with the columns' names."""
    resource_groups.require(session, group)
    query = select(*_LISTED).where(*_conditions(group, wanted))
    return session.execute(page.of(query, ExecutionSchedule.created_at, ExecutionSchedule.id)).all()


def count(session: Session, group: str, wanted: Filter) -> int:
    """How many `list_of` would find without a page."""
    resource_groups.require(session, group)
    query = select(func.count()).select_from(ExecutionSchedule).where(*_conditions(group, wanted))
    return session.scalar(query) or 0


def refuse_wrong_cron(cron: str) -> None:
    """Raises InvalidRequest for what is no cron expression, and for one that never fires."""
    try:
        schedules.check(cron, utc_now())
    except ValueError as error:
        raise InvalidRequest(
            f"cron {cron[:80]!r} {error}. Write five fields (minute, hour, day of month, month, day of week, in UTC), "
            "as in 30 3 * * 1"
        ) from None


def refuse_wrong_times(start: datetime | None, end: datetime | None) -> None:
    """Raises InvalidRequest when nothing lies between the two."""
    if start is not None and end is not None and end <= start:
        raise InvalidRequest(f"end {end:%Y-%m-%dT%H:%M:%SZ} must be later than start {start:%Y-%m-%dT%H:%M:%SZ}")


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield ExecutionSchedule.resource_group == group
    if wanted.configuration_id is not None:
        yield ExecutionSchedule.configuration_id == wanted.configuration_id
    if wanted.status is ScheduleStatus.ACTIVE:
        yield not_(_is_inactive())
    elif wanted.status is ScheduleStatus.INACTIVE:
        yield _is_inactive()


def _is_inactive() -> ColumnElement[bool]:
    """As `status_at` says it, in SQL."""
    is_over = ExecutionSchedule.end.is_not(None) & (ExecutionSchedule.end < utc_now())
    return or_(ExecutionSchedule.suspended.is_(True), is_over)
