"""A moment by which something has to be done."""

import time
from dataclasses import dataclass

from mooring.artifacts.errors import TookTooLong


@dataclass(frozen=True)
class Deadline:
    """`seconds` after it was made; `what` is named in the error."""

    what: str
    seconds: float
    at: float

    @classmethod
    def after(cls, seconds: float, what: str) -> "Deadline":
        return cls(what, seconds, time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until then, above 0. Raises TookTooLong."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TookTooLong(f"{self.what} was not complete within {self.seconds:g} s")
        return left
