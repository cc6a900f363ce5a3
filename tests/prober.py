"""Traffic that runs while something dangerous is done: start it, do the thing, stop it, look at what failed."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

Check = Callable[[httpx.Response], bool]

_MOST_FAILURES_KEPT = 1000
_SHOWN = 200


@dataclass(frozen=True)
class Failure:
    """A request that went wrong: when (seconds since the start), and how."""

    at: float
    reason: str


class Prober:
    """`clients` threads, each with a connection of its own, that ask `url` again and again until `stop()`.

    A request has failed when it raises, or when `check` (by default: the status is 200) says no. `headers` may be a
    function, asked before every request (for tokens that run out). Connections are kept and reused; pass
    `new_connections=True` for a new one per request.
    """

    def __init__(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        body: bytes | None = None,
        clients: int = 8,
        check: Check | None = None,
        timeout_seconds: float = 60.0,
        new_connections: bool = False,
    ) -> None:
        self._url, self._method, self._body = url, method, body
        self._headers = headers if callable(headers) else lambda: headers or {}
        self._check = check or (lambda response: response.status_code == httpx.codes.OK)
        self._timeout_seconds = timeout_seconds
        self._new_connections = new_connections
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._requests = 0
        self._failed = 0
        self._slowest_seconds = 0.0
        self._statuses: Counter[int] = Counter()
        self._failures: list[Failure] = []
        self._started = time.monotonic()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def requests(self) -> int:
        """How many requests have ended, well or not."""
        return self._requests

    @property
    def failed(self) -> int:
        """How many of them went wrong."""
        return self._failed

    @property
    def failures(self) -> list[Failure]:
        """How they went wrong (the first thousand)."""
        with self._changed:
            return list(self._failures)

    @property
    def statuses(self) -> dict[int, int]:
        """How often each status was answered."""
        with self._changed:
            return dict(self._statuses)

    @property
    def slowest_seconds(self) -> float:
        """How long the slowest request took."""
        return self._slowest_seconds

    def wait_for(self, more_requests: int, timeout_seconds: float = 30.0) -> None:
        """Wait until so many more requests have ended. Raises TimeoutError."""
        wanted = self._requests + more_requests
        with self._changed:
            if not self._changed.wait_for(lambda: self._requests >= wanted, timeout_seconds):
                reason = f"only {self._requests} of {wanted} requests to {self._url} within {timeout_seconds} s"
                raise TimeoutError(f"{reason}; {self}")

    def stop(self, timeout_seconds: float = 90.0) -> Self:
        """No new requests; wait for those that run. Raises TimeoutError when one does not come back."""
        self._stopping.set()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"a request to {self._url} has not come back; {self}")
        return self

    def __str__(self) -> str:
        first = "; ".join(f"at {failure.at:.2f} s: {failure.reason}" for failure in self.failures[:5])
        return f"{self._failed} of {self._requests} requests failed, statuses {self.statuses} {first}"

    def _run(self) -> None:
        client = self._client()
        try:
            while not self._stopping.is_set():
                self._request(client)
                if self._new_connections:
                    client.close()
                    client = self._client()
        finally:
            client.close()

    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=self._timeout_seconds, trust_env=False)

    def _request(self, client: httpx.Client) -> None:
        begun = time.monotonic()
        status, reason = None, ""
        try:
            response = client.request(self._method, self._url, headers=self._headers(), content=self._body)
            status = response.status_code
            if not self._check(response):
                reason = f"{status} {response.text[:_SHOWN]}"
        except Exception as error:  # noqa: BLE001 - whatever a request or its check raises is a failed request
            reason = repr(error)
        self._count(begun, status, reason)

    def _count(self, begun: float, status: int | None, reason: str) -> None:
        with self._changed:
            self._requests += 1
            self._slowest_seconds = max(self._slowest_seconds, time.monotonic() - begun)
            if status is not None:
                self._statuses[status] += 1
            if reason:
                self._failed += 1
                if len(self._failures) < _MOST_FAILURES_KEPT:
                    self._failures.append(Failure(begun - self._started, reason))
            self._changed.notify_all()
