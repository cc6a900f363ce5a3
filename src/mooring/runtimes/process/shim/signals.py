"""Signals as something to read, so that they interrupt nothing."""

import os
import signal


class Signals:
    """Catches SIGTERM and SIGCHLD. `descriptor` becomes readable; then `take()` says which came."""

    def __init__(self) -> None:
        self.descriptor, self._writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for signum in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(signum, _leave_to_reader)
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)

    def ask_to_end(self) -> None:
        """As if somebody had sent SIGTERM."""
        os.write(self._writer, bytes([signal.SIGTERM]))

    def take(self) -> bytes:
        """The numbers of the signals that came, one byte each."""
        try:
            return os.read(self.descriptor, 4096)
        except BlockingIOError:
            return b""


def _leave_to_reader(_signum: int, _frame: object) -> None:
    """The wakeup descriptor has it already."""
