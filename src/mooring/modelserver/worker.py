"""The threads in which a model predicts, so that the event loop stays free to answer probes."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from mooring.modelserver.errors import Unavailable
from mooring.modelserver.watch import Watch

T = TypeVar("T")


class _Job(NamedTuple):
    future: Future[Any]
    work: Callable[[], Any]
    request_id: str


class Worker:
    """A bounded queue and `threads` daemon threads, all used from one event loop.

    Daemons on purpose: a `predict` cannot be interrupted, and one that outlives the grace of a stop must not keep
    the process alive (`concurrent.futures` would wait for it at exit).
    """

    def __init__(self, watch: Watch, *, threads: int, max_waiting: int) -> None:
        self._watch = watch
        self._max_waiting = max_waiting
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._is_timed = False
        for number in range(threads):
            threading.Thread(target=self._work, args=(number,), name=f"predict-{number}", daemon=True).start()

    async def run(self, work: Callable[[], T], request_id: str) -> T:
        """The work's result, or what it raised. Raises Unavailable when too much waits, or every thread is stuck.

        When the caller gives up, what still waits is dropped; what runs is finished and forgotten.
        """
        job = _Job(Future(), work, request_id)
        self._enqueue(job)
        self._look_in_time(asyncio.get_running_loop())
        try:
            result: T = await asyncio.wrap_future(job.future)
            return result
        except asyncio.CancelledError:
            self._drop(job)
            raise
        finally:
            # What the work raised refers to this frame, and the job to what was raised: a circle, which would keep a
            # request's hundred megabytes until the next full collection.
            del job, work

    def _enqueue(self, job: _Job) -> None:
        with self._changed:
            if self._watch.is_hopeless():
                raise _stuck()
            if len(self._waiting) >= self._max_waiting:
                raise Unavailable(f"{self._max_waiting} requests wait for the model already: try again later")
            self._waiting.append(job)
            self._changed.notify()

    def _drop(self, job: _Job) -> None:
        with self._changed, contextlib.suppress(ValueError):
            self._waiting.remove(job)

    def _look_in_time(self, loop: asyncio.AbstractEventLoop) -> None:
        # One timer at a time and not one per request, which nearly never has anything to find.
        if not self._is_timed:
            self._is_timed = True
            loop.call_later(self._watch.stuck_seconds, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch.report()
        with self._changed:
            if self._watch.is_hopeless():
                self._turn_all_away()
            seconds = self._watch.next_look_seconds()
        self._is_timed = seconds is not None
        if seconds is not None:
            loop.call_later(seconds, self._look, loop)

    def _turn_all_away(self) -> None:
        while self._waiting:
            future = self._waiting.popleft().future
            if future.set_running_or_notify_cancel():
                future.set_exception(_stuck())

    def _work(self, number: int) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                job = self._waiting.popleft()
                # With the lock: whoever looks finds a job in the queue or at work, never in between.
                self._watch.begin(number, job.request_id)
            if job.future.set_running_or_notify_cancel():
                self._settle(job, number)
            else:
                self._watch.end(number)
            # Not kept until the next one comes: a request may hold a hundred megabytes.
            del job

    def _settle(self, job: _Job, number: int) -> None:
        try:
            job.future.set_result(self._outcome(job, number))
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
            job.future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - a model's `exit()`, which would end the loop of who waits
            job.future.set_exception(RuntimeError(f"the job tried to end the process: {error!r}"))
        finally:
            del job  # the same circle as in `run`

    def _outcome(self, job: _Job, number: int) -> Any:
        try:
            return job.work()
        finally:
            self._watch.end(number)  # before the answer: whoever has it finds the thread free
            del job


def _stuck() -> Unavailable:
    return Unavailable(
        "the model does not come back from earlier predictions, so this one was not begun: try again, another replica "
        "may answer"
    )
