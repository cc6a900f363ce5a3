"""The threads in which a model predicts, so that the event loop stays free to answer probes."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from mooring.modelserver.errors import Unavailable
from mooring.modelserver.watch import Watch

T = TypeVar("T")


class Line(Protocol):
    """Where requests wait for one of the worker's threads."""

    def __len__(self) -> int:
        """How many wait. From any thread."""

    def serve(self, thread: int) -> None:
        """In a thread: do what is next, if anything still is. Never raises."""

    def turn_away(self, reason: Unavailable) -> None:
        """In the event loop: refuse all that wait."""


class _Job(NamedTuple):
    future: Future[Any]
    work: Callable[[], Any]
    request_id: str


class Worker:
    """Bounded lines and `threads` daemon threads, all used from one event loop.

    Daemons on purpose: a `predict` cannot be interrupted, and one that outlives the grace of a stop must not keep
    the process alive (`concurrent.futures` would wait for it at exit).
    """

    def __init__(self, watch: Watch, *, threads: int, max_waiting: int, dropped: Callable[[str], object] = str) -> None:
        """`dropped` is told why something is given up before it was begun; in the event loop."""
        self.watch = watch
        self.dropped = dropped
        self.threads = threads
        self.taking = threading.Lock()
        """Held while something is taken from a line, until the watch knows of it: whoever looks finds it in one of
        the two, never in between."""
        self._max_waiting = max_waiting
        self._jobs = _Jobs(self)
        self._lines: list[Line] = [self._jobs]
        self._calls: SimpleQueue[Line] = SimpleQueue()
        self._is_timed = False
        for number in range(threads):
            threading.Thread(target=self._work, args=(number,), name=f"predict-{number}", daemon=True).start()

    def __len__(self) -> int:
        """How many wait in all lines."""
        return sum(map(len, self._lines))

    def open(self, line: Line) -> None:
        """Another line, beside that of single jobs."""
        self._lines.append(line)

    def call(self, line: Line) -> None:
        """Have the next free thread serve this line once."""
        self._calls.put(line)
        self._look_in_time()

    def check_room(self) -> None:
        """Raises Unavailable when too much waits, or every thread is stuck."""
        if self.watch.is_hopeless():
            raise _stuck()
        if len(self) >= self._max_waiting:
            raise Unavailable(f"{self._max_waiting} requests wait for the model already: try again later")

    async def run(self, work: Callable[[], T], request_id: str) -> T:
        """The work's result, or what it raised. Raises Unavailable when too much waits, or every thread is stuck.

        When the caller gives up, what still waits is dropped; what runs is finished and forgotten.
        """
        try:
            self.check_room()
        except Unavailable as refused:
            self.dropped(refused.reason)
            raise
        job = _Job(Future(), work, request_id)
        self._jobs.add(job)
        self.call(self._jobs)
        try:
            result: T = await asyncio.wrap_future(job.future)
            return result
        except asyncio.CancelledError:
            if self._jobs.drop(job):
                self.dropped("cancelled")
            raise
        finally:
            # What the work raised refers to this frame, and the job to what was raised: a circle, which would keep a
            # request's hundred megabytes until the next full collection.
            del job, work

    def _work(self, number: int) -> None:
        while True:
            self._calls.get().serve(number)

    def _look_in_time(self) -> None:
        # One timer at a time and not one per request, which nearly never has anything to find.
        if not self._is_timed:
            self._is_timed = True
            asyncio.get_running_loop().call_later(self.watch.stuck_seconds, self._look)

    def _look(self) -> None:
        self.watch.report()
        with self.taking:
            is_hopeless = self.watch.is_hopeless()
            seconds = self.watch.next_look_seconds()
        if is_hopeless:
            for line in self._lines:
                line.turn_away(_stuck())
        self._is_timed = seconds is not None
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._look)


class _Jobs:
    """The line of those that are done one by one."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: deque[_Job] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job: _Job) -> None:
        with self._worker.taking:
            self._waiting.append(job)

    def drop(self, job: _Job) -> bool:
        """Whether it was still waiting."""
        with self._worker.taking, contextlib.suppress(ValueError):
            self._waiting.remove(job)
            return True
        return False

    def turn_away(self, reason: Unavailable) -> None:
        with self._worker.taking:
            jobs, self._waiting = self._waiting, deque()
        for job in jobs:
            if job.future.set_running_or_notify_cancel():
                self._worker.dropped(reason.reason)
                job.future.set_exception(reason)

    def serve(self, thread: int) -> None:
        with self._worker.taking:
            if not self._waiting:  # dropped meanwhile
                return
            job = self._waiting.popleft()
            self._worker.watch.begin(thread, job.request_id)
        if job.future.set_running_or_notify_cancel():
            self._settle(job, thread)
        else:
            self._worker.watch.end(thread)
        del job  # the same circle as in `run`: tracebacks refer to this frame, too

    def _settle(self, job: _Job, thread: int) -> None:
        try:
            job.future.set_result(self._outcome(job, thread))
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
            job.future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - a model's `exit()`, which would end the loop of who waits
            job.future.set_exception(RuntimeError(f"the job tried to end the process: {error!r}"))
        finally:
            del job  # the same circle as in `run`

    def _outcome(self, job: _Job, thread: int) -> Any:
        try:
            return job.work()
        finally:
            self._worker.watch.end(thread)  # before the answer: whoever has it finds the thread free
            del job


def _stuck() -> Unavailable:
    return Unavailable(
        "the model does not come back from earlier predictions, so this one was not begun: try again, another replica "
        "may answer",
        reason="stuck",
    )
