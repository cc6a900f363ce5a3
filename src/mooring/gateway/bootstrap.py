"""What Envoy is started with. It changes with the place of the home and with Mooring's version, never with routes."""

from mooring.gateway.clusters import control_plane_cluster
from mooring.gateway.options import GatewayOptions
from mooring.gateway.xds import Json, extension, file_source

_HEAP_BYTES = 1024 * 1024 * 1024
_CONNECTIONS = 10_000

_COUNTED = (
    r"cluster\.[^.]+\.upstream_rq_(total|active|completed|5xx|retry|rx_reset|timeout|time)",
    r"http\.ingress\.downstream_(rq|cx)_.+",
    r".+\.(version_text|update_rejected|update_success)",
    r"(server|overload|listener_manager)\..+",
)
"""Only what somebody reads is kept: Envoy would keep two hundred numbers per cluster."""


def bootstrap(options: GatewayOptions) -> Json:
    """Envoy's bootstrap: a private admin socket, files to read the rest from, and limits for the whole process."""
    return {
        "node": {"id": "mooring", "cluster": "mooring"},
        "admin": {
            "address": {"pipe": {"path": str(options.admin_socket), "mode": 0o600}},
            "ignore_global_conn_limit": True,
        },
        "static_resources": {"clusters": [control_plane_cluster(options.control_plane)]},
        "dynamic_resources": {
            "lds_config": file_source(options.listeners_file),
            "cds_config": file_source(options.clusters_file),
        },
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": regex}} for regex in _COUNTED]}}
        },
        "overload_manager": _overload_manager(),
    }


def _overload_manager() -> Json:
    monitors = "envoy.extensions.resource_monitors"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "envoy.resource_monitors.fixed_heap",
                f"{monitors}.fixed_heap.v3.FixedHeapConfig",
                {"max_heap_size_bytes": _HEAP_BYTES},
            ),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                f"{monitors}.downstream_connections.v3.DownstreamConnectionsConfig",
                {"max_active_downstream_connections": _CONNECTIONS},
            ),
        ],
        "actions": [
            _action("envoy.overload_actions.shrink_heap", 0.85),
            _action("envoy.overload_actions.disable_http_keepalive", 0.92),
            _action("envoy.overload_actions.stop_accepting_requests", 0.95),
        ],
    }


def _action(name: str, heap_share: float) -> Json:
    trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": heap_share}}
    return {"name": name, "triggers": [trigger]}
