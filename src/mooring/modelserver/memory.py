"""What a large request needed is given back to the system: the C library keeps it otherwise, for good."""

import asyncio
import ctypes
import threading

LARGE_BYTES = 16 * 1024 * 1024
"""A body from this size on is worth the effort."""
_PAUSE_SECONDS = 1.0
"""Until the request is answered and nothing refers to its data any more; several share one trim."""


class Reclaimer:
    """Trims the heap some time after a large request, beside the requests that follow."""

    def __init__(self) -> None:
        self._is_due = False

    def note(self, size: int) -> None:
        """A body of this many bytes is done with (to be called in the event loop)."""
        if size >= LARGE_BYTES and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._start)

    def _start(self) -> None:
        self._is_due = False
        # A thread of its own: unmapping a gigabyte takes a tenth of a second.
        threading.Thread(target=_trim, name="reclaim", daemon=True).start()


def _trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc has it; other C libraries keep less
        trim(0)
