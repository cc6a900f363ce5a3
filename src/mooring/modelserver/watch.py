"""Whether a prediction has been running for so long that nobody should count on its end."""

import logging
import time
from dataclasses import dataclass

_logger = logging.getLogger("mooring.modelserver")


@dataclass(slots=True, eq=False)
class _Run:
    request: object
    """Its id as text."""
    started: float
    is_reported: bool = False


class Watch:
    """Knows what each of the worker's threads is doing, and since when. Thread-safe.

    A `predict` cannot be interrupted: one that does not return takes its thread for ever. All that is left is to say
    so, to the probes (`trouble`) and in the log (`report`), so that somebody replaces the process.
    """

    def __init__(self, *, threads: int, stuck_seconds: float) -> None:
        """A prediction that runs for `stuck_seconds` or longer is taken for stuck."""
        self.stuck_seconds = stuck_seconds
        # One place per thread, written by that thread alone.
        self._runs: list[_Run | None] = [None] * threads

    def begin(self, thread: int, request: object) -> None:
        self._runs[thread] = _Run(request, time.monotonic())

    def end(self, thread: int) -> None:
        run, self._runs[thread] = self._runs[thread], None
        if run and run.is_reported:
            _logger.warning(
                "request %s: its prediction has returned after all, after %.1f s: the thread is free again",
                run.request, time.monotonic() - run.started,
            )  # fmt: skip

    def trouble(self) -> str | None:
        """For whoever asks whether this server is well: None, or why it is not."""
        if not any(map(self._is_stuck, self._runs)):
            return None
        return f"a prediction has been running for more than {self.stuck_seconds:g} s and may never return"

    def is_hopeless(self) -> bool:
        """Whether every thread is stuck, so that nothing else can be predicted."""
        return all(map(self._is_stuck, self._runs))

    def report(self) -> None:
        """Log each stuck prediction, once."""
        for run in tuple(self._runs):
            if run and self._is_stuck(run) and not run.is_reported:
                run.is_reported = True
                _logger.error(
                    "request %s: its prediction has been running for more than %g s and cannot be interrupted: this "
                    "server is neither live nor ready until it returns",
                    run.request, self.stuck_seconds,
                )  # fmt: skip

    def next_look_seconds(self) -> float | None:
        """When the next prediction could be stuck; None when no other runs than those reported."""
        starts = [run.started for run in tuple(self._runs) if run and not run.is_reported]
        return max(0.0, min(starts) + self.stuck_seconds - time.monotonic()) if starts else None

    def _is_stuck(self, run: _Run | None) -> bool:
        return run is not None and time.monotonic() - run.started >= self.stuck_seconds
