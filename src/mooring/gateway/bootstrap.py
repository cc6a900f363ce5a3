"""What Envoy is started with. It changes with the place of the home and with Mooring's version, never with routes."""

from mooring.gateway.clusters import control_plane_clusters
from mooring.gateway.options import GatewayOptions
from mooring.gateway.overload import overload_manager
from mooring.gateway.xds import Json, file_source

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
        "static_resources": {"clusters": control_plane_clusters(options.control_plane)},
        "dynamic_resources": {
            "lds_config": file_source(options.listeners_file),
            "cds_config": file_source(options.clusters_file),
        },
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": regex}} for regex in _COUNTED]}}
        },
        "overload_manager": overload_manager(),
    }
