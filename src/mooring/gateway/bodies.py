"""How much of a body is let in: by what is announced, or by what comes."""

from mooring.gateway.tokens import open_to_all
from mooring.gateway.xds import Json, typed

_NAME = "envoy.filters.http.buffer"
_PACKAGE = "envoy.extensions.filters.http.buffer.v3"
_LARGEST = 2**63 - 1


def refuse_announced(match: Json, limit: int, *, needs_token: bool = True) -> Json:
    """A route that answers 413 by the announced length, before a byte of the body (at most `limit` bytes) is read."""
    announced = {"name": "content-length", "range_match": {"start": limit + 1, "end": _LARGEST}}
    text = f"The body is larger than the {limit} bytes that are allowed here"
    return {
        "match": {**match, "headers": [*match.get("headers", []), announced]},
        "direct_response": {"status": 413, "body": {"inline_string": text}},
        **({} if needs_token else {"typed_per_filter_config": open_to_all()}),
    }


def refuse_unannounced(match: Json) -> Json:
    """A route that answers 411 without a token to whoever does not say how long the body is."""
    unannounced = {"name": "content-length", "present_match": False}
    text = "The length of the body has to be announced here: send the header Content-Length"
    return {
        "match": {**match, "headers": [unannounced]},
        "direct_response": {"status": 411, "body": {"inline_string": text}},
        "typed_per_filter_config": open_to_all(),
    }


def buffer_filter() -> Json:
    """The filter that holds a body back until it is whole: switched on by the routes that carry `whole_body`."""
    return {"name": _NAME, "disabled": True, "typed_config": typed(f"{_PACKAGE}.Buffer", {"max_request_bytes": 1})}


def whole_body(limit: int) -> Json:
    """What a route carries (`typed_per_filter_config`) whose bodies are handed on in one piece, of `limit` bytes.

    So nobody behind it waits for a slow sender, nor sees a body beyond the limit. Envoy holds all of them at once:
    for small limits only.
    """
    # Envoy takes no limit of nothing.
    return {_NAME: typed(f"{_PACKAGE}.BufferPerRoute", {"buffer": {"max_request_bytes": max(1, limit)}})}
