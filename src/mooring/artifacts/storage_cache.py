"""What servers read from object stores (`STORAGE_URI`): fetched once, then shared, read-only, within its group.

An entry belongs to its group, its store's place and its very content: another group, or other content under the same
key, is another entry, so that nobody can put something into somebody else's.
"""

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

from mooring.artifacts.archives import is_packed, unpack
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.entries import touch
from mooring.artifacts.errors import ChangedMeanwhile, SourceAway, TookTooLong
from mooring.artifacts.leftovers import clear_leftovers
from mooring.artifacts.locks import exclusive
from mooring.artifacts.staging import disk_troubles_named
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.artifacts.unpacking import ArchiveLimits
from mooring.domain.object_stores import StoreAccess
from mooring.files import write_atomically

_READABLE, _EXECUTABLE, _FOLDER = 0o444, 0o111, 0o755
_UNPACKED = (".tar.gz", ".tgz")
"""By their names, as KServe's storage initializer does."""


class StorageCache:
    """A folder with `entries/<key>/` (complete or absent), `staging/`, `locks/` and `known/`.

    Any number of threads and processes may use one folder. An entry's time of modification is that of its last use.
    """

    def __init__(self, folder: Path, transfers: StoreTransfers, *, seconds: float = 3600.0) -> None:
        """`seconds` bounds `ensure` from asking to having."""
        self._folder = folder
        self._transfers = transfers
        self._seconds = seconds

    def ensure(self, group: str, access: StoreAccess | None, store_name: str, key: str) -> Path:
        """A folder, not to be written to, with the objects below `key/`, or the one object at `key` by its last name.

        (One named `*.tar.gz` or `*.tgz` is unpacked there.) While the store is away, what was fetched last serves on.
        Raises ArtifactError.
        """
        place = _place(group, access, store_name, key)
        deadline = Deadline.after(self._seconds, f"fetching ai://{store_name}/{key}")
        with disk_troubles_named(f"ai://{store_name}/{key}"):
            try:
                return self._ensure(group, access, key, place, deadline)
            except ChangedMeanwhile:
                return self._ensure(group, access, key, place, deadline)

    def _ensure(self, group: str, access: StoreAccess | None, key: str, place: str, deadline: Deadline) -> Path:
        known = self._folder / "known" / place
        try:
            fingerprint = self._transfers.fingerprint(group, access, key)
        except (SourceAway, TookTooLong):
            entry = self._last(known)
            if entry is None:
                raise
            return entry
        name = hashlib.sha256(f"{place} {fingerprint}".encode()).hexdigest()
        entry = self._folder / "entries" / name
        if not touch(entry):
            with exclusive(self._folder / "locks" / name, deadline):
                if not touch(entry):
                    self._fill(entry, group, access, key, fingerprint)
        write_atomically(known, name.encode())
        return entry

    def _last(self, known: Path) -> Path | None:
        try:
            entry = self._folder / "entries" / known.read_text()
        except FileNotFoundError:
            return None
        return entry if touch(entry) else None

    def _fill(self, entry: Path, group: str, access: StoreAccess | None, key: str, fingerprint: str) -> None:
        clear_leftovers(self._folder / "staging", self._folder / "locks", held=entry.name)
        staging = self._folder / "staging" / f"{entry.name}-{uuid.uuid4().hex}"
        try:
            staging.mkdir(parents=True, mode=0o700)
            content = self._fetched(staging, group, access, key)
            if self._transfers.fingerprint(group, access, key) != fingerprint:
                raise ChangedMeanwhile(f"{key!r} was changed while it was read: try again when nobody writes there")
            _make_lasting(content)
            entry.parent.mkdir(parents=True, exist_ok=True)
            content.rename(entry)
            touch(entry)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _fetched(self, staging: Path, group: str, access: StoreAccess | None, key: str) -> Path:
        came = staging / "came"
        self._transfers.fetch(group, access, key, came, unpack=False)
        if came.is_dir():
            return came
        content = staging / "content"
        if key.endswith(_UNPACKED) and is_packed(came):
            deadline = Deadline.after(self._seconds, f"unpacking {key!r}")
            unpack(came, content, ArchiveLimits(), deadline, root_kept=True)
            return content
        content.mkdir()
        came.rename(content / key.rstrip("/").rpartition("/")[2])
        return content


def _place(group: str, access: StoreAccess | None, store_name: str, key: str) -> str:
    """Whose it is and where it lies. Not the credentials: they prove themselves when the store is asked."""
    where = [access.type.value, sorted(access.properties.items())] if access else None
    return hashlib.sha256(json.dumps([group, store_name, where, key]).encode()).hexdigest()


def _make_lasting(content: Path) -> None:
    """Read-only, and on the disk: the name that it gets must not overtake the bytes when the power fails.

    Links are left: an archive's lead to files of the same archive.
    """
    for path in (content, *content.rglob("*")):
        if path.is_symlink():
            continue
        if path.is_file():
            path.chmod(_READABLE | (path.stat().st_mode & _EXECUTABLE))
        else:
            path.chmod(_FOLDER)  # the container's user is not ours; only the home itself is ours alone
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
