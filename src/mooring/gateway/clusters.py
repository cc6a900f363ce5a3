"""Where requests go to: one cluster per deployment, five for the control plane (on its unix socket).

Endpoints are part of their cluster. Envoy would also read them from a file per cluster (EDS), but each such file
costs it one inotify instance, of which a user has 128 by default, and it aborts when there are no more. Replacing
a cluster as a whole costs no request either: what runs, ends on its old connections; what waits for its next try,
looks the cluster up anew.
"""

from collections.abc import Sequence
from pathlib import Path

from mooring.domain.endpoints import Endpoint, TcpAddress
from mooring.gateway.routes import DeploymentRoute, Routes
from mooring.gateway.xds import CLUSTER, Json, document, seconds, typed

CONTROL_PLANE = "control-plane"
CONTROL_PLANE_OPEN = "control-plane-open"
"""The same socket for callers without a token: its limits are its own, so they take nothing from the others."""
CONTROL_PLANE_EVENTS = "control-plane-events"
"""For what registries report: whoever sends that slowly keeps nobody from getting a token."""
CONTROL_PLANE_PAGES = "control-plane-pages"
"""For what is fetched without a token: nor does whoever reads that slowly."""
CONTROL_PLANE_TRACKING = "control-plane-tracking"
"""For what executions report of themselves: nor do they keep anybody, or anybody them."""

OPEN_PRIORITY = "HIGH"
"""Envoy counts each of its two priorities on its own; the second one is for callers of a model without a token."""

_DEPLOYMENT_PREFIX = "deployment_"
_APART = "@"

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

_CONNECT_SECONDS = 2.0
_IDLE_SECONDS = 50.0
"""Shorter than the control plane's own keep-alive (75 s), so that no request meets a connection being closed."""

_BUFFER_BYTES = 64 * 1024

_WIDE: Json = {
    "max_connections": 1024,
    "max_pending_requests": 8192,
    "max_requests": 16384,
    # As many as there can be requests: when a replica dies, all of its requests wait for the next try at once.
    "max_retries": 16384,
}
_NARROW: Json = {"max_connections": 64, "max_pending_requests": 64, "max_requests": 64, "max_retries": 64}
"""For callers without a token, all of them together."""


def cluster_name(deployment_id: str) -> str:
    """The name of a deployment's cluster, also in Envoy's statistics."""
    return _DEPLOYMENT_PREFIX + deployment_id


def counted_name(deployment_id: str, counted_as: str) -> str:
    """The name of a deployment's cluster in Envoy's statistics, when it is counted apart."""
    return f"{cluster_name(deployment_id)}{_APART}{counted_as}"


def deployment_of(name: str) -> str | None:
    """The deployment that statistics of this name belong to; None for the control plane's."""
    return name.removeprefix(_DEPLOYMENT_PREFIX).partition(_APART)[0] if name.startswith(_DEPLOYMENT_PREFIX) else None


def clusters_document(routes: Routes) -> bytes:
    """The clusters of all deployments, as the content of a file."""
    return document(CLUSTER, [_deployment_cluster(route) for route in routes.deployments])


def control_plane_clusters(socket: Path) -> list[Json]:
    """The clusters of the control plane, which are always there."""
    return [
        _cluster(CONTROL_PLANE, [socket], [_WIDE]),
        *(
            _cluster(name, [socket], [_NARROW])
            for name in (CONTROL_PLANE_OPEN, CONTROL_PLANE_EVENTS, CONTROL_PLANE_PAGES, CONTROL_PLANE_TRACKING)
        ),
    ]


def _deployment_cluster(route: DeploymentRoute) -> Json:
    thresholds = [_WIDE, {**_NARROW, "priority": OPEN_PRIORITY}]
    cluster = _cluster(cluster_name(route.deployment_id), route.endpoints, thresholds, route.idle_seconds)
    if route.counted_as:
        cluster["alt_stat_name"] = counted_name(route.deployment_id, route.counted_as)
    return cluster


def _cluster(
    name: str, endpoints: Sequence[Endpoint], thresholds: Sequence[Json], idle_seconds: float = _IDLE_SECONDS
) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": seconds(_CONNECT_SECONDS),
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {"thresholds": list(thresholds)},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_endpoint(endpoint) for endpoint in endpoints]}],
        },
        "typed_extension_protocol_options": {_HTTP: _http_1_1(idle_seconds)},
    }


def _endpoint(endpoint: Endpoint) -> Json:
    return {"endpoint": {"address": _address(endpoint)}}


def _address(endpoint: Endpoint) -> Json:
    if isinstance(endpoint, TcpAddress):
        return {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}
    return {"pipe": {"path": str(endpoint)}}


def _http_1_1(idle_seconds: float) -> Json:
    return typed(
        _HTTP,
        {
            "common_http_protocol_options": {"idle_timeout": seconds(idle_seconds)},
            "explicit_http_config": {"http_protocol_options": {}},
        },
    )
