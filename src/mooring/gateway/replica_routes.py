"""The paths that replicas answer: by deployment, and by the name of a model."""

import re
from urllib.parse import quote

from mooring.gateway.admission import NO_DEPLOYMENT, NO_MODEL, Refusal, only_for_group
from mooring.gateway.bodies import whole_body
from mooring.gateway.clusters import OPEN_PRIORITY, cluster_name
from mooring.gateway.options import GatewayOptions
from mooring.gateway.retries import REPLAY_BYTES, replica_retries
from mooring.gateway.routes import DeploymentRoute, ModelRoute
from mooring.gateway.tokens import open_to_all
from mooring.gateway.xds import Json, seconds

WEBSOCKETS = {"upgrade_type": "websocket"}

_PLAIN_NAME = re.compile(r"[\w.~-]+", re.ASCII)
_DEFAULT_GROUP = "default"
_DOCUMENTATION_SECONDS = 60.0
_NAME_OF_THE_REQUEST = {
    # Made once per request and kept when it is sent again; the caller's `x-request-id` may be anybody's.
    "header": {"key": "x-mooring-request-id", "value": "%UNIQUE_ID%"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
_ONLY_GET = {"name": ":method", "string_match": {"exact": "GET"}}


def deployment_routes(options: GatewayOptions, route: DeploymentRoute) -> list[Json]:
    """`/v2/inference/deployments/{id}` and all below it, for callers of the deployment's resource group."""
    prefix = f"/v2/inference/deployments/{route.deployment_id}"
    headers = [_group_is(route.resource_group)]
    both = (
        to_replicas(options, route, {"path": prefix, "headers": headers}, {"prefix_rewrite": "/"}),
        to_replicas(options, route, {"prefix": f"{prefix}/", "headers": headers}, {"prefix_rewrite": "/"}),
    )
    return [for_group(route, NO_DEPLOYMENT, entry) for entry in both]


def model_routes(options: GatewayOptions, model: ModelRoute, target: DeploymentRoute) -> list[Json]:
    """`/models/{name}` and all below it; its documentation page is open, the rest is not."""
    page = to_replicas(options, target, *_below(model.name, "api/", exact=True))
    static = to_replicas(options, target, *_below(model.name, "api/static/"))
    rest = for_group(target, NO_MODEL, to_replicas(options, target, *_below(model.name, "")))
    to_page = _redirect(model.name, "/api")  # what the registry's tag `model_endpoint` names
    to_page["typed_per_filter_config"] = open_to_all()
    return [_documentation(page), _documentation(static), to_page, _redirect(model.name, ""), rest]


def for_group(route: DeploymentRoute, refusal: Refusal, entry: Json) -> Json:
    """The header says which group a request is about, anybody can write it; the token says who may."""
    return {**entry, "typed_per_filter_config": only_for_group(route.resource_group, refusal)}


def _group_is(group: str) -> Json:
    if group != _DEFAULT_GROUP:
        return {"name": "ai-resource-group", "string_match": {"exact": group}}
    default_or_nothing = {"safe_regex": {"regex": f"(?:{_DEFAULT_GROUP})?"}}
    return {
        "name": "ai-resource-group",
        "string_match": default_or_nothing,
        "treat_missing_header_as_empty": True,
    }


def _below(name: str, rest: str, *, exact: bool = False) -> tuple[Json, Json]:
    """The match of `/models/{name}/{rest}…` and the rewriting to `/{rest}…`."""
    if _PLAIN_NAME.fullmatch(name):
        kind = "path" if exact else "prefix"
        return {kind: f"/models/{name}/{rest}"}, {"prefix_rewrite": f"/{rest}"}
    prefix = f"/models/{_any_spelling(name)}/"
    whole = prefix + rest + ("" if exact else ".*")
    rewrite = {"pattern": {"regex": f"^{prefix}"}, "substitution": "/"}
    return {"safe_regex": {"regex": whole}}, {"regex_rewrite": rewrite}


def _any_spelling(name: str) -> str:
    """A regular expression for all ways to write a name in a path: each character itself or percent-encoded."""
    return "".join(_spellings(character) for character in name)


def _spellings(character: str) -> str:
    encoded = "".join(f"%{byte:02x}" for byte in character.encode())
    # `re2` wants no escapes that it does not know, so only ASCII is escaped (`re.escape` leaves letters alone).
    itself = re.escape(character) if character.isascii() and character.isprintable() else ""
    return f"(?:{itself}|(?i:{encoded}))" if itself else f"(?i:{encoded})"


def _redirect(name: str, rest: str) -> Json:
    """From `/models/{name}{rest}` to the model's page."""
    plain = _PLAIN_NAME.fullmatch(name)
    pattern = f"/models/{_any_spelling(name)}{rest}"
    match = {"path": f"/models/{name}{rest}"} if plain else {"safe_regex": {"regex": pattern}}
    # Without a host, so that it is right behind any other proxy, too.
    location = {"key": "location", "value": f"/models/{quote(name, safe='').replace('%', '%%')}/api/"}
    return {
        "match": match,
        "direct_response": {"status": 303},
        "response_headers_to_add": [{"header": location, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _documentation(route: Json) -> Json:
    """The same route for GET only, without a token, a body, a websocket, and not for long: nobody has said who asks."""
    limits = {
        "max_stream_duration": {"max_stream_duration": seconds(_DOCUMENTATION_SECONDS)},
        "priority": OPEN_PRIORITY,
        "upgrade_configs": [],
    }
    return {
        **route,
        "match": {**route["match"], "headers": [_ONLY_GET]},
        "route": {**route["route"], **limits},
        "typed_per_filter_config": {**open_to_all(), **whole_body(0)},
    }


def to_replicas(options: GatewayOptions, route: DeploymentRoute, match: Json, rewrite: Json) -> Json:
    """One entry of the table: what matches goes to the deployment's replicas, with its path rewritten."""
    return {
        "match": match,
        "route": {
            "cluster": cluster_name(route.deployment_id),
            # An answer may take as long as it likes while it makes progress (streams, websockets).
            "timeout": "0s",
            "idle_timeout": seconds(route.timeout_seconds or options.request_timeout_seconds),
            "retry_policy": replica_retries(unanswered=route.retry_unanswered),
            "upgrade_configs": [WEBSOCKETS],
            **rewrite,
        },
        "request_body_buffer_limit": REPLAY_BYTES,
        "request_headers_to_add": [_NAME_OF_THE_REQUEST],
        # A model has no business with its callers' tokens.
        "request_headers_to_remove": ["authorization"],
    }
