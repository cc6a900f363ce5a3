"""One request that waits for its predictions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from mooring.modelserver.errors import ServingError
from mooring.modelserver.http import Response
from mooring.modelserver.rows import Rows

if TYPE_CHECKING:
    from mooring.modelserver.room import Room

Answer = bytes | Response
"""A whole answer, or only its body."""
Outcome = Answer | ServingError


class Line(Protocol):
    """Where tickets wait."""

    def leave(self, ticket: "Ticket") -> None:
        """It need not wait any longer."""


class Ticket:
    """Typed rows, how their predictions are written, and who wants them.

    Belongs to the event loop; a thread reads it and sets the two times.
    """

    __slots__ = (
        "alone", "arrived", "deadline", "encode", "is_over", "line", "name", "on_settled", "predicted", "request_id",
        "room", "rows", "size", "waited",
    )  # fmt: skip

    def __init__(
        self,
        request_id: str,
        rows: Rows,
        encode: Callable[[Any], Answer],
        alone: Callable[[], Answer],
        on_settled: "Callable[[Ticket, Outcome], None]",
        *,
        size: int,
        arrived: float,
        deadline: float,
        name: bytes | None,
    ) -> None:
        """`size`: the bytes of its body. `arrived`: by `perf_counter`. `deadline`: by the event loop's clock.

        `alone` predicts it the general way and raises ServingError; `on_settled` is called in the event loop, at most
        once, with the answer or why there is none. `name`: the gateway's, to be noted while it runs.
        """
        self.request_id = request_id
        self.rows = rows
        self.encode = encode
        self.alone = alone
        self.on_settled = on_settled
        self.size = size
        self.arrived = arrived
        self.deadline = deadline
        self.name = name
        self.room: Room | None = None
        """Where its bytes are counted, until it is over."""
        self.line: Line | None = None
        """Where it waits."""
        self.is_over = False
        """Settled, or nobody wants it any more."""
        self.waited = 0.0
        """Seconds until its batch was begun."""
        self.predicted = 0.0
        """Seconds of its batch in the model."""

    def drop(self) -> None:
        """Nobody waits for it any more; if it runs already, its predictions are thrown away."""
        if not self.is_over:
            self._end()
            if self.line:
                self.line.leave(self)

    def settle(self, outcome: Outcome) -> None:
        """Unless it is over."""
        if not self.is_over:
            self._end()
            self.on_settled(self, outcome)

    def _end(self) -> None:
        self.is_over = True
        if self.room is not None:
            self.room.give_back(self.size)
