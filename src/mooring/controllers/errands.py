"""Work in the background: tried again and again where that may help; how it goes is remembered per errand."""

import errno
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import InterfaceError, OperationalError

from mooring.artifacts.errors import ChangedMeanwhile, NoRoom, SourceAway, TookTooLong
from mooring.domain.deployments import restart_delay
from mooring.domain.errands import Errand
from mooring.errors import MooringError, Unavailable
from mooring.runtimes.base import ImageAway, ImageError
from mooring.store.types import utc_now
from mooring.store.vault import CannotOpen

_PASSING = (SourceAway, TookTooLong, NoRoom, ChangedMeanwhile, ImageAway, Unavailable)
"""Troubles that may be over by the next try."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_STORE_AWAY = (OperationalError, InterfaceError)
_logger = logging.getLogger("mooring.controllers.errands")


class JobFailed(Exception):
    """The job has failed of this: in words for its owner."""


_IN_WORDS = (MooringError, ImageError, CannotOpen, JobFailed)


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
    """Those of one kind, by the id of what they are for.

    At most `parallel` are under way at a time; others may not begin. `on_change` is told of each end. `passing`: more
    troubles that may be over by the next try. The threads are daemons: whoever ends the control plane waits for none,
    and half done work is begun anew.
    """

    def __init__(
        self,
        kind: str,
        *,
        parallel: int,
        on_change: Callable[[], None],
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._kind = kind
        self._passing: tuple[type[Exception], ...] = (*_PASSING, *passing)
        self._on_change = on_change
        self._lock = threading.Lock()
        self._places = parallel
        self._progress: dict[str, _Progress] = {}

    def state(self, id_: str) -> Errand:
        """How far it is."""
        with self._lock:
            progress = self._progress.get(id_, _Progress())
            return Errand(
                done=progress.done,
                failure=progress.failure,
                trouble=progress.trouble,
                since=progress.since,
                begun=progress.begun if progress.running else None,
                may_begin=self._may_begin(progress) and time.monotonic() >= progress.next_try,
            )

    def begin(self, id_: str, work: Callable[[], None]) -> None:
        """Do it if it may begin. What it raises in words is its failure, or a trouble that may pass."""
        with self._lock:
            progress = self._progress.setdefault(id_, _Progress())
            if not self._may_begin(progress):
                return
            self._places -= 1
            progress.running, progress.failure, progress.begun = True, None, utc_now()
        name = f"{self._kind}-{id_}"
        threading.Thread(target=self._do, args=(name, progress, work), name=name, daemon=True).start()

    def forget(self, id_: str) -> None:
        """Nobody asks for it any more."""
        with self._lock:
            self._progress.pop(id_, None)

    def forget_all_but(self, known: Collection[str]) -> None:
        """Those that somebody else has brought to an end."""
        with self._lock:
            for id_ in [id_ for id_, each in self._progress.items() if not each.running and id_ not in known]:
                del self._progress[id_]

    def _may_begin(self, progress: _Progress) -> bool:
        return not progress.running and self._places > 0

    def _do(self, name: str, progress: _Progress, work: Callable[[], None]) -> None:
        failure, trouble = self._outcome(name, work)
        with self._lock:
            self._places += 1
            progress.running, progress.done = False, failure is None and trouble is None
            progress.failure, progress.trouble = failure, trouble
            progress.since = (progress.since or utc_now()) if trouble else None
            progress.tries += 1
            progress.next_try = time.monotonic() + max(1.0, restart_delay(progress.tries).total_seconds())
        self._on_change()

    def _outcome(self, name: str, work: Callable[[], None]) -> tuple[str | None, str | None]:
        """Its failure, or its trouble; None for both when it is done."""
        try:
            work()
        except self._passing as error:
            _logger.warning("%s: not yet: %s", name, error)
            return None, str(error)
        except _STORE_AWAY:
            _logger.warning("%s: the store does not answer", name)
            return None, "the store does not answer"
        except _IN_WORDS as error:
            return str(error), None
        except OSError as error:
            told = f"{error.strerror or error} on this machine"
            _logger.warning("%s: %s", name, error)
            return (None, told) if error.errno in _DISK_FULL else (told, None)
        except Exception as error:  # a defect of ours must end in a status, not in a thread's silence
            _logger.exception("%s failed", name)
            return f"{type(error).__name__}: {error}", None
        return None, None
