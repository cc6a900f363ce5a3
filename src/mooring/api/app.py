"""The API as one application: the layers that every request passes, and the routers."""

from fastapi import FastAPI

from mooring import __version__
from mooring.api import envelope, openapi
from mooring.api.authentication import Authentication
from mooring.api.authorisation import Authorisation
from mooring.api.body_limit import BodyLimit
from mooring.api.boundary import Boundary
from mooring.api.context import ApiContext
from mooring.api.routers import (
    applications,
    artifacts,
    configurations,
    datasets,
    deployment_logs,
    deployments,
    deployments_bulk,
    destination_actions,
    destinations,
    docker_registry_secrets,
    documentation,
    executables,
    execution_logs,
    execution_schedules,
    executions,
    executions_bulk,
    generic_secrets,
    git_webhooks,
    health,
    kpis,
    meta,
    metrics,
    oauth,
    object_store_secrets,
    platform_services,
    quotas,
    repositories,
    resource_groups,
    resources,
    scenarios,
    tenant_info,
    tracking,
    webhooks,
)
from mooring.api.spelling import Spelling
from mooring.api.standings import Standings
from mooring.api.tracking_access import TrackingAccess
from mooring.services.destination_tokens import DestinationTokens
from mooring.services.tracking_addresses import TrackingAddresses

_ROUTERS = (
    oauth,
    scenarios,
    executables,
    configurations,
    artifacts,
    deployments,
    deployments_bulk,
    deployment_logs,
    executions,
    executions_bulk,
    execution_logs,
    execution_schedules,
    resource_groups,
    repositories,
    applications,
    meta,
    health,
    webhooks,
    git_webhooks,
    docker_registry_secrets,
    generic_secrets,
    object_store_secrets,
    datasets,
    metrics,
    tracking,
    kpis,
    quotas,
    resources,
    platform_services,
    tenant_info,
    destination_actions,
    destinations,
)


def create_app(context: ApiContext) -> FastAPI:
    """The control plane's HTTP interface. A request passes Boundary, Authentication, Authorisation, BodyLimit, …"""
    app = FastAPI(
        title="Mooring",
        version=__version__,
        description="The AI API v2, and what belongs to it.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        strict_content_type=False,
    )
    app.state.context = context
    app.state.destination_tokens = DestinationTokens(context.outside)
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
    app.add_middleware(BodyLimit, max_bytes=context.max_request_bytes, max_dataset_bytes=context.max_dataset_bytes)
    app.add_middleware(TrackingAccess, addresses=TrackingAddresses.of(context.vault))
    app.add_middleware(Authorisation)
    app.add_middleware(Authentication, tokens=context.tokens, standings=Standings(context.database))
    app.add_middleware(Boundary)
