"""Waiting with a deadline for what passes, and making things once however often it has to be tried."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mooring.client.errors import ApiError, NotFound

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """With a server that is away or has too much to do, for `away_seconds`.

    `lost_seconds`: so long what was asked for may take to show when the answer was lost. `sleep` may raise what ends
    the waiting; `tell` is told of every trouble.
    """

    away_seconds: float = 120.0
    first_seconds: float = 0.5
    slowest_seconds: float = 10.0
    lost_seconds: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = lambda _: None

    def through(self, call: Callable[[], Answer], *, seconds: float | None = None) -> Answer:
        """For what may be done twice: again while the server is away or busy. Raises ApiError."""
        deadline = time.monotonic() + (self.away_seconds if seconds is None else seconds)
        pause = self.first_seconds
        while True:
            try:
                return call()
            except ApiError as error:
                wait = max(pause, error.retry_after_seconds)
                if not error.temporary or time.monotonic() + wait >= deadline:
                    raise
                self.tell(f"{error}; tried again in {wait:.1f} s")
            self.sleep(wait)
            pause = min(pause * 2, self.slowest_seconds)

    def once(self, make: Callable[[], str], find: Callable[[], str | None]) -> str:
        """For what must not be made twice: its id. Where the answer was lost, it is looked for. Raises ApiError."""
        lost = False

        def found_or_made() -> str:
            nonlocal lost
            if lost and (id_ := self._shown(find)):
                return id_
            try:
                return make()
            except ApiError as error:
                lost |= error.unclear
                raise

        return self.through(found_or_made)

    def _shown(self, find: Callable[[], str | None]) -> str | None:
        deadline = time.monotonic() + self.lost_seconds
        while (id_ := find()) is None and time.monotonic() < deadline:
            self.sleep(self.first_seconds)
        return id_

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it has come true in time; what a server does not know yet, it may know later. Raises ApiError."""
        deadline = time.monotonic() + seconds
        pause = self.first_seconds / 2

        def ask() -> bool:
            try:
                return condition()
            except NotFound:
                if time.monotonic() >= deadline:
                    raise
                return False

        while not self.through(ask):
            if time.monotonic() + pause >= deadline:
                return False
            self.sleep(pause)
            pause = min(pause * 1.5, self.slowest_seconds)
        return True
