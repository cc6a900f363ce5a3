"""The node's cache of models: each is fetched once and then shared, read-only, by everything on the machine."""

import errno
import shutil
import uuid
from pathlib import Path

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.entries import touch
from mooring.artifacts.errors import ArtifactError, NoRoom, SourceAway
from mooring.artifacts.fetch import fetch
from mooring.artifacts.leftovers import clear_leftovers
from mooring.artifacts.locks import exclusive
from mooring.artifacts.memory import ResolvedUris
from mooring.artifacts.resolve import Resolver, is_fixed
from mooring.artifacts.source import Source
from mooring.artifacts.tracking import TrackingServer
from mooring.artifacts.writing import make_read_only

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ModelCache:
    """A folder with `entries/<key>/` (complete or absent), `staging/`, `locks/` and `resolved/`.

    Any number of threads and processes may use one folder. Whoever fills an entry holds its lock; if it dies, the
    next download, of this model or of another, clears what it left. The time of modification of an entry is that of
    its last use.
    """

    def __init__(
        self,
        folder: Path,
        tracking_uri: str | None = None,
        *,
        fetch_seconds: float = 1800.0,
        resolve_seconds: float = 10.0,
    ) -> None:
        """`tracking_uri` is the MLflow server's; `fetch_seconds` bounds `ensure` from asking to having."""
        self._folder = folder
        self._tracking_uri = tracking_uri
        self._fetch_seconds = fetch_seconds
        self._resolved = ResolvedUris(folder / "resolved", tracking_uri)
        speaks_http = (tracking_uri or "").startswith(("http://", "https://"))
        self._server = (
            TrackingServer(tracking_uri, timeout_seconds=resolve_seconds) if tracking_uri and speaks_http else None
        )
        self._resolver = Resolver(tracking_uri, self._server)

    def close(self) -> None:
        if self._server:
            self._server.close()

    def ensure(self, uri: str) -> Path:
        """The folder with the model's files, fetched if need be. Not to be written to.

        Raises ArtifactError with the reason; then nothing of it is there.
        """
        deadline = Deadline.after(self._fetch_seconds, uri)
        try:
            source = self._resolve(uri)
            entry = self._entry(source)
            if not touch(entry):
                with exclusive(self._lock(source), deadline):
                    if not touch(entry):
                        self._fill(entry, source, deadline)
        except OSError as error:
            raise _translated(uri, error) from error
        return entry

    def remove(self, uri: str) -> bool:
        """Remove what `ensure` would give; whether there was something. Raises ArtifactError."""
        try:
            source = self._resolve(uri)
            with exclusive(self._lock(source), Deadline.after(self._fetch_seconds, uri)):
                return self._discard(self._entry(source), source)
        except OSError as error:
            raise _translated(uri, error) from error

    def _resolve(self, uri: str) -> Source:
        if not is_fixed(uri):
            return self._resolver.resolve(uri)
        try:
            source = self._resolver.resolve(uri)
        except SourceAway:
            known = self._resolved.recall(uri)
            if known is None:
                raise
            return known
        self._resolved.remember(uri, source)
        return source

    def _fill(self, entry: Path, source: Source, deadline: Deadline) -> None:
        clear_leftovers(self._folder / "staging", self._folder / "locks", held=source.key)
        staging = self._staging(source)
        try:
            staging.mkdir(parents=True)
            content = fetch(source, staging, self._tracking_uri, deadline)
            make_read_only(content)
            entry.parent.mkdir(parents=True, exist_ok=True)
            content.rename(entry)
            touch(entry)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _discard(self, entry: Path, source: Source) -> bool:
        # Renamed first, so that nobody sees it half gone.
        doomed = self._staging(source)
        doomed.parent.mkdir(parents=True, exist_ok=True)
        try:
            entry.rename(doomed)
        except FileNotFoundError:
            return False
        shutil.rmtree(doomed)
        return True

    def _entry(self, source: Source) -> Path:
        return self._folder / "entries" / source.key

    def _lock(self, source: Source) -> Path:
        return self._folder / "locks" / source.key

    def _staging(self, source: Source) -> Path:
        return self._folder / "staging" / f"{source.key}-{uuid.uuid4().hex}"


def _translated(uri: str, error: OSError) -> ArtifactError:
    if error.errno in _FULL:
        return NoRoom(f"{uri} could not be cached: {error.strerror}; make room in the cache's file system")
    return ArtifactError(f"{uri} could not be cached: {error}")
