"""What a revision needs on this machine before a replica can start: its model in the node cache."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.errors import ArtifactError, NoRoom, SourceAway, TookTooLong
from mooring.domain.deployments import restart_delay
from mooring.domain.views import Preparation

_PARALLEL_FETCHES = 4
_PASSING = (SourceAway, TookTooLong, NoRoom)
"""Troubles that may be over by the next try."""
_logger = logging.getLogger("mooring.controllers.preparation")


@dataclass
class _Progress:
    running: bool = False
    folder: Path | None = None
    failure: str | None = None
    trouble: str | None = None
    tries: int = 0
    next_try: float = 0.0


class Preparations:
    """Fetches models in the background, again and again where that may help; remembers how it went per revision.

    Its threads are daemons: whoever ends the control plane does not wait for a download (what is half fetched is
    cleared by the next one who wants it).
    """

    def __init__(self, cache: ModelCache, *, on_change: Callable[[], None]) -> None:
        self._cache = cache
        self._on_change = on_change
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_PARALLEL_FETCHES)
        self._progress: dict[str, _Progress] = {}

    def state(self, revision_id: str, known_folder: str | None) -> Preparation:
        """How far it is; `known_folder` is where an earlier control plane has put the model, if one has."""
        with self._lock:
            progress = self._progress.setdefault(revision_id, _Progress())
            progress.folder = progress.folder or (Path(known_folder) if known_folder else None)
            return Preparation(
                done=progress.folder is not None and progress.folder.exists(),
                failure=progress.failure,
                trouble=progress.trouble,
                may_begin=not progress.running and time.monotonic() >= progress.next_try,
            )

    def begin(self, revision_id: str, model_uri: str) -> None:
        """Fetch unless that is under way."""
        with self._lock:
            progress = self._progress.setdefault(revision_id, _Progress())
            if progress.running:
                return
            progress.running, progress.failure = True, None
        name = f"fetch-{revision_id}"
        threading.Thread(target=self._fetch, args=(progress, model_uri), name=name, daemon=True).start()

    def folder(self, revision_id: str) -> Path | None:
        """Where the revision's model lies, once it does."""
        with self._lock:
            progress = self._progress.get(revision_id)
            return progress.folder if progress else None

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        with self._lock:
            self._progress.pop(revision_id, None)

    def _fetch(self, progress: _Progress, model_uri: str) -> None:
        folder, failure, trouble = None, None, None
        try:
            with self._places:
                folder = self._cache.ensure(model_uri)
        except _PASSING as error:
            trouble = str(error)
            _logger.warning("cannot fetch %s yet: %s", model_uri, error)
        except ArtifactError as error:
            failure = str(error)
        except Exception as error:  # a defect of ours must end in a status, not in a thread's silence
            _logger.exception("fetching %s failed", model_uri)
            failure = f"fetching {model_uri} failed: {error}"
        with self._lock:
            progress.running, progress.folder = False, folder
            progress.failure, progress.trouble = failure, trouble
            progress.tries += 1
            progress.next_try = time.monotonic() + max(1.0, restart_delay(progress.tries).total_seconds())
        self._on_change()
