"""Many deployments stopped or deleted in one request."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers, envelope
from mooring.api.dependencies import Context, Group
from mooring.api.schemas import deployments as shapes
from mooring.domain.lifecycle import TargetStatus
from mooring.services import deployment_changes
from mooring.services.deployment_changes import Outcome, Wish

PATH = "/v2/lm/deployments"
router = APIRouter(prefix=PATH, tags=["Deployment"])


@router.patch("", status_code=202, response_model=shapes.DeploymentBulkModified)
def modify_deployments(context: Context, group: Group, body: shapes.DeploymentBulkModify) -> Response:
    """Stop or delete up to a hundred deployments; each is accepted or refused by itself."""
    wishes = [Wish(item.id, TargetStatus(item.target_status)) for item in body.deployments]
    with context.database.transaction() as session:
        outcomes = deployment_changes.change_many(session, group, wishes)
    context.wake()
    results = [_result(wish, outcome) for wish, outcome in zip(wishes, outcomes, strict=True)]
    return answers.json({"deployments": results}, 202)


def _result(wish: Wish, outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        target = f"{PATH}/{outcome.deployment_id}"
        return {"id": outcome.deployment_id, "error": envelope.content(outcome.error, target)}
    deleted = wish.target is TargetStatus.DELETED
    message = "Deletion scheduled" if deleted else "Deployment modification scheduled"
    return {"id": outcome.deployment_id, "message": message}
