"""Answers, made without validation on the way out: what is written here is what was read from the store."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response


def encode(content: object) -> bytes:
    """JSON. Moments end in `Z`, in whole seconds or with six digits: both are what clients can parse."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


def json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(encode(content), status, headers=headers, media_type="application/json")


def listing(items: Iterable[Mapping[str, Any]]) -> Response:
    """`{"count", "resources"}`; count is the number of items in this answer. For short lists: see `long_lists`."""
    resources = list(items)
    return json({"count": len(resources), "resources": resources})


def number(value: int) -> Response:
    """A bare number, as `$count` answers."""
    return Response(str(value), media_type="text/plain")


def created(path: str, content: Mapping[str, Any], status: int = 201) -> Response:
    """The answer to a create; `path` is where the object lies."""
    return json(content, status, {"Location": path})


def accepted(object_id: str, message: str, **more: object) -> Response:
    """202 `{"id", "message"}`."""
    return json({"id": object_id, "message": message, **more}, 202)
