"""Which path leads where: the whole table, top to bottom, the first match wins."""

from mooring.gateway.admission import NO_DEPLOYMENT, NO_DESTINATION, NO_MODEL, refuse_revoked
from mooring.gateway.bodies import refuse_announced
from mooring.gateway.control_plane_routes import control_plane_routes
from mooring.gateway.destination_routes import destination_routes
from mooring.gateway.options import GatewayOptions
from mooring.gateway.replica_routes import deployment_routes, model_routes
from mooring.gateway.routes import Routes
from mooring.gateway.tokens import open_to_all
from mooring.gateway.xds import ROUTES, Json, document

ROUTE_TABLE = "mooring"

_NOTHING = "Nothing is served at this path: the documentation is at /docs"


def routes_document(options: GatewayOptions, routes: Routes) -> bytes:
    """The route table as the content of a file."""
    table = {
        "name": ROUTE_TABLE,
        "virtual_hosts": [_virtual_host(options, routes)],
        "response_headers_to_remove": ["x-envoy-upstream-service-time"],
    }
    return document(ROUTES, [table])


def _virtual_host(options: GatewayOptions, routes: Routes) -> Json:
    return {
        "name": "all",
        "domains": ["*"],
        "routes": _routes(options, routes),
        # So that a replica can tell a request that is sent again, which another may have died over.
        "include_request_attempt_count": True,
        "typed_per_filter_config": refuse_revoked(routes.revoked),
    }


def _routes(options: GatewayOptions, routes: Routes) -> list[Json]:
    by_id = {route.deployment_id: route for route in routes.deployments}
    return [
        _health(),
        *control_plane_routes(options),
        refuse_announced({"prefix": "/"}, options.max_request_bytes),
        *(entry for route in routes.deployments for entry in deployment_routes(options, route)),
        *(
            entry
            for model in routes.models
            if model.deployment_id in by_id
            for entry in model_routes(options, model, by_id[model.deployment_id])
        ),
        *(entry for each in routes.destinations for entry in destination_routes(options, each, by_id)),
        _answer({"path_separated_prefix": "/v2/inference/deployments"}, 404, NO_DEPLOYMENT.text),
        _answer({"path_separated_prefix": "/models"}, 404, NO_MODEL.text),
        _answer({"path_separated_prefix": "/destinations"}, 404, NO_DESTINATION.text),
        _answer({"prefix": "/"}, 404, _NOTHING),
    ]


def _health() -> Json:
    return {**_answer({"path": "/healthz"}, 200, "OK"), "typed_per_filter_config": open_to_all()}


def _answer(match: Json, status: int, text: str) -> Json:
    return {"match": match, "direct_response": {"status": status, "body": {"inline_string": text}}}
