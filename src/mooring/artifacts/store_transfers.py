"""Transfers between this machine and all kinds of object stores (`mooring.artifacts.transfers`)."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mooring.artifacts.archives import is_packed, pack, unpack
from mooring.artifacts.contents import Source, contents_of
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ChangedMeanwhile, UnusableUri
from mooring.artifacts.names import checked_key
from mooring.artifacts.object_stores.listing import Listing, StoredObject, TransferLimits
from mooring.artifacts.staging import disk_troubles_named, staged
from mooring.artifacts.unpacking import ArchiveLimits
from mooring.domain.object_stores import StoreAccess

_PACKED_NAME = "content"


class Objects(Protocol):
    """The objects of one group in one store, for one transfer; `told` names the store in errors."""

    told: str

    def listing(self, key: str) -> Listing:
        """What lies at the key. Raises NotThere and other ArtifactErrors, OSError."""

    def exists(self, key: str) -> bool:
        """Raises ArtifactError, OSError."""

    def fetch(self, targets: dict[Path, StoredObject]) -> None:
        """Each object to its path, whose folder is there. Raises ChangedMeanwhile, ArtifactError, OSError."""

    def replace(self, key: str, source: Source) -> None:
        """Raises ArtifactError, OSError."""

    def remove(self, key: str) -> None:
        """The object, and all below it. Raises ArtifactError, OSError."""


Opener = Callable[[str, StoreAccess | None, TransferLimits, Deadline], Objects]


class StoreTransfers:
    """Implements `Transfers`. Usable from many threads; each transfer is bounded in time, bytes and objects."""

    def __init__(self, objects: Opener, *, seconds: float = 3600.0, limits: TransferLimits | None = None) -> None:
        """`objects` opens the store of a group (`ObjectStores.objects`); `seconds` bounds each single transfer."""
        self._objects = objects
        self._seconds = seconds
        self._limits = limits or TransferLimits()

    def fetch(self, group: str, access: StoreAccess | None, key: str, target: Path, *, unpack: bool = True) -> None:
        """As the protocol has it. Read again from the start, once, when it changes while it is read."""
        key = checked_key(key)
        with disk_troubles_named(f"{key!r} at {target.name}"):
            deadline = Deadline.after(self._seconds, f"fetching {key!r}")
            objects = self._objects(group, access, self._limits, deadline)
            try:
                self._fetch(objects, key, target, deadline, unpacked=unpack)
            except ChangedMeanwhile:
                self._fetch(objects, key, target, deadline, unpacked=unpack)

    def store(self, group: str, access: StoreAccess | None, key: str, source: Path, *, pack: bool) -> None:
        """As the protocol has it. An empty folder is kept by a mark that `fetch` and `exists` know."""
        key = checked_key(key)
        if not key:
            raise UnusableUri("an output needs a path in its object store: ai://<object store secret>/<path>")
        with disk_troubles_named(f"{source.name} at {key!r}"):
            deadline = Deadline.after(self._seconds, f"storing {key!r}")
            content = contents_of(source, self._limits.objects)
            objects = self._objects(group, access, self._limits, deadline)
            if pack:
                self._store_packed(objects, key, content, source, deadline)
            else:
                objects.replace(key, content)

    def exists(self, group: str, access: StoreAccess | None, key: str) -> bool:
        """As the protocol has it."""
        key = checked_key(key)
        with disk_troubles_named(repr(key)):
            deadline = Deadline.after(self._seconds, f"looking for {key!r}")
            return self._objects(group, access, self._limits, deadline).exists(key)

    def remove(self, group: str, access: StoreAccess | None, key: str) -> None:
        """As the protocol has it."""
        key = checked_key(key)
        if not key:
            raise UnusableUri("nothing but what lies at a path is removed: a whole object store is not")
        with disk_troubles_named(repr(key)):
            deadline = Deadline.after(self._seconds, f"removing {key!r}")
            self._objects(group, access, self._limits, deadline).remove(key)

    def fingerprint(self, group: str, access: StoreAccess | None, key: str) -> str:
        """64 hexadecimal digits that change with any name, ETag or size of what `fetch` would bring. Raises as it."""
        key = checked_key(key)
        with disk_troubles_named(repr(key)):
            deadline = Deadline.after(self._seconds, f"looking for {key!r}")
            found = self._objects(group, access, self._limits, deadline).listing(key)
        facts = sorted([name, each.etag, str(each.size)] for name, each in found.files.items())
        return hashlib.sha256(json.dumps([facts, sorted(found.folders)]).encode()).hexdigest()

    def _fetch(self, objects: Objects, key: str, target: Path, deadline: Deadline, *, unpacked: bool) -> None:
        listing = objects.listing(key)
        with staged(target) as content:
            if "" not in listing.files:
                _fetch_folder(objects, listing, content)
                return
            came = content.with_name("came")
            objects.fetch({came: listing.files[""]})
            if unpacked and is_packed(came):
                unpack(came, content, ArchiveLimits(self._limits.objects, self._limits.bytes), deadline)
            else:
                came.rename(content)

    def _store_packed(self, objects: Objects, key: str, content: Source, source: Path, deadline: Deadline) -> None:
        # Beside what is packed: whoever had room for it has room for less.
        with tempfile.TemporaryDirectory(dir=content.root.parent, prefix=".transfer-") as folder:
            packed = Path(folder).resolve() / _PACKED_NAME
            pack(content, source.name, packed, deadline)
            objects.replace(key, Source(packed, {"": packed}))


def _fetch_folder(objects: Objects, listing: Listing, content: Path) -> None:
    targets = {content / name: found for name, found in listing.files.items()}
    for folder in {content, *(content / name for name in listing.folders), *(path.parent for path in targets)}:
        folder.mkdir(parents=True, exist_ok=True)
    objects.fetch(targets)
