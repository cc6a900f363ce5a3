"""How much may be here at once: the bodies of requests that arrive, wait, or are answered."""

from collections.abc import Callable

from mooring.modelserver.errors import Unavailable


class Room:
    """Counts bytes. Used from the event loop only.

    The number of requests that wait says little about memory: one may be a row, another a hundred megabytes.
    """

    def __init__(self, limit: int, refused: Callable[[str], object]) -> None:
        """`refused` is told of each refusal."""
        self._limit = limit
        self._refused = refused
        self._taken = 0

    def has(self, size: int) -> bool:
        """Whether so many bytes fit in."""
        return self._taken + size <= self._limit

    def take(self, size: int) -> None:
        """For so many bytes, until they are given back. Raises Unavailable."""
        if not self.has(size):
            self._refused("queue_full")
            raise Unavailable(f"requests of {self._taken} bytes are here already: try again later")
        self._taken += size

    def give_back(self, size: int) -> None:
        """What was taken."""
        self._taken -= size
