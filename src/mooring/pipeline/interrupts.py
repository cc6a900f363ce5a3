"""Ctrl-C, heard at once, but not between the making of something and the note that it was made."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Raises KeyboardInterrupt in the main thread. Asked for a second time, it does so whatever is under way."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._holding = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """On SIGINT, and on SIGTERM, with which a CI ends its jobs."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        heeded = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in heeded:
            signal.signal(number, self._ask)
        try:
            yield
        finally:
            for number, handler in heeded.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Not before the end of the block, or its next `sleep`."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._asked.is_set():
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        if self._asked.wait(seconds):
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        again = self._asked.is_set()
        self._asked.set()
        if again or not self._holding:
            raise KeyboardInterrupt
