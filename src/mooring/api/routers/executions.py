"""Executions: create, look at, stop, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split_ids
from mooring.api.dependencies import Context, ExecutionId, Group, PageOfList, ScenarioFilter, Select
from mooring.api.long_lists import Rows, long_list
from mooring.api.presenters import executions as present
from mooring.api.schemas import executions as shapes
from mooring.api.schemas.common import ID_PATTERN, Deletion, Done
from mooring.domain.lifecycle import Status
from mooring.services import execution_changes, executions
from mooring.services.executions import Filter
from mooring.services.paging import Page

PATH = "/v2/lm/executions"
router = APIRouter(prefix=PATH, tags=["Execution"])


async def _filter(
    scenario_id: ScenarioFilter = None,
    configuration_id: Annotated[str | None, Query(alias="configurationId", pattern=ID_PATTERN)] = None,
    executable_ids: Annotated[list[str] | None, Query(alias="executableIds")] = None,
    execution_schedule_id: Annotated[str | None, Query(alias="executionScheduleId", pattern=ID_PATTERN)] = None,
    status: Status | None = None,
) -> Filter:
    return Filter(
        scenario_id=scenario_id,
        configuration_id=configuration_id,
        executable_ids=split_ids(executable_ids, "executableIds"),
        execution_schedule_id=execution_schedule_id,
        status=status.value if status else None,
    )


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", response_model=shapes.ExecutionList)
def list_executions(
    context: Context, group: Group, wanted: Wanted, page: PageOfList, select: Select = None
) -> Response:
    """The executions of a resource group, newest first."""

    def find(session: Session, part: Page) -> Rows:
        return executions.list_of(session, group, wanted, part)

    def show(session: Session, rows: Rows) -> list[dict[str, Any]]:
        if select:
            return [present.status_only(row) for row in rows]
        outputs = executions.outputs_of(session, group, [row.id for row in rows])
        return [present.execution(row, outputs.get(row.id, ())) for row in rows]

    return long_list(context.database, page, find, show)


@router.post("", status_code=202, response_model=shapes.ExecutionCreated)
def create_execution(context: Context, group: Group, body: shapes.ExecutionCreate) -> Response:
    """Run a configuration; it is checked at once, the run takes its time."""
    with context.database.transaction() as session:
        made = executions.create(session, group, body.configuration_id)
    context.wake()
    shown = {
        "id": made.id,
        "message": "Execution scheduled",
        "status": made.status,
        "targetStatus": made.target_status,
    }
    return answers.created(f"{PATH}/{made.id}", shown, 202)


@router.get("/$count", response_model=int)
def count_executions(context: Context, group: Group, wanted: Wanted) -> Response:
    """How many executions there are."""
    with context.database.reading() as session:
        return answers.number(executions.count(session, group, wanted))


@router.get("/{executionId}", response_model=shapes.Execution)
def get_execution(context: Context, group: Group, execution_id: ExecutionId, select: Select = None) -> Response:
    """One execution, with what it has made."""
    with context.database.reading() as session:
        row = executions.get(session, group, execution_id)
        if select:
            return answers.json(present.status_only_with_details(row))
        outputs = executions.outputs_of(session, group, [row.id])
        return answers.json(present.with_status_details(row, outputs.get(row.id, ())))


@router.patch("/{executionId}", status_code=202, response_model=Done)
def modify_execution(
    context: Context,
    group: Group,
    execution_id: ExecutionId,
    body: shapes.ExecutionModify,  # noqa: ARG001 (there is one thing that it can say)
) -> Response:
    """Stop an execution. Final."""
    with context.database.transaction() as session:
        execution_changes.stop(session, group, execution_id)
    context.wake()
    return answers.accepted(execution_id, "Execution modification scheduled")


@router.delete("/{executionId}", status_code=202, response_model=Deletion)
def delete_execution(context: Context, group: Group, execution_id: ExecutionId) -> Response:
    """Remove an execution that does not run; its output artifacts and metrics stay."""
    with context.database.transaction() as session:
        execution_changes.delete(session, group, execution_id)
    context.wake()
    return answers.accepted(execution_id, "Deletion scheduled", targetStatus="DELETED")
