"""The queue before the model: what is in it when a thread gets free is the next batch. No timer makes anybody wait."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from mooring.modelserver.batching.batch import Batch
from mooring.modelserver.batching.ticket import Ticket
from mooring.modelserver.errors import DeadlineExceeded, ServingError, Unavailable
from mooring.modelserver.flavours.predictor import Predictor
from mooring.modelserver.observer import Observer
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.worker import Worker

_QUICK_SECONDS = 0.002
"""A model that takes no longer is waited for in the event loop: to do something else meanwhile, and be woken up, costs
more than it brings."""
_PATIENCE_SECONDS = 0.02
"""For how long: then the loop goes on, as probes have to be answered while a model hangs."""
_FORGETTING = 1.25
"""How quickly the model's time is believed to grow. On a busy machine, single predictions take far longer for reasons
that are not the model's."""


@dataclass(frozen=True)
class Limits:
    """Of one batch; a single request may be beyond them."""

    requests: int
    rows: int
    size: int
    """Bytes of all bodies."""


class Batcher:
    """A line of the worker. Belongs to the event loop, but for `serve`."""

    def __init__(
        self,
        predictor: Predictor,
        worker: Worker,
        limits: Limits,
        *,
        observer: Observer,
        suspicion: Suspicion | None = None,
    ) -> None:
        self._predictor = predictor
        self._worker = worker
        self._limits = limits
        self._observer = observer
        self._suspicion = suspicion
        self._waiting: deque[Ticket] = deque()
        self._running: list[Batch | None] = [None] * worker.threads
        self._done: SimpleQueue[Batch] = SimpleQueue()
        self._seconds = 0.0
        """What the model takes for a batch, when nothing else hinders it."""
        self._called = 0
        """Calls to the worker that have not come back."""
        self._is_due = False
        self._is_awaited = False
        self._sweep: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        worker.open(self)

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, ticket: Ticket) -> None:
        """Have it predicted; it is settled later. Raises Unavailable."""
        self._worker.check_room()
        ticket.line = self
        self._waiting.append(ticket)
        self._sweep_in_time(ticket.deadline)
        if not self._is_due and self._called < self._worker.threads:
            self._is_due = True
            # Whatever else can be read in this turn of the loop joins the batch.
            self._running_loop().call_soon(self._start)

    def leave(self, ticket: Ticket) -> None:
        """It need not wait any longer."""
        if self._is_taken_out(ticket):
            self._worker.dropped("cancelled")

    def turn_away(self, reason: Unavailable) -> None:
        for ticket in tuple(self._waiting):
            self._refuse(ticket, reason, reason.reason)

    def _start(self) -> None:
        self._is_due = False
        if not self._waiting or self._called >= self._worker.threads:
            return
        self._called += 1
        self._is_awaited = self._seconds <= _QUICK_SECONDS
        self._worker.call(self)
        if self._is_awaited:
            self._linger()

    def _linger(self) -> None:
        # The first that comes need not be the one just called for, with several threads: all are collected.
        with contextlib.suppress(Empty):
            self._settle(self._done.get(timeout=_PATIENCE_SECONDS))
        self._is_awaited = False
        self._collect()

    def serve(self, thread: int) -> None:
        with self._worker.taking:
            batch = Batch(self._taken())
            if batch.tickets:
                self._worker.watch.begin(thread, batch)
                self._running[thread] = batch
        if batch.tickets:
            self._predict(batch)
            self._running[thread] = None
            self._worker.watch.end(thread)
        self._done.put(batch)
        if not self._is_awaited:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._running_loop().call_soon_threadsafe(self._collect)

    def _predict(self, batch: Batch) -> None:
        if self._suspicion is None:
            batch.run(self._predictor)
        else:
            with self._suspicion.of_batch([ticket.name for ticket in batch.tickets]):
                batch.run(self._predictor)

    def _taken(self) -> list[Ticket]:
        """The oldest that wait, as many as the limits allow."""
        waiting, limits, taken = self._waiting, self._limits, list[Ticket]()
        rows = size = 0
        while waiting and len(taken) < limits.requests:
            rows, size = rows + waiting[0].rows.count, size + waiting[0].size
            if taken and (rows > limits.rows or size > limits.size):
                break
            taken.append(waiting.popleft())
        return taken

    def _collect(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._settle(self._done.get_nowait())

    def _settle(self, batch: Batch) -> None:
        self._called -= 1
        if batch.tickets:
            self._seconds = min(batch.seconds, self._seconds * _FORGETTING or batch.seconds)
            self._observer.batch(batch.rows, len(batch.tickets), batch.waited, batch.seconds)
        for ticket, outcome in batch.outcomes:
            ticket.settle(outcome)
        if self._waiting and not self._is_due:
            self._is_due = True
            self._running_loop().call_soon(self._start)

    def _refuse(self, ticket: Ticket, reason: ServingError, word: str) -> None:
        ticket.settle(reason)
        if self._is_taken_out(ticket):
            self._worker.dropped(word)

    def _is_taken_out(self, ticket: Ticket) -> bool:
        """Of the queue, where it still waits."""
        with self._worker.taking, contextlib.suppress(ValueError):
            self._waiting.remove(ticket)
            return True
        return False

    def _sweep_in_time(self, deadline: float) -> None:
        # One timer for all; most have the same patience, so the oldest is the first.
        if self._sweep is None or deadline < self._sweep.when():
            if self._sweep:
                self._sweep.cancel()
            self._sweep = self._running_loop().call_at(deadline, self._refuse_late)

    def _refuse_late(self) -> None:
        self._sweep = None
        now = self._running_loop().time()
        with self._worker.taking:
            running = [ticket for batch in self._running if batch for ticket in batch.tickets]
            open_tickets = [ticket for ticket in (*running, *self._waiting) if not ticket.is_over]
        for ticket in open_tickets:
            if ticket.deadline <= now:
                self._refuse(ticket, late(), "deadline")
        if left := [ticket.deadline for ticket in open_tickets if not ticket.is_over]:
            self._sweep_in_time(min(left))

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The one that `submit` was called in."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop


def late() -> DeadlineExceeded:
    """What a request is told whose time is over."""
    return DeadlineExceeded("the model did not answer in time: send fewer rows, or allow more seconds per request")
