"""Many deployments stopped or deleted in one request."""

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, Group
from mooring.api.presenters import bulk as present
from mooring.api.schemas import deployments as shapes
from mooring.domain.lifecycle import TargetStatus
from mooring.services import deployment_changes
from mooring.services.bulk import Wish

PATH = "/v2/lm/deployments"
router = APIRouter(prefix=PATH, tags=["Deployment"])


@router.patch("", status_code=202, response_model=shapes.DeploymentBulkModified)
def modify_deployments(context: Context, group: Group, body: shapes.DeploymentBulkModify) -> Response:
    """Stop or delete up to a hundred deployments; each is accepted or refused by itself."""
    wishes = [Wish(item.id, TargetStatus(item.target_status)) for item in body.deployments]
    with context.database.transaction() as session:
        outcomes = deployment_changes.change_many(session, group, wishes)
    context.wake()
    return answers.json({"deployments": [present.result(each, PATH, "Deployment") for each in outcomes]}, 202)
