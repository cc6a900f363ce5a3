"""The loop that gives each deployment or execution its steps: at once when something has changed, often while something
is on its way, now and then when nothing is."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_TRANSITION_SECONDS = 0.1
_AFTER_FAILURE_SECONDS = 2.0
_WORKERS = 4
_logger = logging.getLogger("mooring.controllers.loop")


class ControlLoop:
    """Calls `step(id)` for every id of `all_ids()`, never twice at a time for the same one."""

    def __init__(self, *, all_ids: Callable[[], list[str]], step: Callable[[str], bool], steady_seconds: float) -> None:
        self._all_ids = all_ids
        self._step = step
        self._steady_seconds = steady_seconds
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()
        self._wakes = 0
        self._listed_at_wake = -1
        self._listed_at = 0.0
        self._stopping = False
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="control")
        self._thread = threading.Thread(target=self._run, name="control-loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something has changed: look at everything now."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    @property
    def is_stopping(self) -> bool:
        return self._stopping

    def stop(self, *, timeout_seconds: float) -> None:
        """Finish the steps that are under way, begin no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_seconds)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._list_when_needed()
            except Exception:  # the loop must survive a store that is away for a while
                _logger.exception("cannot list what there is to control; trying again")
                self._listed_at = time.monotonic()
            with self._changed:
                for deployment_id in self._take_due():
                    self._pool.submit(self._take_step, deployment_id, self._wakes)
                if not self._stopping and self._listed_at_wake == self._wakes:
                    self._changed.wait(self._until_next())

    def _list_when_needed(self) -> None:
        now, wakes = time.monotonic(), self._wakes
        woken = wakes != self._listed_at_wake
        if not woken and now - self._listed_at < self._steady_seconds:
            return
        self._listed_at_wake, self._listed_at = wakes, now
        ids = self._all_ids()
        with self._changed:
            self._due = {id_: now if woken else self._due.get(id_, now) for id_ in ids}

    def _take_due(self) -> list[str]:
        now = time.monotonic()
        due = [id_ for id_, moment in self._due.items() if moment <= now and id_ not in self._busy]
        self._busy.update(due)
        return due

    def _until_next(self) -> float:
        moments = [moment for id_, moment in self._due.items() if id_ not in self._busy]
        return max(0.0, min([*moments, self._listed_at + self._steady_seconds]) - time.monotonic())

    def _take_step(self, deployment_id: str, wakes: int) -> None:
        pause = _AFTER_FAILURE_SECONDS
        try:
            pause = self._steady_seconds if self._step(deployment_id) else _TRANSITION_SECONDS
        except Exception:  # one object's trouble must not stop the others
            _logger.exception("%s: step failed; trying again", deployment_id)
        with self._changed:
            self._busy.discard(deployment_id)
            if deployment_id in self._due:
                woken_meanwhile = self._wakes != wakes
                self._due[deployment_id] = time.monotonic() + (0 if woken_meanwhile else pause)
            self._changed.notify_all()
