"""Has what a revision needs brought to this machine, in the background."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mooring.artifacts.errors import ChangedMeanwhile, NoRoom, SourceAway, TookTooLong
from mooring.controllers.supplies import Stock
from mooring.domain.deployments import restart_delay
from mooring.domain.revisions import RevisionSpec
from mooring.domain.views import Preparation
from mooring.errors import InvalidRequest, MooringError, NotFound, Unavailable
from mooring.runtimes.base import ImageAway, ImageError
from mooring.store.vault import CannotOpen

_PARALLEL_FETCHES = 4
_PASSING = (SourceAway, TookTooLong, NoRoom, ChangedMeanwhile, ImageAway, NotFound, InvalidRequest, Unavailable)
"""Troubles that may be over by the next try; among them a secret that nobody has created yet."""
_FAILURES = (MooringError, ImageError, CannotOpen)
_logger = logging.getLogger("mooring.controllers.preparation")

Fetch = Callable[[str, RevisionSpec, Stock], Stock]
"""`Supplies.fetch`: for a resource group's revision, given what is known to be there."""


@dataclass
class _Progress:
    running: bool = False
    stock: Stock = field(default_factory=Stock)
    failure: str | None = None
    trouble: str | None = None
    tries: int = 0
    next_try: float = 0.0


class Preparations:
    """Fetches again and again where that may help; remembers how it went per revision.

    Its threads are daemons: whoever ends the control plane does not wait for a download (what is half fetched is
    cleared by the next one who wants it). Images wait for images only, models for models: a registry that is slow
    keeps nobody from the other.
    """

    def __init__(self, fetch: Fetch, *, on_change: Callable[[], None]) -> None:
        self._fetch = fetch
        self._on_change = on_change
        self._lock = threading.Lock()
        self._places: dict[str, threading.BoundedSemaphore] = {}
        self._progress: dict[str, _Progress] = {}

    def state(self, revision_id: str, spec: Mapping[str, Any], known: Stock) -> Preparation:
        """How far it is; `spec` as in the store, `known` is what an earlier control plane has noted."""
        with self._lock:
            progress = self._progress.setdefault(revision_id, _Progress())
            progress.stock = Stock(progress.stock.folder or known.folder, progress.stock.image or known.image)
            return Preparation(
                done=progress.stock.is_all(spec),
                failure=progress.failure,
                trouble=progress.trouble,
                may_begin=not progress.running and time.monotonic() >= progress.next_try,
            )

    def begin(self, revision_id: str, group: str, spec: RevisionSpec) -> None:
        """Fetch unless that is under way."""
        with self._lock:
            progress = self._progress.setdefault(revision_id, _Progress())
            if progress.running:
                return
            progress.running, progress.failure = True, None
            places = self._places.setdefault(spec.KIND, threading.BoundedSemaphore(_PARALLEL_FETCHES))
        work = (revision_id, progress, places, group, spec)
        threading.Thread(target=self._do, args=work, name=f"fetch-{revision_id}", daemon=True).start()

    def stock(self, revision_id: str) -> Stock | None:
        """What there is for the revision; None when nothing has been asked for."""
        with self._lock:
            progress = self._progress.get(revision_id)
            return progress.stock if progress else None

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        with self._lock:
            self._progress.pop(revision_id, None)

    def _do(
        self, revision_id: str, progress: _Progress, places: threading.BoundedSemaphore, group: str, spec: RevisionSpec
    ) -> None:
        stock, failure, trouble = Stock(image=progress.stock.image), None, None
        try:
            with places:
                stock = self._fetch(group, spec, stock)
        except _PASSING as error:
            trouble = str(error)
            _logger.warning("%s: cannot fetch what it needs yet: %s", revision_id, error)
        except _FAILURES as error:
            failure = str(error)
        except Exception as error:  # a defect of ours must end in a status, not in a thread's silence
            _logger.exception("%s: fetching what it needs failed", revision_id)
            failure = f"fetching what it needs failed: {error}"
        with self._lock:
            progress.running, progress.stock = False, stock
            progress.failure, progress.trouble = failure, trouble
            progress.tries += 1
            progress.next_try = time.monotonic() + max(1.0, restart_delay(progress.tries).total_seconds())
        self._on_change()
