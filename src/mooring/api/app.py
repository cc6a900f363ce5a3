"""The API as one application: the layers that every request passes, and the routers."""

from fastapi import FastAPI

from mooring import __version__
from mooring.api import envelope, openapi
from mooring.api.authentication import Authentication
from mooring.api.body_limit import BodyLimit
from mooring.api.boundary import Boundary
from mooring.api.context import ApiContext
from mooring.api.routers import (
    artifacts,
    configurations,
    deployment_logs,
    deployments,
    deployments_bulk,
    documentation,
    executables,
    health,
    meta,
    oauth,
    resource_groups,
    scenarios,
    webhooks,
)
from mooring.api.spelling import Spelling

_ROUTERS = (
    oauth,
    scenarios,
    executables,
    configurations,
    artifacts,
    deployments,
    deployments_bulk,
    deployment_logs,
    resource_groups,
    meta,
    health,
    webhooks,
)


def create_app(context: ApiContext) -> FastAPI:
    """The control plane's HTTP interface. A request passes Boundary, Authentication, BodyLimit, Spelling, router."""
    app = FastAPI(
        title="Mooring",
        version=__version__,
        description="The AI API v2, and what belongs to it.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        strict_content_type=False,
        responses=openapi.ERRORS,
    )
    app.state.context = context
    app.openapi = openapi.describer(app)  # type: ignore[method-assign]
    envelope.install(app)
    _add_layers(app, context)
    for module in _ROUTERS:
        app.include_router(module.router)
    documentation.install(app)
    return app


def _add_layers(app: FastAPI, context: ApiContext) -> None:
    # Each one is put around those before it: the last is the outermost.
    app.add_middleware(Spelling)
    app.add_middleware(BodyLimit, max_bytes=context.max_request_bytes)
    app.add_middleware(Authentication, tokens=context.tokens)
    app.add_middleware(Boundary)
