"""Many executions stopped or deleted in one request."""

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, Group
from mooring.api.presenters import bulk as present
from mooring.api.schemas import executions as shapes
from mooring.domain.lifecycle import TargetStatus
from mooring.services import execution_changes
from mooring.services.bulk import Wish

PATH = "/v2/lm/executions"
router = APIRouter(prefix=PATH, tags=["Execution"])


@router.patch("", status_code=202, response_model=shapes.ExecutionBulkModified)
def modify_executions(context: Context, group: Group, body: shapes.ExecutionBulkModify) -> Response:
    """Stop or delete up to a hundred executions; each is accepted or refused by itself."""
    wishes = [Wish(item.id, TargetStatus(item.target_status)) for item in body.executions]
    with context.database.transaction() as session:
        outcomes = execution_changes.change_many(session, group, wishes)
    context.wake()
    return answers.json({"executions": [present.result(each, PATH, "Execution") for each in outcomes]}, 202)
