"""What a revision needs on this machine before a replica can start: its model in the node cache."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.errors import ArtifactError
from mooring.domain.deployments import Preparation

_PARALLEL_FETCHES = 4
_logger = logging.getLogger("mooring.controllers.preparation")


class Preparations:
    """Fetches models in the background; remembers, per model, how that went until the model is forgotten."""

    def __init__(self, cache: ModelCache, *, on_change: Callable[[], None]) -> None:
        self._cache = cache
        self._on_change = on_change
        self._lock = threading.Lock()
        self._fetched: dict[str, Path] = {}
        self._failures: dict[str, str] = {}
        self._running: set[str] = set()
        self._pool = ThreadPoolExecutor(_PARALLEL_FETCHES, thread_name_prefix="fetch")

    def state(self, revision_id: str) -> Preparation:
        """How far the revision's preparation is."""
        with self._lock:
            path = self._fetched.get(revision_id)
            return Preparation(
                done=path is not None and path.exists(),
                failure=self._failures.get(revision_id),
            )

    def begin(self, revision_id: str, model_uri: str) -> None:
        """Fetch unless that is under way."""
        with self._lock:
            if revision_id in self._running:
                return
            self._running.add(revision_id)
            self._failures.pop(revision_id, None)
        self._pool.submit(self._fetch, revision_id, model_uri)

    def model_folder(self, revision_id: str) -> Path:
        """Where the revision's model lies. Raises KeyError before the preparation is done."""
        with self._lock:
            return self._fetched[revision_id]

    def with_uri(self, revision_id: str, text: str, model_uri: str) -> str:
        """The text with the model named as its owner named it, and not by our folder."""
        with self._lock:
            folder = self._fetched.get(revision_id)
        return text.replace(str(folder), model_uri) if folder else text

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        with self._lock:
            self._fetched.pop(revision_id, None)
            self._failures.pop(revision_id, None)

    def close(self) -> None:
        """Take on nothing more; what is under way is left to its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, revision_id: str, model_uri: str) -> None:
        folder, failure = None, None
        try:
            folder = self._cache.ensure(model_uri)
        except ArtifactError as error:
            failure = str(error)
        except Exception as error:  # a defect of ours must end in a status, not in a thread's silence
            _logger.exception("fetching %s failed", model_uri)
            failure = f"fetching {model_uri} failed: {error}"
        with self._lock:
            self._running.discard(revision_id)
            if folder is not None:
                self._fetched[revision_id] = folder
            if failure is not None:
                self._failures[revision_id] = failure
        self._on_change()
