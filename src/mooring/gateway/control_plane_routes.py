"""The paths that the control plane answers."""

from dataclasses import dataclass

from mooring.gateway.bodies import refuse_announced, refuse_unannounced, whole_body
from mooring.gateway.clusters import (
    CONTROL_PLANE,
    CONTROL_PLANE_EVENTS,
    CONTROL_PLANE_OPEN,
    CONTROL_PLANE_PAGES,
    CONTROL_PLANE_TRACKING,
)
from mooring.gateway.options import GatewayOptions
from mooring.gateway.retries import REPLAY_BYTES, control_plane_retries
from mooring.gateway.tokens import open_to_all
from mooring.gateway.xds import Json, seconds

_WHOLE_REQUEST_SECONDS = 300.0
"""The control plane streams nothing for longer; a caller who sends a byte a minute is cut off."""
_OPEN_REQUEST_SECONDS = 10.0
"""For who has no token: from the first byte of the request to the last of the answer."""
_PAGE_SECONDS = 60.0
_TRACKING_SECONDS = 60.0

_BODY_BYTES = 8 * 1024 * 1024
"""A configuration with a thousand bindings of five thousand characters is the longest that the API knows."""
_FILE_BYTES = 100 * 1024 * 1024
"""A dataset's file, which nobody holds in memory: it goes to the disk as it comes."""
_FILE_SECONDS = 1800.0
"""Such a file at half a megabit per second."""
_FORM_BYTES = 8 * 1024
_EVENT_BYTES = 64 * 1024


@dataclass(frozen=True)
class ControlPlanePath:
    """One path, or with `subtree` also all below it; `body_bytes` is the longest body that may be announced."""

    path: str
    subtree: bool = True
    body_bytes: int = _BODY_BYTES
    longest_seconds: float = _WHOLE_REQUEST_SECONDS
    cluster: str = CONTROL_PLANE

    @property
    def needs_token(self) -> bool:
        """Who has none is counted apart, so that he takes nothing from the others."""
        return self.cluster == CONTROL_PLANE

    @property
    def match(self) -> Json:
        return {"path_separated_prefix" if self.subtree else "path": self.path}


def _open(path: str, *, body_bytes: int = 0) -> ControlPlanePath:
    return ControlPlanePath(path, False, body_bytes, _OPEN_REQUEST_SECONDS, CONTROL_PLANE_OPEN)


def _events(path: str) -> ControlPlanePath:
    return ControlPlanePath(path, True, _EVENT_BYTES, _OPEN_REQUEST_SECONDS, CONTROL_PLANE_EVENTS)


def _tracking(path: str) -> ControlPlanePath:
    # Custom info has up to 5 MB. The control plane knows the caller by the path, and reads nobody else's body.
    return ControlPlanePath(path, True, _BODY_BYTES, _TRACKING_SECONDS, CONTROL_PLANE_TRACKING)


def _page(path: str, *, subtree: bool) -> ControlPlanePath:
    return ControlPlanePath(path, subtree, 0, _PAGE_SECONDS, CONTROL_PLANE_PAGES)


CONTROL_PLANE_PATHS = (
    _open("/readyz"),
    _open("/oauth/token", body_bytes=_FORM_BYTES),
    _open("/oauth/keys"),
    ControlPlanePath("/oauth"),
    _events("/webhooks"),
    _tracking("/tracking"),
    _page("/docs", subtree=False),
    _page("/docs/", subtree=False),
    _page("/docs/static", subtree=True),
    ControlPlanePath("/docs"),
    ControlPlanePath("/openapi.json", subtree=False),
    ControlPlanePath("/metrics", subtree=False),
    ControlPlanePath("/launchpad"),
    ControlPlanePath("/v2/lm/dataset/files", body_bytes=_FILE_BYTES, longest_seconds=_FILE_SECONDS),
    ControlPlanePath("/v2/lm"),
    ControlPlanePath("/v2/admin"),
    ControlPlanePath("/v2/analytics"),
    ControlPlanePath("/destination-configuration"),
)
"""In the order of matching. Only what is said to be open needs no token."""


def control_plane_routes(options: GatewayOptions) -> list[Json]:
    """The routes of `CONTROL_PLANE_PATHS`, each behind those that refuse bodies by what is announced."""
    return [route for path in CONTROL_PLANE_PATHS for route in _routes(options, path)]


def _routes(options: GatewayOptions, path: ControlPlanePath) -> list[Json]:
    limit = min(path.body_bytes, options.max_request_bytes)
    refusal = refuse_announced(path.match, limit, needs_token=path.needs_token)
    route = _route(options, path)
    if path.needs_token:
        # Nothing is held back: the control plane counts itself what comes without an announcement.
        return [refusal, route]
    if path.cluster in (CONTROL_PLANE_EVENTS, CONTROL_PLANE_TRACKING):
        # Too large to be held for everybody who connects: so handed on at once, to as many as the cluster allows.
        return [refusal, refuse_unannounced(path.match), {**route, "typed_per_filter_config": open_to_all()}]
    return [refusal, {**route, "typed_per_filter_config": {**open_to_all(), **whole_body(limit)}}]


def _route(options: GatewayOptions, path: ControlPlanePath) -> Json:
    return {
        "match": path.match,
        "route": {
            "cluster": path.cluster,
            "timeout": "0s",
            "idle_timeout": seconds(options.request_timeout_seconds),
            "max_stream_duration": {"max_stream_duration": seconds(path.longest_seconds)},
            "retry_policy": control_plane_retries(),
        },
        "request_body_buffer_limit": REPLAY_BYTES,
    }
