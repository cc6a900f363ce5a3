"""Where the model registry tells that something has changed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from mooring.api.dependencies import Context
from mooring.errors import NotFound, Unauthorized

router = APIRouter(tags=["Webhook"])


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/webhooks/mlflow", status_code=204)
def take_mlflow_event(context: Context, request: Request, body: Annotated[bytes, Depends(_body)]) -> Response:
    """Takes an event that MLflow has signed; no token is needed."""
    if context.webhook is None:
        raise NotFound("no registry is watched: start with --mlflow-uri")
    if not context.webhook(request.headers, body):
        raise Unauthorized("the signature of the event is wrong, or too old")
    return Response(status_code=204)
