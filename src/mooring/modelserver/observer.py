"""Told of every answer once: counts it, and writes it down where that is wanted."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mooring.modelserver.metrics import Metrics

if TYPE_CHECKING:
    from mooring.modelserver.tracing import Tracing

Headers = Iterable[tuple[bytes, bytes]]

_logger = logging.getLogger("mooring.modelserver.access")


class Observer:
    """Used from the event loop only, but for `batch`."""

    def __init__(self, metrics: Metrics, *, has_access_log: bool = False, tracing: "Tracing | None" = None) -> None:
        self.metrics = metrics
        self._has_access_log = has_access_log
        self._tracing = tracing

    def answered(
        self,
        request_id: str,
        method: str,
        path: str,
        headers: Headers,
        status: int,
        received: int,
        sent: int,
        seconds: float,
        waited: float = 0.0,
        predicted: float = 0.0,
    ) -> None:
        """One answer has been written.

        `received` and `sent` are the bytes of the bodies, `seconds` the time from the request's head to its answer;
        `waited` and `predicted` are the parts of it in the queue and in the model, where known.
        """
        self.metrics.answered(path, status, seconds, received, sent)
        if self._has_access_log:
            _write(request_id, method, path, status, received, sent, seconds)
        if self._tracing:
            self._tracing.note(request_id, method, path, headers, status, seconds, waited, predicted)

    def batch(self, rows: int | None, requests: int, waited_seconds: float, model_seconds: float) -> None:
        """One batch has been predicted, or one request alone; `waited_seconds` are those of its oldest request.

        `rows` is None where nobody has counted them. From any thread.
        """
        self.metrics.batches.note(rows, requests, waited_seconds, model_seconds)

    def close(self) -> None:
        """Nothing more will be told."""
        if self._tracing:
            self._tracing.flush()


def _write(request_id: str, method: str, path: str, status: int, received: int, sent: int, seconds: float) -> None:
    # The path without its query, and never a body.
    _logger.info(
        "request %s: %s %r %d, %d bytes in, %d out, %.2f ms",
        request_id, method, path[:200], status, received, sent, seconds * 1000,
    )  # fmt: skip
