"""Services of the platform: the parts of this installation that clients can call."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from mooring.api import answers
from mooring.api.context import ApiContext
from mooring.api.dependencies import Context
from mooring.api.schemas import platform_services as shapes
from mooring.errors import NotFound

router = APIRouter(prefix="/v2/admin/services", tags=["Service"])
_SERVICES = {
    "ai-api": ("The AI API", "/v2"),
    "inference": ("Inference with what is deployed", "/v2/inference"),
}
ServiceName = Annotated[str, Path(alias="ServiceName", pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=32)]


@router.get("", response_model=shapes.PlatformServiceList)
def list_services(context: Context) -> Response:
    """All services."""
    return answers.listing(_shown(context, name) for name in _SERVICES)


@router.get("/{ServiceName}", response_model=shapes.PlatformServiceDetails)
def get_service(context: Context, name: ServiceName) -> Response:
    """One service."""
    if name not in _SERVICES:
        raise NotFound(f"there is no service {name!r}: there are {', '.join(_SERVICES)}")
    return answers.json({**_shown(context, name), "capabilities": {}})


def _shown(context: ApiContext, name: str) -> dict[str, Any]:
    description, path = _SERVICES[name]
    is_ready = context.ready()
    return {
        "name": name,
        "description": description,
        "url": context.public_url + path,
        "status": "PROVISIONED" if is_ready else "PROVISIONING",
        "statusMessage": "" if is_ready else "The control plane is starting.",
    }
