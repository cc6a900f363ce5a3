"""What Envoy does when its memory becomes scarce: who holds much goes first, everybody only at the very end.

Nothing that is configured elsewhere should bring it that far: without a token hardly anything is held
(`mooring.gateway.control_plane_routes`), with one at most the replay buffer and two small ones per request.
"""

from mooring.gateway.xds import Json, extension, seconds

_HEAP_BYTES = 1024 * 1024 * 1024
_CONNECTIONS = 10_000

_HEAP = "envoy.resource_monitors.fixed_heap"
_MONITORS = "envoy.extensions.resource_monitors"
_ACTIONS = "envoy.overload_actions"

_TRACKED_FROM_POWER_OF_TWO = 16
"""Requests that hold 64 KiB are known to Envoy by their size, in classes that double, up to 8 MiB."""

_SHORTEST_SILENCE_SECONDS = 5.0


def overload_manager() -> Json:
    """The `overload_manager` of the bootstrap."""
    return {
        "refresh_interval": "0.25s",
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": _TRACKED_FROM_POWER_OF_TWO},
        "resource_monitors": [
            extension(_HEAP, f"{_MONITORS}.fixed_heap.v3.FixedHeapConfig", {"max_heap_size_bytes": _HEAP_BYTES}),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                f"{_MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                {"max_active_downstream_connections": _CONNECTIONS},
            ),
        ],
        "actions": [
            _action("shrink_heap", {"threshold": {"value": 0.4}}),
            # Largest first, ever smaller ones as memory fills. Envoy can do this over HTTP/2 only.
            _action("reset_high_memory_stream", _growing(0.6, 0.9)),
            # For HTTP/1: whoever says nothing for ever shorter gives back what is held for him.
            {**_action("reduce_timeouts", _growing(0.6, 0.9)), "typed_config": _shorter_silence()},
            _action("disable_http_keepalive", {"threshold": {"value": 0.95}}),
            _action("stop_accepting_requests", {"threshold": {"value": 0.98}}),
        ],
    }


def _action(name: str, trigger: Json) -> Json:
    return {"name": f"{_ACTIONS}.{name}", "triggers": [{"name": _HEAP, **trigger}]}


def _growing(start: float, full: float) -> Json:
    return {"scaled": {"scaling_threshold": start, "saturation_threshold": full}}


def _shorter_silence() -> Json:
    shortest = {"min_timeout": seconds(_SHORTEST_SILENCE_SECONDS)}
    return {
        "@type": "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig",
        "timer_scale_factors": [
            {"timer": "HTTP_DOWNSTREAM_STREAM_IDLE", **shortest},
            {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", **shortest},
        ],
    }
