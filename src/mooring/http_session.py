"""HTTP with a deadline for the whole call, a bound for the answer, and repeats where they are safe."""

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PASSING = frozenset({429, 502, 503, 504})
_CONNECT_SECONDS = 5.0
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NoAnswer(Exception):
    """No complete answer came: refused, broken off, larger than allowed, or not within the deadline.

    `sent` is False when the server cannot have got the request.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True)
class Reply:
    """A complete answer, whatever its status."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not, or is nested without end."""
        try:
            return json.loads(self.content)
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def retry_after_seconds(self) -> float:
        """What the server asks for in Retry-After (a number or a date); 0 when it does not."""
        value = self.headers.get("retry-after", "")
        if value.isdecimal():
            return float(value)
        try:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return 0.0


@dataclass(frozen=True)
class Repeats:
    """When a request is sent again: at most `count` times, after `first_seconds`, doubled each time, with jitter."""

    count: int = 4
    first_seconds: float = 0.2
    longest_seconds: float = 10.0

    def pause(self, attempt: int) -> float:
        """Seconds before attempt number `attempt` (the first repeat is 1); spread, so that callers do not march."""
        full = min(self.longest_seconds, self.first_seconds * 2.0 ** (attempt - 1))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreading load, not a secret


class HttpSession:
    """Requests to one server. Safe to use from several threads; `close()` ends its connections."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        auth: httpx.Auth | Callable[[httpx.Request], httpx.Request] | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout_seconds: float = 30.0,
        max_answer_bytes: int = 64 * 1024 * 1024,
        repeats: Repeats | None = None,
    ) -> None:
        self._client = httpx.Client(base_url=base_url, transport=transport, auth=auth, verify=verify)
        self._timeout_seconds = timeout_seconds
        self._max_answer_bytes = max_answer_bytes
        self._repeats = repeats or Repeats()

    def close(self) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
        repeatable: bool | None = None,
    ) -> Reply:
        """One request and its answer; `body` is sent as JSON, `content` as it is.

        Repeated only if that cannot do a thing twice. Raises NoAnswer. Answers of any status are returned.
        """
        request = self._client.build_request(
            method, path, params=params, json=body, content=content, data=form, headers=headers
        )
        may_repeat = method in _REPEATABLE if repeatable is None else repeatable
        limit = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        return self._send_until(request, time.monotonic() + limit, may_repeat)

    def _send_until(self, request: httpx.Request, deadline: float, may_repeat: bool) -> Reply:
        attempt = 0
        while True:
            attempt += 1
            again = may_repeat and attempt <= self._repeats.count
            try:
                reply = self._once(request, deadline)
            except httpx.HTTPError as error:
                pause = self._repeats.pause(attempt)
                if not again or time.monotonic() + pause >= deadline:
                    raise NoAnswer(_describe(request, error), sent=not isinstance(error, _UNSENT)) from error
            else:
                pause = max(reply.retry_after_seconds, self._repeats.pause(attempt))
                if reply.status not in _PASSING or not again or time.monotonic() + pause >= deadline:
                    return reply
            time.sleep(pause)

    def _once(self, request: httpx.Request, deadline: float) -> Reply:
        left = max(deadline - time.monotonic(), 0.001)
        request.extensions["timeout"] = httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS)).as_dict()
        response = self._client.send(request, stream=True)
        try:
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                # The timeouts of httpx are per read: an answer that trickles would never end.
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer did not end in time", request=request)
                if len(content) > self._max_answer_bytes:
                    raise NoAnswer(f"{request.method} {_place(request)}: more than {self._max_answer_bytes} bytes came")
            return Reply(response.status_code, response.headers, bytes(content))
        finally:
            response.close()


def _describe(request: httpx.Request, error: httpx.HTTPError) -> str:
    return f"{request.method} {_place(request)}: {type(error).__name__}: {error}".rstrip(": ")


def _place(request: httpx.Request) -> str:
    """The address without its query and user information, which may hold secrets."""
    return str(request.url.copy_with(query=None, userinfo=None))
