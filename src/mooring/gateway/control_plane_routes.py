"""The paths that the control plane answers."""

from dataclasses import dataclass

from mooring.gateway.clusters import CONTROL_PLANE
from mooring.gateway.options import GatewayOptions
from mooring.gateway.retries import control_plane_retries
from mooring.gateway.tokens import open_to_all
from mooring.gateway.xds import Json, seconds, typed

_WHOLE_REQUEST_SECONDS = 300.0
"""The control plane streams nothing for longer; a caller who sends a byte a minute is cut off."""

_FORM_BYTES = 64 * 1024
_EVENT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ControlPlanePath:
    """One path, or with `subtree` also all below it. `body_bytes` is a limit below the general one."""

    path: str
    subtree: bool = True
    needs_token: bool = True
    body_bytes: int | None = None

    @property
    def match(self) -> Json:
        return {"path_separated_prefix" if self.subtree else "path": self.path}


CONTROL_PLANE_PATHS = (
    ControlPlanePath("/readyz", subtree=False, needs_token=False, body_bytes=0),
    ControlPlanePath("/oauth/token", subtree=False, needs_token=False, body_bytes=_FORM_BYTES),
    ControlPlanePath("/oauth/keys", subtree=False, needs_token=False, body_bytes=0),
    ControlPlanePath("/oauth"),
    ControlPlanePath("/webhooks", needs_token=False, body_bytes=_EVENT_BYTES),
    ControlPlanePath("/docs", subtree=False, needs_token=False, body_bytes=0),
    ControlPlanePath("/docs/static", needs_token=False, body_bytes=0),
    ControlPlanePath("/docs"),
    ControlPlanePath("/openapi.json", subtree=False),
    ControlPlanePath("/metrics", subtree=False),
    ControlPlanePath("/launchpad"),
    ControlPlanePath("/v2/lm"),
    ControlPlanePath("/v2/admin"),
    ControlPlanePath("/v2/analytics"),
    ControlPlanePath("/destination-configuration"),
)
"""In the order of matching. Only what is said to need no token is open."""


def control_plane_routes(options: GatewayOptions) -> list[Json]:
    """The routes of `CONTROL_PLANE_PATHS`."""
    return [_route(options, path) for path in CONTROL_PLANE_PATHS]


def _route(options: GatewayOptions, path: ControlPlanePath) -> Json:
    open_or_not = {} if path.needs_token else open_to_all()
    return {
        "match": path.match,
        "route": {
            "cluster": CONTROL_PLANE,
            "timeout": "0s",
            "idle_timeout": seconds(options.request_timeout_seconds),
            "max_stream_duration": {"max_stream_duration": seconds(_WHOLE_REQUEST_SECONDS)},
            "retry_policy": control_plane_retries(),
        },
        "typed_per_filter_config": {**_whole_body(options, path), **open_or_not},
    }


def _whole_body(options: GatewayOptions, path: ControlPlanePath) -> Json:
    """Hand bodies on in one piece: they are small here, and so even one without a length cannot exceed its limit."""
    limit = options.max_request_bytes if path.body_bytes is None else path.body_bytes
    # Envoy takes no limit of nothing, and none beyond 32 bits.
    bytes_allowed = max(1, min(limit, options.max_request_bytes, 2**32 - 1))
    message = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
    return {"envoy.filters.http.buffer": typed(message, {"buffer": {"max_request_bytes": bytes_allowed}})}
