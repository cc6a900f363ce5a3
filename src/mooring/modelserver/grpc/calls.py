"""What surrounds every call: who may, under which id, in how many seconds, and how a refusal is told."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mooring.modelserver.access import Access
from mooring.modelserver.errors import ServingError
from mooring.modelserver.grpc.status import code_of, details_of, trailers_of
from mooring.modelserver.http import Message, Request
from mooring.modelserver.observer import Observer
from mooring.modelserver.request_ids import request_id_of

_logger = logging.getLogger("mooring.modelserver")

Context = Any
"""gRPC's own `ServicerContext`."""
Answer = Callable[[Request, bytes, float], Awaitable[bytes]]
"""What is asked, its message, and the seconds it may take → the answer's message."""


@dataclass(frozen=True)
class Surroundings:
    """The same for all calls of one server."""

    observer: Observer
    access: Access | None
    request_seconds: float

    async def unary(self, path: str, answer: Answer, body: bytes, context: Context) -> bytes:
        """The answer to one request, or gRPC's error in its place."""
        outcome = await self.outcome(path, answer, body, context)
        if isinstance(outcome, bytes):
            return outcome
        await context.abort(code_of(outcome), details_of(outcome), trailers_of(outcome))
        raise AssertionError("abort does not come back")

    async def outcome(self, path: str, answer: Answer, body: bytes, context: Context) -> bytes | ServingError:
        """The answer or the refusal, logged and counted."""
        started, request = time.perf_counter(), _request(context)
        outcome = await self._outcome(path, answer, request, body, context)
        status, sent = (200, len(outcome)) if isinstance(outcome, bytes) else (outcome.status, 0)
        self.observer.answered(
            request.id, "POST", path, request.headers, status, len(body), sent, time.perf_counter() - started,
            request.waited, request.predicted,
        )  # fmt: skip
        return outcome

    async def _outcome(
        self, path: str, answer: Answer, request: Request, body: bytes, context: Context
    ) -> bytes | ServingError:
        try:
            if self.access:
                self.access.check(request.headers)
            return await answer(request, body, self.seconds_left(context))
        except ServingError as error:
            _logger.warning(
                "request %s: %s %d %s: %s", request.id, path, error.status, error.code, ascii(error.for_log)[:600]
            )
            return error
        except Exception:
            _logger.exception("request %s: %s failed in the server", request.id, path)
            return ServingError("the model server failed: see its log")

    def seconds_left(self, context: Context) -> float:
        """Until the caller's deadline, and never more than ours."""
        remaining = context.time_remaining()
        return self.request_seconds if remaining is None else max(0.0, min(self.request_seconds, remaining))


def _request(context: Context) -> Request:
    """The call's metadata as the headers of a request, under the same names as over HTTP."""
    headers = [(key.encode(), _bytes(value)) for key, value in context.invocation_metadata() or ()]
    return Request(request_id_of(headers), headers, _no_more)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


async def _no_more() -> Message:
    return {"type": "http.disconnect"}
