"""No body larger than allowed is taken in, whatever its Content-Length says or does not say.

Nor one that consists of very many small things: these are what reading JSON takes its time for, and nobody else gets a
turn meanwhile.
"""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api.authentication import is_public
from mooring.api.json_size import JsonSize
from mooring.api.tracking_access import proven_execution

_UNAUTHENTICATED_BYTES = 65_536
"""What somebody without a token may make us hold in memory."""
_ORDINARY_BYTES = 1_048_576
_LARGE_ONES = frozenset(
    {
        ("POST", "/v2/lm/configurations"),  # 1000 parameters of 5000 characters
        ("POST", "/v2/lm/artifacts"),  # as many labels
        ("PATCH", "/v2/lm/metrics"),  # 5 MB of custom info
    }
)
"""What may have `max_bytes`; so may what executions track from inside, which is as `PATCH /v2/lm/metrics`."""
MOST_VALUES = 100_000
"""Of one body. 1000 metrics with 20 labels each, which is the most that any call may have, are 66,000."""
_DATASET_FILES = "/v2/lm/dataset/files/"


class BodyLimit:
    """Answers 413 as soon as it is clear that a body is too large."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_dataset_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_dataset_bytes = max_dataset_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_large(limit)
        look = _nowhere if _is_file(scope) else JsonSize(MOST_VALUES).add
        await self._app(scope, _Counter(receive, limit, look).receive, send)

    def _limit(self, scope: Scope) -> int:
        if proven_execution(scope) is not None or (scope["method"], scope["path"]) in _LARGE_ONES:
            return self._max_bytes
        if is_public(scope["path"]):
            return min(self._max_bytes, _UNAUTHENTICATED_BYTES)
        if _is_file(scope):
            return self._max_dataset_bytes
        return min(self._max_bytes, _ORDINARY_BYTES)


def _is_file(scope: Scope) -> bool:
    """Whether the body goes to the disk as it comes."""
    return bool(scope["method"] == "PUT" and scope["path"].startswith(_DATASET_FILES))


def _nowhere(_part: bytes) -> None:
    """Files are not looked into."""


class _Counter:
    def __init__(self, receive: Receive, limit: int, look: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._limit = limit
        self._look = look
        self._seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        part = message.get("body", b"")
        self._seen += len(part)
        if self._seen > self._limit:
            raise _too_large(self._limit)
        self._look(part)
        return message


def _too_large(limit: int) -> HTTPException:
    # The framework lets this class through from where it reads a body; any other it would turn into a 400.
    return HTTPException(413, f"the body is larger than the {limit} bytes that are allowed")
