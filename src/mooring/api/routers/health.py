"""Health of the control plane, for whoever supervises it; no token is needed."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context
from mooring.errors import Unavailable

router = APIRouter(tags=["Health"])


@router.get("/healthz", response_model=dict[str, Any])
async def get_liveness() -> Response:
    """Answers as long as the process works at all."""
    return answers.json({"status": "ok"})


@router.get("/readyz", response_model=dict[str, Any])
def get_readiness(context: Context) -> Response:
    """200 once everything that is needed to work has started, 503 before."""
    if not context.ready():
        raise Unavailable("the control plane is starting: try again in a moment")
    return answers.json({"status": "ready"})
