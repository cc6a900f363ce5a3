"""The ways in: how requests are read, cleaned and limited before any route sees them.

There is one port, and a unix socket for those who have a network of their own: containers. Both are the same in all
else: no caller is trusted for where it comes from.
"""

import ipaddress

from mooring.gateway.admission import admission_filters
from mooring.gateway.bodies import buffer_filter
from mooring.gateway.errors import GatewayError
from mooring.gateway.local_replies import local_replies
from mooring.gateway.options import GatewayOptions
from mooring.gateway.replica_routes import WEBSOCKETS
from mooring.gateway.route_table import ROUTE_TABLE
from mooring.gateway.tokens import token_filter
from mooring.gateway.xds import LISTENER, Json, document, extension, file_source, seconds, typed

_HTTP_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

_HEADERS_SECONDS = 10.0
_IDLE_CONNECTION_SECONDS = 600.0
_HEADER_KIB = 32
_HEADER_COUNT = 100
_REQUEST_ID_LENGTH = 128
_BUFFER_BYTES = 64 * 1024
"""Held per connection for a side that is slower than the other."""
_STREAM_WINDOW_BYTES = 1024 * 1024

_NOBODY_IS_INTERNAL = {
    "unix_sockets": False,
    "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}],
}
"""No list at all would mean all private addresses; this one holds an address that no caller can have."""

_NOT_FROM_OUTSIDE = ("x-mooring-", "x-envoy-", "x-forwarded-")
"""Headers that only we may set: whoever is behind the gateway may believe them."""


def listeners_document(options: GatewayOptions) -> bytes:
    """The listeners as the content of a file. Raises GatewayError when the host is no address."""
    port = {"socket_address": {"address": _address(options.host), "port_value": options.port}}
    socket = {"pipe": {"path": str(options.inside_socket), "mode": 0o600}}
    return document(LISTENER, [_listener("gateway", port, options), _listener("inside", socket, options)])


def _listener(name: str, address: Json, options: GatewayOptions) -> Json:
    return {
        "name": name,
        "address": address,
        # With it, a second process could bind the same port and take half of the connections unnoticed.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "tcp_backlog_size": 1024,
        "filter_chains": [{"filters": [extension("http", _HTTP_MANAGER, _http_manager(options))]}],
    }


def _address(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        reason = f"the gateway cannot listen on {host!r}: it is not an IP address"
        raise GatewayError(f"{reason}; give --host 127.0.0.1, or 0.0.0.0 for all addresses") from None


def _http_manager(options: GatewayOptions) -> Json:
    return {
        "stat_prefix": "ingress",
        "rds": {"route_config_name": ROUTE_TABLE, "config_source": file_source(options.routes_file)},
        "http_filters": _filters(options),
        "local_reply_config": local_replies(options),
        "server_name": "mooring",
        # Replicas speak it, the control plane does not: their routes switch it on.
        "upgrade_configs": [{**WEBSOCKETS, "enabled": False}],
        **_paths_are_normal(),
        **_origin_is_ours(),
        **_limits(options),
    }


def _filters(options: GatewayOptions) -> list[Json]:
    return [
        token_filter(options),
        *admission_filters(),
        buffer_filter(),
        extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {}),
    ]


def _paths_are_normal() -> Json:
    """Token check, routes and replicas must all see the same path: one form, and no way to hide a slash."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
    }


def _origin_is_ours() -> Json:
    """Who calls, and by which name the request goes, is what we see, not what the caller claims."""
    removed = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _NOT_FROM_OUTSIDE]
    # Of two request ids or resource groups, the first counts, for routes and for whoever answers: Envoy's matchers
    # would be content with either.
    first = [
        _only_the_first("x-request-id", f"%REQ(x-request-id):{_REQUEST_ID_LENGTH}%"),
        _only_the_first("ai-resource-group", "%REQ(ai-resource-group)%"),
    ]
    return {
        "use_remote_address": True,
        "internal_address_config": _NOBODY_IS_INTERNAL,
        "early_header_mutation_extensions": [
            extension(
                "envoy.http.early_header_mutation.header_mutation",
                "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                {"mutations": [*removed, {"remove": "forwarded"}, *first]},
            )
        ],
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": typed(
                "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
                {"pack_trace_reason": False, "use_request_id_for_trace_sampling": False},
            )
        },
    }


def _only_the_first(header: str, value: str) -> Json:
    return {"append": {"header": {"key": header, "value": value}, "append_action": "OVERWRITE_IF_EXISTS"}}


def _limits(options: GatewayOptions) -> Json:
    return {
        "max_request_headers_kb": _HEADER_KIB,
        "request_headers_timeout": seconds(_HEADERS_SECONDS),
        "stream_idle_timeout": seconds(options.request_timeout_seconds),
        "common_http_protocol_options": {
            "idle_timeout": seconds(_IDLE_CONNECTION_SECONDS),
            "max_headers_count": _HEADER_COUNT,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": _STREAM_WINDOW_BYTES,
            "initial_connection_window_size": 4 * _STREAM_WINDOW_BYTES,
        },
    }
