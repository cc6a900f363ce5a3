"""Metrics, tags and custom info of an execution, from inside of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from mooring.api.dependencies import Context
from mooring.api.routers.metrics import additions
from mooring.api.schemas import metrics as shapes
from mooring.api.tracking_access import proven_execution
from mooring.errors import NotFound
from mooring.services import tracking
from mooring.services.tracking_addresses import FOLDER, TrackedExecution

router = APIRouter(tags=["Tracking"])


async def _execution(
    request: Request,
    _documented: Annotated[
        str, Path(alias="permission", description="Proves which execution calls; no token is needed.")
    ],
) -> TrackedExecution:
    execution = proven_execution(request.scope)
    if execution is None:
        raise NotFound("this is the tracking address of no execution")
    return execution


@router.patch(FOLDER + "{permission}/api/v1/metrics", status_code=204)
def track_from_inside(
    context: Context, execution: Annotated[TrackedExecution, Depends(_execution)], body: shapes.MetricsModify
) -> Response:
    """As `PATCH /v2/lm/metrics`, without a token, for the one execution that this address was made for."""
    new = additions(body)
    with context.database.transaction() as session:
        tracking.add_from_inside(session, execution, new)
    return Response(status_code=204)
