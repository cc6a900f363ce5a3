"""What an execution's jobs have written."""

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, ExecutionId, Group
from mooring.api.log_window import LogWindow
from mooring.api.presenters import logs as present
from mooring.api.schemas.logs import Logs
from mooring.services import logs

router = APIRouter(prefix="/v2/lm/executions", tags=["Execution"])


@router.get("/{executionId}/logs", response_model=Logs)
def get_execution_logs(context: Context, group: Group, execution_id: ExecutionId, window: LogWindow) -> Response:
    """The lines of all its jobs, merged by time."""
    with context.database.reading() as session:
        pods = logs.jobs_of(session, group, execution_id)
    lines = logs.read(context.logs, pods.keys(), window)
    return answers.json(present.logs(lines, container="main", pods=pods))
