"""The loop of schedules: asleep until the next one is due."""

import logging
import threading
from datetime import timedelta

from mooring.controllers.schedules import ScheduleController

_LONGEST = timedelta(seconds=30)
"""A clock may be set, and a machine may be asleep meanwhile: neither is noticed while waiting."""
_AFTER_FAILURE = timedelta(seconds=2)
_logger = logging.getLogger("mooring.controllers.schedules")


class ScheduleLoop:
    """One thread. With nothing due, it asks the store twice a minute."""

    def __init__(self, controller: ScheduleController, *, longest: timedelta = _LONGEST) -> None:
        self._controller = controller
        self._longest = longest
        self._woken = threading.Event()
        self._stopping = False
        self._planned = False
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """A schedule may have changed: look when it is due now."""
        self._woken.set()

    def stop(self, *, timeout_seconds: float) -> None:
        """Finish the turn that is under way, begin no more."""
        self._stopping = True
        self._woken.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            pause = self._look()
            if not self._stopping:
                self._woken.wait(pause.total_seconds())

    def _look(self) -> timedelta:
        try:
            if not self._planned:
                self._controller.plan_unplanned()
                self._planned = True
            until_next = self._controller.run_due()
        except Exception:  # the loop must survive a store that is away for a while
            _logger.exception("cannot look which schedules are due; trying again")
            return _AFTER_FAILURE
        return self._longest if until_next is None else min(until_next, self._longest)
