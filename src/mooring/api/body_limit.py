"""No body larger than allowed is taken in, whatever its Content-Length says or does not say."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api.authentication import is_public
from mooring.api.tracking_access import proven_execution

_UNAUTHENTICATED_BYTES = 65_536
"""What somebody without a token may make us hold in memory."""
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
        await self._app(scope, _Counter(receive, limit).receive, send)

    def _limit(self, scope: Scope) -> int:
        if is_public(scope["path"]) and proven_execution(scope) is None:
            return min(self._max_bytes, _UNAUTHENTICATED_BYTES)
        if scope["method"] == "PUT" and scope["path"].startswith(_DATASET_FILES):
            return self._max_dataset_bytes  # these go to the disk as they come
        return self._max_bytes


class _Counter:
    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise _too_large(self._limit)
        return message


def _too_large(limit: int) -> HTTPException:
    # The framework lets this class through from where it reads a body; any other it would turn into a 400.
    return HTTPException(413, f"the body is larger than the {limit} bytes that are allowed")
