"""Work in the background: tried again and again where that may help; how it goes is remembered per errand."""

import errno
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import InterfaceError, OperationalError

from mooring.artifacts.errors import NoRoom, SourceAway, TookTooLong
from mooring.domain.deployments import restart_delay
from mooring.domain.execution_views import Errand
from mooring.errors import MooringError, Unavailable
from mooring.runtimes.base import ImageAway, ImageError
from mooring.store.types import utc_now

_PASSING = (SourceAway, TookTooLong, NoRoom, ImageAway, Unavailable)
"""Troubles that may be over by the next try."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_STORE_AWAY = (OperationalError, InterfaceError)
_logger = logging.getLogger("mooring.controllers.errands")


class JobFailed(Exception):
    """The job has failed of this: in words for its owner."""


_IN_WORDS = (MooringError, ImageError, JobFailed)


@dataclass
class _Progress:
    running: bool = False
    done: bool = False
    failure: str | None = None
    trouble: str | None = None
    since: datetime | None = None
    begun: datetime | None = None
    tries: int = 0
    next_try: float = 0.0


class Errands:
    """Its threads are daemons: whoever ends the control plane waits for none, and half done work is begun anew.

    At most `parallel` are under way at a time; `on_change` is told of each end.
    """

    def __init__(self, *, parallel: int, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(parallel)
        self._progress: dict[str, _Progress] = {}

    def state(self, key: str) -> Errand:
        """How far it is."""
        with self._lock:
            progress = self._progress.get(key)
            if progress is None:
                return Errand()
            return Errand(
                done=progress.done,
                failure=progress.failure,
                trouble=progress.trouble,
                since=progress.since,
                begun=progress.begun if progress.running else None,
                may_begin=not progress.running and time.monotonic() >= progress.next_try,
            )

    def begin(self, key: str, work: Callable[[], None]) -> None:
        """Do it unless that is under way. What it raises in words is its failure, or a trouble that may pass."""
        with self._lock:
            progress = self._progress.setdefault(key, _Progress())
            if progress.running:
                return
            progress.running, progress.failure, progress.begun = True, None, utc_now()
        threading.Thread(target=self._do, args=(key, progress, work), name=key, daemon=True).start()

    def forget(self, key: str) -> None:
        """Nobody asks for it any more."""
        with self._lock:
            self._progress.pop(key, None)

    def forget_all_but(self, known: Callable[[str], bool]) -> None:
        """Those that somebody else has brought to an end."""
        with self._lock:
            for key in [key for key, each in self._progress.items() if not each.running and not known(key)]:
                del self._progress[key]

    def _do(self, key: str, progress: _Progress, work: Callable[[], None]) -> None:
        failure, trouble = None, None
        try:
            with self._places:
                work()
        except _PASSING as error:
            trouble = str(error)
            _logger.warning("%s: not yet: %s", key, error)
        except _STORE_AWAY:
            trouble = "the store does not answer"
            _logger.warning("%s: the store does not answer", key)
        except _IN_WORDS as error:
            failure = str(error)
        except OSError as error:
            told = f"{error.strerror or error} on this machine"
            failure, trouble = (None, told) if error.errno in _DISK_FULL else (told, None)
            _logger.warning("%s: %s", key, error)
        except Exception as error:  # a defect of ours must end in a status, not in a thread's silence
            _logger.exception("%s failed", key)
            failure = f"{type(error).__name__}: {error}"
        with self._lock:
            progress.running, progress.done = False, failure is None and trouble is None
            progress.failure, progress.trouble = failure, trouble
            progress.since = (progress.since or utc_now()) if trouble else None
            progress.tries += 1
            progress.next_try = time.monotonic() + max(1.0, restart_delay(progress.tries).total_seconds())
        self._on_change()
