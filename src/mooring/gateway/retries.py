"""When a request is sent again: the same promise for every route, in Envoy's words."""

from mooring.gateway.xds import Json, extension, seconds

_NOTHING_SENT = "connect-failure,refused-stream,reset-before-request"
_NOTHING_ANSWERED = _NOTHING_SENT + ",reset"

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.5
_REPLACEMENT_TRIES = 56
"""Pauses are random between nothing and the longest: 56 of them last 13 s, and practically never less than 9, which
is more than a replica that died needs to be replaced."""
_RESTART_TRIES = 4

REPLAY_BYTES = 256 * 1024
"""A request whose body is longer than this is not sent again: when its replica dies, the caller gets a 503. Every
request that runs holds as much of its body in the gateway, so this times their number is what its memory must bear."""


def replica_retries(*, unanswered: bool) -> Json:
    """Try until a dead replica has been replaced, elsewhere first if there is an elsewhere.

    With `unanswered`, a request that reached a replica is also sent again as long as no byte of an answer has come.
    The model server refuses the one that it was predicting when it died (`mooring.modelserver.suspicion`).
    """
    return {
        **_policy(_NOTHING_ANSWERED if unanswered else _NOTHING_SENT, _REPLACEMENT_TRIES),
        "retry_host_predicate": [
            extension(
                "envoy.retry_host_predicates.previous_hosts",
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                {},
            )
        ],
        "host_selection_retry_max_attempts": 3,
    }


def control_plane_retries() -> Json:
    """Bridge a moment; a control plane that is away for longer is reported as such."""
    return _policy(_NOTHING_SENT, _RESTART_TRIES)


def _policy(retry_on: str, tries: int) -> Json:
    return {
        "retry_on": retry_on,
        "num_retries": tries,
        "retry_back_off": {
            "base_interval": seconds(_FIRST_PAUSE_SECONDS),
            "max_interval": seconds(_LONGEST_PAUSE_SECONDS),
        },
    }
