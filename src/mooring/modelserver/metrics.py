"""What is counted, cheaply enough to be counted for every request; `exposition` writes it down for Prometheus."""

import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histograms of times."""
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16384.0)
REQUESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)

_PROTOCOLS = (
    ("/invocations", "mlflow"),
    ("/infer", "open_inference"),
    (":predict", "kserve_v1"),
    ("/model/predict", "by_key"),
    ("/ModelInfer", "grpc"),
    ("/ModelStreamInfer", "grpc"),
)
_REMEMBERED_PATHS = 256


class Histogram:
    """Counts of values per bucket, and their sum. One writer at a time."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Series:
    """What is counted per protocol and status."""

    __slots__ = ("received", "seconds", "sent")

    def __init__(self) -> None:
        self.seconds = Histogram(SECONDS)
        self.received = 0
        self.sent = 0


class Batches:
    """What is counted per batch, or per request that is predicted alone. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rows = Histogram(ROWS)
        self.requests = Histogram(REQUESTS)
        self.wait = Histogram(SECONDS)
        self.model = Histogram(SECONDS)

    def note(self, rows: int | None, requests: int, wait_seconds: float, model_seconds: float) -> None:
        """One batch; `wait_seconds` is how long its oldest request was in the queue."""
        with self._lock:
            if rows is not None:
                self.rows.note(rows)
            self.requests.note(requests)
            self.wait.note(wait_seconds)
            self.model.note(model_seconds)


class Metrics:
    """All of one server's. `answered` and `refused` belong to the event loop's thread, the reader to any."""

    def __init__(self) -> None:
        self.batches = Batches()
        self.queue_length: Callable[[], int] = int
        self.drops: Counter[str] = Counter()
        self._by_protocol: dict[tuple[str, int], Series] = {}
        self._by_path: dict[tuple[str, int], Series] = {}

    def answered(self, path: str, status: int, seconds: float, received: int, sent: int) -> None:
        """One answer, whatever it says. Bytes are those of the bodies."""
        series = self._by_path.get((path, status)) or self._find(path, status)
        times = series.seconds  # as `note` does it: a call less per request
        times.counts[bisect_left(SECONDS, seconds)] += 1
        times.total += seconds
        series.received += received
        series.sent += sent

    def refused(self, reason: str) -> None:
        """A request that was dropped before it was predicted: `queue_full`, `deadline`, `cancelled`, `stuck`."""
        self.drops[reason] += 1

    def by_protocol(self) -> dict[tuple[str, int], Series]:
        """A copy of the directory, as it may grow meanwhile."""
        return dict(self._by_protocol)

    def _find(self, path: str, status: int) -> Series:
        series = self._by_protocol.setdefault((protocol_of(path), status), Series())
        # Paths come from callers, who can make up as many as they like.
        if len(self._by_path) < _REMEMBERED_PATHS:
            self._by_path[path, status] = series
        return series


def protocol_of(path: str) -> str:
    """The protocol that a path belongs to; `other` for probes, pages and what does not exist."""
    return next((name for end, name in _PROTOCOLS if path.endswith(end)), "other")
