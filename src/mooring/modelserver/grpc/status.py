"""Our errors in gRPC's words."""

from collections.abc import Mapping
from typing import Any

import grpc

from mooring.modelserver.errors import ServingError

_CODES: Mapping[int, Any] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_LONGEST_MESSAGE = 1000
"""It travels in a header, of which clients take some kilobytes, with each special character as three."""


def code_of(error: ServingError) -> Any:
    """The status code."""
    return _CODES.get(error.status, grpc.StatusCode.INTERNAL)


def details_of(error: ServingError) -> str:
    """The message, as it can travel."""
    text = error.message.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def trailers_of(error: ServingError) -> tuple[tuple[str, str], ...]:
    """When to come again, in the words of gRPC's own retries."""
    seconds = dict(error.headers).get("retry-after")
    return (("grpc-retry-pushback-ms", str(1000 * int(seconds))),) if seconds else ()
