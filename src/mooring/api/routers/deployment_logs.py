"""What a deployment's replicas have written."""

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, DeploymentId, Group
from mooring.api.log_window import LogWindow
from mooring.api.presenters import logs as present
from mooring.api.schemas.logs import Logs
from mooring.services import logs

router = APIRouter(prefix="/v2/lm/deployments", tags=["Deployment"])


@router.get("/{deploymentId}/logs", response_model=Logs)
def get_logs(context: Context, group: Group, deployment_id: DeploymentId, window: LogWindow) -> Response:
    """The lines of all its replicas, merged by time."""
    with context.database.reading() as session:
        replica_ids = logs.replicas_of(session, group, deployment_id)
    lines = logs.read(context.logs, replica_ids, window)
    return answers.json(present.logs(lines, container="kserve-container"))
