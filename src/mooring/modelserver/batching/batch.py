"""Some tickets, predicted at once, and their predictions cut apart."""

import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from mooring.modelserver.batching.ticket import Outcome, Ticket
from mooring.modelserver.errors import ServingError
from mooring.modelserver.flavours.cutting import length, part
from mooring.modelserver.flavours.predictor import Predictor
from mooring.modelserver.rows import Rows

_logger = logging.getLogger("mooring.modelserver")


class Batch:
    """Made and run in one thread, then handed to the event loop."""

    def __init__(self, tickets: Sequence[Ticket]) -> None:
        """At least one ticket."""
        self.tickets = tickets
        self.rows = sum(ticket.rows.count for ticket in tickets)
        self.waited = 0.0
        """Seconds that the oldest was in the queue."""
        self.seconds = 0.0
        """In the model."""
        self.outcomes: list[tuple[Ticket, Outcome]] = []

    def __str__(self) -> str:
        more = len(self.tickets) - 1
        return self.tickets[0].request_id + (f" and {more} more" if more else "")

    def run(self, predictor: Predictor) -> None:
        """Predict; never raises. When that fails, each is predicted by itself, so that each stands for itself."""
        begun = time.perf_counter()
        self.waited = begun - self.tickets[0].arrived
        try:
            prediction = predictor.predict(Rows.together([ticket.rows for ticket in self.tickets]))
            self.seconds = time.perf_counter() - begun
            self.outcomes = self._cut(prediction)
        except BaseException as error:  # noqa: BLE001 - models raise what they like, and no thread may end of it
            self.seconds = time.perf_counter() - begun
            _logger.debug("batch of request %s: %r", self, error)
            self.outcomes = [(ticket, self._singly(ticket, predictor)) for ticket in self.tickets if not ticket.is_over]
        for ticket in self.tickets:
            ticket.waited, ticket.predicted = begun - ticket.arrived, self.seconds

    def _cut(self, prediction: Any) -> list[tuple[Ticket, Outcome]]:
        if len(self.tickets) == 1:
            return [(ticket, ticket.encode(prediction)) for ticket in self.tickets]
        if length(prediction) != self.rows:
            raise ValueError(f"{self.rows} rows were predicted, the answer has another length")
        outcomes, start = list[tuple[Ticket, Outcome]](), 0
        for ticket in self.tickets:
            stop = start + ticket.rows.count
            outcomes.append((ticket, ticket.encode(part(prediction, start, stop))))
            start = stop
        return outcomes

    def _singly(self, ticket: Ticket, predictor: Predictor) -> Outcome:
        """The general way only for those that fail alone as well: it takes far longer."""
        if len(self.tickets) > 1:
            with contextlib.suppress(BaseException):
                return ticket.encode(predictor.predict(ticket.rows))
        return _alone(ticket)


def _alone(ticket: Ticket) -> Outcome:
    try:
        return ticket.alone()
    except ServingError as error:
        return _bare(error)
    except BaseException:
        _logger.exception("request %s failed in the server", ticket.request_id)
        return ServingError("the model server failed: see its log")


def _bare(error: ServingError) -> ServingError:
    # Its traceback refers to frames that refer to the outcome: a circle, which would keep the request for long.
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
