"""Work per model, at most one at a time for each, at most so many in all: one that hangs holds up only itself."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_log = logging.getLogger("mooring.builder")


class Workers:
    """Safe to use from several threads."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="builder")
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def busy(self) -> frozenset[str]:
        """The models that are being worked on."""
        with self._lock:
            return frozenset(self._busy)

    def start(self, model: str, work: Callable[[], None]) -> None:
        """Do it soon, unless the model is being worked on. What waits is bounded by the number of models."""
        with self._lock:
            if model in self._busy:
                return
            self._busy.add(model)
        self._threads.submit(work).add_done_callback(lambda done: self._ended(model, done))

    def close(self) -> None:
        """Wait for what runs (its requests have deadlines); what has not begun is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _ended(self, model: str, done: Future[None]) -> None:
        with self._lock:
            self._busy.discard(model)
        if not done.cancelled() and (error := done.exception()):
            _log.error("model %s: a defect of the builder", model, exc_info=error)
