"""All object stores of an installation."""

import logging
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.object_stores.listing import TransferLimits
from mooring.artifacts.object_stores.local import LocalFiles
from mooring.artifacts.object_stores.local_objects import LocalObjects
from mooring.artifacts.object_stores.remote_files import RemoteFiles
from mooring.artifacts.object_stores.remote_objects import RemoteObjects
from mooring.domain.object_stores import StoreAccess
from mooring.errors import MooringError
from mooring.files import write_atomically
from mooring.network.guard import Guard
from mooring.network.reach import Reach

_INCOMING = ".incoming"
_REMOVED = ".removed"
_LEAVING = ".leaving"
_logger = logging.getLogger(__name__)


class ObjectStores:
    """The installation's own store lies in `root`: a folder per resource group, and some whose names no group has.

    Others are where their secrets say, as far as that is within `reach`. `close` it.
    """

    def __init__(self, root: Path, reach: Reach | None = None) -> None:
        self._root = root
        self._lock = Lock()
        self._guard = Guard(reach or Reach())

    def close(self) -> None:
        """No other object store is reached any more."""
        self._guard.close()

    def files(self, group: str, access: StoreAccess | None) -> LocalFiles | RemoteFiles:
        """The files of a group. Raises InvalidRequest for a store that cannot be reached, Unavailable."""
        if access is None:
            return LocalFiles(self._root, group, self._root / _INCOMING, self._lock)
        return RemoteFiles(access, self._root / _INCOMING, self._guard)

    def objects(
        self, group: str, access: StoreAccess | None, limits: TransferLimits, deadline: Deadline
    ) -> LocalObjects | RemoteObjects:
        """The same files, as transfers need them (`StoreTransfers`). Raises ArtifactError."""
        if access is None:
            return LocalObjects(self._root, group, self._root / _INCOMING, self._lock, limits, deadline)
        return RemoteObjects(access, self._guard, limits, deadline)

    @contextmanager
    def forgetting(self, group: str) -> Iterator[None]:
        """Around the removal of a group from the store: removes its files afterwards. Raises OSError.

        Whoever is interrupted between the two leaves a note, and the next start goes on from there (`clean`).
        """
        note = self._root / _LEAVING / group
        note.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(note, b"", durable=True)
        try:
            yield
        except MooringError:
            note.unlink(missing_ok=True)  # it stays
            raise
        self._forget(group)
        note.unlink(missing_ok=True)

    def clean(self, groups: Collection[str]) -> None:
        """At the start, with the groups that there are: remove what an end in the middle has left. Raises OSError."""
        for name in (_INCOMING, _REMOVED):
            _remove(self._root / name)
        notes = self._root / _LEAVING
        for note in notes.iterdir() if notes.exists() else ():
            if note.name not in groups:
                self._forget(note.name)
            note.unlink(missing_ok=True)

    def _forget(self, group: str) -> None:
        """Out of sight in one step, then removed."""
        removed = self._root / _REMOVED
        removed.mkdir(mode=0o700, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(dir=removed))
        with suppress(FileNotFoundError):
            (self._root / group).rename(hidden / group)
        _remove(hidden)


def _remove(folder: Path) -> None:
    """What is in the way of it is left for the next start: nobody sees it any more."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError:
        _logger.exception("%s could not be removed whole", folder)
