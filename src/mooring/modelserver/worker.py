"""The threads in which a model predicts, so that the event loop stays free to answer probes."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from mooring.modelserver.errors import Unavailable

T = TypeVar("T")
_Job = tuple[Future[Any], Callable[[], Any]]


class Worker:
    """A bounded queue and `threads` daemon threads.

    Daemons on purpose: a `predict` cannot be interrupted, and one that outlives the grace of a stop must not keep
    the process alive (`concurrent.futures` would wait for it at exit).
    """

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"predict-{number}", daemon=True).start()

    async def run(self, work: Callable[[], T]) -> T:
        """The work's result, or what it raised. Raises Unavailable when too much waits already.

        When the caller gives up, what still waits is dropped; what runs is finished and forgotten.
        """
        future: Future[T] = Future()
        job = (future, work)
        with self._changed:
            if len(self._waiting) >= self._max_waiting:
                raise Unavailable(f"{self._max_waiting} requests wait for the model already: try again later")
            self._waiting.append(job)
            self._changed.notify()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._drop(job)
            raise

    def _drop(self, job: "_Job") -> None:
        with self._changed, contextlib.suppress(ValueError):
            self._waiting.remove(job)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                future, work = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                _settle(future, work)
            # Not kept until the next one comes: a request may hold a hundred megabytes.
            del future, work


def _settle(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
        future.set_exception(error)
    except BaseException as error:  # noqa: BLE001 - a model's `exit()`, which would end the event loop of who waits
        future.set_exception(RuntimeError(f"the job tried to end the process: {error!r}"))
