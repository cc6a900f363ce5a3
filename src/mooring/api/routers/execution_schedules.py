"""Execution schedules."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, ExecutionScheduleId, Group, PageOfList
from mooring.api.long_lists import Rows, long_list
from mooring.api.presenters.execution_schedules import execution_schedule as present
from mooring.api.schemas import execution_schedules as shapes
from mooring.api.schemas.common import ID_PATTERN, Done
from mooring.services import execution_schedule_changes, execution_schedules
from mooring.services.execution_schedules import Filter, NewSchedule, ScheduleStatus
from mooring.services.paging import Page
from mooring.store.types import utc_now

PATH = "/v2/lm/executionSchedules"
router = APIRouter(prefix=PATH, tags=["Execution schedule"])


async def _filter(
    configuration_id: Annotated[str | None, Query(alias="configurationId", pattern=ID_PATTERN)] = None,
    status: ScheduleStatus | None = None,
) -> Filter:
    return Filter(configuration_id, status)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", response_model=shapes.ExecutionScheduleList)
def list_execution_schedules(context: Context, group: Group, wanted: Wanted, page: PageOfList) -> Response:
    """The execution schedules of a resource group, newest first."""

    def find(session: Session, part: Page) -> Rows:
        return execution_schedules.list_of(session, group, wanted, part)

    def show(_session: Session, rows: Rows) -> list[dict[str, Any]]:
        now = utc_now()
        return [present(row, now) for row in rows]

    return long_list(context.database, page, find, show)


@router.post("", status_code=202, response_model=shapes.ExecutionScheduleCreated)
def create_execution_schedule(context: Context, group: Group, body: shapes.ExecutionScheduleCreate) -> Response:
    """Run a configuration again and again; it is checked at once."""
    new = NewSchedule(body.name, body.cron, body.configuration_id, body.start, body.end)
    with context.database.transaction() as session:
        made = execution_schedules.create(session, group, new)
    context.wake()
    return answers.created(f"{PATH}/{made.id}", {"id": made.id, "message": "Execution Schedule created"}, 202)


@router.get("/$count", response_model=int)
def count_execution_schedules(context: Context, group: Group, wanted: Wanted) -> Response:
    """How many execution schedules there are."""
    with context.database.reading() as session:
        return answers.number(execution_schedules.count(session, group, wanted))


@router.get("/{executionScheduleId}", response_model=shapes.ExecutionSchedule)
def get_execution_schedule(context: Context, group: Group, schedule_id: ExecutionScheduleId) -> Response:
    """One execution schedule."""
    with context.database.reading() as session:
        return answers.json(present(execution_schedules.get(session, group, schedule_id), utc_now()))


@router.patch("/{executionScheduleId}", status_code=202, response_model=Done)
def modify_execution_schedule(
    context: Context, group: Group, schedule_id: ExecutionScheduleId, body: shapes.ExecutionScheduleModify
) -> Response:
    """Change when it runs or what, suspend or resume it."""
    with context.database.transaction() as session:
        execution_schedule_changes.change(session, group, schedule_id, body.changes())
    context.wake()
    return answers.accepted(schedule_id, "Execution Schedule modified")


@router.delete("/{executionScheduleId}", status_code=202, response_model=Done)
def delete_execution_schedule(context: Context, group: Group, schedule_id: ExecutionScheduleId) -> Response:
    """Remove an execution schedule; the executions that it has started stay."""
    with context.database.transaction() as session:
        execution_schedules.remove(session, group, schedule_id)
    return answers.accepted(schedule_id, "Execution Schedule deleted")
